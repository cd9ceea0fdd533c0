#!/usr/bin/env bash
# Two of the real servers in the tests need a class of our own, compiled. Find javac, install it
# where we may (root and apt), or say how to.
set -u

javac="${JAVA_HOME:+$JAVA_HOME/bin/}javac"
command -v "$javac" >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ -z "${JAVA_HOME:-}" ]; then
  echo "Installing a JDK, which the real servers in the tests need …"
  log=$(mktemp)
  for package in openjdk-17-jdk-headless openjdk-21-jdk-headless default-jdk-headless; do
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package"; } >"$log" 2>&1 &&
      command -v javac >/dev/null && rm -f "$log" && exit 0
  done
  tail -n 5 "$log" >&2
  rm -f "$log"
fi
echo "The real servers in the tests need a JDK 17 or newer, and $javac is not there." >&2
echo "Debian, Ubuntu: sudo apt-get install openjdk-17-jdk-headless; elsewhere: set JAVA_HOME to one." >&2
exit 1
