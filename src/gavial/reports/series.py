"""What of a watched module is drawn: lines, drift and shares, as values. Pure.

Everything is bounded, and what was left out is counted: a report of a thousand features is read by
people too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from gavial.monitoring.bounds import bounds
from gavial.monitoring.idle import idle, topic
from gavial.monitoring.profile import Reference
from gavial.monitoring.state import State, total
from gavial.monitoring.verdict import (
    Finding,
    Level,
    Mark,
    Measured,
    Status,
    Verdict,
    Watched,
)
from gavial.monitoring.windows import Window
from gavial.reports import names

CHARTS: Final = 6  # metrics with a timeline each
LINES: Final = 6  # versions in a timeline
MARKS: Final = 12
_LETTERS: Final = "ABCDEFGHIJKL"
_Metric = tuple[str, bool]  # its name, and whether it is estimated


@dataclass(frozen=True)
class Point:
    """A metric in a window, and the bounds that it was held to, with what is allowed for chance.

    `spread` is by how much chance and binning may have moved the value, either way: 1.96 standard
    errors, and the error of the bins. `outside` is whether it is outside its bounds, which may
    only inform; `status` is an alert for a rule over several windows too.
    """

    window: Window
    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    spread: float = 0.0
    status: Status | None = None
    outside: bool = False
    why: str = ""

    @property
    def said(self) -> str:
        """Its status in words."""
        noted = self.outside and self.status is not Status.ALERT
        return "noted" if noted else str(self.status or "not judged")


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
        return names.name(self.metric).title

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


def subject(watched: Watched) -> Verdict | None:
    """The verdict that a report is about: an alert before others, then the newest. One of a
    version that scores no more is history."""
    gone = idle(watched.verdicts)

    def order(one: Verdict) -> tuple[bool, bool, bool, bool, object, object]:
        last = windows(one)[-1:]
        return (
            bool(last),
            topic(one) not in gone,
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
    points = [(one.version, _points(one, set(metrics))) for one in kept]
    made = []
    for key in metrics:
        metric, estimated = key
        lines = tuple(Line(version, tuple(found.get(key, ()))) for version, found in points)
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


def reference(watched: Watched, version: str) -> Reference | None:
    """What a version is measured by: its own reference, else that of the last version before it,
    else of the first after it, within its major."""
    major = version.partition(".")[0]
    known = [one for one in watched.references if one.partition(".")[0] == major]
    known.sort(key=names.version_order)
    before = [one for one in known if names.version_order(one) <= names.version_order(version)]
    near = before[-1:] or known[:1]
    return watched.references[near[0]] if near else None


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


def broken(verdict: Verdict) -> tuple[tuple[Window | None, Finding], ...]:
    """The rules that are broken as of the last window, alerts first; of an alert that calms down,
    the last in which it was one."""
    for result in reversed(verdict.results):
        found = [(result.slot.window, one) for one in result.findings if _is_broken(one)]
        alerts = any(one.status is Status.ALERT for _, one in found)
        if alerts or verdict.status is not Status.ALERT:
            return tuple(sorted(found, key=lambda pair: by_weight(pair[1])))
    return ()


def by_weight(finding: Finding) -> tuple[bool, bool]:
    """Sorts findings: alerts first, then what is noted."""
    return finding.status is not Status.ALERT, not finding.noted


def _is_broken(finding: Finding) -> bool:
    return finding.noted or finding.status is Status.ALERT


def _latest(verdicts: Sequence[Verdict]) -> list[Verdict]:
    kept = sorted(verdicts, key=lambda one: (windows(one)[-1:], names.version_order(one.version)))
    return sorted(kept[-LINES:], key=lambda one: names.version_order(one.version))


def _metrics(verdicts: Iterable[Verdict]) -> list[_Metric]:
    """Metrics of the model as a whole that are drawn: those that alarm, then those that may, and
    how many records there were. Without a rule, the three that matter most."""
    found: dict[_Metric, int] = {}
    for verdict in verdicts:
        for result in verdict.results:
            for one in result.measured:
                if not one.column:
                    found.setdefault((one.metric, one.estimated), _UNJUDGED)
            for finding in result.findings:
                key = finding.measured.metric, finding.measured.estimated
                if key in found and not finding.measured.column:
                    found[key] = min(found[key], _importance(finding))
    ordered = sorted(found, key=lambda key: (found[key], names.rank(key[0]), key[1]))
    judged = [key for key in ordered if found[key] < _UNJUDGED] or ordered[:3]
    volume = [key for key in ordered if key[0] == "records" and key not in judged]
    return [*judged[: CHARTS - len(volume)], *volume, *judged[CHARTS - len(volume) :]]


_UNJUDGED: Final = 2


def _importance(finding: Finding) -> int:
    if finding.status is Status.ALERT:
        return 0
    return _UNJUDGED if finding.rule.level is Level.NOTE else 1


def _points(verdict: Verdict, wanted: Set[_Metric]) -> dict[_Metric, list[Point]]:
    """The points of some metrics of the model as a whole, in the order of time."""
    found: dict[_Metric, list[Point]] = {}

    def drawn(one: Measured) -> bool:
        return not one.column and (one.metric, one.estimated) in wanted

    for one, point in points_of(verdict, drawn):
        found.setdefault((one.metric, one.estimated), []).append(point)
    for points in found.values():
        points.sort(key=lambda one: one.window)
    return found


def points_of(
    verdict: Verdict, wanted: Callable[[Measured], bool]
) -> Iterator[tuple[Measured, Point]]:
    """The values of a version that are wanted, with the bounds that they were held to."""
    for result in verdict.results:
        found = [one for one in result.measured if wanted(one)]
        if result.slot.window is not None and found:
            findings: dict[tuple[str, str, bool], list[Finding]] = {}
            for finding in result.findings:
                findings.setdefault(_of(finding.measured), []).append(finding)
            for one in found:
                yield one, _point(result.slot.window, one, findings.get(_of(one), ()))


def _of(one: Measured) -> tuple[str, str, bool]:
    return one.metric, one.column, one.estimated


def _point(window: Window, one: Measured, findings: Iterable[Finding]) -> Point:
    """A value with its bounds. A rule over several windows together may alert as well: it says
    nothing of the value of one."""
    value = None if one.value is None or one.value != one.value else one.value
    spread = one.error + 1.96 * (one.standard_error or 0.0)
    own = next((each for each in findings if each.rule.windows == 1), None)
    statuses = {each.status for each in findings}
    status = Status.ALERT if Status.ALERT in statuses else own.status if own else None
    judged = own is not None and own.status is not Status.NOT_ENOUGH_DATA
    low, high = held(own) if own and judged else (None, None)
    outside = own is not None and _is_broken(own)
    return Point(window, value, one.n, low, high, spread, status, outside, one.why)


def held(finding: Finding) -> tuple[float | None, float | None]:
    """The bounds that a value was held to, with what is allowed for chance."""
    found = bounds(finding.rule, finding.measured)
    return found.low, found.high
