"""Stages from their saved files: as Spark reads them, without its jobs where it needs none.

Spark reads a stage's metadata with two jobs and more, and what takes time is each job, not its
bytes. A stage that has learnt nothing is its metadata: that is read as the plain file it is, and
decoded by Spark's own codec in the JVM. Every other stage is left to the reader of its class.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError
from pyspark.ml import PipelineModel
from pyspark.ml.pipeline import PipelineSharedReadWrite
from pyspark.ml.util import DefaultParamsReader, JavaMLReader
from pyspark.ml.wrapper import JavaModel, JavaWrapper
from pyspark.sql import SparkSession

from gavial.model import saved_metadata

SPARK = "org.apache.spark."
_READER = "org.apache.spark.ml.util.DefaultParamsReader"
WRITER = "org.apache.spark.ml.util.DefaultParamsWriter"


def read(spark: SparkSession, folder: Path, uri: str, executor: Executor) -> Any:
    """The stage that a folder holds: a pipeline with all of its stages, or another.

    Args:
        spark: a classic session.
        folder: a saved stage on this host.
        uri: the same folder as all of the session's hosts reach it.
        executor: what reads the stages that have data; its threads have the session.
    """
    whole = _saved(folder, uri)
    leaves = list(_leaves(whole))
    results: dict[Path, Any] = {}
    # The largest first, so that it is not what the others wait for at the end.
    with_data = sorted(
        (leaf for leaf in leaves if not _is_metadata_alone(spark, leaf)), key=_size, reverse=True
    )
    futures = {leaf.folder: executor.submit(_read_data, spark, leaf) for leaf in with_data}
    for leaf in leaves:
        if leaf.folder not in futures:
            results[leaf.folder] = _read_metadata(spark, leaf)
    results |= {place: future.result() for place, future in futures.items()}
    return _assemble(whole, results)


@dataclass(frozen=True)
class _Saved:
    """A saved stage; `stages` are those of a pipeline, and `None` of any other."""

    folder: Path
    uri: str
    content: dict[str, Any]
    stages: tuple[_Saved, ...] | None

    @property
    def class_name(self) -> str:
        return str(self.content["class"])


def _saved(folder: Path, uri: str) -> _Saved:
    content = saved_metadata.read(folder, repr(str(folder))).content
    if _python_class(content["class"]) is not PipelineModel:
        return _Saved(folder, uri, content, None)
    stages = tuple(_saved(folder / name, f"{uri}/{name}") for name in _names(content))
    return _Saved(folder, uri, content, stages)


def _leaves(one: _Saved) -> Iterator[_Saved]:
    """The stages that are no pipelines."""
    if one.stages is None:
        yield one
        return
    for stage in one.stages:
        yield from _leaves(stage)


def _assemble(one: _Saved, made: Mapping[Path, Any]) -> Any:
    if one.stages is None:
        return made[one.folder]
    stages = [_assemble(stage, made) for stage in one.stages]
    return PipelineModel(stages)._resetUid(one.content["uid"])


def _names(content: dict[str, Any]) -> list[str]:
    """The folders of a pipeline's stages, relative to its own."""
    uids = content["paramMap"]["stageUids"]
    place = PipelineSharedReadWrite.getStagePath
    return [place(uid, index, len(uids), "stages") for index, uid in enumerate(uids)]


def _size(leaf: _Saved) -> int:
    return sum(one.stat().st_size for one in leaf.folder.rglob("*") if one.is_file())


def _is_metadata_alone(spark: SparkSession, leaf: _Saved) -> bool:
    reads, writes = _ways(leaf.class_name)
    if reads:
        return True
    # A class that writes metadata alone and reads it in a way of its own mends what older
    # versions wrote, such as HashingTF: nothing is to be mended of this very version.
    return writes and leaf.content.get("sparkVersion") == spark.version


@cache
def _ways(class_name: str) -> tuple[bool, bool]:
    """Whether a class reads, and writes, its metadata and nothing else; told by the class."""
    kind = _python_class(class_name)
    reader = kind.read()
    if type(reader) is DefaultParamsReader:
        return True, True
    if type(reader) is not JavaMLReader or not class_name.startswith(SPARK):
        return False, False  # other JVM classes need Spark's own class loader
    if reader._jread.getClass().getName() == _READER:
        return True, True
    if issubclass(kind, JavaModel):
        return False, False
    try:
        writer = JavaWrapper._new_java_obj(class_name, "uid").write()
    except Py4JError:
        return False, False
    return False, writer.getClass().getName() == WRITER


def _read_metadata(spark: SparkSession, leaf: _Saved) -> Any:
    kind = _python_class(leaf.class_name)
    if not leaf.class_name.startswith(SPARK):
        stage = kind()._resetUid(leaf.content["uid"])
        DefaultParamsReader.getAndSetParams(stage, leaf.content)
        return stage
    jvm = spark._jvm
    made = JavaWrapper._new_java_obj(leaf.class_name, leaf.content["uid"])
    text = json.dumps(leaf.content)
    parser = jvm.org.apache.spark.ml.util.DefaultParamsReader
    parser.parseMetadata(text, leaf.class_name).getAndSetParams(made, jvm.scala.Option.empty())
    return kind._from_java(made)


def _read_data(spark: SparkSession, leaf: _Saved) -> Any:
    return _python_class(leaf.class_name).read().session(spark).load(leaf.uri)


def _python_class(class_name: str) -> Any:
    """The Python class that stands for a stage's class, as pyspark finds it."""
    name = class_name.replace("org.apache.spark", "pyspark")
    if name == "pyspark.ml.PipelineModel":
        return PipelineModel
    module, _, name = name.rpartition(".")
    return getattr(import_module(module), name)
