"""Score the rest of the year with whatever version of the model Spark brought.

    spark-submit --packages com.example:flight-delays:latest.release score.py FLIGHTS SCORED

It needs pyspark and nothing else: gavial comes with the model.
"""

import sys

from pyspark.ml.functions import vector_to_array
from pyspark.sql import SparkSession
from pyspark.sql.functions import round

import gavial


def main(folder: str, output: str) -> None:
    spark = SparkSession.builder.appName("flight-delays: score").getOrCreate()
    model = gavial.resolve("flight-delays")
    print(f"This is {gavial.coordinate(model)}.")

    flights = spark.read.parquet(folder).where("month > 2")
    model.transform(flights).write.mode("overwrite").parquet(output)
    scored = spark.read.parquet(output)
    print("\nTen of its answers, each with the version that gave it:")
    chance = round(vector_to_array("probability")[1], 2)
    scored.withColumn("chance_of_delay", chance).select(
        *("month", "day", "carrier", "flight", "origin", "dest"),
        *("chance_of_delay", "arr_delay", "pipeline"),
    ).show(10, truncate=False)

    print("Records by version:")
    scored.groupBy("pipeline").count().show(truncate=False)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
