"""What Spark can tell of a set of data, for a model card."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pyspark.sql import DataFrame, SparkSession, functions

from gavial.errors import ConfigurationError
from gavial.model.dataset import Dataset
from gavial.spark import columns, schema, session

_TABLE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,2}")
_LOG = "_delta_log"
_FILES = 3  # of a DataFrame's files, as many are looked at


def describe(data: Dataset) -> dict[str, Any]:
    """A card's `training_data`: of where the data are, what they are and how many.

    It counts them, in one Spark job. Of a path or table that the session cannot read, `unread`
    says why.

    Raises:
        ConfigurationError: a DataFrame cannot be read, or the data have no such column.
    """
    told = {"name": data.name, "version": data.version}
    if isinstance(data.source, DataFrame):
        return _described(data.source, data.time_col, told)
    told["source"] = source = str(data.source)
    try:
        df = _read(session.current(), source)
        return _described(df, data.time_col, told)
    except ConfigurationError:
        raise
    except Exception as error:  # Spark's and py4j's
        known = {name: value for name, value in told.items() if value}
        return {**known, "unread": schema.reason(error)}


def read(source: str) -> DataFrame:
    """A table by its name, or records by their path, in the active session.

    A path is of Parquet or Delta, or of what the session reads by default; one that ends in
    `.csv` (with a line of names) or `.json` is of that.

    Raises:
        ConfigurationError: there is neither, or it cannot be read.
    """
    spark = session.current()
    try:
        if source.endswith(".csv"):
            return spark.read.csv(source, header=True, inferSchema=True)
        return spark.read.json(source) if source.endswith(".json") else _read(spark, source)
    except Exception as error:  # Spark's and py4j's
        raise ConfigurationError(
            f"{source!r} is neither a table nor a path of records that this session reads: "
            f"{schema.reason(error)}"
        ) from error


def _described(df: DataFrame, time_col: str, told: dict[str, str]) -> dict[str, Any]:
    if df.isStreaming:
        raise ConfigurationError("The data are a stream: name what it was read from instead.")
    known = {name: value for name, value in told.items() if value}
    counted = _counted(df, time_col)
    return {**_origin(df), **known, **counted, "schema": schema.of_dataframe(df)}


def _read(spark: SparkSession, source: str) -> DataFrame:
    if _TABLE.fullmatch(source) and spark.catalog.tableExists(source):
        return spark.table(source)
    if _is_delta(spark, source):
        return spark.read.format("delta").load(source)
    return spark.read.load(source)


def _counted(df: DataFrame, time_col: str) -> dict[str, Any]:
    wanted = [functions.count(functions.lit(1)).alias("rows")]
    if time_col:
        name = columns.same(time_col, df.columns)
        if name is None:
            raise ConfigurationError(f"time_col={time_col!r}: the data have {df.columns!r}.")
        quoted = columns.quoted(name)
        wanted += [
            functions.min(quoted).cast("string").alias("low"),
            functions.max(quoted).cast("string").alias("high"),
        ]
    row = df.agg(*wanted).collect()[0]
    if not time_col:
        return {"rows": row["rows"]}
    return {
        "rows": row["rows"],
        "time": {"column": time_col, "from": row["low"], "to": row["high"]},
    }


def _origin(df: DataFrame) -> dict[str, Any]:
    """The table or path of a DataFrame that reads one, and its version; what cannot be told is not.

    A plan is asked, since only it knows which version a DataFrame reads: a table may have a later
    one. Spark Connect has no plan here: then the files tell, where they lie in a Delta table.
    """
    if session.remote(session.current()) is None:
        found = list(_relations(df._jdf.queryExecution().analyzed()))
        if len(found) != 1:
            return {}  # made of several, or of none
        relation = found[0]
        for told in (_delta(relation), _iceberg(relation)):
            if told:
                return told
    files = df.inputFiles()
    folders = {file.rpartition("/")[0] for file in files[:_FILES]}
    return {"source": min(folders)} if len(folders) == 1 else {}


def _relations(plan: Any) -> Iterator[Any]:
    leaves = plan.collectLeaves()
    for at in range(leaves.size()):
        yield leaves.apply(at)


def _delta(relation: Any) -> dict[str, Any]:
    """Of a Delta table: `LogicalRelation(HadoopFsRelation(TahoeFileIndex))`."""
    location = _asked(relation, "relation", "location")
    if location is None or "TahoeLog" not in str(location.getClass().getName()):
        return {}
    path = _asked(location, "path", "toString")
    version = _asked(location, "tableVersion")
    if version is None:
        version = _asked(location, "snapshotAtAnalysis", "version")
    found = {"source": path, "format": "delta", "version": version}
    return {name: value for name, value in found.items() if value is not None}


def _iceberg(relation: Any) -> dict[str, Any]:
    """Of an Iceberg table: `DataSourceV2Relation(SparkTable)`."""
    table = _asked(relation, "table")
    if table is None or ".iceberg." not in str(table.getClass().getName()):
        return {}
    snapshot = _asked(table, "snapshotId") or _asked(
        table, "table", "currentSnapshot", "snapshotId"
    )
    found = {"source": _asked(table, "name"), "format": "iceberg", "version": snapshot}
    # As a text: it has more digits than every reader of JSON keeps.
    return {name: str(value) for name, value in found.items() if value is not None}


def _asked(value: Any, *methods: str) -> Any:
    """The answer of a chain of JVM methods without arguments; `None` where one is not there."""
    for method in methods:
        if value is None:
            return None
        try:
            value = getattr(value, method)()
        except Exception:  # py4j's, of a class or version that has no such method
            return None
    return value


def _is_delta(spark: SparkSession, path: str) -> bool:
    """Whether a Delta table lies at a path."""
    if session.remote(spark) is not None:
        return False
    log = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(f"{path.rstrip('/')}/{_LOG}")
    system = log.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
    return bool(system.exists(log))
