"""A Spark session on this machine, for a command that needs one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import SparkSession


@contextmanager
def started(conf: Mapping[str, str]) -> Iterator[SparkSession]:
    """A session of one core, with further settings; it is stopped afterwards.

    >>> with started({}) as spark:  # doctest: +SKIP
    ...     spark.range(1).count()
    1
    """
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    builder = SparkSession.builder.master("local[1]").config(map={**quiet, **conf})
    spark = builder.getOrCreate()
    try:
        spark.sparkContext.setLogLevel("ERROR")
        yield spark
    finally:
        spark.stop()
