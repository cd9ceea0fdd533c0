"""What the watermark costs: 10 million rows scored by a logistic regression, with it and without.

python benchmarks/watermark.py [ROWS]
"""

from __future__ import annotations

import sys

import measure
import models
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import OneHotEncoder, StringIndexer, VectorAssembler
from pyspark.sql import DataFrame

from gavial.spark import watermark


def main(rows: int) -> None:
    spark = models.session()
    data = spark.range(rows).selectExpr(
        "concat('c', id % 40) AS carrier",
        "cast(id % 24 AS double) AS hour",
        "cast((id * 31) % 500 AS double) AS distance",
        "cast((id * 13) % 24 > 18 AS double) AS label",
    )
    stages = [
        StringIndexer(inputCol="carrier", outputCol="carrier_i"),
        OneHotEncoder(inputCols=["carrier_i"], outputCols=["carrier_v"]),
        VectorAssembler(inputCols=["carrier_v", "hour", "distance"], outputCol="features"),
        LogisticRegression(maxIter=5),
    ]
    plain = Pipeline(stages=stages).fit(data.limit(10_000))
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
            9,
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
