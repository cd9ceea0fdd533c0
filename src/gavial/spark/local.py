"""A Spark session on this machine, for a command that needs one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import SparkSession


@contextmanager
def started(conf: Mapping[str, str], cores: str = "1") -> Iterator[SparkSession]:
    """A session of so many cores, with further settings; it is stopped afterwards.

    Args:
        cores: a number, or `*` for all that this machine has.

    >>> with started({}) as spark:  # doctest: +SKIP
    ...     spark.range(1).count()
    1
    """
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    builder = SparkSession.builder.master(f"local[{cores}]").config(map={**quiet, **conf})
    spark = builder.getOrCreate()
    try:
        spark.sparkContext.setLogLevel("ERROR")
        yield spark
    finally:
        spark.stop()


@contextmanager
def given_or_started() -> Iterator[SparkSession]:
    """The session of spark-submit, where that started this process; else one of this machine."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        with started({}, "*") as spark:
            yield spark
        return
    yield SparkSession.builder.getOrCreate()
