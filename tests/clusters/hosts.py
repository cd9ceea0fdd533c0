"""Pretend hosts on one machine: each has its own network, mounts, name, processes and `/tmp`.

They reach each other and nothing else. It takes root, `unshare` and `nsenter` (util-linux) and
`ip` (iproute2). All of a host ends with its first process, and that with the test run.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "servers"))
import fetch
from process import running

_NETWORK = "10.77.0"
_PRIVATE = ("/tmp", "/var/tmp")
HOME = "/tmp/home"
# For many JVMs that live for a minute on few cores: they start faster, and no result is another.
JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# Python, the source and the artifacts, wherever they are: what is installed on every host.
_SOFTWARE = (Path(__file__).parents[2], Path(sys.prefix), Path(sys.base_prefix), fetch.cache())

# What is common to all: a small disk, and a folder that nobody may write.
_COMMON = """
set -e
mount --make-rprivate /
mkdir -p "$SHARED/small" "$SHARED/read-only"
mount -t tmpfs -o size=512k tmpfs "$SHARED/small"
mount --bind "$SHARED/read-only" "$SHARED/read-only"
mount -o remount,bind,ro "$SHARED/read-only"
ip link add br0 type bridge
ip link set br0 up
echo ready >"$READY"
exec sleep infinity
"""
_HOST = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
n=0
for place in "$@"; do
  n=$((n + 1)); mkdir /mnt/$n; mount --rbind "$place" /mnt/$n
done
for place in /tmp /var/tmp; do mount -t tmpfs -o mode=1777 tmpfs $place; done
n=0
for place in "$@"; do
  n=$((n + 1)); mkdir -p "$place"; mount --rbind /mnt/$n "$place"
done
mkdir /tmp/home
mount --bind "$NAMES" /etc/hosts
hostname "$NAME"
ip link set lo up
echo ready >"$READY"
exec sleep infinity
"""


class NoHosts(Exception):
    """This machine lets us make no hosts; the message says what is missing."""


def check() -> None:
    """Check that hosts can be made here.

    Raises:
        NoHosts: they cannot.
    """
    missing = [name for name in ("unshare", "nsenter", "ip", "mount") if not shutil.which(name)]
    if missing:
        raise NoHosts(
            f"{', '.join(missing)} not installed: apt-get install --no-install-recommends "
            "util-linux iproute2 mount."
        )
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "true"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if tried.returncode:
        raise NoHosts(
            "Pretend hosts need root and namespaces of their own, and `unshare --net --mount --uts "
            f"--pid true` says: {tried.stderr.strip()}"
        )


@dataclass(frozen=True)
class Host:
    """A host that runs; `process` is its first process, as seen from here."""

    name: str
    process: int
    variables: Mapping[str, str] = field(default_factory=dict)

    def command(self, *command: str | Path, **environment: str) -> list[str]:
        """A command line that runs a command there."""
        known = {"HOME": HOME, "TMPDIR": "/tmp", **self.variables, **environment}
        return [
            *("nsenter", "-t", str(self.process), "-n", "-m", "-u", "-p", "--wd=/tmp", "--"),
            *("env", "-u", "HOSTNAME", *(f"{name}={value}" for name, value in known.items())),
            *map(str, command),
        ]

    def run(self, *command: str | Path, **environment: str) -> str:
        """Run a command there and return what it prints; both streams are shown on failure."""
        done = subprocess.run(
            self.command(*command, **environment),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def listens(self, port: int) -> bool:
        """Whether somebody listens there on a port."""
        # Its own list of sockets, in hexadecimal; 0A is one that listens.
        for kind in ("tcp", "tcp6"):
            lines = Path(f"/proc/{self.process}/net/{kind}").read_text().splitlines()[1:]
            sockets = [line.split() for line in lines]
            if any(one[1].endswith(f":{port:04X}") and one[3] == "0A" for one in sockets):
                return True
        return False

    def kill(self) -> None:
        """End the host at once, with every process on it, as a power cut does."""
        _kill(self.process)


@contextmanager
def up(folder: Path, names: Sequence[str]) -> Iterator[dict[str, Host]]:
    """Hosts of those names, while the context lasts.

    Args:
        folder: an empty one of this machine; all hosts have its `shared` under one path, and in it
            `small`, a disk of 512 kB, and `read-only`.
    """
    shared = folder / "shared"
    shared.mkdir()
    listed = folder / "hosts"
    numbered = [f"{_NETWORK}.{n} {name}\n" for n, name in enumerate(names, 1)]
    listed.write_text("".join(["127.0.0.1 localhost\n", *numbered]))
    kept = [str(place) for place in (folder, *_SOFTWARE) if _is_private(place)]
    with ExitStack() as stack:
        common = _started(stack, folder, "common", [], _COMMON, SHARED=str(shared))
        _ip(common, "link", "set", "lo", "up")
        hosts = {}
        for number, name in enumerate(names, 1):
            inside = ["nsenter", "-t", str(common), "-m", "--"]
            process = _started(stack, folder, name, inside, _HOST, *kept, NAMES=str(listed))
            port = f"port{number}"
            peer = ("type", "veth", "peer", "name", "eth0", "netns", str(process))
            _ip(common, "link", "add", port, *peer)
            _ip(common, "link", "set", port, "master", "br0", "up")
            _ip(process, "addr", "add", f"{_NETWORK}.{number}/24", "dev", "eth0")
            _ip(process, "link", "set", "eth0", "up")
            hosts[name] = Host(name, process)
        yield hosts


def _is_private(place: Path) -> bool:
    return any(place.is_relative_to(one) for one in _PRIVATE)


def _started(
    stack: ExitStack,
    folder: Path,
    name: str,
    inside: list[str],
    script: str,
    *arguments: str,
    **environment: str,
) -> int:
    """Start the first process of a host and return its id."""
    ready = folder / f"{name}.ready"
    guard = stack.enter_context(
        running(
            [
                *inside,
                *("unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child"),
                *("--mount-proc", "bash", "-c", script, name, *arguments),
            ],
            folder / f"{name}.log",
            ready.exists,
            seconds=30,
            environment={"NAME": name, "READY": str(ready), **environment},
        )
    )
    # guard, unshare (in place of nsenter where it has only a mount namespace to enter), bash.
    process = _child(_child(guard))
    stack.callback(_kill, process)  # it hears no request to end
    return process


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _child(process: int) -> int:
    tasks = Path(f"/proc/{process}/task").iterdir()
    found = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    assert len(found) == 1, f"process {process} has the children {found}"
    return found[0]


def _ip(process: int, *arguments: str) -> None:
    subprocess.run(
        ["nsenter", "-t", str(process), "-n", "ip", *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def until(holds: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: it never did.
    """
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"After {seconds:.0f} s still not: {what}"
        time.sleep(0.1)
