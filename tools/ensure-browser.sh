#!/usr/bin/env bash
# Reports are looked at in Chromium. Find it, install it where we may (root and apt), or say how to.
set -u

browser() { # where it is, or nothing
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    [ -n "$name" ] && command -v "$name" && return 0
  done
  return 1
}

browser >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium, which the tests look at reports in …"
  log=$(mktemp)
  # A page without a font would be measured in one that nobody has.
  { apt-get -o DPkg::Lock::Timeout=300 update &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y \
      --no-install-recommends chromium fonts-dejavu-core fonts-liberation; } >"$log" 2>&1
  if browser >/dev/null; then
    rm -f "$log"
    exit 0
  fi
  tail -n 5 "$log" >&2
  rm -f "$log"
fi
cat >&2 <<'TEXT'
The tests look at reports in Chromium, and none was found. Install one:
  Debian:          sudo apt-get install chromium
  Ubuntu:          sudo snap install chromium
  Fedora, RHEL:    sudo dnf install chromium
  macOS:           brew install --cask chromium
and set CHROMIUM to its program where it is not on PATH.
TEXT
exit 1
