"""How features drifted, and the shares of bins that explain it, as they are drawn. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gavial.monitoring.bins import GUARDS, Bins, Numeric
from gavial.monitoring.profile import REGRESSION
from gavial.monitoring.state import FEATURE, LABEL, PREDICTION, Slot, State
from gavial.monitoring.verdict import Verdict, Watched
from gavial.reports import names, series
from gavial.reports.series import Point

FEATURES: Final = 15  # rows of the drift chart
EXPLAINED: Final = 4  # features with histograms
CATEGORIES: Final = 12  # bars of a histogram
NUMBERS: Final = 24


@dataclass(frozen=True)
class FeatureDrift:
    """A feature's drift by window; `worst` is the point that is highest over its bound."""

    column: str
    points: tuple[Point, ...]
    worst: Point

    @property
    def outside(self) -> int:
        """In how many windows it is outside its bound."""
        return sum(one.outside for one in self.points)


@dataclass(frozen=True)
class Drift:
    """The features of one version that drifted most. `left_out` counts the others."""

    metric: str
    version: str
    features: tuple[FeatureDrift, ...]
    left_out: int = 0


@dataclass(frozen=True)
class Histogram:
    """The shares of a column's bins, at release and later.

    Attributes:
        bins: their names; of a bin of numbers its ends.
        reference, found: the share of records in each.
        numeric: whether the bins are of numbers.
        when: which records were found, in words.
    """

    column: str
    bins: tuple[str, ...]
    reference: tuple[float, ...]
    found: tuple[float, ...]
    numeric: bool
    when: str


def drift(verdict: Verdict) -> Drift | None:
    """How the features of a version drifted; `None` where that was not measured."""
    measured = {one.metric for result in verdict.results for one in result.measured}
    metric = next((one for one in names.DRIFT if one in measured), None)
    if metric is None:
        return None
    columns: dict[str, list[Point]] = {}
    for one, point in series.points_of(verdict, lambda one: one.metric == metric):
        columns.setdefault(one.column, []).append(point)
    rows = []
    for column, found in columns.items():
        known = [one for one in found if one.value is not None]
        if known:
            ordered = tuple(sorted(found, key=lambda one: one.window))
            rows.append(FeatureDrift(column, ordered, max(known, key=_over)))
    rows.sort(key=lambda one: (-_over(one.worst)[0], -_over(one.worst)[1], one.column))
    if not rows:
        return None
    return Drift(metric, verdict.version, tuple(rows[:FEATURES]), max(0, len(rows) - FEATURES))


def histograms(watched: Watched, verdict: Verdict, found: Drift) -> tuple[Histogram, ...]:
    """Of the features that drifted most, the window in which they did so most."""
    reference = series.reference(watched, verdict.version)
    made = []
    for one in _explained(found):
        slot = Slot(watched.module, verdict.version, one.worst.window, verdict.segment)
        bins, state = watched.profile.features.get(one.column), watched.states.get(slot)
        if reference is not None and bins is not None and state is not None:
            sides = [each.histogram(FEATURE, one.column) for each in (reference.total, state)]
            made.append(_histogram(one.column, bins, sides[0], sides[1], str(one.worst.window)))
    return tuple(made)


def outputs(watched: Watched, verdict: Verdict, state: State, when: str) -> tuple[Histogram, ...]:
    """Of a regression, what the model says and what came true."""
    profile, reference = watched.profile, series.reference(watched, verdict.version)
    if profile.task != REGRESSION or profile.value_bins is None or reference is None:
        return ()
    made = []
    for kind, column in ((PREDICTION, profile.prediction), (LABEL, profile.label)):
        before, now = reference.total.histogram(kind), state.histogram(kind)
        if column and now:
            made.append(_histogram(column, profile.value_bins, before, now, when))
    return tuple(made)


def _histogram(
    column: str, bins: Bins, before: Mapping[int, int], now: Mapping[int, int], when: str
) -> Histogram:
    numeric = isinstance(bins, Numeric)
    guards = sorted({index for side in (before, now) for index in side if index in GUARDS})
    groups = [*(_numbers(bins) if isinstance(bins, Numeric) else _categories(bins))]
    groups += [(bins.name(index), (index,)) for index in guards]
    shares = [_shares(side, groups) for side in (before, now)]
    if not numeric:
        moved = sorted(range(len(groups)), key=lambda at: -abs(shares[0][at] - shares[1][at]))
        kept = sorted(moved[:CATEGORIES])
        groups = [groups[at] for at in kept]
        shares = [[side[at] for at in kept] for side in shares]
    labels = tuple(name for name, _ in groups)
    return Histogram(column, labels, tuple(shares[0]), tuple(shares[1]), numeric, when)


_Groups = list[tuple[str, tuple[int, ...]]]


def _numbers(bins: Numeric) -> _Groups:
    """Bins side by side, several together where there are more than can be drawn."""
    step = -(-len(bins) // NUMBERS)
    made = []
    for first in range(0, len(bins), step):
        last = min(first + step, len(bins))
        name = f"{bins.edges[first]:.6g} to {bins.edges[last]:.6g}"
        made.append((name, tuple(range(first, last))))
    return made


def _categories(bins: Bins) -> _Groups:
    """Categories as they are; numbers among them in their order."""
    found: _Groups = [(bins.name(index), (index,)) for index in range(len(bins))]
    try:
        return sorted(found, key=lambda one: float(one[0]))
    except ValueError:
        return found


def _shares(counts: Mapping[int, int], groups: _Groups) -> list[float]:
    records = sum(counts.values())
    return [
        sum(counts.get(index, 0) for index in indices) / records if records else 0.0
        for _, indices in groups
    ]


def _over(point: Point) -> tuple[float, float]:
    """How far a drift is over its bound, then how large it is."""
    value = point.value or 0.0
    return (value / point.high if point.high else value), value


def _explained(found: Drift) -> list[FeatureDrift]:
    """The features outside their bounds; where none is, the two that drifted most."""
    outside = [one for one in found.features if one.outside]
    return outside[:EXPLAINED] or list(found.features[:2])
