"""What the publish protocol asks of a repository, one value for each step.

`drive` carries them out; a test can answer them from a model of a server.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from gavial.maven.content import Content
from gavial.maven.coordinate import AnyCoordinate, Module
from gavial.maven.metadata import ModuleMetadata

T = TypeVar("T")


@dataclass(frozen=True)
class Read:
    """Read a small file. Answer: `bytes | None`."""

    path: str


@dataclass(frozen=True)
class Exists:
    """Look for a file. Answer: `bool`."""

    path: str


@dataclass(frozen=True)
class Same:
    """Compare a file of any size. Answer: `bool`, whether exactly these bytes are there."""

    path: str
    content: Content


@dataclass(frozen=True)
class Names:
    """List a folder. Answer: `tuple[str, ...] | None`."""

    path: str


@dataclass(frozen=True)
class MakeFolder:
    """Make a folder. Answer: `FolderAnswer`."""

    path: str


@dataclass(frozen=True)
class Write:
    """Store a file. Answer: `None`, or the refusal (`RepositoryError`)."""

    path: str
    content: Content


@dataclass(frozen=True)
class WriteMetadata:
    """Write a module's `maven-metadata.xml`, dated now, and its checksums over those there.

    Answer: `None`, or the refusal.
    """

    metadata: ModuleMetadata


@dataclass(frozen=True)
class WriteChecksums:
    """Store the checksums of a module's `maven-metadata.xml` as it is, over those there.

    Answer: `None`, or the refusal.
    """

    module: Module
    metadata: Content


@dataclass(frozen=True)
class Settle:
    """Let the settle time since the last write pass. Answer: `None`."""


@dataclass(frozen=True)
class Pack:
    """Make the files of this coordinate. Answer: `Packed`."""

    coordinate: AnyCoordinate


Step = (
    Read
    | Exists
    | Same
    | Names
    | MakeFolder
    | Write
    | WriteMetadata
    | WriteChecksums
    | Settle
    | Pack
)
Steps = Generator[Step, Any, T]


@dataclass(frozen=True)
class Packed:
    """The files of a release: by path and in the order of their upload, then the POM."""

    files: tuple[tuple[str, Content], ...]
    pom: Content
