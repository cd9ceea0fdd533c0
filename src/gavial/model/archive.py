"""Jars from outside: opened and checked as a whole before a byte of them is written anywhere."""

from __future__ import annotations

import errno
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gavial import limits
from gavial.errors import CorruptRelease
from gavial.model import manifest
from gavial.model.manifest import Manifest

CHUNK = 1 << 20
_ESCAPING = re.compile(r"^/|\\|\x00|^[A-Za-z]:|(^|/)\.{1,2}(/|$)|//")
# What zipfile lets through where sizes and places in the file are nonsense.
_NONSENSE = (ValueError, OverflowError, struct.error)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Archive:
    """An open jar, checked as a whole: its files by name, and its manifest where it is ours."""

    zip: zipfile.ZipFile
    path: Path
    files: dict[str, zipfile.ZipInfo]
    manifest: Manifest | None

    @contextmanager
    def read(self, name: str) -> Iterator[IO[bytes]]:
        """Open a member.

        Raises:
            CorruptRelease: its bytes are damaged, found while reading.
        """
        with _as_corrupt(self.path), self.zip.open(self.files[name]) as file:
            yield file


@contextmanager
def open_jar(jar: Path) -> Iterator[Archive]:
    """Open a jar that somebody else may have made.

    Raises:
        CorruptRelease: it is no jar, is truncated, has entries that lead out of a folder,
            collide or explode, or differs from its own manifest.
        IncompatibleModel: its manifest is of a later Gavial.
    """
    if not jar.is_file():
        raise CorruptRelease(f"{str(jar)!r} is not there: expected a release's jar.")
    with _as_corrupt(jar), _open(jar) as opened:
        files = _files(opened, jar)
        _check_growth(files, jar)
        found = _manifest(opened, files, jar)
        if found is not None:
            _check_members(files, found, jar)
        yield Archive(opened, jar, files, found)


def _open(jar: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(jar)
    except (*_NONSENSE, OSError) as error:
        raise zipfile.BadZipFile(str(error)) from error


@contextmanager
def _as_corrupt(jar: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, *_NONSENSE) as error:
        raise _not_whole(jar, error) from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the file's start
            raise
        raise _not_whole(jar, error) from error


def _not_whole(jar: Path, error: Exception) -> CorruptRelease:
    return CorruptRelease(
        f"{jar.name} is not a whole jar: {error}. Fetch it again, or ask who released it."
    )


def _files(opened: zipfile.ZipFile, jar: Path) -> dict[str, zipfile.ZipInfo]:
    entries = opened.infolist()
    if len(entries) > limits.JAR_ENTRIES:
        raise _hostile(jar, f"it has {len(entries)} entries (GAVIAL_LIMIT_JAR_ENTRIES)")
    seen: dict[str, str] = {}
    files: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        _check_entry(entry, jar)
        # Some file systems do not tell case or Unicode's forms apart.
        key = unicodedata.normalize("NFKC", entry.filename.rstrip("/")).casefold()
        if key in seen:
            raise _hostile(
                jar, f"{seen[key]!r} and {entry.filename!r} collide on some file systems"
            )
        seen[key] = entry.filename
        if not entry.is_dir():
            files[entry.filename] = entry
    _check_folders(files, seen, jar)
    return files


def _check_entry(entry: zipfile.ZipInfo, jar: Path) -> None:
    name, mode = entry.filename, entry.external_attr >> 16
    # `filename` is what zipfile made of it: cut at a NUL, separators replaced.
    if name != entry.orig_filename or not name or _ESCAPING.search(name):
        raise _hostile(jar, f"the entry {entry.orig_filename!r} leads out of its folder")
    if name.count("/") > limits.JAR_DEPTH:
        raise _hostile(jar, f"an entry is {name.count('/')} folders deep (GAVIAL_LIMIT_JAR_DEPTH)")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _hostile(jar, f"the entry {name!r} is a link or a device")
    if entry.flag_bits & 0x1:
        raise _hostile(jar, f"the entry {name!r} is encrypted")
    if entry.compress_type not in _METHODS:
        raise _hostile(jar, f"the entry {name!r} is compressed in a way that no jar uses")


def _check_folders(files: dict[str, zipfile.ZipInfo], seen: dict[str, str], jar: Path) -> None:
    """No file is also a folder of another entry."""
    names = {name.casefold() for name in files}
    for key in seen:
        for place, character in enumerate(key):
            if character == "/" and key[:place] in names:
                raise _hostile(jar, f"{key[:place]!r} is a file and a folder")


def _manifest(
    opened: zipfile.ZipFile, files: dict[str, zipfile.ZipInfo], jar: Path
) -> Manifest | None:
    entry = files.get(manifest.PATH)
    if entry is None:
        return None
    if entry.file_size > limits.JAR_MANIFEST:
        raise _hostile(jar, f"its manifest has {entry.file_size} bytes")
    return Manifest.parse(opened.read(entry), jar.name)


def _check_members(files: dict[str, zipfile.ZipInfo], found: Manifest, jar: Path) -> None:
    there = {name: entry.file_size for name, entry in files.items() if name != manifest.PATH}
    declared = {name: one.size for name, one in found.members.items()}
    for name in sorted(there.keys() | declared.keys()):
        if name not in there:
            raise CorruptRelease(f"{jar.name} lacks {name!r}, which its manifest lists.")
        if name not in declared:
            raise CorruptRelease(f"{jar.name} has {name!r}, which its manifest does not list.")
        if there[name] != declared[name]:
            raise CorruptRelease(
                f"{name!r} of {jar.name} has {there[name]} bytes; its manifest says "
                f"{declared[name]}."
            )


def _check_growth(files: dict[str, zipfile.ZipInfo], jar: Path) -> None:
    total = sum(entry.file_size for entry in files.values())
    if total > limits.JAR_HARMLESS and total > limits.JAR_RATIO * jar.stat().st_size:
        raise _hostile(
            jar,
            f"it would grow from {jar.stat().st_size} to {total} bytes (GAVIAL_LIMIT_JAR_RATIO)",
        )


def _hostile(jar: Path, problem: str) -> CorruptRelease:
    return CorruptRelease(
        f"{jar.name} is refused: {problem}. Gavial writes no such jar: ask who released it."
    )
