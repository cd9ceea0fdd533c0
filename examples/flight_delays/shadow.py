"""Score months by a champion and a challenger side by side, and keep what both say.

python shadow.py CHAMPION CHALLENGER --months 7 8 --repository build/demo/staging
"""

import argparse
from pathlib import Path

from flights import load
from pyspark.sql import SparkSession
from pyspark.sql.functions import col

import gavial


def main() -> None:
    options = arguments()
    spark = SparkSession.builder.appName("flight-delays: shadow").getOrCreate()
    flights = load(spark, options.flights).where(col("month").isin(options.months))
    route = gavial.Route.shadow(options.champion, options.challenger)
    scored = gavial.run_route(flights, route, str(options.repository))
    scored.write.mode("overwrite").parquet(str(options.output))

    print("Records by version; those of the champion are what was served:")
    kept = spark.read.parquet(str(options.output))
    kept.groupBy("pipeline", "role", "served").count().orderBy("pipeline").show(truncate=False)
    spark.stop()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("champion", help="its coordinate")
    parser.add_argument("challenger", help="its coordinate")
    parser.add_argument("--months", type=int, nargs="+", required=True, choices=range(1, 13))
    parser.add_argument("--flights", type=Path, default=Path("build/demo/flights"))
    parser.add_argument("--repository", type=Path, default=Path("build/demo/staging"))
    parser.add_argument("--output", type=Path, default=Path("build/demo/shadow"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
