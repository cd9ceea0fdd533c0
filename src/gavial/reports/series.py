"""What of a watched module is drawn: lines, drift and shares, as values. Pure.

Everything is bounded, and what was left out is counted: a report of a thousand features is read by
people too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from gavial.monitoring.state import FEATURE, Slot, State, total
from gavial.monitoring.verdict import Finding, Mark, Measured, Result, Status, Verdict, Watched
from gavial.monitoring.windows import Window
from gavial.reports import names

CHARTS: Final = 6  # metrics with a timeline each
LINES: Final = 6  # versions in a timeline
FEATURES: Final = 15  # rows of the drift chart
EXPLAINED: Final = 4  # features with histograms
MARKS: Final = 12
_LETTERS: Final = "ABCDEFGHIJKL"


@dataclass(frozen=True)
class Point:
    """A metric in a window, and the bounds that it was held to."""

    window: Window
    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    spread: float = 0.0  # by how much chance and binning may have moved it, either way
    status: Status | None = None
    why: str = ""


@dataclass(frozen=True)
class Line:
    """A version's points, in the order of time."""

    version: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Event:
    """Marks that fall together, with the letter that a chart has for them."""

    letter: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Timeline:
    """One metric of all versions. `left_out` counts versions that are not drawn."""

    metric: str
    estimated: bool
    lines: tuple[Line, ...]
    events: tuple[Event, ...] = ()
    left_out: int = 0

    @property
    def title(self) -> str:
        title = names.name(self.metric).title
        return f"{title}, estimated without labels" if self.estimated else title

    @property
    def alerts(self) -> tuple[Window, ...]:
        """The windows in which any version broke a rule, in the order of time."""
        found = {
            point.window
            for line in self.lines
            for point in line.points
            if point.status is Status.ALERT
        }
        return tuple(sorted(found))


@dataclass(frozen=True)
class FeatureDrift:
    """A feature's drift by window; `worst` is the point that is highest over its bound."""

    column: str
    points: tuple[Point, ...]
    worst: Point


@dataclass(frozen=True)
class Drift:
    """The features of one version that drifted most. `left_out` counts the others."""

    metric: str
    version: str
    features: tuple[FeatureDrift, ...]
    left_out: int = 0


@dataclass(frozen=True)
class Histogram:
    """The shares of a column's bins, at release and in a window."""

    column: str
    bins: tuple[str, ...]
    reference: tuple[float, ...]
    window: tuple[float, ...]
    numeric: bool
    when: Window
    point: Point | None = None


def subject(watched: Watched) -> Verdict | None:
    """The verdict that a report is about: an alert before others, then the newest."""

    def order(one: Verdict) -> tuple[bool, bool, bool, object, object]:
        last = windows(one)[-1:]
        return (
            bool(last),
            one.status is Status.ALERT,
            not one.segment,
            last,
            names.version_order(one.version),
        )

    return max(watched.verdicts, key=order, default=None)


def windows(verdict: Verdict) -> list[Window]:
    """Those that have a result, in the order of time."""
    return sorted(one.slot.window for one in verdict.results if one.slot.window is not None)


def whole(watched: Watched) -> list[Verdict]:
    """The verdicts on all records of each version, in the order of versions."""
    found = [one for one in watched.verdicts if not one.segment]
    return sorted(found or watched.verdicts, key=lambda one: names.version_order(one.version))


def timelines(watched: Watched) -> tuple[tuple[Timeline, ...], int]:
    """A timeline for each metric that matters, and how many were left out."""
    verdicts = [one for one in whole(watched) if one.results]
    kept = _latest(verdicts)
    metrics = _metrics(verdicts)
    made = []
    for metric, estimated in metrics:
        lines = tuple(_line(one, metric, estimated) for one in kept)
        if any(line.points for line in lines):
            left_out = len(verdicts) - len(kept)
            made.append(Timeline(metric, estimated, lines, events(watched), left_out))
    return tuple(made[:CHARTS]), max(0, len(made) - CHARTS)


def events(watched: Watched) -> tuple[Event, ...]:
    """The marks, newest last; those of one day are one event."""
    marks = sorted(watched.marks, key=lambda one: (one.when, one.version, one.what))
    days = [tuple(group) for _, group in groupby(marks, key=lambda one: one.when.date())]
    return tuple(
        Event(letter, group) for letter, group in zip(_LETTERS, days[-MARKS:], strict=False)
    )


def drift(verdict: Verdict) -> Drift | None:
    """How the features of a version drifted; `None` where that was not measured."""
    measured = [one for result in verdict.results for one in result.measured if one.column]
    metric = next(
        (one for one in names.DRIFT if any(found.metric == one for found in measured)), None
    )
    if metric is None:
        return None
    by_column: dict[str, list[Point]] = {}
    for result in verdict.results:
        for one in result.measured:
            if one.metric == metric and one.column and result.slot.window is not None:
                by_column.setdefault(one.column, []).append(_point(result, one))
    rows = []
    for column, found in by_column.items():
        ordered = tuple(sorted(found, key=lambda one: one.window))
        known = [one for one in ordered if one.value is not None]
        if known:
            rows.append(FeatureDrift(column, ordered, max(known, key=_over)))
    rows.sort(key=lambda one: (-_over(one.worst)[0], -_over(one.worst)[1], one.column))
    return Drift(metric, verdict.version, tuple(rows[:FEATURES]), max(0, len(rows) - FEATURES))


def histograms(watched: Watched, verdict: Verdict, found: Drift) -> tuple[Histogram, ...]:
    """The histograms that explain the features that drifted most."""
    reference = watched.references.get(verdict.version)
    if reference is None:
        return ()
    made = []
    for one in _explained(found):
        slot = Slot(watched.module, verdict.version, one.worst.window, verdict.segment)
        bins = watched.profile.features.get(one.column)
        state = watched.states.get(slot)
        if bins is None or state is None:
            continue
        counts = (
            reference.total.histogram(FEATURE, one.column),
            state.histogram(FEATURE, one.column),
        )
        shown = [*range(len(bins)), *sorted({key for each in counts for key in each if key < 0})]
        shown = _largest(shown, counts) if not hasattr(bins, "edges") else shown
        made.append(
            Histogram(
                one.column,
                tuple(bins.name(index) for index in shown),
                _shares(counts[0], shown),
                _shares(counts[1], shown),
                hasattr(bins, "edges"),
                one.worst.window,
                one.worst,
            )
        )
    return tuple(made)


def recent(watched: Watched, verdict: Verdict) -> State:
    """The records that a verdict is of: since the alert began, or else of all windows."""
    since = verdict.since if verdict.status is Status.ALERT else None
    return total(
        state
        for slot, state in watched.states.items()
        if (slot.module, slot.version, slot.segment)
        == (watched.module, verdict.version, verdict.segment)
        and (since is None or (slot.window is not None and slot.window >= since))
    )


def fired(verdict: Verdict) -> tuple[tuple[Window | None, Finding], ...]:
    """The rules that are broken as of the last window; of an alert that calms down, the last."""
    for result in reversed(verdict.results):
        found = tuple(
            (result.slot.window, one) for one in result.findings if one.status is Status.ALERT
        )
        if found or verdict.status is not Status.ALERT:
            return found
    return ()


def _latest(verdicts: Sequence[Verdict]) -> list[Verdict]:
    kept = sorted(verdicts, key=lambda one: (windows(one)[-1:], names.version_order(one.version)))
    return sorted(kept[-LINES:], key=lambda one: names.version_order(one.version))


def _metrics(verdicts: Iterable[Verdict]) -> list[tuple[str, bool]]:
    """Metrics of the model as a whole: those that alarm, those with a rule, then the others."""
    found: dict[tuple[str, bool], int] = {}
    for verdict in verdicts:
        for result in verdict.results:
            for one in result.measured:
                if not one.column:
                    found.setdefault((one.metric, one.estimated), 2)
            for finding in result.findings:
                key = (finding.measured.metric, finding.measured.estimated)
                if not finding.measured.column:
                    level = 0 if finding.status is Status.ALERT else 1
                    found[key] = min(found.get(key, 2), level)
    return sorted(found, key=lambda key: (found[key], names.rank(key[0]), key[1]))


def _line(verdict: Verdict, metric: str, estimated: bool) -> Line:
    points = [
        _point(result, one)
        for result in verdict.results
        for one in result.measured
        if (one.metric, one.column, one.estimated) == (metric, "", estimated)
        and result.slot.window is not None
    ]
    return Line(verdict.version, tuple(sorted(points, key=lambda one: one.window)))


def _point(result: Result, one: Measured) -> Point:
    assert result.slot.window is not None
    value = None if one.value is None or one.value != one.value else one.value
    spread = one.error + 1.96 * (one.standard_error or 0.0)
    point = Point(result.slot.window, value, one.n, spread=spread, why=one.why)
    for finding in _of(result, one):
        point = Point(
            point.window,
            point.value,
            point.n,
            finding.rule.low if finding.rule.low is not None else point.low,
            finding.rule.high if finding.rule.high is not None else point.high,
            point.spread,
            finding.status if point.status is not Status.ALERT else point.status,
            point.why,
        )
    return point


def _of(result: Result, one: Measured) -> Iterator[Finding]:
    for finding in result.findings:
        found = finding.measured
        if (found.metric, found.column, found.estimated) == (one.metric, one.column, one.estimated):
            yield finding


def _over(point: Point) -> tuple[float, float]:
    """How far a drift is over its bound, then how large it is."""
    value = point.value or 0.0
    return (value / point.high if point.high else value), value


def _explained(found: Drift) -> list[FeatureDrift]:
    """The features outside their bounds; where none is, the two that drifted most."""
    outside = [
        one for one in found.features if any(point.status is Status.ALERT for point in one.points)
    ]
    return outside[:EXPLAINED] or list(found.features[:2])


def _largest(shown: list[int], counts: tuple[dict[int, int], dict[int, int]]) -> list[int]:
    """The 12 categories whose shares differ most, in the order of the bins."""
    sides = [_shares(one, shown) for one in counts]
    by = sorted(range(len(shown)), key=lambda at: -abs(sides[0][at] - sides[1][at]))
    return [shown[at] for at in sorted(by[:12])]


def _shares(counts: dict[int, int], shown: Sequence[int]) -> tuple[float, ...]:
    records = sum(counts.values())
    return tuple(counts.get(index, 0) / records if records else 0.0 for index in shown)
