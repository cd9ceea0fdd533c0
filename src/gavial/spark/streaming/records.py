"""What a stream's records have to be for a model, found out before any is scored."""

from __future__ import annotations

from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.maven.coordinate import Coordinate
from gavial.spark import columns, schema, session, watermark
from gavial.spark.streaming import sinks


def check_stream(stream: object) -> None:
    """Check that something is a streaming DataFrame of a session in this process.

    Raises:
        ConfigurationError: it is not.
    """
    if not hasattr(stream, "isStreaming") or not hasattr(stream, "sparkSession"):
        raise ConfigurationError(
            f"{stream!r} is a {type(stream).__name__}: expected a streaming DataFrame, such as "
            "spark.readStream.format(…).load()."
        )
    if session.is_connect(stream.sparkSession):
        raise ConfigurationError(
            "This is a stream of a Spark Connect session, where a batch runs on the server and "
            "cannot load models here: run the job with a classic session, by spark-submit."
        )
    if not stream.isStreaming:
        raise ConfigurationError(
            "This DataFrame is not a stream: use spark.readStream in place of spark.read, or score "
            "it at once with gavial.resolve(…).transform(df)."
        )


def check_columns(names: list[str], watermark_column: str) -> None:
    """Check that records have no column that scoring adds.

    Raises:
        ConfigurationError: they have one, in upper or lower case.
    """
    found = columns.same(watermark_column, names)
    if found is not None:
        raise ConfigurationError(
            f"The records have a column {found!r} already, into which the model writes its "
            "version: they were scored before, perhaps. Pass stream.withColumnRenamed("
            f"{found!r}, …) or stream.drop({found!r}), or name another column with "
            "watermark_col=."
        )
    for name in (sinks.QUERY, sinks.BATCH):
        found = columns.same(name, names)
        if found is not None:
            raise ConfigurationError(
                f"The records have a column {found!r}, which the output uses itself: rename it, "
                "or drop it."
            )


def stamped(model: PipelineModel, coordinate: Coordinate, column: str) -> PipelineModel:
    """The model, writing its version into that column, also where it was released without."""
    mark = watermark.watermark_of(model)
    if mark is None:
        return PipelineModel([*model.stages, watermark.stage(str(coordinate), column)])
    return model if mark.column == column else watermark.renamed(model, column)


def warm(spark: SparkSession, model: PipelineModel, records: StructType) -> StructType:
    """Score no records of that schema, so that the first batch finds everything ready.

    Plans are made and code is generated and compiled as for real records; what the model loads
    when it is first used is loaded.

    Returns:
        The schema of scored records.

    Raises:
        IncompatibleModel: the model cannot score such records.
    """
    # Of an empty list Spark would know that nothing needs to run; an RDD it has to ask.
    empty = spark.createDataFrame(spark.sparkContext.emptyRDD(), records)
    try:
        scored = model.transform(empty)
        scored.write.format("noop").mode("overwrite").save()
    except Exception as error:  # Spark's, py4j's, and whatever a Python-written stage raises
        raise IncompatibleModel(
            f"The model cannot score records with the columns {empty.columns!r}: "
            f"{schema.reason(error)} Pass records such as it was fitted on."
        ) from error
    return scored.schema


def check_same_output(before: StructType, after: StructType, *, grows: bool) -> None:
    """Check that scored records of a newer version fit those that are there.

    Args:
        grows: whether columns may come and go; types never change.

    Raises:
        IncompatibleModel: they do not.
    """
    old = {one.name.lower(): one.dataType.simpleString() for one in before}
    new = {one.name.lower(): one.dataType.simpleString() for one in after}
    changed = [
        f"{name!r} from {old[name]} to {new[name]}"
        for name in old
        if name in new and old[name] != new[name]
    ]
    moved = [] if grows else sorted(old.keys() ^ new.keys())
    if changed or moved:
        told = [f"the type of {', '.join(changed)}"] if changed else []
        told += [f"that there is {', '.join(map(repr, moved))}"] if moved else []
        raise IncompatibleModel(
            "It changes what the output has: " + "; ".join(told) + ". Start a stream with another "
            "output and checkpoint for it, or ask for versions that write the same columns."
        )
