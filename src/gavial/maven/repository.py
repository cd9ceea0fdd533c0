"""The port: the few things that every kind of Maven repository can do.

An adapter turns each primitive into I/O and every foreign exception into one of
`gavial.errors`. What is decided from the answers lives in `publish` and `catalog`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import BinaryIO, cast

from gavial.errors import CorruptRelease, RepositoryError
from gavial.maven.content import Content, Hashing

Progress = Callable[[int], None]


class FolderAnswer(Enum):
    """What came of an attempt to make a folder."""

    MADE = "made"  # and by us: of several makers exactly one is told so
    EXISTS = "exists"
    UNSUPPORTED = "unsupported"


class Repository(ABC):
    """A Maven2 repository. Paths are relative, with forward slashes.

    `id` is its name in the configuration, `url` where it is, without credentials.
    `lists_itself` says that `names` is complete and current, so that it and not
    `maven-metadata.xml` tells which versions there are.
    """

    id: str
    url: str
    lists_itself: bool = False

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """The bytes of a small file, or `None` where there is none.

        Raises:
            AccessDenied: the repository does not let us read.
            RepositoryUnavailable: it does not answer, or the file is larger than
                `limits.SMALL_FILE`.
        """

    @abstractmethod
    def download(self, path: str, target: BinaryIO, progress: Progress | None = None) -> bool:
        """Stream a file into `target`, which can seek; `False` where there is none.

        `progress` is called with the number of bytes that came since the last call; a
        negative number where a failed attempt starts again.
        """

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether there is such a file."""

    def stamp(self, path: str) -> str | None:
        """What changes whenever a file does, for the price of a look.

        `None` where there is no such file, or the repository tells nothing of the kind.
        """
        del path
        return None

    def twin(self) -> Repository:
        """The same repository for another thread, which closes it; itself where they may share."""
        return self

    def close(self) -> None:  # noqa: B027 most have nothing to close
        """Close the connections, where there are any; the next request opens them again."""

    def same(self, path: str, content: Content) -> bool:
        """Whether exactly these bytes are there, of whatever size."""
        target = Hashing(None, content.size)
        try:
            found = self.download(path, cast("BinaryIO", target))
        except CorruptRelease:  # there is more
            return False
        return found and target.hexdigest() == content.digests["sha256"]

    @abstractmethod
    def write(
        self,
        path: str,
        content: Content,
        *,
        replace: bool = False,
        progress: Progress | None = None,
    ) -> RepositoryError | None:
        """Store a file, all of it or nothing; with `replace` also over an existing one.

        Returns:
            `None` where it is stored, else the repository's refusal, which may mean that the
            file exists, or that we may not write there. Only the caller can tell which.

        Raises:
            AccessDenied: credentials are missing or wrong.
            RepositoryUnavailable: no answer after every safe retry.
        """

    @abstractmethod
    def make_folder(self, path: str) -> FolderAnswer:
        """Make a folder (and those above it), telling exactly one maker that it was made."""

    @abstractmethod
    def names(self, path: str) -> tuple[str, ...] | None:
        """The names in a folder, or `None` where the repository lists nothing."""

    def realm(self) -> str | None:
        """The `WWW-Authenticate` header, perhaps empty; `None` where anybody may read.

        Ivy gives a password only to the very realm that a server names.
        """
        return None

    def indexed(self) -> tuple[tuple[str, str], ...] | None:
        """Group and artifact of what a search of the server's own finds, where it has one."""
        return None

    @abstractmethod
    def delete(self, path: str) -> RepositoryError | None:
        """Remove a file, or with `/` at its end a folder that is empty; or nothing, where none is.

        Returns:
            `None`, or the repository's refusal.
        """

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r}, {self.url!r})"
