#!/usr/bin/env bash
# The tests on several hosts make them out of namespaces. Find what that needs, install it where we
# may (root and apt), or say how to.
set -u

missing() {
  for program in ip unshare nsenter mount; do command -v "$program" >/dev/null || return 0; done
  return 1
}

missing || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing iproute2, util-linux and mount, which the tests on several hosts need …"
  log=$(mktemp)
  if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    iproute2 util-linux mount; } >"$log" 2>&1 && ! missing; then
    rm -f "$log"
    exit 0
  fi
  tail -n 5 "$log" >&2
  rm -f "$log"
fi
echo "The tests on several hosts need ip, unshare, nsenter and mount." >&2
echo "Debian, Ubuntu: sudo apt-get install iproute2 util-linux mount" >&2
exit 1
