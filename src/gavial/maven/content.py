"""Bytes on their way into a repository, with their digests."""

from __future__ import annotations

import hashlib
import io
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from gavial.errors import ConfigurationError, CorruptRelease

# What Maven and Ivy check: Ivy reads sha1, then md5, and never sha256.
CHECKSUMS = ("sha1", "md5")
_ALGORITHMS = (*CHECKSUMS, "sha256")
_CHUNK = 1 << 20
_BATCH = 1 << 18  # bytes for which a thread pays
_AHEAD = 8  # batches that wait to be hashed


@dataclass(frozen=True)
class Content:
    """The bytes of one file, in memory or on disk, with size and hexadecimal digests.

    `given_up` says that nobody changes the file on disk any more, nor misses it: a repository on
    the same disk may take it as it is.

    >>> Content.of_bytes(b"abc").digests["sha1"]
    'a9993e364706816aba3e25717850c26c9cd0d89d'
    """

    source: bytes | Path
    size: int
    digests: Mapping[str, str]
    given_up: bool = False

    @classmethod
    def of_bytes(cls, data: bytes) -> Content:
        return cls(data, len(data), {name: _hash(name, data) for name in _ALGORITHMS})

    @classmethod
    def of_file(cls, path: Path, *, given_up: bool = False) -> Content:
        """Content of a file, read once, at constant memory."""
        with path.open("rb") as file, Digests() as digests:
            while chunk := file.read(_CHUNK):
                digests.update(chunk)
            return digests.content(path, given_up=given_up)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")

    def checksum(self, algorithm: str) -> Content:
        """The checksum file beside this one: bare lower-case hex without a newline."""
        return Content.of_bytes(self.digests[algorithm].encode())


class Digests:
    """The digests of what passes, each in a thread of its own: md5 takes as long as the others."""

    def __init__(self, algorithms: Iterable[str] = _ALGORITHMS) -> None:
        self._size = 0
        self._each = {
            name: _Beside(hashlib.new(name, usedforsecurity=False)) for name in algorithms
        }

    def update(self, data: bytes) -> None:
        self._size += len(data)
        for one in self._each.values():
            one.update(data)

    def content(self, path: Path, *, given_up: bool = False) -> Content:
        """The content of the file that all of it went to."""
        return Content(path, self._size, self.hexdigests(), given_up)

    def hexdigests(self) -> dict[str, str]:
        return {name: one.hexdigest() for name, one in self._each.items()}

    def close(self) -> None:
        """End the threads."""
        for one in self._each.values():
            one.close()

    def __enter__(self) -> Digests:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Beside:
    """A digest that is taken while more comes, where that is worth a thread.

    Digests leave the interpreter's lock.
    """

    def __init__(self, digest: hashlib._Hash) -> None:
        self._digest = digest
        self._batch: list[bytes] = []
        self._size = 0
        self._thread: Executor | None = None
        self._waiting: deque[Future[None]] = deque()

    def update(self, data: bytes) -> None:
        self._batch.append(data)
        self._size += len(data)
        if self._size < _BATCH:
            return
        self._thread = self._thread or ThreadPoolExecutor(1)
        self._settle(_AHEAD)
        self._waiting.append(self._thread.submit(self._take, self._batch))
        self._batch, self._size = [], 0

    def hexdigest(self) -> str:
        self._settle()
        self._take(self._batch)
        self._batch = []
        return self._digest.hexdigest()

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()

    def _take(self, batch: list[bytes]) -> None:
        for data in batch:
            self._digest.update(data)

    def _settle(self, but: int = 0) -> None:
        """Wait until no more than so many batches are still to be hashed."""
        while len(self._waiting) > but:
            self._waiting.popleft().result()


class Hashing:
    """A file to write to that hashes what passes on to `stream`, and may be rewound to its start.

    Raises `CorruptRelease` when more than `limit` bytes come.
    """

    def __init__(self, stream: IO[bytes] | None, limit: int, what: str = "a file") -> None:
        self._stream = stream
        self._limit = limit
        self._what = what
        self._size = 0
        self._digest = _Beside(hashlib.sha256())

    def write(self, data: bytes) -> int:
        self._size += len(data)
        if self._size > self._limit:
            raise CorruptRelease(
                f"There are more than {self._limit} bytes of {self._what}, its size when it was "
                "released."
            )
        self._digest.update(data)
        if self._stream is not None:
            try:
                self._stream.write(data)
            except OSError as error:  # this disk is ours, and not the repository's
                raise local_disk(self._what, error) from error
        return len(data)

    def tell(self) -> int:
        return self._size

    def seek(self, place: int) -> int:
        """Back to the start, where a failed download begins again; nowhere else."""
        if place != 0:
            raise ValueError("a download begins again from its start")
        self._digest.close()
        self._size = 0
        self._digest = _Beside(hashlib.sha256())
        if self._stream is not None:
            self._stream.seek(0)
        return 0

    def truncate(self) -> None:
        if self._stream is not None:
            self._stream.truncate()

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


class Keeping(Hashing):
    """A file to write to, as `Hashing`, that becomes the content of the file that it is kept in."""

    def __init__(self, stream: IO[bytes], limit: int, what: str = "a file") -> None:
        super().__init__(stream, limit, what)
        self._others = Digests(CHECKSUMS)

    def write(self, data: bytes) -> int:
        size = super().write(data)
        self._others.update(data)
        return size

    def seek(self, place: int) -> int:
        super().seek(place)
        self._others.close()
        self._others = Digests(CHECKSUMS)
        return 0

    def close(self) -> None:
        """End the threads that hash."""
        self._digest.close()
        self._others.close()

    def content(self, path: Path) -> Content:
        """The content of the file at `path`, which was given up to whoever takes it."""
        digests = {**self._others.hexdigests(), "sha256": self.hexdigest()}
        return Content(path, self._size, digests, given_up=True)


def local_disk(what: str, error: OSError) -> ConfigurationError:
    """The error where a file cannot be kept on this machine."""
    return ConfigurationError(
        f"No place for {what} on this machine: {error.strerror or error}. Make room, or choose "
        "another folder (the cache: XDG_CACHE_HOME; temporary files: TMPDIR)."
    )


def _hash(name: str, data: bytes) -> str:
    return hashlib.new(name, data, usedforsecurity=False).hexdigest()
