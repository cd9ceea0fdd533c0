"""Score a month with whatever version of the model Spark brought.

    spark-submit --packages com.example:flight-delays:latest.release score.py build/demo/flights

It needs pyspark and nothing else: gavial comes with the model.
"""

import sys

from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.functions import vector_to_array
from pyspark.sql import SparkSession
from pyspark.sql.functions import round

import gavial

MONTH = 4


def main(folder: str) -> None:
    spark = SparkSession.builder.appName("flight-delays: score").getOrCreate()
    model = gavial.resolve("flight-delays")
    print(f"This is {gavial.coordinate(model)}.")

    flights = spark.read.parquet(folder).where(f"month = {MONTH} AND arr_delay IS NOT NULL")
    chance = round(vector_to_array("probability")[1], 2)
    scored = model.transform(flights).withColumn("chance_of_delay", chance)
    print("\nTen of its answers, each with the version that gave it:")
    scored.select(
        "day", "carrier", "flight", "origin", "dest", "chance_of_delay", "arr_delay", "pipeline"
    ).show(10, truncate=False)

    print("Records by version:")
    scored.groupBy("pipeline").count().show(truncate=False)

    judged = scored.selectExpr("rawPrediction", "cast(arr_delay > 15 AS double) AS late")
    auc = BinaryClassificationEvaluator(labelCol="late").evaluate(judged)
    print(f"AUC in month {MONTH}: {auc:.3f}")
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1])
