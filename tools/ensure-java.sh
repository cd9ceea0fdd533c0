#!/usr/bin/env bash
# Spark needs Java 17 or newer. Find it, install it where we may (root and apt), or say how to.
set -u

version_of() { # the major version of a java executable, or nothing
  "$1" -version 2>&1 | sed -nE 's/.*version "(1\.)?([0-9]+).*/\2/p' | head -n 1
}

java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
version=$(version_of "$java")
if [ -n "$version" ] && [ "$version" -ge 17 ]; then
  exit 0
fi
if [ -n "${JAVA_HOME:-}" ]; then
  echo "JAVA_HOME is $JAVA_HOME, which has ${version:+Java }${version:-no Java}: Spark needs Java 17 or newer." >&2
  echo "Set JAVA_HOME to such a Java, or unset it to use the java on PATH." >&2
  exit 1
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Java, which Spark needs …"
  log=$(mktemp)
  for package in openjdk-17-jre-headless openjdk-21-jre-headless default-jre-headless; do
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package"; } >"$log" 2>&1 &&
      version=$(version_of java) && [ -n "$version" ] && [ "$version" -ge 17 ] && rm -f "$log" && exit 0
  done
  tail -n 5 "$log" >&2
  rm -f "$log"
fi
cat >&2 <<'TEXT'
Spark needs Java 17 or newer, and none was found. Install one:
  Debian, Ubuntu:  sudo apt-get install openjdk-17-jre-headless
  Fedora, RHEL:    sudo dnf install java-17-openjdk-headless
  macOS:           brew install openjdk@17
and set JAVA_HOME where it is not on PATH.
TEXT
exit 1
