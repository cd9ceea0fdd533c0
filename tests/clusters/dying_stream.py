"""Score a stream until all that is there is scored, or die by SIGKILL at a step of a batch.

    python dying_stream.py '{"source": …, "die": ["written", 1], …}'

The JVM dies with this process. What is not killed prints the scored records as its last line:
`[[id, build, batch], …]`.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from pyspark.sql import SparkSession, functions

import gavial
import gavial.streaming
from gavial.spark.streaming import batch as batches

RECORDS = "id long, city string, x double"
DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "2",
}

job = json.loads(sys.argv[1])
step_to_die, batch_to_die = job.get("die") or (None, 0)
begun = 0


class Dying(batches.Batches):
    """A batch's steps, each of which may be the last."""

    def __call__(self, records, batch):
        global begun
        begun += 1
        die_at("begun")
        super().__call__(records, batch)
        die_at("returned")

    def pin(self, query, batch):
        pin = super().pin(query, batch)
        die_at("pinned")
        return pin

    def score(self, pin, records):
        scored = super().score(pin, records)
        die_at("scored")
        return scored

    def write(self, scored, query, batch):
        if step_to_die == "writing" and begun == batch_to_die:
            threading.Thread(target=die_when_a_file_appears, daemon=True).start()
        super().write(scored, query, batch)
        die_at("written")
        die_at("writing")  # where it was faster than we looked


def die_at(step):
    if (step, begun) == (step_to_die, batch_to_die):
        die()


def die():
    os.kill(jvm, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def die_when_a_file_appears():
    before = set(files())
    while set(files()) <= before:
        time.sleep(0.001)
    die()


def files():
    return (one for one in Path(job["output"]).rglob("*.parquet"))


def source():
    options = job["source"]
    if options["kind"] == "files":
        reader = spark.readStream.schema(RECORDS).option("maxFilesPerTrigger", 1)
        return reader.json(options["folder"])
    reader = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", options["servers"])
        .option("subscribe", options["topic"])
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", options["at_once"])
    )
    value = functions.from_json(functions.col("value").cast("string"), RECORDS)
    return reader.load().select(value.alias("record")).select("record.*")


def produce():
    """Records with ids from `first` on, into a topic."""
    options = job["source"]
    record = functions.to_json(
        functions.struct("id", functions.lit("Bern").alias("city"), functions.rand(1).alias("x"))
    )
    numbers = spark.range(options["first"], options["first"] + options["count"])
    (
        numbers.select(record.alias("value"))
        .write.format("kafka")
        .option("kafka.bootstrap.servers", options["servers"])
        .option("topic", options["topic"])
        .save()
    )


# A short life: what pays later, the JVM's second compiler and generated code, costs here.
SHORT = {
    "spark.ui.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss4m",
    "spark.driver.memory": "700m",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
builder = SparkSession.builder.master("local[1]").config(map=SHORT)
if job.get("jars"):
    # On the class path from the start, as `--jars` and `--packages` put them for the driver.
    builder = builder.config("spark.driver.extraClassPath", os.pathsep.join(job["jars"]))
if job["format"] == "delta":
    builder = builder.config(map=DELTA)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
jvm = int(spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid())
if job["source"]["kind"] == "kafka":
    produce()

batches.Batches = Dying
scoring = gavial.streaming.score(
    source(),
    "com.acme:churn:latest.release",
    job["models"],
    output=job["output"],
    checkpoint=job["checkpoint"],
    format=job["format"],
    poll=0.2,
    trigger={"availableNow": True},
)
scoring.query.awaitTermination()
scoring.stop()
rows = spark.read.format(job["format"]).load(job["output"]).select("id", "pipeline", "_batch")
found = sorted(
    (r["id"], int(r["pipeline"].rpartition(".")[2]), r["_batch"]) for r in rows.collect()
)
print([one.what for one in scoring.problems], file=sys.stderr)
print(json.dumps(found))
spark.stop()
