"""A server's process: started on a free port, waited for, and ended with everything it started."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

_GUARD = Path(__file__).with_name("guard.py")
_LOG_SHOWN = 4_000  # characters of a log that a message shows
_LOOK_SECONDS = 0.05


class NotStarted(Exception):
    """A server did not come up; the message ends with its log."""


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        port: int = some.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    ready: Callable[[], bool],
    *,
    seconds: float,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run a server while the context lasts, from the moment that it is `ready`.

    Args:
        log: where both its streams go.
        ready: whether it answers; asked again and again, for `seconds` at most.
        environment: variables that are set for it, over those of this process.

    Yields:
        The id of the process that guards it.

    Raises:
        NotStarted: it ended, or was not ready in time.
    """
    with log.open("wb") as output:
        guard = subprocess.Popen(
            [sys.executable, "-I", str(_GUARD), *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            start_new_session=True,  # an interrupt of the test run is ours to handle
        )
    try:
        _wait(guard, log, ready, seconds)
        yield guard.pid
    finally:
        assert guard.stdin is not None
        with suppress(BrokenPipeError):
            guard.stdin.close()
        guard.wait()


def _wait(
    guard: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool], seconds: float
) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if guard.poll() is not None:
            raise NotStarted(f"It ended with {guard.returncode}:\n{_tail(log)}")
        if time.monotonic() > end:
            raise NotStarted(f"It was not ready after {seconds:.0f} s:\n{_tail(log)}")
        time.sleep(_LOOK_SECONDS)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-_LOG_SHOWN:]


def answers(url: str, *statuses: int) -> Callable[[], bool]:
    """Whether a GET is answered with one of those statuses."""

    def ready() -> bool:
        with suppress(requests.RequestException):
            return requests.get(url, timeout=5, allow_redirects=False).status_code in statuses
        return False

    return ready
