"""A zip file that is hashed while it is written.

`zipfile` writes an entry's head, its bytes, and then its head again, with checksum and sizes. A
digest cannot go back, so an entry is held back until it is whole; or, where checksum and size are
known before (`foresee`), its head is right from the start.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

from gavial.maven.content import Digests

_HEAD = 30  # bytes of a local file header before the name (APPNOTE.TXT, 4.3.7)
_HELD = 1 << 23
_CHUNK = 1 << 20


class OnePass:
    """What `zipfile.ZipFile` writes to; it passes all on to `stream` and to `digests`, once.

    Attributes:
        changed: an entry's bytes were not those that were foreseen: the file is of no use.
    """

    def __init__(self, stream: BinaryIO, digests: Digests) -> None:
        self.changed = False
        self._stream = stream
        self._digests = digests
        self._end = 0  # of what went on
        self._back: int | None = None  # where a head is written again
        self._head = (0, b"")
        self._foreseen: tuple[zipfile.ZipInfo, int] | None = None
        self._held: IO[bytes] | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold an entry back until it is whole, in memory or, where it is large, on disk."""
        with tempfile.SpooledTemporaryFile(_HELD) as held:
            self._held = held
            try:
                yield
            finally:
                self._held = None
            held.seek(0)
            shutil.copyfileobj(held, self, _CHUNK)

    def foresee(self, entry: zipfile.ZipInfo, crc: int) -> None:
        """Take the entry that is opened next as stored, of the size that it says, with `crc`."""
        self._foreseen = (entry, crc)

    def write(self, data: bytes, /) -> int:
        if self._held is not None:
            return self._held.write(data)
        if self._back is not None:
            self.changed |= (self._back, data) != self._head
            self._back += len(data)
            return len(data)
        if self._foreseen:
            data = _final(data, *self._foreseen)
            self._foreseen, self._head = None, (self._end, data)
        self._stream.write(data)
        self._digests.update(data)
        self._end += len(data)
        return len(data)

    def tell(self) -> int:
        if self._held is not None:
            return self._end + self._held.tell()
        return self._end if self._back is None else self._back

    def seek(self, place: int) -> int:
        if self._held is not None:
            return self._held.seek(place - self._end)
        self._back = None if place == self._end else place
        return place

    def flush(self) -> None:
        self._stream.flush()


def _final(head: bytes, entry: zipfile.ZipInfo, crc: int) -> bytes:
    """An entry's head as `zipfile` will write it in the end."""
    entry.CRC, entry.compress_size = crc, entry.file_size
    return entry.FileHeader(zip64=len(head) > _HEAD + len(entry.filename.encode()))
