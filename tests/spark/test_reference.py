"""A reference learnt of records, in a release and out of it again."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, functions

from gavial.registry import verify
from gavial.registry.deploy import deploy
from gavial.registry.reference import reference_of


@pytest.fixture(scope="module")
def many(customers: DataFrame) -> DataFrame:
    """Three thousand customers."""
    return customers.crossJoin(
        customers.sparkSession.range(150).select(functions.col("id").alias("n"))
    )


def test_a_release_says_what_its_records_were_like(
    stamped: PipelineModel, many: DataFrame, tmp_path: Path
) -> None:
    release = deploy(
        stamped, "com.acme:churn:1.0", tmp_path / "models", reference=many, label="label"
    )

    found = reference_of(release)

    assert found is not None
    assert (found.profile.task, found.profile.classes) == ("binary", ("0", "1"))
    assert set(found.profile.features) == {"plan", "calls"}
    assert (found.profile.prediction, found.profile.score) == ("prediction", "probability")
    assert found.version == "1.0.0"
    assert found.total.records == 3000
    assert len(found.chunks) == 20
    assert verify.verify(release).passed
