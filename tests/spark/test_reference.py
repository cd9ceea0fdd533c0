"""A reference learnt of records, in a release and out of it again."""

from __future__ import annotations

from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession, functions

from gavial.errors import ConfigurationError, CorruptRelease, IncompatibleModel
from gavial.monitoring import reference as table
from gavial.monitoring.bins import Categories, Numeric
from gavial.monitoring.profile import MULTICLASS, REGRESSION, UNLABELLED
from gavial.registry import verify
from gavial.registry.deploy import deploy
from gavial.registry.reference import of_file, reference_of
from gavial.spark.monitoring import files
from gavial.spark.monitoring.reference import learn


@pytest.fixture(scope="module")
def many(customers: DataFrame) -> DataFrame:
    """Three thousand customers."""
    return customers.crossJoin(
        customers.sparkSession.range(150).select(functions.col("id").alias("n"))
    )


@pytest.fixture(scope="module")
def plain_records(spark: SparkSession) -> DataFrame:
    """Two thousand records with columns of all kinds."""
    number = functions.col("id")
    return spark.range(2000).select(
        "id",
        functions.when(number % 4 == 0, 0.0).otherwise(functions.randn(1)).alias("amount"),
        (number % 24).cast("int").alias("hour"),
        functions.when(number % 3 == 0, "gold").otherwise("basic").alias("plan"),
        functions.concat(functions.lit("c"), number).alias("customer"),
        (number % 2 == 0).alias("new"),
        functions.lit(1.0).alias("constant"),
        functions.lit(None).cast("double").alias("nothing"),
        functions.array(number).alias("many"),
        (number % 3).alias("kind"),
        functions.randn(2).alias("value"),
        functions.timestamp_seconds(1357000000 + number * 60).alias("at"),
    )


def test_a_release_says_what_its_records_were_like_and_the_next_one_shares_its_bins(
    stamped: PipelineModel, many: DataFrame, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    release = deploy(stamped, "com.acme:churn:1.0", models, reference=many, label="label")

    found = reference_of(release)

    assert found is not None
    assert (found.profile.task, found.profile.classes) == ("binary", ("0", "1"))
    assert set(found.profile.features) == {"plan", "calls"}
    assert (found.profile.prediction, found.profile.score) == ("prediction", "probability")
    assert found.version == "1.0.0"
    assert found.total.records == 3000
    assert len(found.chunks) == 20
    assert verify.verify(release).passed
    names = [path.name for path in release.download(tmp_path / "here")]
    assert "churn-1.0.0-reference.parquet" in names

    few = many.where("n < 40 AND calls < 5")
    second = deploy(stamped, "com.acme:churn:1.0", models, reference=few, label="label")
    shared = reference_of(second)
    assert shared is not None
    assert shared.profile.digest == found.profile.digest
    assert 0 < shared.total.records < 800
    with pytest.raises(ConfigurationError, match=r"com.acme:churn:1.0.1, whose label is 'label'"):
        deploy(stamped, "com.acme:churn:1.0", models, reference=few, label="calls")


def test_a_release_without_a_reference_has_none(stamped: PipelineModel, tmp_path: Path) -> None:
    assert reference_of(deploy(stamped, "com.acme:churn:1.0", tmp_path)) is None


def test_columns_of_a_reference_without_one_are_refused(
    stamped: PipelineModel, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"reference=, which is not there"):
        deploy(stamped, "com.acme:churn:1.0", tmp_path, label="label")
    with pytest.raises(ConfigurationError, match="expected 'major'"):
        deploy(stamped, "com.acme:churn:1.0", tmp_path, reference_edges="old")


def test_every_plain_column_is_watched_and_what_is_left_out_is_told(
    plain_records: DataFrame,
) -> None:
    problems: list[str] = []
    df = plain_records.drop("id")
    found = learn(df, time="at", version="1.0.0", chunks=10, problems=problems)

    profile = found.profile
    assert profile.task == UNLABELLED
    assert set(profile.features) == {
        *("amount", "hour", "plan", "new", "constant", "kind", "value"),
    }
    assert profile.features["hour"] == Categories(tuple(map(str, range(24))))
    assert profile.features["plan"] == Categories(("basic", "gold"))
    assert profile.features["new"] == Categories(("0", "1"))
    assert profile.features["constant"] == Numeric((1.0, 1.0))
    amount = profile.features["amount"]
    assert isinstance(amount, Numeric)
    assert 15 <= len(amount) <= 20
    zeros = found.total.histogram("feature", "amount")[amount.index(0.0)]
    assert zeros == 500  # the many zeros have a bin of their own
    assert [text.split("'")[1] for text in problems] == ["customer", "nothing"]
    assert found.total.records == 2000
    assert [one.records for one in found.chunks] == pytest.approx([200] * 10, abs=3)
    ends = found.windows
    assert [one.end for one in ends[:-1]] == [one.start for one in ends[1:]]


def test_the_task_is_found_out_or_said(plain_records: DataFrame) -> None:
    kinds = learn(plain_records, label="kind", features=["plan"], version="1.0.0")
    values = learn(plain_records, label="value", prediction="amount", features=[], version="1.0.0")
    said = learn(plain_records, label="kind", features=[], task=REGRESSION, version="1.0.0")

    assert (kinds.profile.task, kinds.profile.classes) == (MULTICLASS, ("0", "1", "2"))
    assert values.profile.task == said.profile.task == REGRESSION
    assert values.profile.value_bins is not None
    with pytest.raises(ConfigurationError, match="expected one of"):
        learn(plain_records, label="kind", task="ranking", version="1.0.0")


def test_a_stream_is_no_reference(
    stamped: PipelineModel, spark: SparkSession, tmp_path: Path
) -> None:
    stream = spark.readStream.format("rate").load()
    with pytest.raises(ConfigurationError, match=r"The reference must not be a stream"):
        deploy(stamped, "com.acme:churn:1.0", tmp_path, reference=stream)


def test_no_records_are_no_reference(plain_records: DataFrame) -> None:
    with pytest.raises(ConfigurationError, match="no records"):
        learn(plain_records.limit(0), features=["plan"], version="1.0.0")


def test_a_hostile_or_damaged_file_is_refused(
    spark: SparkSession, plain_records: DataFrame, tmp_path: Path
) -> None:
    known = learn(plain_records, features=["plan"], version="1.0.0")
    place = tmp_path / "churn-1.0.0-reference.parquet"
    files.write(spark, table.rows(known, "com.acme:churn"), place)
    whole = parquet.ParquetFile(place).read()
    read = of_file(place, "com.acme:churn", "1.0.0")
    assert (read.profile, list(map(dict, read.chunks))) == (
        known.profile,
        list(map(dict, known.chunks)),
    )

    with pytest.raises(CorruptRelease, match=r"has states of com.acme:churn:1.0.0"):
        of_file(place, "com.acme:churn", "1.0.1")
    later = pyarrow.array([2] * len(whole), pyarrow.int32())
    for data, error in (
        (whole.slice(1), CorruptRelease),
        (whole.drop_columns(["m2"]), CorruptRelease),
        (whole.set_column(0, "format", later), IncompatibleModel),
        (pyarrow.concat_tables([whole, whole.slice(0, 1)]), CorruptRelease),
    ):
        parquet.write_table(data, place)
        with pytest.raises(error):
            of_file(place, "com.acme:churn", "1.0.0")
    place.write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(CorruptRelease):
        of_file(place, "com.acme:churn", "1.0.0")
