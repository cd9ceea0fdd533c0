"""Confidence sequences: intervals that hold at every look at once, from counts and moments alone.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform
central limit theory and asymptotic confidence sequences", Annals of Statistics 52 (2024), theorem
2.2: around a mean of `t` records with standard deviation `s`,

    s * sqrt((t*rho^2 + 1) / (t^2*rho^2) * ln((t*rho^2 + 1) / alpha^2))

holds the true mean for all `t` at once, in all but `alpha` of cases as `t` grows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from gavial.monitoring.state import Cell

_FAR: Final = 10**12  # records that nobody waits for


class Interval(NamedTuple):
    """An estimate of `n` records, and what holds the true value.

    `scale` is the standard deviation that one record adds: the interval is `scale` times
    `width(n, …)` to each side.
    """

    n: int
    value: float
    scale: float
    low: float
    high: float


def rho(intended: int, alpha: float) -> float:
    """The `rho` at which the interval is narrowest after `intended` records.

    It solves `x - ln(1 + x) = -2 ln(alpha)` for `x = intended * rho^2`: the minimum of the width
    in `rho`, as setting its derivative to 0 gives.

    >>> round(rho(10_000, 0.05), 5)
    0.02866
    """
    x = -2 * math.log(alpha)
    for _ in range(60):
        x = -2 * math.log(alpha) + math.log1p(x)
    return math.sqrt(x / intended)


def width(n: float, alpha: float, intended: int) -> float:
    """Half of the interval after `n` records of standard deviation 1.

    Args:
        n: records, more than 0.
        alpha: how often the interval may miss, over all looks together.
        intended: the records at which it is narrowest, against others of its kind.

    >>> round(width(10_000, 0.05, 10_000), 4), round(1.96 / 10_000**0.5, 4)
    (0.0304, 0.0196)
    """
    grown = n * rho(intended, alpha) ** 2
    return math.sqrt((grown + 1) / grown * (math.log1p(grown) - 2 * math.log(alpha)) / n)


def mean(cell: Cell, alpha: float, intended: int) -> Interval:
    """The mean of what records carry, such as paired differences.

    >>> mean(Cell(0), 0.05, 1000)
    Interval(n=0, value=0.0, scale=0.0, low=-inf, high=inf)
    """
    return _interval(cell.n, cell.mean, math.sqrt(max(cell.variance, 0.0)), alpha, intended)


def difference(strata: Iterable[tuple[Cell, Cell]], alpha: float, intended: int) -> Interval:
    """The mean of the second group less that of the first, over strata of time.

    Within each stratum the groups were drawn at random, so their difference is the effect, however
    shares and records changed from one to the next: a ramp does not pass for an effect. The
    difference of a stratum weighs as its records. That sum is asymptotically one of independent
    terms, one a record, whose variance is estimated as `sum(n_i^2 * (v_1/n_1 + v_2/n_2)) / n`
    (the paper's section 3, with known propensities).

    Args:
        strata: the cells of first and second group, with two records each at least.
    """
    n, total, spread = 0, 0.0, 0.0
    for first, second in strata:
        here = first.n + second.n
        n += here
        total += here * (second.mean - first.mean)
        spread += here**2 * (first.variance / first.n + second.variance / second.n)
    if not n:
        return _interval(0, 0.0, 0.0, alpha, intended)
    return _interval(n, total / n, math.sqrt(spread / n), alpha, intended)


def strata(windows: Iterable[tuple[Cell, Cell]], least: int) -> list[tuple[Cell, Cell]]:
    """Windows in the order of time, joined until both groups have `least` records in each.

    What is left at the end joins the last; with too few altogether there is none.

    >>> days = [(Cell(9), Cell(1)), (Cell(9), Cell(2)), (Cell(5), Cell(5))]
    >>> [one.n for one, _ in strata(days, 3)]
    [18, 5]
    """
    found: list[tuple[Cell, Cell]] = []
    first, second = Cell(0), Cell(0)
    for one, other in windows:
        first, second = first + one, second + other
        if first.n >= least and second.n >= least:
            found.append((first, second))
            first, second = Cell(0), Cell(0)
    if found and (first.n or second.n):
        one, other = found.pop()
        found.append((one + first, other + second))
    return found


def needed(found: Interval, margin: float, alpha: float, intended: int) -> int | None:
    """Further records that bring a verdict, if difference and spread stay as they are.

    `None` where no number would: they do not differ, and no margin is given.

    >>> needed(Interval(1000, 0.01, 0.5, -0.04, 0.06), 0.0, 0.05, 1000)
    27774
    """
    apart = abs(found.value)
    if found.n == 0 or found.scale == 0:
        return None

    def told(n: int) -> bool:
        half = found.scale * width(n, alpha, intended)
        return half < apart or apart + half < margin

    low, high = found.n, max(2 * found.n, 2)
    while not told(high):
        low, high = high, 2 * high
        if high > _FAR:
            return None
    while high - low > max(1, low // 1_000_000):
        middle = (low + high) // 2
        low, high = (low, middle) if told(middle) else (middle, high)
    return high - found.n


def _interval(n: int, value: float, scale: float, alpha: float, intended: int) -> Interval:
    if n == 0:
        return Interval(0, value, scale, -math.inf, math.inf)
    half = scale * width(n, alpha, intended)
    return Interval(n, value, scale, value - half, value + half)
