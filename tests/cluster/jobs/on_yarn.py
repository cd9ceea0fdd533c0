"""A job whose driver runs on a host of YARN's choice, with what `--packages` brought."""

import json
from pathlib import Path

from pyspark.sql import SparkSession

import gavial

spark = SparkSession.builder.getOrCreate()
shared = spark.conf.get("spark.gavial.tests.shared")
model = gavial.resolve("churn")
rows = spark.createDataFrame([("a", 1.0), ("b", 2.0)], ["city", "x"])
found = {
    "mode": spark.conf.get("spark.submit.deployMode"),
    "gavial": gavial.__file__,
    "available": [str(one) for one in gavial.available()],
    "marks": sorted({row["pipeline"] for row in model.transform(rows).collect()}),
    "repository": str(gavial.coordinate(gavial.resolve("com.acme:churn:1.0", f"{shared}/models"))),
}
Path(shared, "on_yarn.json").write_text(json.dumps(found))
