"""The watermark on live models: read, added, renamed, and what it does to records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.feature import Bucketizer, SQLTransformer
from pyspark.ml.tuning import CrossValidator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming import StreamingQuery
from spark_parts import Doubler, stages

from gavial import VersionedPipeline
from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.model.watermark import Watermark
from gavial.spark import columns, watermark


@pytest.fixture
def released(plain: PipelineModel) -> PipelineModel:
    """A model as it comes from a repository."""
    return PipelineModel([*plain.stages, watermark.stage("com.acme:churn:1.0.3", "pipeline")])


def _values(scored: DataFrame, column: str) -> set[Any]:
    place = scored.columns.index(column)
    return {row[place] for row in scored.collect()}


def test_a_model_without_a_watermark_has_none(plain: PipelineModel) -> None:
    assert watermark.watermark_of(plain) is None
    assert watermark.watermark_of(PipelineModel([])) is None


def test_a_watermark_that_is_not_last_does_not_count(stamped: PipelineModel) -> None:
    assert watermark.watermark_of(PipelineModel(stamped.stages[::-1])) is None


def test_somebody_else_s_sql_stage_is_no_watermark(stamped: PipelineModel) -> None:
    same_text = SQLTransformer(statement=stamped.stages[-1].getStatement())
    assert watermark.watermark_of(PipelineModel([same_text])) is None


def test_a_watermark_survives_save_and_load(released: PipelineModel, tmp_path: Path) -> None:
    released.save(f"file:{tmp_path}/model")
    loaded = PipelineModel.load(f"file:{tmp_path}/model")
    assert watermark.watermark_of(loaded) == Watermark("com.acme:churn:1.0.3", "pipeline")
    assert loaded.stages[-1].uid == released.stages[-1].uid


def test_a_watermark_survives_a_copy(released: PipelineModel) -> None:
    assert watermark.watermark_of(released.copy()) == watermark.watermark_of(released)


def test_adding_a_watermark_leaves_the_caller_s_model(
    plain: PipelineModel, customers: DataFrame
) -> None:
    before = list(plain.stages)
    made = watermark.with_watermark(plain, "version")
    assert plain.stages == before
    assert "version" not in plain.transform(customers).columns
    assert _values(made.transform(customers), "version") == {"unreleased"}


def test_a_second_watermark_is_refused(stamped: PipelineModel) -> None:
    for model in (stamped, PipelineModel([stamped]), PipelineModel([PipelineModel([stamped])])):
        with pytest.raises(IncompatibleModel, match="watermark of its own"):
            watermark.with_watermark(model, "version")


def test_a_column_that_a_stage_names_is_refused_whatever_its_case(plain: PipelineModel) -> None:
    for column in ("Plan_Index", "PREDICTION", "calls"):
        with pytest.raises(IncompatibleModel, match="Choose another name"):
            watermark.with_watermark(plain, column)
        with pytest.raises(IncompatibleModel, match="Choose another name"):
            watermark.renamed(watermark.with_watermark(plain, "v"), column)


def test_renaming_keeps_the_value_and_the_caller_s_model(
    released: PipelineModel, customers: DataFrame
) -> None:
    other = watermark.renamed(released, "churn_version")
    scored = other.transform(customers)
    assert _values(scored, "churn_version") == {"com.acme:churn:1.0.3"}
    assert "pipeline" not in scored.columns
    assert watermark.watermark_of(released) == Watermark("com.acme:churn:1.0.3", "pipeline")


def test_two_models_in_a_chain_are_told_apart_after_renaming(
    released: PipelineModel, customers: DataFrame
) -> None:
    other = PipelineModel(
        [Doubler.of("calls", "twice"), watermark.stage("com.acme:x:2.0.0", "pipeline")]
    )
    chained = watermark.renamed(other, "x_version").transform(released.transform(customers))
    row = chained.select("pipeline", "x_version").first()
    assert tuple(row) == ("com.acme:churn:1.0.3", "com.acme:x:2.0.0")


def test_renaming_without_a_watermark_says_so(plain: PipelineModel) -> None:
    with pytest.raises(IncompatibleModel, match="no watermark"):
        watermark.renamed(plain, "version")


@pytest.mark.parametrize("column", ["a${b}", "__THIS__", " "])
def test_a_column_that_sql_would_change_is_refused(plain: PipelineModel, column: str) -> None:
    with pytest.raises(ConfigurationError):
        watermark.with_watermark(plain, column)


@pytest.mark.parametrize(
    "column", ["a.b", "a`b", "``", "a b", "a -- b", "a; b", "it's", 'a"b', "a\\b", "größe", "/*x*/"]
)
def test_a_column_that_needs_quoting_works_and_is_read_again(
    customers: DataFrame, column: str
) -> None:
    model = VersionedPipeline(stages=[], watermarkCol=column).fit(customers)
    assert watermark.watermark_of(model) == Watermark("unreleased", column)
    scored = model.transform(customers)
    assert scored.columns == [*customers.columns, column]
    assert _values(scored, column) == {"unreleased"}


def test_attributes_structs_and_duplicate_columns_pass_through(customers: DataFrame) -> None:
    model = VersionedPipeline(stages=stages()).fit(customers)
    before = PipelineModel(model.stages[:-1]).transform(customers)
    after = model.transform(customers)
    assert after.schema["plan_index"].metadata["ml_attr"]["vals"]
    assert [field.metadata for field in after.schema][:-1] == [f.metadata for f in before.schema]

    mark = PipelineModel(model.stages[-1:])
    twice = customers.selectExpr("id", "calls AS id", "struct(plan, calls) AS both")
    assert mark.transform(twice).columns == ["id", "id", "both", "pipeline"]


def test_a_stream_is_stamped(
    spark: SparkSession, stamped: PipelineModel, customers: DataFrame, tmp_path: Path
) -> None:
    customers.write.parquet(f"{tmp_path}/in")
    stream = spark.readStream.schema(customers.schema).parquet(f"{tmp_path}/in")
    query = (
        stamped.transform(stream)
        .select("id", "prediction", "pipeline")
        .writeStream.format("parquet")
        .option("checkpointLocation", f"{tmp_path}/checkpoint")
        .trigger(availableNow=True)
        .start(f"{tmp_path}/out")
    )
    _finish(query)
    out = spark.read.parquet(f"{tmp_path}/out")
    assert (out.count(), _values(out, "pipeline")) == (20, {"unreleased"})


def test_the_batches_of_a_stream_are_stamped(
    spark: SparkSession, stamped: PipelineModel, customers: DataFrame, tmp_path: Path
) -> None:
    customers.write.parquet(f"{tmp_path}/in")
    seen: list[Any] = []
    query = (
        spark.readStream.schema(customers.schema)
        .parquet(f"{tmp_path}/in")
        .writeStream.foreachBatch(lambda df, _: seen.extend(stamped.transform(df).collect()))
        .option("checkpointLocation", f"{tmp_path}/checkpoint")
        .trigger(availableNow=True)
        .start()
    )
    _finish(query)
    assert len(seen) == 20
    assert {row["pipeline"] for row in seen} == {"unreleased"}


def _finish(query: StreamingQuery) -> None:
    try:
        assert query.awaitTermination(60)
    finally:
        query.stop()


def test_a_fitted_model_of_any_kind_becomes_a_pipeline_model(plain: PipelineModel) -> None:
    assert watermark.as_pipeline_model(plain) is plain
    last = plain.stages[-1]
    assert watermark.as_pipeline_model(last).stages == [last]


def test_what_is_not_fitted_is_refused(plain: PipelineModel) -> None:
    for unfitted in (Pipeline(stages=[plain]), CrossValidator(), VersionedPipeline(stages=[])):
        with pytest.raises(IncompatibleModel, match="fit it first"):
            watermark.as_pipeline_model(unfitted)


def test_what_is_nothing_of_spark_is_refused() -> None:
    with pytest.raises(IncompatibleModel, match=r"is a dict: expected a fitted Spark ML model"):
        watermark.as_pipeline_model({"coefficients": [1.0]})


def test_a_model_that_was_not_tuned_has_no_metrics(plain: PipelineModel) -> None:
    assert watermark.metrics_of(plain) == {}


def test_the_columns_of_a_stage_are_those_of_its_parameters(spark: SparkSession) -> None:
    stage = Bucketizer(inputCols=["a", "b"], outputCols=["c", "d"])
    assert set(columns.declared(Pipeline(stages=[stage]))) >= {"a", "b", "c", "d"}
    assert spark.version


@pytest.fixture(autouse=True)
def _views(spark: SparkSession) -> Iterator[None]:
    """A watermark leaves no temporary view behind."""
    yield
    assert not [one.name for one in spark.catalog.listTables() if "Watermark" in one.name]
