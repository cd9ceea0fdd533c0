"""What the watermark costs: 10 million rows scored with it and without.

python benchmarks/watermark.py [ROWS]
"""

from __future__ import annotations

import sys

import measure
import models
from pyspark.ml import PipelineModel
from pyspark.ml.feature import Bucketizer, VectorAssembler
from pyspark.sql import DataFrame

from gavial.spark import watermark


def main(rows: int) -> None:
    spark = models.session()
    data = spark.range(rows).selectExpr("cast(id % 100 AS double) AS x", "cast(id AS double) AS y")
    splits = [float("-inf"), 10.0, 50.0, float("inf")]
    plain = PipelineModel(
        [
            Bucketizer(inputCol="x", outputCol="b", splits=splits),
            VectorAssembler(inputCols=["b", "y"], outputCol="features"),
        ]
    )
    stamped = watermark.with_watermark(plain, "pipeline")

    def score(model: PipelineModel) -> None:
        model.transform(data).write.format("noop").mode("overwrite").save()

    def call(model: PipelineModel, df: DataFrame) -> None:
        model.transform(df)

    print(*measure.HEAD, sep="\n", flush=True)
    races = [
        measure.race(
            f"score {rows:,} rows",
            {"without": lambda: score(plain), "with watermark": lambda: score(stamped)},
            15,
        ),
        measure.race(
            "one call of transform",
            {"without": lambda: call(plain, data), "with watermark": lambda: call(stamped, data)},
            30,
            5,
        ),
    ]
    measure.report(races, measure.results(), "watermark")
    spark.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
