"""The loss of a scored record, as an expression of its columns."""

from __future__ import annotations

from typing import Final

from pyspark.sql import Column, functions

from gavial.errors import ConfigurationError
from gavial.monitoring import losses
from gavial.spark.monitoring import binning
from gavial.spark.monitoring.cells import is_score, score_array
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
    return functions.coalesce(binning.finite(found), functions.lit(_NOT_A_NUMBER))


def class_of(loss: str, label: Found) -> Column:
    """A whole number for the class of a label: its index, if it is one, else one of its text.

    It is 0 where a loss is not one of classes. Two texts may share a number, which does no harm: it
    only serves to see how many labels are not of the commonest class.
    """
    if loss not in losses.OF_CLASSES:
        return functions.lit(0)
    hashed = functions.xxhash64(label.column.cast("string"))
    of_text = functions.pmod(hashed, functions.lit(_MOST_CLASSES)).cast("int") + _MOST_CLASSES + 1
    if not binning.is_number(label.kind):
        return of_text
    return functions.coalesce(_index(label.column.cast("double")), of_text)


def _index(value: Column) -> Column:
    """A double as the index of a class; null where it can be none."""
    whole = value.between(0, _MOST_CLASSES) & (value == functions.rint(value))
    return functions.when(whole, value.cast("int"))  # which fails for what is too large


def _zero_one(label: Found, said: Found) -> Column:
    if binning.is_number(label.kind) and binning.is_number(said.kind):
        one, other = label.column.cast("double"), said.column.cast("double")
        valid = ~functions.isnan(other) & other.isNotNull()
    else:
        one, other = _text(label), _text(said)
        valid = other.isNotNull()
    wrong = functions.when(one == other, 0.0).otherwise(1.0)
    return functions.when(valid, wrong).otherwise(functions.lit(_NOT_A_NUMBER))


def _text(found: Found) -> Column:
    """A class as `bins.text_of` has it: the prediction `1.0` is the label `1`."""
    if binning.has_text(found.kind):
        return binning.text(found.column, found.kind)
    return found.column.cast("string")


def _of_scores(loss: str, truth: Column, said: Found) -> Column:
    index = _index(truth)
    if binning.is_number(said.kind):
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


def _array(said: Found) -> Column:
    if is_score(said.kind):
        return score_array(said.column, said.kind)
    raise ConfigurationError(
        f"The score {said.name!r} is of type {said.kind.simpleString()}: expected a number, which "
        "is the probability of class 1, or a vector or an array with one for each class."
    )


def _number(found: Found, loss: str) -> Column:
    if not binning.is_number(found.kind):
        raise ConfigurationError(
            f"The column {found.name!r} is of type {found.kind.simpleString()}, and {loss} is made "
            "of numbers: pass the index of the class, or compare by loss='zero_one'."
        )
    return found.column.cast("double")
