"""Releases fetched and verified before Spark starts, laid out as a Maven folder for its Ivy.

Ivy compares sha1 with a file beside the jar, and what it brings runs before any check of ours.
So here the check comes first, and Ivy is shown nothing but what passed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gavial.errors import CorruptRelease
from gavial.maven import layout
from gavial.maven.content import Content
from gavial.maven.coordinate import Library
from gavial.maven.pom import Pom
from gavial.registry import cache, local, runtime, trust
from gavial.registry.release import Release, Transferred


def prepare(
    releases: Sequence[Release], own_runtime: bool, progress: Transferred | None = None
) -> Path:
    """The folder with all releases, and the runtime jar that each was released with.

    Args:
        releases: at least one, all of one repository.
        own_runtime: the runtime jar of this package is wanted too.

    Raises:
        CorruptRelease: what the repository holds is not what a card says.
        UntrustedRelease: a trust policy asks for a signature that one has not.
    """
    for release in releases:
        trust.require(release)
    folder = cache.folder(releases[0].repository.url)
    for release in releases:
        for path in (layout.jar_path(release.coordinate), layout.pom_path(release.coordinate)):
            cache.file(release, path, progress)
        _bring_runtime(release, folder)
    if own_runtime:
        _write(folder / layout.jar_path(runtime.library()), runtime.files().files[0][1])
        _write(folder / layout.pom_path(runtime.library()), runtime.files().pom)
    return folder


def _bring_runtime(release: Release, folder: Path) -> None:
    named = release.card.runtime
    if named is None:
        return
    library = Library.parse(named["coordinate"])
    path = layout.jar_path(library)
    if not cache.holds(folder / path, named["sha256"]):
        data = release.repository.read(path)
        if data is None or Content.of_bytes(data).digests["sha256"] != named["sha256"]:
            raise CorruptRelease(
                f"{path} in repository {release.repository.id!r} is "
                f"{'missing' if data is None else 'not what it was'} when {release.coordinate} was "
                "released: it runs in every job that loads that model. Have it looked at."
            )
        local.write_whole(folder / path, data)
    _write(folder / layout.pom_path(library), _pom(library))


def _pom(library: Library) -> Content:
    """The runtime's own POM says no more than this, and no card vouches for it."""
    if library == runtime.library():
        return runtime.files().pom
    return Content.of_bytes(Pom(library, "The runtime of a released model.").render())


def _write(place: Path, content: Content) -> None:
    if not cache.holds(place, content.digests["sha256"]):
        with content.open() as source:
            local.write_whole(place, source.read())
