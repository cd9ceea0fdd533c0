"""What the jobs on the cluster share: models, attempts, and waiting for each other."""

from __future__ import annotations

import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from pyspark.ml import PipelineModel
from pyspark.ml.feature import SQLTransformer, StringIndexerModel
from pyspark.ml.recommendation import ALS
from pyspark.sql import SparkSession

import gavial
from gavial.errors import GavialError
from gavial.spark.streaming.files import Files, qualified

SHARED = Path(sys.argv[1])  # a folder that every host has
MODELS = SHARED / "models"
SETTING = "spark.gavial.stagingDir"


def session():
    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def ratings(spark):
    records = [(user, item, float(user % 3 + item % 2)) for user in range(40) for item in (1, 2)]
    return spark.createDataFrame(records, "user int, item int, rating float").repartition(2)


def recommender(spark):
    """A model with data that executors write, and that they read when it scores, not before."""
    als = ALS(rank=1, maxIter=1, numUserBlocks=2, numItemBlocks=1, coldStartStrategy="drop")
    first = SQLTransformer(statement="SELECT * FROM __THIS__")
    return PipelineModel([first, als.fit(ratings(spark))])


def large():
    """A model of more than a megabyte, which no compression makes smaller than that."""
    numbers = random.Random(7)
    labels = [f"{numbers.getrandbits(256):x}" for _ in range(40_000)]
    return PipelineModel([StringIndexerModel.from_labels(labels, inputCol="item")])


def attempt(work, *arguments, **named):
    """What a step gave, or how it failed: an error of ours, or anything else."""
    try:
        return {"value": work(*arguments, **named)}
    except Exception as error:
        ours = isinstance(error, GavialError)
        return {"error": type(error).__name__ if ours else repr(error), "message": str(error)}


def deploy(model, gav, **named):
    named = {"watermark_col": "pipeline", **named}
    return str(gavial.deploy(model, gav, repository=MODELS, **named).coordinate)


def score(spark, gav):
    """Resolve a model and score on the executors: how many rows, and the marks on them."""
    scored = gavial.resolve(gav, repository=MODELS).transform(ratings(spark)).collect()
    return {"rows": len(scored), "marks": sorted({row["pipeline"] for row in scored})}


def pins(spark, folder):
    """Six writers at once for each of five pins: how many were told that they made it."""
    made = Files(spark, qualified(spark, folder))

    def write(number):
        name, text = f"7/{number // 6}", f"writer {number}".encode()
        return name, text, made.create(name, text)

    with ThreadPoolExecutor(6) as threads:
        tried = list(threads.map(write, range(30)))
    return {
        name: [text == made.read(name) for other, text, won in tried if other == name and won]
        for name in {name for name, _, _ in tried}
    }


def trip(spark, model, gav):
    """Deploy a model, then resolve and score with what was released."""
    released = deploy(model, gav)
    return {"released": released, **score(spark, released)}


def released(artifact):
    """Every file of a module, half a release's too."""
    return sorted(file.name for file in (MODELS / "com" / "acme" / artifact).rglob("*.*"))


def staged(spark, uri):
    """What lies in a staging folder."""
    path = spark._jvm.org.apache.hadoop.fs.Path(uri)
    system = path.getFileSystem(spark._jsc.hadoopConfiguration())
    if not system.exists(path):
        return []
    return sorted(status.getPath().getName() for status in system.listStatus(path))


def tell(name):
    (SHARED / "told" / name).touch()


def wait(name, seconds=240):
    end = time.monotonic() + seconds
    while not (SHARED / "told" / name).exists():
        if time.monotonic() > end:
            raise TimeoutError(name)
        time.sleep(0.05)


def report(name, results):
    (SHARED / f"{name}.json").write_text(json.dumps(results))


class Clock:
    """How long each step took, in seconds."""

    def __init__(self):
        self.taken = {}
        self._last = time.monotonic()

    def lap(self, name):
        now = time.monotonic()
        self.taken[name], self._last = round(now - self._last, 1), now


def jobs_run(spark, work):
    """How many Spark jobs a step ran, whatever came of it."""
    spark.sparkContext.setJobGroup("counted", "")
    try:
        with suppress(GavialError):
            work()
        return len(spark.sparkContext.statusTracker().getJobIdsForGroup("counted"))
    finally:
        spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)
