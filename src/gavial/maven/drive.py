"""Carries the steps of the publish protocol out against a repository."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from gavial.errors import RepositoryError
from gavial.maven import layout, protocol
from gavial.maven.content import CHECKSUMS, Content
from gavial.maven.coordinate import AnyCoordinate
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.repository import Repository

T = TypeVar("T")

# Measured with 10 races of 8 writers on five servers: after one second exactly one claim is
# read back by all. Slow servers get four times what they took to answer our own write.
SETTLE_SECONDS = 1.0
SETTLE_ROUND_TRIPS = 4

# Called with a file's path, the bytes that went since the last call, and its size.
Transferred = Callable[[str, int, int], None]


def _packs_nothing(_: AnyCoordinate) -> protocol.Packed:
    raise AssertionError("these steps pack nothing")


@dataclass
class Driver:
    """One deploy's side of the protocol: its repository, its packer, its clock.

    `pack` makes the files of a coordinate. `transferred`, where given, hears of each part of
    a file that went over.
    """

    repository: Repository
    pack: Callable[[Any], protocol.Packed] = _packs_nothing
    transferred: Transferred | None = None
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _wrote_at: float = 0.0
    _round_trip: float = 0.0

    def run(self, steps: protocol.Steps[T]) -> T:
        """Run a protocol to its end and return what it returns."""
        try:
            step = next(steps)
            while True:
                try:
                    answer = self._answer(step)
                except RepositoryError as error:
                    step = steps.throw(error)  # the protocol knows what it means for the release
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            steps.close()

    def _answer(self, step: protocol.Step) -> Any:
        match step:
            case protocol.Read(path):
                return self.repository.read(path)
            case protocol.Exists(path):
                return self.repository.exists(path)
            case protocol.Same(path, content):
                return self.repository.same(path, content)
            case protocol.Names(path):
                return self.repository.names(path)
            case protocol.MakeFolder(path):
                made = self.repository.make_folder(path)
                self._wrote_at = self.monotonic()  # others' answers settle from here on, too
                return made
            case protocol.Write(path, content):
                return self._write(path, content, replace=False)
            case protocol.WriteMetadata(metadata):
                return self._write_metadata(metadata)
            case protocol.WriteChecksums(module, content):
                return self._write_checksums(layout.metadata_path(module), content)
            case protocol.Pack(coordinate):
                return self.pack(coordinate)
            case protocol.Settle():
                settle = max(SETTLE_SECONDS, SETTLE_ROUND_TRIPS * self._round_trip)
                self.sleep(max(0.0, self._wrote_at + settle - self.monotonic()))
        return None

    def _write(self, path: str, content: Content, *, replace: bool) -> RepositoryError | None:
        def progress(count: int) -> None:
            if self.transferred is not None:
                self.transferred(path, count, content.size)

        start = self.monotonic()
        refusal = self.repository.write(path, content, replace=replace, progress=progress)
        self._wrote_at = self.monotonic()
        self._round_trip = self._wrote_at - start
        return refusal

    def _write_metadata(self, metadata: ModuleMetadata) -> RepositoryError | None:
        path = layout.metadata_path(metadata.module)
        content = Content.of_bytes(metadata.render(self.now()))
        refusal = self._write(path, content, replace=True)
        return refusal or self._write_checksums(path, content)

    def _write_checksums(self, path: str, content: Content) -> RepositoryError | None:
        refusal: RepositoryError | None = None
        for algorithm in CHECKSUMS:
            beside = content.checksum(algorithm)
            refusal = refusal or self._write(f"{path}.{algorithm}", beside, replace=True)
        return refusal
