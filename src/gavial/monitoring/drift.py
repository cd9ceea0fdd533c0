"""How far records are from those that a model was released with: from counts in the same bins.

Guard bins take part: nulls, unseen categories and values beyond the edges are as good as any bin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from gavial.monitoring import chi_square
from gavial.monitoring.binary import ordered
from gavial.monitoring.bins import (
    ABOVE,
    BELOW,
    NAN,
    NEGATIVE_INFINITY,
    NULL,
    POSITIVE_INFINITY,
    UNSEEN,
)
from gavial.monitoring.state import Cell, State
from gavial.monitoring.told import added, is_constant, rate, root, told, untold
from gavial.monitoring.verdict import Measured

Histogram = Mapping[int, int]
GROUPS: Final = 20  # bins of a comparison at most
NO_RECORDS: Final = "there are no records"
NO_REFERENCE: Final = "there is no reference to compare with"


def psi(reference: Histogram, found: Histogram) -> float:
    """Population stability index: the sum of (q - p) ln(q / p) over bins. 0 is no difference.

    Half a record is added to each bin, so that an empty one does not make it infinite. Source: B.
    Yurdakul, "Statistical Properties of Population Stability Index" (2018).

    >>> psi({0: 50, 1: 50}, {0: 50, 1: 50}), round(psi({0: 50, 1: 50}, {0: 80, 1: 20}), 2)
    (0.0, 0.41)
    """
    places = sorted(set(reference) | set(found))
    n, m = sum(reference.values()), sum(found.values())
    pairs = (
        (
            (reference.get(one, 0) + 0.5) / (n + 0.5 * len(places)),
            (found.get(one, 0) + 0.5) / (m + 0.5 * len(places)),
        )
        for one in places
    )
    return max(0.0, added((q - p) * math.log(q / p) for p, q in pairs))


def psi_without_drift(bins: int, n: int, m: int) -> float:
    """The mean of a PSI of two samples of one distribution: `(B - 1) (1/n + 1/m)`."""
    return (bins - 1) * (1 / n + 1 / m)


def psi_by_chance(bins: int, n: int, m: int) -> float:
    """What a PSI of two samples of one distribution exceeds once in a hundred times. Source:
    Yurdakul, as above: it is a chi-square variable times `1/n + 1/m`."""
    return chi_square.quantile(0.99, bins - 1) * (1 / n + 1 / m) if bins > 1 else 0.0


def jensen_shannon(reference: Histogram, found: Histogram) -> float:
    """Jensen-Shannon distance: the root of the divergence in bits, from 0 to 1.

    Source: D. M. Endres and J. E. Schindelin, "A New Metric for Probability Distributions" (2003);
    `scipy.spatial.distance.jensenshannon`, base 2.

    >>> jensen_shannon({0: 5}, {1: 9}), jensen_shannon({0: 5, 1: 5}, {0: 1, 1: 1})
    (1.0, 0.0)
    """
    n, m = sum(reference.values()), sum(found.values())
    divergence = 0.0
    for one in set(reference) | set(found):
        p, q = reference.get(one, 0) / n, found.get(one, 0) / m
        divergence += sum(x * math.log2(2 * x / (p + q)) for x in (p, q) if x) / 2
    return root(min(1.0, max(0.0, divergence)))


def wasserstein(reference: Sequence[Cell], found: Sequence[Cell]) -> tuple[float, float]:
    """Wasserstein-1 distance in standard deviations of the reference, and its error.

    Every bin stands at its own exact mean, also what is beyond the edges. Source:
    `scipy.stats.wasserstein_distance`. Error: to move each value to the mean of its bin costs its
    standard deviation within the bin at most.

    Args:
        reference, found: the cells of a variable, of finite numbers. The reference varies.
    """
    total = sum(reference, Cell(0))
    scale = root(total.m2 / total.n)
    ours = [(cell.mean, cell.n / total.n) for cell in reference if cell.n]
    n = sum(cell.n for cell in found)
    steps = sorted([*ours, *((cell.mean, -cell.n / n) for cell in found if cell.n)])
    between, distance = 0.0, 0.0
    for (here, weight), (there, _) in pairwise(steps):
        between += weight
        distance += abs(between) * (there - here)
    error = _within(reference, total.n) + _within(found, n)
    return distance / scale, error / scale


def _within(cells: Sequence[Cell], n: int) -> float:
    return added(root(max(0.0, cell.m2) * cell.n) for cell in cells) / n


def coarse(reference: Histogram, groups: int = GROUPS) -> Callable[[Histogram], dict[int, int]]:
    """Puts neighbouring bins together, so that each group has about as many of the reference's
    records. Guard bins stay as they are."""
    inner = sorted(one for one in reference if one >= 0)
    total = sum(reference[one] for one in inner)
    upper: list[tuple[int, int]] = []  # last bin of a group, group
    done = 0
    for one in inner:
        group = min(groups - 1, (2 * done + reference[one]) * groups // (2 * total or 1))
        done += reference[one]
        if upper and upper[-1][1] == group:
            upper.pop()
        upper.append((one, group))

    def group_of(index: int) -> int:
        if index < 0 or not upper:
            return index
        return next((group for last, group in upper if index <= last), upper[-1][1])

    def put(found: Histogram) -> dict[int, int]:
        grouped: dict[int, int] = {}
        for index, n in found.items():
            place = group_of(index)
            grouped[place] = grouped.get(place, 0) + n
        return grouped

    return put


def shift(
    prefix: str,
    column: str,
    reference: Histogram,
    found: Histogram,
    *,
    ordered_bins: bool = True,
    nothing: str = NO_RECORDS,
) -> Iterator[Measured]:
    """PSI and Jensen-Shannon distance of a variable; more than 20 bins of numbers are put together
    by the reference's counts."""
    n, m = sum(reference.values()), sum(found.values())
    names = f"{prefix}psi", f"{prefix}jensen_shannon"
    if not n or not m:
        for name in names:
            yield untold(name, nothing if n else NO_REFERENCE, m, column=column)
        return
    if ordered_bins and len(reference) > GROUPS:
        put = coarse(reference)
        reference, found = put(reference), put(found)
    bins = len(set(reference) | set(found))
    step = 1 / n + 1 / m
    yield told(
        names[0],
        psi(reference, found),
        m,
        column=column,
        standard_error=root(2 * (bins - 1)) * step,
        chance=psi_by_chance(bins, n, m),
    )
    yield told(names[1], jensen_shannon(reference, found), m, column=column)


def moved(metric: str, column: str, reference: Sequence[Cell], found: Sequence[Cell]) -> Measured:
    """The Wasserstein distance as a metric, or why there is none."""
    total = sum(reference, Cell(0))
    n = sum(cell.n for cell in found)
    if not n:
        return untold(metric, "there are no finite numbers", column=column)
    if not total.n:
        return untold(metric, NO_REFERENCE, n, column=column)
    if total.m2 == 0 or is_constant(total):
        return untold(metric, "the reference is one number: it has no scale", n, column=column)
    value, error = wasserstein(reference, found)
    return told(metric, value, n, column=column, error=error)


def finite_cells(state: State, kind: str, column: str = "") -> list[Cell]:
    """The cells of a variable's finite numbers, by bin."""
    cells: dict[int, Cell] = {}
    for key, cell in state.of(kind, column):
        if key.bin >= 0 or key.bin in (BELOW, ABOVE):
            cells[key.bin] = cells.get(key.bin, Cell(0)) + cell
    return [cells[one] for one in sorted(cells, key=lambda one: ordered(one) or 0)]


def null_rate(found: Histogram, column: str) -> Measured:
    """Share of records where a feature is null: exact. Standard error: binomial."""
    return _guard("null_rate", found, column, NULL)


def nan_rate(found: Histogram, column: str) -> Measured:
    """Share of records where a number is NaN or infinite: exact."""
    return _guard("nan_rate", found, column, NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY)


def unseen_rate(found: Histogram, column: str) -> Measured:
    """Share of records with a category that the profile has no bin for: exact."""
    return _guard("unseen_rate", found, column, UNSEEN)


def out_of_range_rate(found: Histogram, column: str) -> Measured:
    """Share of records with a number beyond the profile's first and last edge: exact."""
    return _guard("out_of_range_rate", found, column, BELOW, ABOVE)


def _guard(metric: str, found: Histogram, column: str, *guards: int) -> Measured:
    of = sum(found.get(one, 0) for one in guards)
    return rate(metric, of, sum(found.values()), NO_RECORDS, column=column)
