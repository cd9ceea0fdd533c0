"""A local cache of released jars, safe for processes that run side by side.

A file appears there whole or not at all, under a name with its repository in it, and is only
used when its sha256 is the one that the repository's model card says now.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from gavial.maven import layout
from gavial.maven.content import Content, local_disk
from gavial.registry import local
from gavial.registry.release import Release, Transferred


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
    return release.fetch(wanted, place, progress)


def holds(place: Path, sha256: str) -> bool:
    """Whether a file is there and has that digest."""
    return place.is_file() and Content.of_file(place).digests["sha256"] == sha256


def folder(url: str) -> Path:
    """A repository's folder, in Maven's layout: two may hold one coordinate with other bytes."""
    return local.cache_folder() / "releases" / hashlib.sha256(url.encode()).hexdigest()[:16]
