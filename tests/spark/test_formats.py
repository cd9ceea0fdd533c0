"""Releases of every format ever written stay readable."""

from __future__ import annotations

from pathlib import Path

import pytest

import gavial

RELEASES = Path(__file__).parent.parent / "fixtures" / "releases"


@pytest.mark.parametrize("number", [1])
def test_a_release_of_that_format_is_listed_verified_and_loaded(number, spark):
    repository = gavial.repository(RELEASES / f"format-{number}")
    assert list(map(str, repository.modules())) == ["com.acme:churn"]
    release = repository.release("com.acme:churn:1.+")
    release.verify()
    assert (release.card.format, release.card.metrics) == (number, {"auc": 0.87})
    records = spark.createDataFrame([("a", 1.0)], ["city", "x"])
    assert release.load().transform(records).first()["pipeline"] == "com.acme:churn:1.0.0"
