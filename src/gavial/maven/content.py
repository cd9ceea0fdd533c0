"""Bytes on their way into a repository, with their digests."""

from __future__ import annotations

import hashlib
import io
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO

from gavial.errors import ConfigurationError, CorruptRelease

# What Maven and Ivy check: Ivy reads sha1, then md5, and never sha256.
CHECKSUMS = ("sha1", "md5")
_ALGORITHMS = (*CHECKSUMS, "sha256")
_CHUNK = 1 << 20
_THREAD_PAYS = 1 << 14
_AHEAD = 8  # parts that wait to be hashed


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
        hashes = {name: hashlib.new(name, usedforsecurity=False) for name in _ALGORITHMS}
        size = 0
        # Digests leave the interpreter's lock: md5 alone takes as long as the other two.
        with path.open("rb") as file, ThreadPoolExecutor(len(hashes)) as threads:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                for _ in threads.map(partial(_update, chunk), hashes.values()):
                    pass
        digests = {name: one.hexdigest() for name, one in hashes.items()}
        return cls(path, size, digests, given_up)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")

    def checksum(self, algorithm: str) -> Content:
        """The checksum file beside this one: bare lower-case hex without a newline."""
        return Content.of_bytes(self.digests[algorithm].encode())


class Hashing:
    """A file to write to that hashes what passes on to `stream`, and may be rewound to its start.

    Raises `CorruptRelease` when more than `limit` bytes come.
    """

    def __init__(self, stream: IO[bytes] | None, limit: int, what: str = "a file") -> None:
        self._stream = stream
        self._limit = limit
        self._what = what
        self._size = 0
        self._digest = hashlib.sha256()
        self._beside: Executor | None = None
        self._hashing: deque[Future[None]] = deque()

    def write(self, data: bytes) -> int:
        self._size += len(data)
        if self._size > self._limit:
            raise CorruptRelease(
                f"There are more than {self._limit} bytes of {self._what}, its size when it was "
                "released."
            )
        self._update(data)
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
        self._settle()
        self._size = 0
        self._digest = hashlib.sha256()
        if self._stream is not None:
            self._stream.seek(0)
        return 0

    def truncate(self) -> None:
        if self._stream is not None:
            self._stream.truncate()

    def hexdigest(self) -> str:
        self._settle()
        return self._digest.hexdigest()

    def _update(self, data: bytes) -> None:
        """Hash while more comes and this is written, where that is worth a thread."""
        if len(data) < _THREAD_PAYS:
            self._settle()
            self._digest.update(data)
            return
        self._settle(_AHEAD)
        self._beside = self._beside or ThreadPoolExecutor(1)
        self._hashing.append(self._beside.submit(self._digest.update, data))

    def _settle(self, but: int = 0) -> None:
        """Wait until no more than so many parts are still to be hashed."""
        while len(self._hashing) > but:
            self._hashing.popleft().result()


def local_disk(what: str, error: OSError) -> ConfigurationError:
    """The error where a file cannot be kept on this machine."""
    return ConfigurationError(
        f"No place for {what} on this machine: {error.strerror or error}. Make room, or choose "
        "another folder (the cache: XDG_CACHE_HOME; temporary files: TMPDIR)."
    )


def _update(chunk: bytes, digest: hashlib._Hash) -> None:
    digest.update(chunk)


def _hash(name: str, data: bytes) -> str:
    return hashlib.new(name, data, usedforsecurity=False).hexdigest()
