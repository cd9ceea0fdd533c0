"""How servers behave, as far as the publish protocol can tell: small, pure, and no I/O.

A model is named by what it does. Which real servers do so (docs/protocol.md):

| model                       | who                                                             |
|-----------------------------|-----------------------------------------------------------------|
| folder                      | a folder on a file system                                       |
| refuses at once             | a server whose check and store are one step (Gitea's files)     |
| refuses, check before store | Nexus 3 and 2, Artifactory without Delete, Reposilite, GitHub,  |
|                             | GitLab without duplicates; what `If-None-Match` is worth        |
| overwrites, makes folders   | nginx DAV, Apache DAV                                           |
| overwrites                  | Artifactory with Delete, GitLab with duplicates, naive servers  |
| hides claims                | Artipie                                                         |
| keeps the list itself       | Gitea                                                           |

A step is carried out in *moments*; what others do may come between two of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gavial.maven import layout, protocol, withdrawals
from gavial.maven.content import CHECKSUMS, Content
from gavial.maven.coordinate import Module
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.repository import FolderAnswer

MODULE = Module("com.acme", "churn")
METADATA = layout.metadata_path(MODULE)
FOLDER_OF_MODULE = f"{layout.module_folder(MODULE)}/"
WITHDRAWALS = withdrawals.module_of(MODULE)
WITHDRAWN = layout.metadata_path(WITHDRAWALS)
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)

# Path to bytes; a folder that was made is its path with `/` at the end.
Files = Mapping[str, bytes]

UNFINISHED = "unfinished"  # the answer while moments of a step are left
REFUSED = "refused"  # stands for a `RepositoryError` that the protocol is sent


@dataclass(frozen=True)
class ServerModel:
    """What one kind of server answers.

    `checks_first`: a write has two moments, and what the first one found may be stale when the
    second one stores. `in_flight`: the last request of a client that was killed may still be
    carried out, and later than that. `list_in_parts`: `maven-metadata.xml` and each of its
    checksums are stored one after the other, and each writer's list has its own date; else they
    are stored in one moment and undated, which saves states. `promised`: nothing is lost there.
    `withdraws`: somebody withdraws something; else nothing asks for what is withdrawn.
    """

    name: str
    makes_folders: bool = False
    lists_itself: bool = False
    refuses: bool = True
    checks_first: bool = True
    shows_claims: bool = True
    keeps_list: bool = False
    in_flight: bool = True
    list_in_parts: bool = False
    promised: bool = True
    withdraws: bool = False

    def constant(self, step: protocol.Step) -> bool:
        """Whether the answer is the same at any time, so that nobody can come before it."""
        match step:
            case protocol.Names():
                return not self.lists_itself
            case protocol.MakeFolder():
                return not self.makes_folders
            case protocol.Exists(path):
                return path.startswith(f"{METADATA}/")  # a listing names it, and nothing is below
            case protocol.Read(path):
                return path == WITHDRAWN and not self.withdraws
        return False

    def carry_out(
        self, files: Files, step: protocol.Step, moment: int, clock: int = 0
    ) -> tuple[Files, Any]:
        """The files after this moment of the step, and the answer, or `UNFINISHED`.

        `clock` dates what is written: the same list from another writer has other bytes.
        """
        match step:
            case protocol.Read(path):
                return files, self._read(files, path)
            case protocol.Exists(path):
                return files, self._read(files, path) is not None
            case protocol.Same(path, content):
                return files, self._read(files, path) == content.source
            case protocol.Names(path):
                return files, self._names(files, path)
            case protocol.MakeFolder(path):
                return self._make_folder(files, f"{path}/")
            case protocol.Write(path, content):
                return self._write(files, path, content, moment)
            case protocol.WriteMetadata(metadata):
                return self._write_metadata(files, metadata, moment, clock)
            case protocol.WriteChecksums(_, content):
                return self._write_checksums(files, content, moment)
        raise AssertionError(f"no server carries {step} out")

    def _read(self, files: Files, path: str) -> bytes | None:
        if self.keeps_list and path.startswith(METADATA):
            versions = sorted({p.split("/")[-2] for p in files})
            everything = ModuleMetadata(MODULE).including(versions)
            return _with_checksums(everything.render(MIDNIGHT)).get(path) if versions else None
        hidden = not self.shows_claims and not path.startswith(METADATA)
        if hidden and path.split("/")[-2] not in listed(files):
            return None
        return files.get(path)

    def _names(self, files: Files, path: str) -> tuple[str, ...] | None:
        if not self.lists_itself:
            return None
        below = (p.removeprefix(f"{path}/").split("/")[0] for p in files)
        return tuple(sorted(set(below)))

    def _make_folder(self, files: Files, path: str) -> tuple[Files, FolderAnswer]:
        if not self.makes_folders:
            return files, FolderAnswer.UNSUPPORTED
        if path in files:
            return files, FolderAnswer.EXISTS
        return {**files, path: b""}, FolderAnswer.MADE

    def _write(self, files: Files, path: str, content: Content, moment: int) -> tuple[Files, Any]:
        if moment == 0:
            if self.refuses and path in files:
                return files, REFUSED
            if self.checks_first:
                return files, UNFINISHED
        assert isinstance(content.source, bytes)
        return {**files, path: content.source}, None

    def _write_metadata(
        self, files: Files, metadata: ModuleMetadata, moment: int, clock: int
    ) -> tuple[Files, Any]:
        if self.keeps_list:
            return files, None
        if not self.list_in_parts:
            return {**files, **_with_checksums(metadata.render(MIDNIGHT))}, None
        parts = _with_checksums(metadata.render(MIDNIGHT + timedelta(seconds=clock)))
        path = list(parts)[moment]
        answer = UNFINISHED if moment < len(CHECKSUMS) else None
        return {**files, path: parts[path]}, answer

    def _write_checksums(self, files: Files, content: Content, moment: int) -> tuple[Files, Any]:
        if self.keeps_list:
            return files, None
        assert isinstance(content.source, bytes)
        parts = _with_checksums(content.source)
        del parts[METADATA]
        if not self.list_in_parts:
            return {**files, **parts}, None
        path = list(parts)[moment]
        answer = UNFINISHED if moment + 1 < len(CHECKSUMS) else None
        return {**files, path: parts[path]}, answer


def _with_checksums(data: bytes) -> dict[str, bytes]:
    digests = Content.of_bytes(data).digests
    return {METADATA: data, **{f"{METADATA}.{a}": digests[a].encode() for a in CHECKSUMS}}


def listed(files: Files) -> frozenset[str]:
    """The versions that the stored `maven-metadata.xml` names."""
    return frozenset(ModuleMetadata.parse(files.get(METADATA), MODULE).versions)


FOLDER = ServerModel(
    "folder", makes_folders=True, lists_itself=True, checks_first=False, in_flight=False
)
REFUSES_AT_ONCE = ServerModel("refuses at once", checks_first=False)
REFUSES = ServerModel("refuses, check before store")
MAKES_FOLDERS = ServerModel("overwrites, makes folders", makes_folders=True, refuses=False)
OVERWRITES = ServerModel("overwrites", refuses=False, promised=False)
HIDES_CLAIMS = ServerModel("hides claims", refuses=False, shows_claims=False)
KEEPS_LIST = ServerModel("keeps the list itself", checks_first=False, keeps_list=True)

MODELS = (
    FOLDER,
    REFUSES_AT_ONCE,
    REFUSES,
    MAKES_FOLDERS,
    KEEPS_LIST,
    HIDES_CLAIMS,
    OVERWRITES,
)
