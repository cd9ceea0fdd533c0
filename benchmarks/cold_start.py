"""From the start of a process to its first scored row: model A, each time a process of its own.

    python benchmarks/cold_start.py

Plain Spark loads a saved folder; ours asks Ivy for the release by `--packages`, and resolves it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import measure

_MAKE = """
import models, gavial, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
model = models.hello(spark)[0]
model.write().save(sys.argv[1] + "/plain")
gavial.deploy(model, "com.acme:model:1.0", sys.argv[1] + "/models", watermark_col="pipeline")
"""
_SPARK = """
builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
builder = builder.config("spark.ui.showConsoleProgress", "false")
"""
_SCORE = """
rows = spark.createDataFrame([(7, "a spark")], "id long, text string")
assert model.transform(rows).count() == 1 and model.transform(rows).first()["prediction"] in (0, 1)
"""
_PLAIN = f"""
import sys
from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession
{_SPARK}
spark = builder.getOrCreate()
model = PipelineModel.load(sys.argv[1] + "/plain")
{_SCORE}
"""
_OURS = f"""
import sys
import gavial
from pyspark.sql import SparkSession
{_SPARK}
models = sys.argv[1] + "/models"
conf = gavial.spark_conf("com.acme:model:latest.release", repository=models, OPTIONS)
spark = builder.config(map=conf).getOrCreate()
model = gavial.resolve("model")
{_SCORE}
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="gavial-bench-") as work:
        environment = {
            **os.environ,
            "XDG_CACHE_HOME": f"{work}/cache",
            "PYTHONPATH": os.pathsep.join(
                [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
            ),
            "PYTHONWARNINGS": "ignore",
        }

        def run(script: str) -> None:
            command = [sys.executable, "-c", script, work]
            subprocess.run(command, env=environment, check=True, capture_output=True)

        run(_MAKE)
        print(*measure.HEAD, sep="\n", flush=True)
        ways = {
            "Spark, PipelineModel.load": lambda: run(_PLAIN),
            "--packages and resolve": lambda: run(_OURS.replace("OPTIONS", "")),
            "the same, fast_start": lambda: run(_OURS.replace("OPTIONS", "fast_start=True")),
        }
        races = [measure.race("process start to first row", ways, 3)]
        measure.report(races, measure.results(), "cold_start")


if __name__ == "__main__":
    main()
