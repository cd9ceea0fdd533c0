"""Whose a temporary folder is, and whether its owner is certainly gone.

A process that is killed leaves its folders behind. Each has a note of who made it, so that a
later process can take them away, and never one that is in use.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

NOTE = "_owner.json"
LEASE_SECONDS = 24 * 3600.0
"""A note that was not renewed for so long has no owner, wherever that was."""
RENEWAL_SECONDS = 3600.0

_PROC = Path("/proc")


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes:
        space: what gives process ids their meaning, a boot of a machine and a namespace in it;
            empty where that cannot be told.
        user: the number of its user; others' processes may be hidden.
        process: its id.
        started: when it started, in the kernel's own count, since ids are used again.
    """

    space: str
    user: int
    process: int
    started: str

    @staticmethod
    def this() -> Owner:
        """This process."""
        return _owner(os.getpid())  # asked again each time: a fork is another process

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The owner of a note; `None` where it is of another kind, or half written.

        >>> Owner.parse(Owner("x", 0, 7, "11").to_json()).process
        7
        >>> Owner.parse("{") is None
        True
        """
        try:
            values = json.loads(text)
            return cls(
                str(values["space"]),
                int(values["user"]),
                int(values["process"]),
                str(values["started"]),
            )
        except (ValueError, TypeError, KeyError):
            return None

    def is_alive(self) -> bool | None:
        """Whether that process lives; `None` where it cannot be told from here."""
        here = Owner.this()
        if not here.space or self.space != here.space or self.user != here.user:
            return None
        return _started(self.process) == self.started


def is_left_over(owner: Owner | None, age: float) -> bool:
    """Whether a folder has nobody who uses it.

    Args:
        owner: whom its note names; `None` without a note that can be read.
        age: seconds since the note was renewed, by the clock of the file system that holds it.

    >>> is_left_over(None, 60.0), is_left_over(None, 2 * LEASE_SECONDS)
    (False, True)
    >>> is_left_over(Owner.this(), 2 * LEASE_SECONDS)
    False
    """
    alive = owner.is_alive() if owner else None
    return age > LEASE_SECONDS if alive is None else not alive


def folder_here(prefix: str) -> Path:
    """A new temporary folder of this process, on this host.

    Those of that prefix that dead processes left are taken away, once.
    """
    _sweep_here(prefix)
    made = Path(tempfile.mkdtemp(prefix=prefix))
    (made / NOTE).write_text(Owner.this().to_json())
    return made


@contextmanager
def temporary(prefix: str) -> Iterator[Path]:
    """A folder of `folder_here` that is gone afterwards."""
    folder = folder_here(prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def until_exit(prefix: str) -> Path:
    """A folder of `folder_here` that is gone when this process ends."""
    folder = folder_here(prefix)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _sweep_here(prefix: str) -> None:
    # Nobody renews a note here: only a process that is certainly dead has left a folder.
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):
            noted = Owner.parse((left / NOTE).read_text())
            if noted is not None and noted.is_alive() is False:
                shutil.rmtree(left, ignore_errors=True)


@cache
def _owner(process: int) -> Owner:
    return Owner(_space(), _user(), process, _started(process))


@cache
def _space() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:  # no Linux
        return ""


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else -1


def _started(process: int) -> str:
    """When a process started; empty where none of that id runs."""
    try:
        stat = (_PROC / str(process) / "stat").read_text()
    except OSError:
        return ""
    # The name, in brackets, may hold anything: what counts comes after the last bracket.
    fields = stat.rpartition(")")[2].split()
    # The first process of a container may leave the dead for ever in the list, as zombies.
    return "" if fields[0] in ("Z", "X") else fields[19]
