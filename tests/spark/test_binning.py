"""Bins and windows as Spark expressions give what Python gives."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession, functions

from gavial.monitoring.bins import Categories, Numeric
from gavial.monitoring.windows import PERIODS, Windows
from gavial.spark.monitoring import binning, instants

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = ("UTC", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe")


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.lists(
            st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20, unique=True
        ),
        min_size=5,
        max_size=10,
    ),
    st.lists(st.floats(), min_size=20, max_size=50),
)
def test_numbers_are_put_into_the_bins_that_python_puts_them_into(
    spark: SparkSession, edges: list[list[float]], values: list[float]
) -> None:
    every = [
        Numeric(tuple(sorted({one + 0.0 for one in each}))) for each in edges if len(set(each)) > 1
    ]
    every += [Numeric((0.0, 0.0)), Numeric((-0.0, 1.0)), Numeric((0.0, 5e-324, 1.0))]
    inner = [one for each in every for edge in each.edges for one in around(edge)]
    numbers = [*values, *inner, None, 0.0, -0.0, math.nan, math.inf, -math.inf]
    df = spark.createDataFrame([(one,) for one in numbers], "value double")
    named = {f"c{at}": one for at, one in enumerate(every)}
    df = df.withColumns(
        {
            name: binning.number(functions.col("value"), df.schema["value"].dataType)
            for name in named
        }
    )
    df = binning.with_buckets(df, named)
    for row in df.collect():
        value = row["value"]
        is_number = value is not None and math.isfinite(value)
        for name, one in named.items():
            raw = row[binning.bucket(name)]
            found = binning.index_of(None if raw is None else int(raw), is_number, one)
            assert found == one.index(value), (value, one)


def around(edge: float) -> tuple[float, float, float]:
    return math.nextafter(edge, -math.inf), edge, math.nextafter(edge, math.inf)


VALUES: dict[str, list[Any]] = {
    "boolean": [True, False, None],
    "tinyint": [0, 1, -1, 127, None],
    "int": [0, 1, 2, -7, None],
    "bigint": [0, 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), None],
    "float": [0.0, -0.0, 1.0, 0.5, 0.1, 16777216.0, math.nan, math.inf, -math.inf, None],
    "double": [0.0, -0.0, 1.0, 0.5, 0.1, 1e-5, 2.0**53, 1e300, math.nan, math.inf, -math.inf, None],
    "decimal(10,2)": [Decimal("0.00"), Decimal("1.00"), Decimal("2.50"), Decimal("-7"), None],
    "decimal(38,8)": [Decimal("0E-8"), Decimal("1.2E-7"), Decimal("10"), None],
    "string": ["0", "1", "1.0", "AA", "aa", " ", "", "nan", "None", None],
    "date": [date(2013, 1, 1), date(1900, 2, 28), None],
}
CATEGORIES = Categories(
    (
        *(
            "1",
            "0",
            "2.5",
            "-7",
            "0.5",
            "0.1",
            "1e-05",
            "nan",
            "inf",
            "-inf",
            "AA",
            "",
            "true",
            "x",
        ),
        *("9007199254740993", "9223372036854775807", "9007199254740992.0", "1e+300", "16777216"),
        *(
            "0.10000000149011612",
            "2013-01-01",
            "10",
            "0.00000012",
            "1.2E-7",
            "01",
            "1_0",
            "٣",
            "128",
        ),
        *(
            "99999999999999999999",
            "+1",
            " 1",
            "1.0",
            "-0",
            "Infinity",
            "2013-1-1",
            "-9223372036854775808",
        ),
    )
)


@pytest.mark.parametrize("kind", VALUES)
def test_categories_are_those_of_python_for_every_type(spark: SparkSession, kind: str) -> None:
    df = spark.createDataFrame([(one,) for one in VALUES[kind]], f"value {kind}")
    every = [CATEGORIES, Categories(()), Categories(("1",))]
    column, of = functions.col("value"), df.schema["value"].dataType
    rows = df.select(
        "value",
        *[binning.category_index(column, of, one).alias(f"c{at}") for at, one in enumerate(every)],
    ).collect()

    assert [[row[f"c{at}"] for at in range(len(every))] for row in rows] == [
        [one.index(row["value"]) for one in every] for row in rows
    ]


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.datetimes(datetime(1950, 1, 1), datetime(2037, 12, 1)), min_size=50, max_size=100)
)
def test_windows_begin_where_python_says(spark: SparkSession, times: list[datetime]) -> None:
    # Around every half hour of the nights in which clocks change in those zones.
    nights = [
        datetime(2013, 3, 10),
        datetime(2013, 11, 3),
        datetime(2013, 10, 20),
        datetime(2013, 4, 6),
    ]
    nights += [datetime(2013, 10, 5), datetime(2014, 2, 16), datetime(2012, 12, 31)]
    times = times + [one + timedelta(minutes=30 * at) for one in nights for at in range(72)]
    micros = [(one.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) for one in times]
    df = spark.createDataFrame([(one,) for one in micros], "at bigint")
    every = {
        f"w{at}": one
        for at, one in enumerate(Windows(period, zone) for zone in ZONES for period in PERIODS)
    }
    rows = df.select(
        "at", *[instants.start(functions.col("at"), one).alias(name) for name, one in every.items()]
    )

    for row in rows.collect():
        instant = EPOCH + timedelta(microseconds=row["at"])
        for name, one in every.items():
            assert instants.window(row[name], one) == one.of(instant), (instant, one)


def test_times_are_read_alike_in_every_time_zone_of_a_session(spark: SparkSession) -> None:
    noon = "2013-07-01 12:00:00.25"
    query = (
        f"SELECT timestamp'{noon}Z' AS instant, timestamp_ntz'{noon}' AS local, "
        f"date'2013-07-01' AS day, '{noon}' AS text, '{noon}+02:00' AS zoned, "
        f"'2013-07-01T12:00:00Z' AS short, 'soon' AS wrong, CAST(NULL AS timestamp) AS none"
    )
    before = spark.conf.get("spark.sql.session.timeZone")
    found = []
    try:
        for zone in ("UTC", "Asia/Tokyo"):
            spark.conf.set("spark.sql.session.timeZone", zone)
            df = spark.sql(query)
            row = df.select(
                *[
                    instants.micros(one.name, one.dataType, "America/New_York").alias(one.name)
                    for one in df.schema
                ]
            ).collect()[0]
            found.append(
                {
                    name: at and str(EPOCH + timedelta(microseconds=at))
                    for name, at in row.asDict().items()
                }
            )
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)

    assert (
        found[0]
        == found[1]
        == {
            "instant": "2013-07-01 12:00:00.250000+00:00",
            "local": "2013-07-01 16:00:00.250000+00:00",
            "day": "2013-07-01 04:00:00+00:00",
            "text": "2013-07-01 16:00:00.250000+00:00",
            "zoned": "2013-07-01 10:00:00.250000+00:00",
            "short": "2013-07-01 12:00:00+00:00",
            "wrong": None,
            "none": None,
        }
    )
