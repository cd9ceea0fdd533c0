"""From a live model to a saved directory on this host."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.ml.util import MLWritable

from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.spark import session, staging
from gavial.spark.schema import reason

_NAME = "model"


@contextmanager
def saved(model: PipelineModel) -> Iterator[Path]:
    """A local folder with the model as Spark saves it; it is gone afterwards.

    Raises:
        ConfigurationError: there is no session, or no folder that its hosts all reach.
        IncompatibleModel: the model cannot be saved; the message names the stage and why.

    >>> with saved(PipelineModel([])) as folder:
    ...     sorted(path.name for path in folder.iterdir())
    ['metadata']
    """
    _check_writable(model)
    if remote := session.remote(session.current()):
        with remote.saved(model) as folder:
            yield folder
        return
    spark = session.classic()
    with staging.folder(spark) as place, tempfile.TemporaryDirectory(prefix="gavial-") as local:
        try:
            model.write().save(f"{place.uri}/{_NAME}")
        except Exception as error:  # Spark's, py4j's, and whatever a Python-written stage raises
            raise _explained(model, place.uri, error) from error
        folder = place.fetch(_NAME, Path(local))
        check_whole(folder, place.uri)
        yield folder


def _check_writable(model: PipelineModel) -> None:
    for stage in model.stages:
        if isinstance(stage, PipelineModel):
            _check_writable(stage)
        elif not isinstance(stage, MLWritable):
            raise _unsavable(
                stage,
                "its class writes nothing. Let it extend pyspark.ml.util.DefaultParamsReadable "
                "and DefaultParamsWritable.",
            )


def _explained(model: PipelineModel, uri: str, error: Exception) -> Exception:
    """Whose fault it was: the folder's, one stage's, or the model's as a whole."""
    try:
        PipelineModel([]).write().save(f"{uri}/probe")
    except Exception as problem:
        return staging.unusable(uri, reason(problem))
    for index, stage in enumerate(model.stages):
        try:
            stage.write().save(f"{uri}/probe-{index}")
        except Exception as problem:
            return _unsavable(stage, reason(problem))
    return IncompatibleModel(f"The model {model.uid} cannot be saved: {reason(error)}")


def _unsavable(stage: Any, why: str) -> IncompatibleModel:
    kind = type(stage)
    return IncompatibleModel(
        f"The stage {stage.uid} ({kind.__module__}.{kind.__qualname__}) cannot be saved: {why}"
    )


def check_whole(folder: Path, uri: str) -> None:
    """Check that every part is here: `_SUCCESS` alone proves nothing on a cluster.

    Raises:
        ConfigurationError: a `metadata` folder has no content.
    """
    for metadata in [folder / "metadata", *folder.rglob("*/metadata")]:
        if not any(metadata.glob("part-*")):
            raise ConfigurationError(
                f"Spark saved only a part of the model to {uri!r}: its workers wrote to files of "
                "their own. Name a folder that every host reaches with "
                f"{session.PREFIX}{staging.SETTING}, such as hdfs:///tmp/gavial."
            )
