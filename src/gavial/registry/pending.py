"""What a deploy that is cut short leaves for its repetition: its token and its numbers.

A deploy that dies between its POM and `maven-metadata.xml` has released, but is not listed.
The same deploy repeated finds its note here and finishes that release, instead of making
another build of the same model.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gavial.errors import InvalidCoordinate
from gavial.maven.coordinate import Coordinate

try:
    import fcntl
except ImportError:  # Windows: nobody can tell there whether a note's owner is alive
    fcntl = None  # type: ignore[assignment]


class Notes:
    """The notes of one and the same deploy: this model for this target in this repository."""

    def __init__(self, folder: Path, *what: str) -> None:
        self._folder = folder / "deploys"
        self._key = hashlib.sha256("\0".join(what).encode()).hexdigest()

    def left(self) -> Iterator[tuple[str, tuple[Coordinate, ...]]]:
        """Token and claimed numbers of each deploy that has died; its note is gone after it.

        A note stays where the caller fails before it comes back for the next one.
        """
        for path in sorted(self._folder.glob(f"{self._key}-*.txt")) if fcntl else ():
            with suppress(FileNotFoundError), path.open("r+b") as file:
                if not _lock(file.fileno()):
                    continue  # its owner is at work
                if not os.fstat(file.fileno()).st_nlink:
                    continue  # its owner ended well since we opened it
                yield path.stem.rpartition("-")[2], _numbers(file.read())
                path.unlink()

    @contextmanager
    def note(self, token: str) -> Iterator[Note]:
        """A note of this deploy, gone when it ends well and left for its repetition else."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._key}-{token}.txt"
        new = path.with_suffix(".new")
        # Nobody may find it unlocked while we are alive: it gets its name after its lock, and
        # loses it before.
        with new.open("xb") as file:
            _lock(file.fileno())
            new.rename(path)
            yield Note(file.fileno())
            if fcntl:
                path.unlink(missing_ok=True)
        with suppress(OSError):  # Windows removes no open file
            path.unlink(missing_ok=True)


class Note:
    """An open note."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def add(self, coordinate: Coordinate) -> None:
        """Note a number, on disk, before it is claimed."""
        os.write(self._descriptor, f"{coordinate}\n".encode())
        os.fsync(self._descriptor)


def _numbers(data: bytes) -> tuple[Coordinate, ...]:
    """The numbers of a note; its last line may be a part of one."""
    found = []
    for line in data.decode(errors="replace").split("\n")[:-1]:
        with suppress(InvalidCoordinate):
            found.append(Coordinate.parse(line))
    return tuple(found)


def _lock(descriptor: int) -> bool:
    if not fcntl:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
