"""A release: what a repository holds under one coordinate."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from gavial.errors import CorruptRelease, ReleaseNotFound
from gavial.maven import layout
from gavial.maven.content import Content, Hashing, local_disk
from gavial.maven.coordinate import Coordinate
from gavial.maven.repository import Repository
from gavial.model.card import Card, File

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel

    from gavial.registry.verify import Report

# Called with a file's name, the bytes that went since the last call, and its size.
Transferred = Callable[[str, int, int], None]


@dataclass(frozen=True, repr=False)
class Release:
    """All files of one coordinate in one repository.

    Attributes:
        coordinate: which release this is.
        repository: where it lies.
        card: what the release says of its model.
        files: name, size in bytes and sha256 of each file; the card's own is the last.
    """

    coordinate: Coordinate
    repository: Repository
    card: Card
    files: tuple[File, ...]

    def __repr__(self) -> str:
        return f"<Release {self.coordinate} in {self.repository.id!r}>"

    @classmethod
    def read(cls, store: Repository, coordinate: Coordinate) -> Release:
        """Read what a repository says of a release.

        Raises:
            ReleaseNotFound: there is no such release, or none that Gavial made.
            CorruptRelease: its card is not one, or is another release's.
        """
        path = layout.card_path(coordinate)
        data = store.read(path)
        if data is None:
            what = (
                "was not released by Gavial: it has no model card"
                if store.exists(layout.pom_path(coordinate))
                else "is not released"
            )
            raise ReleaseNotFound(f"{coordinate} {what} in repository {store.id!r} ({store.url}).")
        card = Card.from_json(data)
        if card.coordinate != str(coordinate):
            raise CorruptRelease(f"The card of {coordinate} is that of {card.coordinate}.")
        prefix = f"{coordinate.artifact}-{coordinate.version}"
        for one in card.files:
            if not one.name.startswith((f"{prefix}.", f"{prefix}-")) or _leads_away(one.name):
                raise CorruptRelease(f"The card of {coordinate} lists the file {one.name!r}.")
        content = Content.of_bytes(data)
        own = File(path.rpartition("/")[2], content.size, content.digests["sha256"])
        return cls(coordinate, store, card, (*card.files, own))

    def load(
        self,
        *,
        watermark_col: str | None = None,
        verify: str | None = None,
        allow_sql: bool = False,
    ) -> PipelineModel:
        """The model, verified and loaded into the active session, as `gavial.resolve` does."""
        from gavial.registry.resolve import load_release

        return load_release(self, watermark_col=watermark_col, allow_sql=allow_sql, verify=verify)

    def download(self, folder: str | Path, progress: Transferred | None = None) -> tuple[Path, ...]:
        """Fetch every file into `folder`, verified. Files of other names there stay.

        What is laid out is what was signed, and the signature where there is one.

        Raises:
            CorruptRelease: a file is not what the card says; it is not kept.
            UntrustedRelease: the signature is not this release's, or not one that a trust policy
                asks for.
        """
        from gavial.registry import local, trust

        signature = trust.require(self)
        if signature is None and (signature := trust.read(self)) is not None:
            trust.compare(self, signature)
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        paths = [self.fetch(one, place / one.name, progress) for one in self.files]
        if signature is not None:
            beside = place / layout.signature_path(self.coordinate).rpartition("/")[2]
            try:
                local.write_whole(beside, signature.data)
            except OSError as error:
                raise local_disk(str(beside), error) from error
            paths.append(beside)
        return tuple(paths)

    def verify(self, progress: Transferred | None = None, *, golden: bool = False) -> Report:
        """Check everything that a release says of itself, and who signed it.

        Args:
            progress: hears of each part of a file that came.
            golden: also score its example records in the active Spark session, and compare.

        Returns:
            What was checked, check by check.

        Raises:
            CorruptRelease: something does not agree; the message has all of it.
            UntrustedRelease: a trust policy asks for a signature that it has not.
        """
        from gavial.registry import verify

        report = verify.verify(self, golden=golden, progress=progress)
        report.check()
        return report

    def compare(self, progress: Transferred | None = None) -> None:
        """Read every byte and compare it with the card.

        Raises:
            CorruptRelease: a file is missing or is not what the card says.
        """
        for one in self.files:
            self.copy(one, None, progress)

    def fetch(self, file: File, target: Path, progress: Transferred | None = None) -> Path:
        """Fetch one file to `target`, which appears whole and verified or not at all.

        Raises:
            CorruptRelease: it is not what the card says.
            ConfigurationError: there is no place for it on this machine.
        """
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        try:
            with temporary.open("wb") as stream:
                self.copy(file, stream, progress)
            temporary.replace(target)
        except OSError as error:
            raise local_disk(str(target), error) from error
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
        return target

    def file(self, name: str) -> File:
        """One file by name.

        Raises:
            CorruptRelease: the card lists no such file.
        """
        for one in self.files:
            if one.name == name:
                return one
        raise CorruptRelease(f"The card of {self.coordinate} lists no file {name!r}.")

    def copy(self, file: File, stream: IO[bytes] | None, progress: Transferred | None) -> None:
        """Read one file, into `stream` where there is one, and compare it with the card.

        Raises:
            CorruptRelease: it is missing or is not what the card says.
        """
        self.receive(
            file, Hashing(stream, file.size, f"{file.name} of {self.coordinate}"), progress
        )

    def receive(self, file: File, target: Hashing, progress: Transferred | None) -> None:
        """As `copy`, into something that hashes."""
        if _leads_away(file.name):
            raise CorruptRelease(f"The card of {self.coordinate} lists the file {file.name!r}.")

        def transferred(count: int) -> None:
            if progress is not None:
                progress(file.name, count, file.size)

        path = f"{layout.release_folder(self.coordinate)}/{file.name}"
        found = self.repository.download(path, cast(Any, target), transferred)
        if not found:
            raise CorruptRelease(f"{file.name} of {self.coordinate} is missing.")
        self.compare_with(file, target.hexdigest())

    def compare_with(self, file: File, sha256: str) -> None:
        """Compare what came with what the card says.

        Raises:
            CorruptRelease: it is something else.
        """
        if sha256 != file.sha256:
            raise CorruptRelease(
                f"{file.name} of {self.coordinate} in repository {self.repository.id!r} is not "
                f"what was released: sha256 {sha256}, and the card says {file.sha256}."
            )


def _leads_away(name: str) -> bool:
    return name != Path(name).name or "\\" in name
