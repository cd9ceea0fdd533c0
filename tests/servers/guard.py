"""Runs a server and ends it, with all that it started, as soon as whoever asked for it is gone.

`python guard.py COMMAND…`, with a pipe as standard input. A pipe closes however its other end
dies, so a test run that is killed leaves no server behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

# What a server gets to end by itself. Nothing of it is needed afterwards.
_PATIENCE = 5.0


def main(command: list[str]) -> None:
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_with, args=(server,), daemon=True).start()
    os.read(0, 1)  # until the pipe is closed
    _signal(server, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(_PATIENCE)
    _signal(server, signal.SIGKILL)
    server.wait()


def _end_with(server: subprocess.Popen[bytes]) -> None:
    code = server.wait()
    _signal(server, signal.SIGKILL)
    os._exit(code if code >= 0 else 1)


def _signal(server: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the server's whole group, as far as any of it is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, number)


if __name__ == "__main__":
    main(sys.argv[1:])
