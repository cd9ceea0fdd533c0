"""The loss of a scored record, as an expression of its columns."""

from __future__ import annotations

from typing import Final

from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, functions
from pyspark.sql import types as kinds

from gavial.errors import ConfigurationError
from gavial.monitoring import losses
from gavial.spark.monitoring.table import Found

_NOT_A_NUMBER: Final = float("nan")
_MOST_CLASSES: Final = 10_000


def of(loss: str, label: Found, said: Found) -> Column:
    """The loss of a record that has a label; NaN where there is none to tell.

    Args:
        loss: one of `losses.LOSSES`.
        label: what came true: the index of a class, or a number.
        said: what the model says of it: the score of losses of scores, else the prediction.

    Raises:
        ConfigurationError: a column is of a type that such a loss cannot be made of.
    """
    if loss == losses.ZERO_ONE:
        return _zero_one(label, said)
    truth = _number(label, loss)
    if loss in losses.OF_SCORES:
        found = _of_scores(loss, truth, said)
    else:
        error = _number(said, loss) - truth
        found = functions.abs(error) if loss == losses.ABSOLUTE_ERROR else error * error
    return _finite(found)


def class_of(loss: str, label: Found) -> Column:
    """A whole number for the class of a label: its index, if it is one, else one of its text.

    It is 0 where a loss is not one of classes. Two texts may share a number, which does no harm: it
    only serves to see how many labels are not of the commonest class.
    """
    if loss not in losses.OF_CLASSES:
        return functions.lit(0)
    hashed = functions.xxhash64(label.column.cast("string"))
    of_text = functions.pmod(hashed, functions.lit(_MOST_CLASSES)).cast("int") + _MOST_CLASSES + 1
    if not _is_number(label.kind):
        return of_text
    value = label.column.cast("double")
    whole = value.between(0, _MOST_CLASSES) & (value == functions.rint(value))
    return functions.when(whole, value.cast("int")).otherwise(of_text)


def _zero_one(label: Found, said: Found) -> Column:
    if _is_number(label.kind) and _is_number(said.kind):
        one, other = label.column.cast("double"), said.column.cast("double")
        valid = ~functions.isnan(other) & other.isNotNull()
    else:
        one, other = label.column.cast("string"), said.column.cast("string")
        valid = other.isNotNull()
    wrong = functions.when(one == other, 0.0).otherwise(1.0)
    return functions.when(valid, wrong).otherwise(functions.lit(_NOT_A_NUMBER))


def _of_scores(loss: str, truth: Column, said: Found) -> Column:
    # Not by `floor`, which makes a bigint and ends the job where a double is beyond those.
    known = truth.between(0, _MOST_CLASSES) & (truth == functions.rint(truth))
    index = functions.when(known, truth.cast("int"))
    if _is_number(said.kind):
        positive = _probability(said.column.cast("double"))
        if loss == losses.LOG_LOSS:
            likely = functions.when(index == 1, positive).when(index == 0, 1 - positive)
            return _surprise(likely)
        error = functions.when(index.isin(0, 1), positive - index)
        return error * error
    each = _array(said)
    whole = functions.forall(each, lambda one: one.between(0.0, 1.0))
    known = whole & index.between(0, functions.size(each) - 1)
    if loss == losses.LOG_LOSS:
        return _surprise(functions.when(known, functions.get(each, index)))
    return functions.when(known, _brier(each, index))


def _brier(each: Column, index: Column) -> Column:
    """Of two classes as of the positive one alone, else the sum over all."""
    hit = functions.get(each, index)
    squares = functions.aggregate(each, functions.lit(0.0), lambda sum, one: sum + one * one)
    total = squares - hit * hit + (1 - hit) * (1 - hit)
    return functions.when(functions.size(each) == 2, (1 - hit) * (1 - hit)).otherwise(total)


def _surprise(likely: Column) -> Column:
    least = functions.lit(losses.LEAST_PROBABILITY)  # `greatest` would take it for a null
    return functions.when(likely.isNotNull(), -functions.log(functions.greatest(likely, least)))


def _probability(value: Column) -> Column:
    return functions.when(value.between(0.0, 1.0), value)


def _finite(value: Column) -> Column:
    """NaN for what is null or infinite, too."""
    fine = value.isNotNull() & (functions.abs(value) < functions.lit(float("inf")))
    return functions.when(fine, value).otherwise(functions.lit(_NOT_A_NUMBER))


def _array(said: Found) -> Column:
    if isinstance(said.kind, kinds.ArrayType) and _is_number(said.kind.elementType):
        return said.column.cast("array<double>")
    if type(said.kind).__name__ == "VectorUDT":
        return vector_to_array(said.column)
    raise ConfigurationError(
        f"The score {said.name!r} is of type {said.kind.simpleString()}: expected a number, which "
        "is the probability of class 1, or a vector or an array with one for each class."
    )


def _number(found: Found, loss: str) -> Column:
    if not _is_number(found.kind):
        raise ConfigurationError(
            f"The column {found.name!r} is of type {found.kind.simpleString()}, and {loss} is made "
            "of numbers: pass the index of the class, or compare by loss='zero_one'."
        )
    return found.column.cast("double")


def _is_number(kind: kinds.DataType) -> bool:
    return isinstance(kind, kinds.NumericType | kinds.BooleanType)
