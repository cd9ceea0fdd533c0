"""From a saved directory on this host to a live model."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession

from gavial.errors import IncompatibleModel
from gavial.spark import session, staging
from gavial.spark.schema import reason


def load(folder: Path, class_names: Iterable[str] = ()) -> PipelineModel:
    """Load a model that was checked before: this runs what is in it.

    Args:
        folder: a saved `PipelineModel`. It has to stay until the process ends: some models,
            such as ALS, read their data only when they score.
        class_names: the classes of all stages, as their metadata names them.

    Raises:
        ConfigurationError: there is no session, or no folder that its hosts all reach.
        IncompatibleModel: a class of a stage is not here, or Spark cannot read the model.
    """
    if remote := session.remote(session.current()):
        return remote.load(folder, class_names)
    from gavial.spark import parallel, stage_reader  # which need py4j, and so no Connect client

    spark = session.classic()
    check_classes(spark, class_names)
    uri = staging.lasting(spark, folder)
    try:
        with parallel.pool(spark) as executor:
            return stage_reader.read(spark, folder, uri, executor)
    except Exception as error:  # Spark's, py4j's, and whatever a Python-written stage raises
        raise IncompatibleModel(
            f"Spark {spark.version} cannot load the model: {reason(error)} If it was saved by a "
            "newer Spark, its card says which one: use that or a later one. On a cluster, "
            f"{session.PREFIX}{staging.SETTING} must name a folder that every host reaches."
        ) from error


def check_classes(spark: SparkSession, class_names: Iterable[str]) -> None:
    """Check that each class is one of the JVM's or in a Python module; none is initialised.

    Raises:
        IncompatibleModel: naming those that are not here, all at once.
    """
    missing = [one for one in dict.fromkeys(class_names) if not _is_here(spark, one)]
    if missing:
        raise IncompatibleModel(
            f"The model has stages of classes that are not here: {', '.join(missing)}. Start Spark "
            "with the library that holds them, --packages group:artifact:version, or install the "
            "Python module; the author of the model can name them in gavial.deploy(…, requires=…, "
            "python_modules=…), so that they come along."
        )


def _is_here(spark: SparkSession, class_name: str) -> bool:
    if class_name.startswith("pyspark."):
        return has_module(class_name)
    return _jvm_has(spark, class_name) or has_module(class_name)


def _jvm_has(spark: SparkSession, class_name: str) -> bool:
    from py4j.protocol import Py4JError

    jvm = spark.sparkContext._jvm
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    try:
        jvm.java.lang.Class.forName(class_name, False, loader)
    except Py4JError:
        return False
    return True


def has_module(class_name: str) -> bool:
    """Whether there is a Python module for a class, other than the script that runs."""
    module = class_name.rpartition(".")[0]
    if module == "__main__":
        return False  # the script of whoever fitted the model, and not this one
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
