"""How a repository behaves and what we may do there, found out by trying.

A few bytes are written under a coordinate that no model has, `io.gavial:check`, read, written
again and removed. Nothing is known of a server but its answers.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from gavial.errors import AccessDenied, RepositoryError
from gavial.maven import layout
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Library, Module, Version
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.repository import FolderAnswer, Repository

_TRIES = 3
PROBE = Module("io.gavial", "check")


@dataclass(frozen=True)
class Behaviour:
    """What a repository does, and lets us do. `None`: it could not be found out.

    Attributes:
        refusal: why we may not write there; empty where we may.
        may_delete: whether a file that was written can be removed by us.
        shows_claims: a file is shown as soon as it is written.
        overwrites: a file that is there can be written again, by us.
        conditional: it refuses that where the request says `If-None-Match: *`.
        makes_folders: of several makers of a folder one is told that it was made.
        keeps_metadata: `maven-metadata.xml` is what we wrote, and can be written again.
        lists: it says which models it has, by a listing or a search.
        left: files of the check that could not be removed.
    """

    refusal: str = ""
    may_delete: bool | None = None
    shows_claims: bool | None = None
    overwrites: bool | None = None
    conditional: bool | None = None
    makes_folders: bool | None = None
    keeps_metadata: bool | None = None
    lists: bool = False
    left: tuple[str, ...] = ()

    @property
    def may_release(self) -> bool:
        """Whether a deploy can end well."""
        return not self.refusal and bool(self.shows_claims) and self.keeps_metadata is not None

    @property
    def keeps_releases(self) -> bool:
        """Whether we could not change a release if we tried."""
        return self.overwrites is False and self.may_delete is False


def observe(repository: Repository) -> Behaviour:
    """Try what a deploy does.

    Raises:
        AccessDenied: not even reading is allowed.
        RepositoryUnavailable: it does not answer.
    """
    coordinate = Coordinate(PROBE, Version(0, 0, secrets.randbelow(10**9)))
    claim = layout.claim_path(coordinate)
    repository.read(claim)
    refusal: RepositoryError | None
    try:
        folder = repository.make_folder(layout.release_folder(coordinate))
        refusal = repository.write(claim, _content(1))
    except AccessDenied as error:
        refusal = error
    # An empty repository's listing looks like none, so this comes after the first file.
    lists = repository.names("") is not None or repository.indexed() is not None
    if refusal is not None:
        return Behaviour(refusal=str(refusal), lists=lists)
    shown = repository.read(claim) == _content(1).source
    conditional = repository.write(claim, _content(2)) is not None
    overwrites = repository.write(claim, _content(3), replace=True) is None
    if shown:
        overwrites = repository.read(claim) != _content(1).source
    # A server that hides files may fail on a list of what it hides.
    keeps = _keeps_metadata(repository) if shown else None
    written = (claim, layout.metadata_path(PROBE))
    left = tuple(path for path in written if not _deleted(repository, path))
    if not left:
        repository.delete(f"{layout.release_folder(coordinate)}/")
    return Behaviour(
        may_delete=claim not in left,
        shows_claims=shown,
        overwrites=overwrites,
        conditional=conditional if overwrites else None,
        makes_folders=folder is not FolderAnswer.UNSUPPORTED,
        keeps_metadata=keeps,
        lists=lists,
        left=left,
    )


def keeps_list(repository: Repository) -> bool:
    """Whether a list of versions stays what we write, so that a version can be taken out of it.

    It is tried on the list of `io.gavial:check`, which is removed again where that is allowed.
    """
    # Somebody else may try the same at this moment, and then reads what we wrote.
    kept = any(_keeps_metadata(repository) for _ in range(_TRIES))
    _deleted(repository, layout.metadata_path(PROBE))
    return kept


def may_overwrite(repository: Repository, library: Library, path: str, content: Content) -> bool:
    """Whether a number can be lost there to a writer that stood still.

    `content` is what lies under `path`, in the folder of `library`: to write it again changes
    nothing.
    """
    if repository.lists_itself:
        return False
    folder = repository.make_folder(layout.release_folder(library))
    if folder is not FolderAnswer.UNSUPPORTED:
        return False
    return repository.write(path, content, replace=True) is None


def _content(number: int) -> Content:
    return Content.of_bytes(f'<metadata><check number="{number}"/></metadata>'.encode())


def _keeps_metadata(repository: Repository) -> bool | None:
    """Whether what is written is what is read; `None` where it cannot be written twice."""
    path = layout.metadata_path(PROBE)
    for version in ("0-check", "1-check"):  # no numbers of ours
        metadata = ModuleMetadata(PROBE, (version,)).render(datetime.now(UTC))
        if repository.write(path, Content.of_bytes(metadata), replace=True) is not None:
            return None
    return repository.read(path) == metadata


def _deleted(repository: Repository, path: str) -> bool:
    try:
        refusal: RepositoryError | None = repository.delete(path)
    except AccessDenied:
        return False
    return refusal is None and not repository.exists(path)
