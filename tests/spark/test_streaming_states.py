"""States of a stream's micro-batches, by the recipe of the manual."""

from __future__ import annotations

import json
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from states_parts import PROFILE, records

from gavial.maven.coordinate import Module
from gavial.monitoring.windows import Windows
from gavial.spark.monitoring.scan import scan
from gavial.spark.monitoring.store import StateStore

CHURN = Module("com.acme", "churn")


def arrive(folder: Path, name: str, hours: range) -> None:
    """A file of scored records, one an hour from the 7th of January on."""
    lines = (
        json.dumps(
            {
                "amount": 0.5,
                "scored_at": f"2013-01-{7 + hour // 24:02}T{hour % 24:02}:30:00Z",
                "pipeline": "com.acme:churn:1.0.0",
            }
        )
        for hour in hours
    )
    (folder / name).write_text("\n".join(lines))


def test_a_stream_adds_each_batch_once_also_one_that_spark_repeats(
    spark: SparkSession, tmp_path: Path
) -> None:
    incoming, checkpoint = tmp_path / "in", tmp_path / "checkpoint"
    incoming.mkdir()
    store = StateStore(spark, str(tmp_path / "states"))

    def count(batch: DataFrame, number: int) -> None:
        found = scan(batch, CHURN, PROFILE, Windows("day"), watermark="pipeline", time="scored_at")
        store.add(found.states, PROFILE, query="orders", batch=number)

    def run() -> None:
        stream = spark.readStream.schema("amount double, scored_at timestamp, pipeline string")
        query = (
            stream.json(str(incoming))
            .writeStream.option("checkpointLocation", str(checkpoint))
            .foreachBatch(count)
            .trigger(availableNow=True)
            .start()
        )
        query.awaitTermination()

    arrive(incoming, "a.json", range(30))
    run()
    arrive(incoming, "b.json", range(30, 40))
    run()
    assert records(store.read(CHURN).states) == [24, 16]

    (checkpoint / "commits" / "1").unlink()  # as if it had died before it noted the batch
    (checkpoint / "commits" / ".1.crc").unlink(missing_ok=True)
    arrive(incoming, "c.json", range(40, 45))
    run()

    assert records(store.read(CHURN).states) == [24, 21]
