"""Whether the executors see what the driver writes into a folder, and the other way round.

A `file:` folder that only looks shared is told by nothing else: Spark saves into it in pieces,
one on each host, and reports success.
"""

from __future__ import annotations

import secrets
from typing import Any

from pyspark.sql import SparkSession

from gavial.spark.hadoop import Place

_MOST = 256  # partitions, however many executors there are


def fault(spark: SparkSession, folder: Place) -> str:
    """What is wrong with a folder; empty where nothing is. What it writes there is left.

    The driver writes a token, each executor reads it, then each writes it back. Nothing of it
    runs Python on an executor, and no task fails for what it does not see.
    """
    token = folder.below("token")
    token.write(f"{secrets.token_hex(8)}\n")
    rows, parts = _read_everywhere(spark, token.uri)
    seen = int(rows.count())
    if seen < parts:
        return _hosts_differ(parts - seen, parts, "do not see what the driver wrote there")
    answers = folder.below("answers")
    rows.saveAsTextFile(answers.uri)
    came = [answers.below(name) for name in answers.names() if name.startswith("part-")]
    written = sum(one.size() > 0 for one in came)
    if written < parts:
        return _hosts_differ(parts - written, parts, "wrote there what the driver does not see")
    return ""


def _read_everywhere(spark: SparkSession, uri: str) -> tuple[Any, int]:
    """The token as the executors read it: one row each from at least as many partitions as them.

    Spark gives the tasks of one stage to its idle executors in turn.
    """
    read = spark.read.option("ignoreMissingFiles", "true").text(uri)
    rows, parts = read._jdf.toJavaRDD(), 1
    executors = int(spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size()) - 1
    while parts < min(executors, _MOST):
        rows, parts = rows.union(rows), 2 * parts
    return rows, parts


def _hosts_differ(missed: int, parts: int, what: str) -> str:
    return (
        f"of {parts} tasks on the executors {missed} {what}. It must be one and the same folder on "
        "every host: one that all of them mount, or hdfs://…, s3a://…."
    )
