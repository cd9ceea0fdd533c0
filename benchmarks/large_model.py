"""A model of a gigabyte: deploy and resolve, beside Spark's own save and load in the same run.

    python benchmarks/large_model.py [MEGABYTES]

Prints seconds, their ratio to Spark's, and the peak memory of this Python process. Deploy saves,
packs, hashes and stores; resolve fetches, verifies, unpacks and loads.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import SparkSession

import gavial

RANK = 100
BYTES_PER_USER = 4 * RANK


def recommender(spark: SparkSession, megabytes: int) -> PipelineModel:
    """An ALS model with random factors of about that size."""

    def factors(count: int) -> Any:
        numbers = f"transform(sequence(1, {RANK}), x -> cast(rand() AS float)) AS features"
        return spark.range(count).selectExpr("cast(id AS int) AS id", numbers)

    users, items = factors(megabytes * 1_000_000 // BYTES_PER_USER), factors(1_000)
    java = spark._jvm.org.apache.spark.ml.recommendation.ALSModel(
        "ALS_large", RANK, users._jdf, items._jdf
    )
    return PipelineModel([ALSModel(java)])


def timed(what: str, run: Callable[[], Any], peer: float | None = None) -> tuple[float, Any]:
    start = time.monotonic()
    result = run()
    seconds = time.monotonic() - start
    ratio = f"  {seconds / peer:5.2f} × Spark's" if peer else ""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{what:14} {seconds:7.1f} s{ratio:18}  peak {peak} MiB", flush=True)
    return seconds, result


def main(megabytes: int) -> None:
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    model = recommender(spark, megabytes)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "plain")
        saved, _ = timed("Spark's save", lambda: model.write().save(str(plain)))
        timed(
            "deploy",
            lambda: gavial.deploy(model, "com.acme:films:1.0", folder, watermark_col="pipeline"),
            saved,
        )
        loaded, _ = timed("Spark's load", lambda: PipelineModel.load(str(plain)))
        _, resolved = timed("resolve", lambda: gavial.resolve("com.acme:films", folder), loaded)
        size = gavial.repository(folder).release("com.acme:films").files[0].size
        print(f"A jar of {size / 1e6:,.0f} MB; its model is {gavial.coordinate(resolved)}.")
    spark.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
