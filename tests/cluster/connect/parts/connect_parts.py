"""Stages written in Python, as in a user's module."""

from __future__ import annotations

from pyspark.ml import Transformer
from pyspark.ml.param.shared import HasInputCol, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame, functions


def shout(text: str) -> str:
    """Found by its name where it runs, on the server's workers: the module must be there."""
    return f"{text.upper()}!"


class Shouter(Transformer, HasInputCol, HasOutputCol, DefaultParamsReadable, DefaultParamsWritable):
    """Writes the input in capitals."""

    @classmethod
    def of(cls, column: str, output: str) -> Shouter:
        return cls()._set(inputCol=column, outputCol=output)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        value = functions.udf(shout, "string", useArrow=False)(functions.col(self.getInputCol()))
        return dataset.withColumn(self.getOutputCol(), value)


class Unwritable(Transformer):
    """A stage that nothing can save."""

    def _transform(self, dataset: DataFrame) -> DataFrame:
        return dataset


class Stubborn(Transformer, DefaultParamsReadable, DefaultParamsWritable):
    """A stage that says that it can be saved, and cannot."""

    def write(self) -> object:
        raise RuntimeError("not today")

    def _transform(self, dataset: DataFrame) -> DataFrame:
        return dataset
