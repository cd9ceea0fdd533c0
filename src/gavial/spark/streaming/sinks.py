"""Where scored batches go: folders and tables, of Parquet or Delta.

Writing one batch twice leaves it there once. A Parquet batch is a partition,
`_query=…/_batch=N`, which a replay replaces; Delta keeps in its log which batches it has, and
leaves out one that it knows. Each record has the columns `_query` and `_batch` either way.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any, Protocol

from pyspark.sql import DataFrame, SparkSession, functions

from gavial.errors import ConfigurationError
from gavial.spark.streaming import files

FORMATS = ("parquet", "delta")
QUERY, BATCH = "_query", "_batch"
_DELTA = "io.delta.sql.DeltaSparkSessionExtension"
_HIDDEN = re.compile(r"[_.]")
# What a table's name may be where it becomes part of a statement.
_TABLE = re.compile(r"(?:\w+|`(?:[^`]|``)+`)(?:\.(?:\w+|`(?:[^`]|``)+`)){0,2}")


class Sink(Protocol):
    """One output.

    Attributes:
        name: the URI of a folder, or the name of a table.
        format: "parquet" or "delta".
        grows: whether a newer version may write other columns than the one before.
    """

    @property
    def name(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def grows(self) -> bool: ...

    def write(self, scored: DataFrame, query: str, batch: int) -> None:
        """Write a batch, in place of what was written of it before."""


@dataclass(frozen=True)
class ParquetFolder:
    """A folder of Parquet files, a folder a batch below it."""

    name: str
    format = "parquet"
    grows = True

    def write(self, scored: DataFrame, query: str, batch: int) -> None:
        folder = f"{self.name}/{QUERY}={query}/{BATCH}={batch}"
        scored.write.mode("overwrite").parquet(folder)


@dataclass(frozen=True)
class ParquetTable:
    """A table of the session's catalogue, with a partition a batch."""

    name: str
    format = "parquet"
    grows = False

    def write(self, scored: DataFrame, query: str, batch: int) -> None:
        spark = scored.sparkSession
        if not spark.catalog.tableExists(self.name):
            empty = _labelled(scored.limit(0), query, batch)
            empty.write.format("parquet").partitionBy(QUERY, BATCH).saveAsTable(self.name)
        view = f"gavial_batch_{batch}"  # in the session of this stream, which nobody else has
        scored.createOrReplaceTempView(view)
        columns = ", ".join(_quoted(name) for name in scored.columns)
        try:
            # The query's id is Spark's own, a UUID.
            spark.sql(
                f"INSERT OVERWRITE {self.name} PARTITION ({QUERY} = '{query}', {BATCH} = {batch}) "
                f"({columns}) SELECT {columns} FROM {view}"
            )
        finally:
            spark.catalog.dropTempView(view)


@dataclass(frozen=True)
class Delta:
    """A Delta table, by its folder or by its name in the session's catalogue."""

    name: str
    is_table: bool
    format = "delta"
    grows = False

    def write(self, scored: DataFrame, query: str, batch: int) -> None:
        writer = (
            _labelled(scored, query, batch)
            .write.format("delta")
            .mode("append")
            .option("txnAppId", query)
            .option("txnVersion", batch)
        )
        if self.is_table:
            writer.saveAsTable(self.name)
        else:
            writer.save(self.name)


def sink(
    spark: SparkSession,
    output: str | os.PathLike[str] | None,
    table: str | None,
    output_format: str,
) -> Sink:
    """The sink that a caller names.

    Raises:
        ConfigurationError: it names none or two, or what it takes is not here.
    """
    if output_format not in FORMATS:
        raise ConfigurationError(
            f"The format {output_format!r} is unknown: expected {' or '.join(map(repr, FORMATS))}."
        )
    if (output is None) == (table is None):
        raise ConfigurationError(
            "Name one place for the scored records: either output=, a folder or URI, or table=, "
            "a name in the session's catalogue."
        )
    if output_format == "delta":
        check_delta(spark)
    if table is not None:
        if not _TABLE.fullmatch(table):
            raise ConfigurationError(
                f"{table!r} is not the name of a table: expected one such as 'scored' or "
                "'sales.scored'; other characters than letters, digits and _ go in backquotes."
            )
        return Delta(table, True) if output_format == "delta" else ParquetTable(table)
    assert output is not None
    uri = files.qualified(spark, output)
    return Delta(uri, False) if output_format == "delta" else ParquetFolder(uri)


def check_apart(output: str, checkpoint: str) -> None:
    """Check that a folder of records and a checkpoint do not lie in each other.

    Args:
        output: a URI, as `files.qualified` gives it.
        checkpoint: likewise.

    Raises:
        ConfigurationError: they do, so that a reader of the one would find the other's files.

    >>> check_apart("hdfs://nn/scored", "hdfs://nn/scored/_checkpoint")
    """
    if output == checkpoint:
        raise ConfigurationError(
            f"Output and checkpoint are the same folder, {output!r}: name two."
        )
    if output.startswith(f"{checkpoint}/"):
        raise ConfigurationError(
            f"The output {output!r} lies in the checkpoint {checkpoint!r}: name a folder elsewhere."
        )
    # Readers skip what begins with `_` or `.`.
    inside = checkpoint.removeprefix(f"{output}/")
    if inside != checkpoint and not _HIDDEN.match(inside):
        raise ConfigurationError(
            f"The checkpoint {checkpoint!r} lies in the output {output!r}, whose readers would "
            "take it for records: name a folder elsewhere, or one that begins with '_'."
        )


def check_delta(spark: SparkSession) -> None:
    """Check that a session can write Delta tables.

    Raises:
        ConfigurationError: it cannot, with what to start Spark with.
    """
    if not _jvm_has(spark, _DELTA):
        raise ConfigurationError(
            "Delta Lake is not on the class path: start Spark with --packages io.delta:"
            "delta-spark_…, in the version that its documentation names for Spark "
            f"{spark.version}, or use format='parquet'."
        )
    if _DELTA not in str(spark.conf.get("spark.sql.extensions", "") or ""):
        raise ConfigurationError(
            "Delta Lake is on the class path, and this session does not use it: start Spark with "
            f"--conf spark.sql.extensions={_DELTA} --conf spark.sql.catalog.spark_catalog="
            "org.apache.spark.sql.delta.catalog.DeltaCatalog."
        )


def _jvm_has(spark: SparkSession, class_name: str) -> bool:
    from py4j.protocol import Py4JError

    jvm: Any = spark.sparkContext._jvm
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    try:
        jvm.java.lang.Class.forName(class_name, False, loader)
    except Py4JError:
        return False
    return True


def _labelled(scored: DataFrame, query: str, batch: int) -> DataFrame:
    number = functions.lit(batch).cast("long")
    return scored.withColumns({QUERY: functions.lit(query), BATCH: number})


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
