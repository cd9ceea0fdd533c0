"""A saved Spark ML model, read as plain files: its tree of stages, its files, its digest.

A stage is a folder with `metadata/`, and where it learnt something `data/` beside it. Stages
hold stages: `stages/<n>_<uid>` of a pipeline, `bestModel` of a tuning model, `model_0` of a
one-versus-rest model, and whatever a class of somebody else chose to write.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gavial.errors import IncompatibleModel
from gavial.model import saved_metadata, saved_stage
from gavial.model.saved_metadata import FOLDER
from gavial.model.saved_stage import Stage

__all__ = ["SavedModel", "Stage"]

_CHUNK = 1 << 20
_THREADS = 2
# `_SUCCESS`, `.part-00000.crc`, and what a Databricks save leaves.
_MARKER = re.compile(r"(^|/)(_SUCCESS|_(started|committed)_\d+|\.[^/]*\.crc)$")
_SAVE = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WRAP = "Wrap it, PipelineModel(stages=[model]), and save that"


@dataclass(frozen=True)
class SavedModel:
    """A saved `PipelineModel`: the folder, and the tree of stages found in it."""

    folder: Path
    root: Stage

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> SavedModel:
        """Read the folder that `model.write().save(…)` wrote. Nothing of it is loaded or run.

        Raises:
            IncompatibleModel: it is no saved model, half of one, not a fitted `PipelineModel`,
                or holds what Spark might read otherwise than we do.
        """
        path = Path(folder)
        if not path.is_dir():
            there = "is a file" if path.exists() else "does not exist"
            raise IncompatibleModel(
                f"{str(path)!r} {there}: expected the folder that model.write().save(…) wrote."
            )
        path = path.resolve()
        _check_entries(path)
        root = saved_stage.read(path)
        _check_root(root)
        return cls(path, root)

    def stages(self) -> Iterator[Stage]:
        """Every stage, the root first, each before its own stages."""
        return walk(self.root)

    def files(self) -> list[tuple[str, Path]]:
        """Every file by relative path, but the markers and checksums that a file system left."""
        return [(name, path) for name, path in _files(self.folder) if not is_marker(name)]

    def digest(self) -> str:
        """A sha256, hexadecimal, of all that was learnt and set.

        One model saved twice has one digest: when it was saved, and the number that Spark gave
        to that save, do not count.
        """
        return self.read_through().digest

    def read_through(self) -> Contents:
        """Read every file once, at constant memory, for the model's digest and each file's."""
        metadata = {stage.metadata_file: stage.folder for stage in self.stages()}
        files = self.files()
        with ThreadPoolExecutor(_THREADS) as threads:
            learnt = dict(files)
            settings = {name: _settings(learnt.pop(name)) for name in metadata}
            found = dict(zip(learnt, threads.map(_print, learnt.values()), strict=True))
        whole = hashlib.sha256()
        for name, _ in files:
            one = settings[name] if name in settings else bytes.fromhex(found[name].sha256)
            name = f"{metadata[name]}/{FOLDER}" if name in metadata else _SAVE.sub("", name)
            # Lengths are fixed and names hold no NUL, so no two models give one sequence.
            whole.update(name.encode("utf-8", "surrogateescape") + b"\0" + one)
        return Contents(whole.hexdigest(), {learnt[name]: one for name, one in found.items()})


@dataclass(frozen=True)
class Print:
    """What is known of a file's bytes: how many, their CRC-32, and their sha256, hexadecimal."""

    size: int
    crc: int
    sha256: str


@dataclass(frozen=True)
class Contents:
    """A model's digest, and the prints of its files by path, but of the stages' metadata."""

    digest: str
    prints: Mapping[Path, Print]


def is_marker(name: str) -> bool:
    """Whether a file is a marker or a checksum that a file system left, and no part of a model.

    >>> is_marker("metadata/.part-00000.crc"), is_marker("metadata/part-00000")
    (True, False)
    """
    return _MARKER.search(name) is not None


def walk(stage: Stage) -> Iterator[Stage]:
    """A stage and all stages in it, each before its own stages."""
    yield stage
    for child in stage.children:
        yield from walk(child)


def _settings(part: Path) -> bytes:
    """The sha256 of a stage's metadata, less the time of its save."""
    content = dict(saved_metadata.read(part.parent.parent, str(part)).content)
    content.pop("timestamp", None)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()


def _print(path: Path) -> Print:
    digest, crc, size = hashlib.sha256(), 0, 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)  # leaves the interpreter's lock, as crc32 does
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
    return Print(size, crc, digest.hexdigest())


def _files(folder: Path) -> list[tuple[str, Path]]:
    found = []
    for parent, _, names in os.walk(folder, followlinks=False):
        for name in names:
            path = Path(parent, name)
            found.append((path.relative_to(folder).as_posix(), path))
    return sorted(found)


def _check_entries(folder: Path) -> None:
    """Only folders and files, inside: no links that lead out, no devices, no unfinished save."""
    waiting = [str(folder)]
    while waiting:
        # A model of a thousand stages has ten thousand entries: no `Path` and no `stat` for each.
        for entry in _scanned(waiting.pop()):
            if entry.name == "_temporary":
                where = _relative(entry, folder)
                raise IncompatibleModel(
                    f"{str(folder)!r} holds {where!r}: its save never finished. Save it again."
                )
            if entry.is_symlink():
                _check_link(Path(entry.path), _relative(entry, folder), folder)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif not entry.is_file(follow_symlinks=False):
                where = _relative(entry, folder)
                raise IncompatibleModel(f"{where!r} of {str(folder)!r} is not a file or folder.")


def _scanned(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda one: one.name)
    except OSError as error:
        raise IncompatibleModel(f"{folder!r} cannot be read: {error.strerror}.") from error


def _relative(entry: os.DirEntry[str], folder: Path) -> str:
    return Path(entry.path).relative_to(folder).as_posix()


def _check_link(path: Path, where: str, folder: Path) -> None:
    try:
        target = path.resolve()
    except (OSError, RuntimeError):  # to itself
        target = Path("/")
    if not target.is_relative_to(folder):
        raise IncompatibleModel(
            f"{where!r} of {str(folder)!r} is a link that leads out of the folder: copy what it "
            "points to into the model instead."
        )
    if not path.is_file():
        raise IncompatibleModel(
            f"{where!r} of {str(folder)!r} is a link to a folder, or to nothing: copy what it "
            "points to into the model instead."
        )


def _check_root(root: Stage) -> None:
    if root.class_name in saved_stage.PIPELINE_MODELS:
        return
    if root.class_name in saved_stage.PIPELINES or root.class_name.endswith("VersionedPipeline"):
        raise IncompatibleModel(
            f"{root.uid} is a pipeline that was not fitted ({root.class_name}): save what "
            "pipeline.fit(df) returns."
        )
    if root.class_name in saved_stage.TUNING_MODELS:
        raise IncompatibleModel(
            f"{root.uid} is a {root.class_name}: expected a PipelineModel. Save "
            "model.bestModel, or deploy the model itself from Python."
        )
    raise IncompatibleModel(
        f"{root.uid} is a {root.class_name}: expected a PipelineModel. {_WRAP}."
    )


def parameter(stage: Stage, name: str) -> Any:
    """A parameter's value, explicit or default; `None` where the stage has none."""
    values: Mapping[str, Any] = stage.parameters if name in stage.parameters else stage.defaults
    return values.get(name)
