"""A command that is run with each message: it may start the job that trains again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from gavial.channels.channel import Channel
from gavial.channels.message import Event, Message
from gavial.errors import NotDelivered

SECONDS = 600.0


class Command(Channel):
    """Runs a program, without a shell.

    It has the message's document on its standard input, and `GAVIAL_EVENT`, `GAVIAL_MODULE`,
    `GAVIAL_VERSIONS` (with spaces between) and `GAVIAL_STATUS` in its environment. What it writes
    goes to the standard error of this process.

    Args:
        arguments: the program and its arguments.
        seconds: after which it and what it started are ended.
    """

    # Who is told again that a model is ill must not train it again.
    usual = frozenset({Event.ALERT})

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        seconds: float = SECONDS,
        events: frozenset[Event] | None = None,
    ) -> None:
        super().__init__(name, events)
        self._arguments, self._timeout = tuple(arguments), seconds
        self.seconds = seconds + 30.0

    def problem(self) -> str:
        """Why the program would not start; "" where it is there."""
        if shutil.which(self._arguments[0]):
            return ""
        return f"The command {self._arguments[0]!r} is no program that is found here."

    def send(self, message: Message) -> None:
        what = f"The command {self._arguments[0]!r}"
        try:
            process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=2,  # what this process answers goes to its own standard output
                env={**os.environ, **_environment(message)},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise NotDelivered(f"{what} does not start: {reason}.") from error
        try:
            document = json.dumps(message.document, allow_nan=False).encode()
            process.communicate(document, timeout=self._timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            raise NotDelivered(
                f"{what} did not end within {self._timeout:g} seconds and was ended: let it start "
                "the work and not wait for it, or set timeout."
            ) from None
        except BaseException:
            _end(process)
            raise
        if process.returncode:
            raise NotDelivered(f"{what} failed: it ended with {process.returncode}.")


def _environment(message: Message) -> dict[str, str]:
    return {
        "GAVIAL_EVENT": message.event,
        "GAVIAL_MODULE": message.module,
        "GAVIAL_VERSIONS": " ".join(message.versions),
        "GAVIAL_STATUS": message.status,
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and all of its group."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.communicate()
