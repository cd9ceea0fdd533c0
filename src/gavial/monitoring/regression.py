"""How good a model of a number is, by labels that came true: exact, from moments of errors."""

from __future__ import annotations

from typing import Final

from gavial.monitoring import state as kinds
from gavial.monitoring.state import Cell, Key, State
from gavial.monitoring.told import is_constant, mean, root, told, untold
from gavial.monitoring.verdict import Measured

NO_LABELS: Final = "no record has both a label and a prediction that are numbers"


def mae(state: State) -> Measured:
    """Mean of |prediction - label|. The standard error is sd / sqrt(n). Source:
    `sklearn.metrics.mean_absolute_error`."""
    cell = state.get(Key(kinds.ABSOLUTE_ERROR), Cell(0))
    return mean("mae", cell.mean, cell.variance, cell.n, NO_LABELS)


def bias(state: State) -> Measured:
    """Mean of prediction - label: above 0 the model says too much. The standard error is
    sd / sqrt(n)."""
    cell = state.get(Key(kinds.ERROR), Cell(0))
    return mean("bias", cell.mean, cell.variance, cell.n, NO_LABELS)


def rmse(state: State) -> Measured:
    """Root of the mean of (prediction - label) squared. Source:
    `sklearn.metrics.root_mean_squared_error`.

    The standard error is that of normal errors, `rmse / sqrt(2 n)`: of heavy tails it is too small.
    """
    cell = state.get(Key(kinds.ERROR), Cell(0))
    if not cell.n:
        return untold("rmse", NO_LABELS)
    value = root(_squares(cell))
    return told("rmse", value, cell.n, standard_error=value / root(2 * cell.n))


def r2(state: State) -> Measured:
    """The share of the labels' variance that the model explains. Source:
    `sklearn.metrics.r2_score`.

    It falls where labels vary less, though errors stay: see `rmse` beside it. Standard error:
    `2 r (1 - r^2) / sqrt(n)`, that of a squared correlation of normal variables; not told where it
    is 0 or less.
    """
    errors, labels = state.get(Key(kinds.ERROR), Cell(0)), state.moments(kinds.LABEL)
    if not errors.n:
        return untold("r2", NO_LABELS)
    if not labels.n:
        return untold("r2", "the labels were not counted in bins: the profile has none for them")
    if labels.m2 == 0 or is_constant(labels):
        return untold("r2", "every label is one number", errors.n)
    value = 1.0 - _squares(errors) / (labels.m2 / labels.n)
    chance = 2 * root(value) * (1 - value) / root(errors.n) if value > 0 else None
    return told("r2", value, errors.n, standard_error=chance)


def _squares(cell: Cell) -> float:
    return cell.mean * cell.mean + cell.m2 / cell.n
