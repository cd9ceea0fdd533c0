"""Rows of states as Parquet files, written and read by Spark: a cluster may have no pyarrow."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from pyspark.sql import DataFrame, SparkSession, functions

from gavial.errors import CorruptRelease
from gavial.monitoring import reference
from gavial.monitoring.state import COLUMNS
from gavial.spark import staging
from gavial.spark.monitoring import instants
from gavial.spark.schema import reason

SCHEMA: Final = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
_TIMES: Final = tuple(name for name, kind in COLUMNS.items() if kind == "timestamp")
# Every reader takes these for instants in UTC; Spark's own default is a type of its own.
_SETTINGS: Final = {
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.session.timeZone": "UTC",
}


def own_session(spark: SparkSession) -> SparkSession:
    """A session beside the user's, whose settings stay as they are."""
    own = spark.newSession()
    for name, value in _SETTINGS.items():
        own.conf.set(name, value)
    return own


def write(spark: SparkSession, rows: Iterable[tuple[Any, ...]], place: Path) -> None:
    """Write the rows of a reference, in their order, to one local file.

    Raises:
        ConfigurationError: there is no folder that Spark and this process both reach.
    """
    schema = f"{SCHEMA}, {reference.TEXT} string"
    df = own_session(spark).createDataFrame(list(rows), schema).coalesce(1)
    with staging.folder(spark) as shared:
        df.write.option("compression", "zstd").parquet(f"{shared.uri}/reference")
        folder = shared.fetch("reference", place.parent)
        (part,) = folder.glob("part-*.parquet")
        shutil.copyfile(part, place)


def read(spark: SparkSession, place: Path, limit: int) -> Sequence[dict[str, Any]] | None:
    """The rows of one local file; `None` where it has more than so many.

    Raises:
        CorruptRelease: it is no Parquet.
    """
    with staging.folder(spark) as shared:
        (folder := place.parent / "spark").mkdir()
        shutil.copyfile(place, folder / place.name)
        uri = shared.put(folder)
        try:
            found = rows_of(spark.read.parquet(f"{uri}/{place.name}").limit(limit + 1))
        except Exception as error:  # Spark's and py4j's
            raise CorruptRelease(f"{place.name} cannot be read: {reason(error)}") from error
    return None if len(found) > limit else found


def rows_of(df: DataFrame) -> list[dict[str, Any]]:
    """Rows as `state.from_rows` takes them, with their times in UTC."""
    # Spark gives Python the times of this process's own zone, without naming it.
    times = {name: functions.unix_micros(name) for name in _TIMES if name in df.columns}
    found = [row.asDict() for row in df.withColumns(times).collect()]
    for row in found:
        for name in times:
            if row[name] is not None:
                row[name] = instants.instant_of(row[name])
    return found
