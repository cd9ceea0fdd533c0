"""Stages as saved files: as Spark writes them, without its jobs where it needs none.

The counterpart of `stage_reader`: a stage that has learnt nothing is its metadata, which Spark's
own codec encodes and which is written as the plain file it is; every other stage is left to the
writer of its class. What is written here, Spark loads.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.ml.pipeline import PipelineSharedReadWrite
from pyspark.ml.util import DefaultParamsWriter, JavaMLWriter
from pyspark.ml.wrapper import JavaParams
from pyspark.sql import SparkSession

from gavial.model.saved_metadata import FOLDER
from gavial.spark.stage_reader import SPARK, WRITER


class NotWritten(Exception):
    """A stage that cannot be saved, with Spark's reason as the cause."""

    def __init__(self, stage: Any, cause: Exception) -> None:
        super().__init__(str(cause))
        self.stage = stage
        self.cause = cause


def write(spark: SparkSession, stage: Any, folder: Path, uri: str, executor: Executor) -> list[str]:
    """Save a stage: what is metadata alone into a folder here, all else where Spark writes it.

    Args:
        spark: a classic session.
        stage: a fitted pipeline, or another stage; stays as it is.
        folder: where plain files go, on this host.
        uri: where Spark's writers write; it may be the same folder.
        executor: what writes the stages that have data; its threads have the session.

    Returns:
        The folders that Spark wrote, relative to `uri`.

    Raises:
        NotWritten: naming the stage.
    """
    futures = {}
    for place, one in _placed(stage, ""):
        with _naming(one):
            if type(one) is PipelineModel:
                text: str | None = _pipeline(spark, one)
            else:
                writer = one.write()
                text = _metadata(spark, one, writer)
        if text is not None:
            _put(folder / place, text)
        else:
            target = f"{uri}/{place}" if place else uri
            futures[place] = one, executor.submit(writer.session(spark).save, target)
    for one, future in futures.values():
        with _naming(one):
            future.result()
    return list(futures)


@contextmanager
def _naming(stage: Any) -> Iterator[None]:
    """Name the stage of whatever goes wrong: Spark's, py4j's, or a Python-written stage's own."""
    try:
        yield
    except Exception as error:
        raise NotWritten(stage, error) from error


def _placed(stage: Any, place: str) -> Iterator[tuple[str, Any]]:
    """A stage and all stages of pipelines in it, each with its folder relative to the whole."""
    yield place, stage
    if type(stage) is not PipelineModel:
        return
    parent = f"{place}/stages" if place else "stages"
    for index, inner in enumerate(stage.stages):
        name = PipelineSharedReadWrite.getStagePath(inner.uid, index, len(stage.stages), parent)
        yield from _placed(inner, name)


def _metadata(spark: SparkSession, stage: Any, writer: Any) -> str | None:
    """The metadata of a stage that is nothing else, told by its writer; `None` for others."""
    if type(writer) is DefaultParamsWriter:
        return str(DefaultParamsWriter._get_metadata_to_save(stage, spark))
    if not (type(writer) is JavaMLWriter and isinstance(stage, JavaParams)):
        return None
    kind = writer._jwrite.getClass().getName()
    java = stage._java_obj
    if kind != WRITER or not java.getClass().getName().startswith(SPARK):
        return None
    return encoded(spark, java)


def encoded(spark: SparkSession, java: Any) -> str:
    """The metadata of a stage of the JVM's, encoded by Spark's own codec."""
    jvm = spark._jvm
    none = jvm.scala.Option.empty()
    owner = spark._jsc.sc() if spark.version.startswith("3.") else spark._jsparkSession
    encoder = jvm.org.apache.spark.ml.util.DefaultParamsWriter
    return str(encoder.getMetadataToSave(java, owner, none, none))


def _pipeline(spark: SparkSession, model: PipelineModel) -> str:
    """The metadata of a pipeline: Python's where a stage is Python's, as pyspark does it."""
    uids = [stage.uid for stage in model.stages]
    if not PipelineSharedReadWrite.checkStagesForJava(model.stages):
        parameters = {"stageUids": uids, "language": "Python"}
        return str(DefaultParamsWriter._get_metadata_to_save(model, spark, paramMap=parameters))
    metadata = {
        "class": "org.apache.spark.ml.PipelineModel",
        "timestamp": time.time_ns() // 1_000_000,
        "sparkVersion": spark.version,
        "uid": model.uid,
        "paramMap": {"stageUids": uids},
        "defaultParamMap": {},
    }
    return json.dumps(metadata, separators=(",", ":"))


def _put(stage: Path, text: str) -> None:
    folder = stage / FOLDER
    folder.mkdir(parents=True)
    (folder / "part-00000").write_text(f"{text}\n", encoding="utf-8")
