"""From a live model to a saved directory on this host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.ml import PipelineModel
from pyspark.ml.util import MLWritable

from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.maven.content import local_disk
from gavial.owner import temporary
from gavial.spark import session, staging
from gavial.spark.schema import reason

if TYPE_CHECKING:
    from gavial.spark.stage_writer import NotWritten

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
    from gavial.spark import parallel, stage_writer  # which need py4j, and so no Connect client

    spark = session.classic()
    with staging.folder(spark) as place, temporary("gavial-save-") as local:
        folder = (place.local or local) / _NAME
        try:
            with parallel.pool(spark) as executor:
                written = stage_writer.write(spark, model, folder, f"{place.uri}/{_NAME}", executor)
        except stage_writer.NotWritten as error:
            raise _explained(error, place.uri) from error.cause
        except OSError as error:
            raise local_disk(str(folder), error) from error
        for name in written:
            place.fetch(f"{_NAME}/{name}", folder.parent)
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


def _explained(error: NotWritten, uri: str) -> Exception:
    """Whose fault it was: the folder's, or the stage's."""
    try:
        PipelineModel([]).write().save(f"{uri}/probe")
    except Exception as problem:  # Spark's or py4j's
        return staging.unusable(uri, reason(problem))
    return _unsavable(error.stage, reason(error.cause))


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
