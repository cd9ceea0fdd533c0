"""A local cache of releases, safe for processes that run side by side.

A file appears there whole or not at all, under a name with its repository in it, and is only
used when its sha256 is the one that the repository's model card says now. Models are kept
unpacked beside: most of what it takes to load a large one again is to unpack it.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count, takewhile
from pathlib import Path

from gavial.maven import layout
from gavial.maven.content import local_disk
from gavial.registry import local, unchanged
from gavial.registry.release import Release, Transferred

_CONTENT, _NOTE = "model", "compared.json"


def jar(release: Release, progress: Transferred | None = None) -> Path:
    """The release's jar as a verified local file.

    Raises:
        CorruptRelease: what the repository holds is not what its card says.
    """
    return file(release, layout.jar_path(release.coordinate), progress)


def file(release: Release, path: str, progress: Transferred | None = None) -> Path:
    """One of a release's files, by its path in the repository, as a verified local file.

    Raises:
        CorruptRelease: what the repository holds is not what its card says.
    """
    wanted = release.file(path.rpartition("/")[2])
    place = folder(release.repository.url) / path
    if holds(place, wanted.sha256):
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise local_disk(str(place.parent), error) from error
    release.fetch(wanted, place, progress)
    _remember(place, wanted.sha256)
    return place


def holds(place: Path, sha256: str) -> bool:
    """Whether a file is there and has that digest."""
    seen = unchanged.look(place) if place.is_file() else None
    if seen is None:
        return False
    if unchanged.is_known(_note(place), sha256, seen):
        return True
    with place.open("rb") as opened:
        same = hashlib.file_digest(opened, "sha256").hexdigest() == sha256
    if same and unchanged.look(place) == seen:
        _remember(place, sha256)
    return same


def _remember(place: Path, sha256: str) -> None:
    with suppress(OSError):  # it is only slower next time
        unchanged.remember(_note(place), sha256, unchanged.look(place) or {})


def _note(place: Path) -> Path:
    return place.with_name(f".{place.name}.compared")


def unpacked(sha256: str, unpack: Callable[[Path], object]) -> Path:
    """A folder with what `unpack` fills it with, kept for the next time.

    Nothing there is ever changed or removed again, since another process may read it: where
    somebody changed it, another one is made beside.

    Args:
        sha256: what it is made from.
        unpack: fills a folder that does not exist yet, and checks what it writes there.
    """
    home = local.cache_folder() / "models"
    found = _compared(home, sha256)
    if found is not None:
        return found
    made = home / f".{secrets.token_hex(8)}"
    try:
        made.mkdir(parents=True)
        unpack(made / _CONTENT)
        unchanged.remember(made / _NOTE, sha256, unchanged.look(made / _CONTENT) or {})
        while True:
            place = next(one for one in _places(home, sha256) if not one.exists())
            found = _compared(home, sha256)  # another process may have been faster
            if found is not None:
                return found
            try:
                made.rename(place)
                return place / _CONTENT
            except OSError:
                if not place.exists():
                    raise
    except OSError as error:
        raise local_disk(str(home / sha256), error) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _places(home: Path, sha256: str) -> Iterator[Path]:
    return (home / f"{sha256}-{number}" for number in count())


def _compared(home: Path, sha256: str) -> Path | None:
    """The folder that is there and unchanged since its bytes were compared."""
    for place in takewhile(Path.exists, _places(home, sha256)):
        if unchanged.is_known(place / _NOTE, sha256, unchanged.look(place / _CONTENT)):
            return place / _CONTENT
    return None


def folder(url: str) -> Path:
    """A repository's folder, in Maven's layout: two may hold one coordinate with other bytes."""
    return local.cache_folder() / "releases" / hashlib.sha256(url.encode()).hexdigest()[:16]
