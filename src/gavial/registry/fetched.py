"""A whole release, fetched once: verified here, and sent on from here.

What is sent are the bytes that were verified, whatever happens to the repository meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from gavial.errors import CorruptRelease, InvalidCoordinate
from gavial.maven import layout, pom
from gavial.maven.content import Content, Keeping, local_disk
from gavial.maven.coordinate import Library
from gavial.maven.folder import FolderRepository
from gavial.maven.protocol import Packed
from gavial.maven.transfer import Cargo
from gavial.model.card import File
from gavial.registry import runtime
from gavial.registry.release import Release, Transferred


@dataclass(frozen=True)
class Fetched:
    """A release's files on this machine, in Maven's layout.

    Attributes:
        release: the release, as it lies here.
        contents: the files by path: those of the card that came right, the signature, gpg's.
        runtime: the runtime jar that the card names, with its POM; `None` where it names none, or
            where that is not there.
        problems: what was wrong with files when they came.
    """

    release: Release
    contents: Mapping[str, Content]
    runtime: tuple[Library, Packed] | None
    problems: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where the release's own files are, by name."""
        assert isinstance(self.release.repository, FolderRepository)
        return self.release.repository.folder / layout.release_folder(self.release.coordinate)

    def cargo(self) -> Cargo:
        """The release, ready to be sent on.

        Raises:
            CorruptRelease: a file did not come right.
        """
        coordinate = self.release.coordinate
        claim, own = layout.claim_path(coordinate), layout.pom_path(coordinate)
        wanted = {f"{layout.release_folder(coordinate)}/{one.name}" for one in self.release.files}
        if self.problems or not {*wanted, claim, own} <= self.contents.keys():
            raise CorruptRelease(f"{coordinate} is not whole: {' '.join(self.problems)}")
        files = tuple(one for one in self.contents.items() if one[0] not in (claim, own))
        return Cargo(coordinate, self.contents[claim], Packed(files, self.contents[own]))


def fetch(release: Release, work: Path, progress: Transferred | None = None) -> Fetched:
    """Fetch a release and the runtime jar that it needs, at constant memory.

    Args:
        release: where it lies.
        work: a folder of the caller's own, empty.
        progress: hears of each part of a file that came.

    Raises:
        RepositoryError: the repository does not answer.
        ConfigurationError: there is no place for it on this machine.
    """
    coordinate, store = release.coordinate, release.repository
    home = FolderRepository(work, store.id)
    home.url = store.url  # what messages name is where it came from
    base = layout.release_folder(coordinate)
    contents: dict[str, Content] = {}
    problems = []
    try:
        (work / base).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise local_disk(str(work), error) from error
    small = {layout.claim_path(coordinate), layout.pom_path(coordinate)}
    for file in release.files:
        path = f"{base}/{file.name}"
        try:
            kept = _file(release, file, work / path, progress)
            if path in small:  # the claim is compared as bytes, and the POM is read again
                kept = replace(kept, source=(work / path).read_bytes(), given_up=False)
            contents[path] = kept
        except CorruptRelease as error:
            problems.append(str(error))
    signature = layout.signature_path(coordinate)
    for path in (signature, *(f"{one}{layout.UNSUMMED}" for one in (*contents, signature))):
        data = store.read(path)
        if data is not None:
            contents[path] = Content.of_bytes(data)
            (work / path).write_bytes(data)
    brought = None
    try:
        brought = _runtime(release, work)
    except CorruptRelease as error:
        problems.append(str(error))
    here = Release(coordinate, home, release.card, release.files)
    return Fetched(here, contents, brought, tuple(problems))


def _file(release: Release, file: File, place: Path, progress: Transferred | None) -> Content:
    if isinstance(release.repository, FolderRepository):
        return _clone(release, release.repository, file, place, progress)
    try:
        with place.open("wb") as stream:
            target = Keeping(stream, file.size, f"{file.name} of {release.coordinate}")
            try:
                release.receive(file, target, progress)
                return target.content(place)
            finally:
                target.close()
    except OSError as error:
        raise local_disk(str(place), error) from error


def _clone(
    release: Release,
    store: FolderRepository,
    file: File,
    place: Path,
    progress: Transferred | None,
) -> Content:
    """As `_file`, from a folder: the system copies faster than bytes pass through here."""

    def copied(count: int) -> None:
        if progress is not None:
            progress(file.name, count, file.size)

    path = f"{layout.release_folder(release.coordinate)}/{file.name}"
    try:
        with place.open("wb") as stream:
            if not store.clone(path, stream, file.size, copied):
                raise CorruptRelease(f"{file.name} of {release.coordinate} is missing.")
        found = Content.of_file(place, given_up=True)
    except OSError as error:
        raise local_disk(str(place), error) from error
    release.compare_with(file, found.digests["sha256"])
    return found


def _runtime(release: Release, work: Path) -> tuple[Library, Packed] | None:
    """The runtime jar that a card names, as it lies there: verifying compares it."""
    named = release.card.runtime
    if named is None:
        return None
    try:
        library = Library.parse(named["coordinate"])
    except (InvalidCoordinate, KeyError):
        return None  # which verifying says
    jar = release.repository.read(layout.jar_path(library))
    if jar is None and library == runtime.library():
        jar = cast("bytes", runtime.files().files[0][1].source)  # as anybody can make it again
    if jar is None:
        return None
    place = work / layout.jar_path(library)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(jar)
    packed = ((layout.jar_path(library), Content.of_bytes(jar)),)
    return library, Packed(packed, _pom(release, library))


def _pom(release: Release, library: Library) -> Content:
    """The runtime's POM. No card vouches for it, so it may say nothing but what it is."""
    if library == runtime.library():
        return runtime.files().pom
    path = layout.pom_path(library)
    data = release.repository.read(path)
    if data is None:
        raise CorruptRelease(f"{path} in repository {release.repository.id!r} is missing.")
    found = pom.read(data, path)
    if found.coordinate != str(library) or found.dependencies:
        raise CorruptRelease(
            f"{path} in repository {release.repository.id!r} is no POM of a runtime jar: it is "
            f"{found.coordinate:.100}, and has {len(found.dependencies)} dependencies."
        )
    return Content.of_bytes(data)
