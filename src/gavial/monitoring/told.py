"""Metrics as values: a number, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable

from gavial.monitoring.state import Cell
from gavial.monitoring.verdict import Measured


def added(values: Iterable[float]) -> float:
    """The exact sum of numbers; NaN where it overflows, as `told` tells it."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # beyond the largest number, or of opposite infinities
        return math.nan


def root(value: float) -> float:
    """The square root; NaN where there is none."""
    return math.sqrt(value) if value >= 0.0 else math.nan


def is_constant(cell: Cell) -> bool:
    """Whether all numbers of a cell are one, up to the rounding of their mean."""
    rounding = 4 * math.ulp(cell.mean)
    return cell.m2 <= cell.n * rounding * rounding and (abs(cell.mean) > 1e-100 or cell.mean == 0.0)


def told(
    metric: str,
    value: float,
    n: int,
    *,
    column: str = "",
    error: float = 0.0,
    standard_error: float | None = None,
    estimated: bool = False,
    chance: float = 0.0,
) -> Measured:
    """A metric with a value; one that is no finite number is told as none."""
    if not math.isfinite(value) or not math.isfinite(error):
        why = "its numbers are too large to add up, or not finite"
        return untold(metric, why, n, column=column, estimated=estimated)
    if standard_error is not None and not math.isfinite(standard_error):
        standard_error = None
    return Measured(metric, column, value, n, error, standard_error, estimated, "", chance)


def untold(
    metric: str, why: str, n: int = 0, *, column: str = "", estimated: bool = False
) -> Measured:
    """A metric that cannot be told, and why."""
    return Measured(metric, column, None, n, estimated=estimated, why=why)


def rate(metric: str, of: int, n: int, why: str, *, column: str = "") -> Measured:
    """A share of records, or `why` there is none.

    The standard error is that of Agresti and Coull, "Approximate Is Better than 'Exact' for
    Interval Estimation of Binomial Proportions" (1998): two of each kind are added, so that it is
    not 0 where all records are alike.
    """
    if n <= 0:
        return untold(metric, why, column=column)
    share = min(1.0, (of + 2) / (n + 4))
    chance = math.sqrt(share * (1 - share) / (n + 4))
    return told(metric, of / n, n, column=column, standard_error=chance)


def mean(metric: str, value: float, variance: float, n: int, why: str) -> Measured:
    """A mean of records with the standard error `sd / sqrt(n)`, or `why` there is none."""
    if n <= 0:
        return untold(metric, why)
    chance = root(variance / n) if n > 1 else None
    return told(metric, value, n, standard_error=chance)
