"""Stages for the tests: some of Spark's own, and Python-written ones as in a user's module."""

from __future__ import annotations

from typing import Any

from pyspark.ml import Transformer
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.ml.param.shared import HasInputCol, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame, functions


def stages() -> list[Any]:
    """An indexer, an assembler and a classifier over `customers`, not yet fitted."""
    return [
        StringIndexer(inputCol="plan", outputCol="plan_index"),
        VectorAssembler(inputCols=["plan_index", "calls"], outputCol="features"),
        LogisticRegression(maxIter=2),
    ]


def classifier() -> list[Any]:
    """The stages of the smallest classifier over `customers`."""
    return [
        VectorAssembler(inputCols=["calls"], outputCol="features"),
        LogisticRegression(maxIter=1),
    ]


class Doubler(Transformer, HasInputCol, HasOutputCol, DefaultParamsReadable, DefaultParamsWritable):
    """Writes twice the input."""

    @classmethod
    def of(cls, column: str, output: str) -> Any:
        return cls()._set(inputCol=column, outputCol=output)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        value = functions.col(self.getOrDefault("inputCol")) * 2
        return dataset.withColumn(self.getOrDefault("outputCol"), value)


class Unwritable(Transformer):
    """A stage that nothing can save."""

    def _transform(self, dataset: DataFrame) -> DataFrame:
        return dataset
