"""The scan against the plain count, on records that have all that records may have."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from gavial.maven.coordinate import Module
from gavial.monitoring.bins import Categories, Numeric
from gavial.monitoring.count import count
from gavial.monitoring.profile import BINARY, Profile
from gavial.monitoring.state import State
from gavial.monitoring.windows import Windows
from gavial.spark.monitoring.scan import Scanned, scan

MODULE = Module("com.acme", "churn")
NOON = datetime(2013, 3, 10, 12, tzinfo=UTC)
AMOUNTS = Numeric((-1.0, 0.0, 0.5, 2.0))
PROFILE = Profile(
    BINARY,
    {"amount": AMOUNTS, "plan": Categories(("gold", "basic"))},
    label="left",
    prediction="prediction",
    score="score",
    classes=("0", "1"),
    score_bins=Numeric((0.0, 0.25, 0.5, 1.0)),
)
SCHEMA = (
    "pipeline string, at timestamp, amount double, plan string, left int, prediction double, "
    "score double"
)


def assert_same(found: State, expected: State) -> None:
    """The same cells and counts, and moments up to rounding."""
    assert {key: cell.n for key, cell in found.items()} == {
        key: cell.n for key, cell in expected.items()
    }
    for key, cell in expected.items():
        assert found[key].mean == pytest.approx(cell.mean, rel=1e-9, abs=1e-12)
        assert found[key].m2 == pytest.approx(cell.m2, rel=1e-6, abs=1e-9)


def record(**values: Any) -> tuple[Any, ...]:
    whole = {
        "pipeline": "com.acme:churn:1.0.0",
        "at": NOON,
        "amount": 0.25,
        "plan": "gold",
        "left": 1,
        "prediction": 1.0,
        "score": 0.75,
        **values,
    }
    return tuple(whole.values())


def scanned(df: DataFrame, profile: Profile = PROFILE, **options: Any) -> Scanned:
    given = {"watermark": "pipeline", "time": "at", **options}
    return scan(df, MODULE, profile, given.pop("windows", Windows()), **given)


def one(found: Scanned) -> State:
    assert len(found.states) == 1, found
    return next(iter(found.states.values()))


def test_a_scan_counts_what_a_plain_count_does(spark: SparkSession) -> None:
    names = ("amount", "plan", "left", "prediction", "score")
    amounts = [None, -1.5, -1.0, -0.0, 0.0, 0.1, 0.5, 2.0, 2.5, math.nan, math.inf, -math.inf]
    scores = [None, -0.5, 0.0, 0.25, 0.3, 0.75, 1.0, 1.5, math.nan, math.inf]
    every = product(
        amounts,
        ["gold", "basic", "Gold", "", None],
        [0, 1, 2, None],
        [0.0, 1.0, -0.0, 3.0, math.nan, None],
        scores,
    )
    records = [dict(zip(names, one, strict=True)) for one in every]
    df = spark.createDataFrame([record(**each) for each in records], SCHEMA)
    assert_same(one(scanned(df)), count(records, PROFILE))
