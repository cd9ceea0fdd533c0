"""The watermark of live models: a stock `SQLTransformer` as the last stage.

Nothing here changes a caller's model: what comes back is a new one that shares its stages.
"""

from __future__ import annotations

import math
from typing import Any

from pyspark.ml import Estimator, Pipeline, PipelineModel, Transformer
from pyspark.ml.feature import SQLTransformer
from pyspark.ml.tuning import CrossValidatorModel, TrainValidationSplitModel

from gavial.errors import IncompatibleModel
from gavial.model.watermark import (
    UNRELEASED,
    Watermark,
    check_column,
    is_uid,
    new_uid,
    parse_statement,
    statement,
)
from gavial.spark import columns

_CLASS = "org.apache.spark.ml.feature.SQLTransformer"
_TUNED = (CrossValidatorModel, TrainValidationSplitModel)


def watermark_of(model: PipelineModel) -> Watermark | None:
    """The watermark that a model writes: that of its last stage, if it is one.

    >>> print(watermark_of(PipelineModel([])))
    None
    """
    if not isinstance(model, PipelineModel) or not model.stages:
        return None
    return _read(model.stages[-1])


def with_watermark(model: PipelineModel, column: str) -> PipelineModel:
    """A model that does the same, and writes an unreleased watermark.

    Raises:
        ConfigurationError: the column's name does not survive the way through Spark's SQL.
        IncompatibleModel: the model has a watermark already, or a column of that name.
    """
    check_column(column)
    refuse_nested(model.stages)
    refuse_declared(model.stages, column)
    return PipelineModel([*model.stages, stage(UNRELEASED, column)])


def renamed(model: PipelineModel, column: str) -> PipelineModel:
    """A model that writes the same watermark into another column.

    Raises:
        ConfigurationError: the column's name does not survive the way through Spark's SQL.
        IncompatibleModel: the model has no watermark, or has a column of that name.
    """
    check_column(column)
    mark = watermark_of(model)
    if mark is None:
        raise IncompatibleModel(
            f"The model {model.uid} has no watermark to write into {column!r}: it was released "
            "without one. Leave watermark_col out."
        )
    stages = model.stages[:-1]
    refuse_declared(stages, column)
    return PipelineModel([*stages, stage(mark.value, column)])


def stage(value: str, column: str) -> SQLTransformer:
    """The stage that writes a watermark. It stays readable from every language of Spark."""
    made = SQLTransformer()._resetUid(new_uid())
    # `_resetUid` renames the Python side alone, and it is the JVM's that is saved.
    made._java_obj = made._new_java_obj(_CLASS, made.uid)
    return made.setStatement(statement(value, column))


def refuse_nested(stages: list[Any]) -> None:
    """Check that no stage, nor any inside one, writes a watermark of its own.

    Raises:
        IncompatibleModel: one does; with two, a record would name two versions.
    """
    for one in (inner for outer in stages for inner in columns.nested(outer)):
        if _read(one) or (isinstance(one, Pipeline) and one.hasParam("watermarkCol")):
            raise IncompatibleModel(
                f"The stage {one.uid} writes a watermark of its own, and a model has one: use a "
                "plain pyspark.ml.Pipeline inside, or take the watermark out of the inner model "
                "with PipelineModel(model.stages[:-1])."
            )


def as_pipeline_model(model: object) -> PipelineModel:
    """What is released of a fitted model: itself, the best of a tuned one, else wrapped.

    Raises:
        IncompatibleModel: it is not fitted, or nothing of Spark ML.
    """
    if isinstance(model, PipelineModel):
        return model
    if isinstance(model, _TUNED):
        return as_pipeline_model(model.bestModel)
    if isinstance(model, Estimator):
        raise IncompatibleModel(
            f"{type(model).__name__} {model.uid} is not fitted yet: fit it first, "
            "model = pipeline.fit(df), and release that model."
        )
    if isinstance(model, Transformer):
        return PipelineModel([model])
    raise IncompatibleModel(
        f"{model!r} is a {type(model).__name__}: expected a fitted Spark ML model, such as "
        "what Pipeline.fit returns, or the path of a saved one."
    )


def metrics_of(model: object) -> dict[str, float]:
    """What tuning measured of the best model, by the evaluator's metric; else nothing."""
    if not isinstance(model, _TUNED):
        return {}
    cross = isinstance(model, CrossValidatorModel)
    measured = model.avgMetrics if cross else model.validationMetrics
    values = [float(one) for one in measured or ()]
    # Spark takes a model without a metric (NaN) for the best: then there is none to tell.
    if not values or not all(map(math.isfinite, values)) or not model.isDefined(model.evaluator):
        return {}
    evaluator = model.getEvaluator()
    named = evaluator.hasParam("metricName") and evaluator.isDefined("metricName")
    name = evaluator.getOrDefault("metricName") if named else type(evaluator).__name__
    return {str(name): max(values) if evaluator.isLargerBetter() else min(values)}


def _read(one: object) -> Watermark | None:
    if not isinstance(one, SQLTransformer) or not is_uid(one.uid):
        return None
    return parse_statement(one.getStatement() or "")


def refuse_declared(stages: list[Any], column: str) -> None:
    """Check that no stage names that column in its parameters.

    Raises:
        IncompatibleModel: one does, in upper or lower case.
    """
    for one in stages:
        found = columns.same(column, columns.declared(one))
        if found is not None:
            raise taken(column, f"the stage {one.uid} has a column {found!r}")


def taken(column: str, why: str) -> IncompatibleModel:
    """The error of a watermark's column whose name is another column's."""
    return IncompatibleModel(
        f"The watermark cannot be written into {column!r}: {why}, and Spark would keep both "
        "without an error until somebody selects one. Choose another name for the watermark's "
        "column, such as 'model_version', or rename that column."
    )
