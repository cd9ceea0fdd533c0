"""Releases that other tools made: a jar with a model in our layout, and no model card."""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path

from gavial.errors import CorruptRelease, ReleaseNotFound
from gavial.maven import layout
from gavial.maven.coordinate import Coordinate
from gavial.maven.repository import Repository

_SHA1 = re.compile(r"[0-9a-f]{40}")


def jar(store: Repository, coordinate: Coordinate, folder: Path) -> Path:
    """Fetch a jar into `folder`, checked as Maven checks it: by the sha1 beside it, if any.

    Raises:
        ReleaseNotFound: there is no jar.
        CorruptRelease: its bytes are not those of its checksum, or that is none.
    """
    path = layout.jar_path(coordinate)
    target = Path(tempfile.mkdtemp(dir=folder)) / path.rpartition("/")[2]
    with target.open("w+b") as file:
        found = store.download(path, file)
        file.flush()
        file.seek(0)
        digest = hashlib.file_digest(file, _sha1).hexdigest()
    if not found:
        raise ReleaseNotFound(
            f"{coordinate} has neither a model card nor a jar in repository {store.id!r} "
            f"({store.url})."
        )
    expected = store.read(f"{path}.sha1")
    if expected is not None and _first_word(expected) != digest:
        target.unlink()
        raise CorruptRelease(
            f"{path} in repository {store.id!r} has the sha1 {digest}, and the file beside it says "
            f"{_first_word(expected) or 'something else'}."
        )
    return target


def _sha1() -> hashlib._Hash:
    return hashlib.sha1(usedforsecurity=False)


def _first_word(checksum: bytes) -> str:
    """The digest of a checksum file, which some tools follow by the file's name."""
    words = checksum.decode("ascii", "replace").lower().split()
    return words[0] if words and _SHA1.fullmatch(words[0]) else ""
