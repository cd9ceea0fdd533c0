"""`VersionedPipeline`: parameters, copies, its own save and load, tuning, and refusals."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import SQLTransformer, StringIndexer
from pyspark.ml.tuning import (
    CrossValidator,
    CrossValidatorModel,
    ParamGridBuilder,
    TrainValidationSplit,
    TrainValidationSplitModel,
)
from pyspark.sql import DataFrame
from spark_parts import Doubler, classifier, stages

from gavial import VersionedPipeline
from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.spark.watermark import as_pipeline_model, metrics_of, watermark_of

# pyspark never closes the pools of its tuning; they warn when they are collected.
leaves_pools = pytest.mark.filterwarnings("ignore:unclosed running multiprocessing pool")


@pytest.fixture
def collected() -> Iterator[None]:
    """Collects garbage inside of the test that makes it, where its warnings are expected."""
    yield
    gc.collect()


def _column(model: Any) -> str:
    mark = watermark_of(as_pipeline_model(model))
    assert mark is not None
    assert mark.value == "unreleased"
    return mark.column


def _double() -> Doubler:
    return Doubler.of("calls", "twice")


def _metadata(folder: Path) -> Any:
    (part,) = (folder / "metadata").glob("part-*")
    return json.loads(part.read_text())


def test_the_column_is_pipeline_unless_named() -> None:
    assert VersionedPipeline(stages=[]).getWatermarkCol() == "pipeline"
    assert VersionedPipeline(stages=[], watermarkCol="v").getWatermarkCol() == "v"
    assert VersionedPipeline().setWatermarkCol("w").setStages([]).getWatermarkCol() == "w"


def test_set_params_leaves_what_it_does_not_name() -> None:
    pipeline = VersionedPipeline(stages=[_double()], watermarkCol="v")
    pipeline.setParams(watermarkCol="w")
    assert (len(pipeline.getStages()), pipeline.getWatermarkCol()) == (1, "w")
    pipeline.setParams(stages=[])
    assert (pipeline.getStages(), pipeline.getWatermarkCol()) == ([], "w")


def test_the_parameter_explains_itself() -> None:
    assert "names the version" in VersionedPipeline(stages=[]).explainParams()


def test_a_copy_is_apart_from_its_original() -> None:
    pipeline = VersionedPipeline(stages=[_double()], watermarkCol="v")
    copy = pipeline.copy({pipeline.watermarkCol: "w"})
    assert type(copy) is VersionedPipeline
    assert (copy.uid, copy.getWatermarkCol()) == (pipeline.uid, "w")
    assert pipeline.getWatermarkCol() == "v"
    assert copy.getStages()[0] is not pipeline.getStages()[0]


def test_a_fitted_model_is_a_stock_one_that_ends_in_a_stock_stage(
    stamped: PipelineModel, customers: DataFrame
) -> None:
    assert type(stamped) is PipelineModel
    assert type(stamped.stages[-1]) is SQLTransformer
    assert _column(stamped) == "pipeline"
    scored = stamped.transform(customers)
    assert [row[0] for row in scored.select("pipeline").distinct().collect()] == ["unreleased"]
    assert scored.columns[-1] == "pipeline"


def test_a_column_given_to_fit_counts_for_that_fit_alone(customers: DataFrame) -> None:
    pipeline = VersionedPipeline(stages=[_double()])
    one, two = pipeline.fit(customers, [{pipeline.watermarkCol: "a"}, {pipeline.watermarkCol: "b"}])
    assert [_column(one), _column(two), pipeline.getWatermarkCol()] == ["a", "b", "pipeline"]


def test_it_saves_and_loads_as_itself(customers: DataFrame, tmp_path: Path) -> None:
    place = f"file:{tmp_path}/saved"
    pipeline = VersionedPipeline(stages=[*stages()[:1], _double()], watermarkCol="a.b `c`")
    pipeline.save(place)
    pipeline.write().overwrite().save(place)
    loaded = VersionedPipeline.load(place)
    assert type(loaded) is VersionedPipeline
    assert (loaded.uid, loaded.getWatermarkCol()) == (pipeline.uid, "a.b `c`")
    assert [one.uid for one in loaded.getStages()] == [one.uid for one in pipeline.getStages()]
    assert type(loaded.getStages()[-1]) is Doubler
    assert _column(loaded.fit(customers)) == "a.b `c`"


def test_it_saves_and_loads_inside_another_pipeline(customers: DataFrame, tmp_path: Path) -> None:
    inner = VersionedPipeline(stages=stages()[:1], watermarkCol="v")
    Pipeline(stages=[inner, _double()]).save(f"file:{tmp_path}/saved")
    loaded = Pipeline.load(f"file:{tmp_path}/saved").getStages()[0]
    assert type(loaded) is VersionedPipeline
    assert loaded.getWatermarkCol() == "v"
    assert _column(loaded.fit(customers)) == "v"


@leaves_pools
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("python_stage", [False, True])
def test_it_goes_through_cross_validation_and_back_from_disk(
    customers: DataFrame, tmp_path: Path, python_stage: bool
) -> None:
    steps = [*classifier(), *([_double()] if python_stage else [])]
    pipeline = VersionedPipeline(stages=steps, watermarkCol="v")
    grid = ParamGridBuilder().addGrid(steps[1].regParam, [0.1, 0.9]).build()
    tuning = CrossValidator(
        estimator=pipeline,
        estimatorParamMaps=grid,
        evaluator=BinaryClassificationEvaluator(),
        numFolds=2,
        seed=1,
    )
    tuning.save(f"file:{tmp_path}/tuning")
    loaded = CrossValidator.load(f"file:{tmp_path}/tuning")
    assert type(loaded.getEstimator()) is VersionedPipeline
    assert loaded.getEstimator().getWatermarkCol() == "v"

    model = loaded.fit(customers)
    assert _column(model) == "v"
    assert type(model.bestModel) is PipelineModel
    assert metrics_of(model) == {"areaUnderROC": max(model.avgMetrics)}

    model.save(f"file:{tmp_path}/model")
    again = CrossValidatorModel.load(f"file:{tmp_path}/model")
    assert _column(again) == "v"
    assert type(again.getEstimator()) is VersionedPipeline
    assert metrics_of(again) == metrics_of(model)
    root = _metadata(tmp_path / "model" / "bestModel")["class"]
    assert root.startswith("pyspark." if python_stage else "org.apache.spark.ml.PipelineModel")


@leaves_pools
@pytest.mark.usefixtures("collected")
def test_it_goes_through_a_train_validation_split_and_back_from_disk(
    customers: DataFrame, tmp_path: Path
) -> None:
    pipeline = VersionedPipeline(stages=classifier())
    tuning = TrainValidationSplit(
        estimator=pipeline,
        # Tuning sets the watermark's column like any parameter.
        estimatorParamMaps=ParamGridBuilder().addGrid(pipeline.watermarkCol, ["v"]).build(),
        evaluator=BinaryClassificationEvaluator(metricName="areaUnderPR"),
        seed=1,
    )
    tuning.save(f"file:{tmp_path}/tuning")
    loaded = TrainValidationSplit.load(f"file:{tmp_path}/tuning")
    assert type(loaded.getEstimator()) is VersionedPipeline
    model = loaded.fit(customers)
    assert _column(model) == "v"
    assert list(metrics_of(model)) == ["areaUnderPR"]
    model.save(f"file:{tmp_path}/model")
    assert _column(TrainValidationSplitModel.load(f"file:{tmp_path}/model")) == "v"


def test_a_saved_model_of_jvm_stages_has_the_jvm_s_root_class(
    stamped: PipelineModel, tmp_path: Path
) -> None:
    stamped.save(f"file:{tmp_path}/model")
    assert _metadata(tmp_path / "model")["class"] == "org.apache.spark.ml.PipelineModel"
    *_, last = sorted((tmp_path / "model" / "stages").iterdir())
    assert _metadata(last)["class"] == "org.apache.spark.ml.feature.SQLTransformer"
    assert last.name.startswith("3_Watermark_")


def test_a_column_that_the_data_has_is_refused_whatever_its_case(customers: DataFrame) -> None:
    data = customers.withColumnRenamed("calls", "PipeLine")
    with pytest.raises(IncompatibleModel, match="the data has a column 'PipeLine'"):
        VersionedPipeline(stages=[]).fit(data)


@pytest.mark.parametrize(
    "make",
    [
        lambda: StringIndexer(inputCol="plan", outputCol="Version"),
        lambda: Pipeline(stages=[StringIndexer(inputCols=["plan"], outputCols=["version"])]),
        lambda: SQLTransformer(statement="SELECT *, 1 AS VERSION FROM __THIS__"),
        lambda: Pipeline(
            stages=[SQLTransformer(statement="SELECT *, 1 AS `version` FROM __THIS__")]
        ),
        lambda: LogisticRegression(featuresCol="f", probabilityCol="version"),
    ],
    ids=["declared", "nested", "sql", "nested sql", "default"],
)
def test_a_column_that_a_stage_writes_is_refused(customers: DataFrame, make: Any) -> None:
    stage = make()
    pipeline = VersionedPipeline(stages=[stage], watermarkCol="version")
    with pytest.raises(IncompatibleModel, match=f"{stage.uid}|{type(stage).__name__}") as error:
        pipeline.fit(customers)
    assert "Choose another name" in str(error.value)


def test_nested_watermarks_are_refused_fitted_or_not(
    stamped: PipelineModel, customers: DataFrame
) -> None:
    unfitted = VersionedPipeline(stages=[_double()], watermarkCol="v")
    tuned = CrossValidator(estimator=unfitted, estimatorParamMaps=[{}])
    for inner in (stamped, unfitted, tuned, Pipeline(stages=[Pipeline(stages=[stamped])])):
        with pytest.raises(IncompatibleModel, match="watermark of its own"):
            VersionedPipeline(stages=[inner]).fit(customers)


@pytest.mark.parametrize("column", ["", "a${b}", "__THIS__"])
def test_a_column_that_sql_would_change_is_refused_at_once(column: str) -> None:
    with pytest.raises(ConfigurationError):
        VersionedPipeline(stages=[]).setWatermarkCol(column)


def test_a_pipeline_without_stages_says_so(customers: DataFrame) -> None:
    with pytest.raises(IncompatibleModel, match="has no stages"):
        VersionedPipeline().fit(customers)


def test_what_is_no_stage_is_refused_as_spark_does(customers: DataFrame) -> None:
    with pytest.raises(TypeError, match="pipeline stage"):
        VersionedPipeline(stages=["plan"]).fit(customers)
