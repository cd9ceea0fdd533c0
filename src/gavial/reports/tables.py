"""The tables behind charts, bounded. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gavial.monitoring.comparison import Comparison
from gavial.monitoring.idle import idle, topic
from gavial.monitoring.verdict import Rule, Status, Verdict, Watched
from gavial.reports import names, series, words
from gavial.reports.quality import Calibrated, Confusion
from gavial.reports.shifts import Drift, Histogram

ROWS: Final = 120


@dataclass(frozen=True)
class Table:
    """A table of texts. `left_out` counts rows that are not in it."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


def table(
    caption: str, headers: Sequence[str], rows: Iterable[Sequence[str]], most: int = ROWS
) -> Table:
    """The first rows."""
    found = [tuple(row) for row in rows]
    return Table(caption, tuple(headers), tuple(found[:most]), max(0, len(found) - most))


def versions(watched: Watched) -> Table:
    """Each version and segment, alerts first, newer versions before older ones, and what scores
    no more at last."""
    order = (Status.ALERT, Status.NOT_ENOUGH_DATA, Status.OK)
    gone = idle(watched.verdicts)
    newest = sorted(
        watched.verdicts,
        key=lambda one: (names.version_order(one.version), not one.segment),
        reverse=True,
    )
    return table(
        "Verdicts",
        ("version", "segment", "status", "since", "windows", "alerts", "why"),
        (
            (
                one.version,
                one.segment or "all records",
                words.status(one, idle=topic(one) in gone),
                one.since.since if one.since else "–",
                names.count(len(one.results)),
                names.count(sum(result.status is Status.ALERT for result in one.results)),
                next(iter(words.reasons(one)), ""),
            )
            for one in sorted(newest, key=lambda one: (topic(one) in gone, order.index(one.status)))
        ),
        60,
    )


def broken(verdict: Verdict) -> Table:
    """The rules that are broken."""
    return table(
        "Broken rules",
        ("rule", "found", "allowed", "records", "window", "it is", "where the bound is from"),
        (
            (
                words.metric(one),
                names.shown(one.measured.value),
                words.bounds(one),
                names.count(one.measured.n),
                str(window) if window else "–",
                "a note" if one.noted else "an alert",
                _source(one.rule),
            )
            for window, one in series.broken(verdict)
        ),
        30,
    )


def timeline(found: series.Timeline) -> Table:
    """The points of a timeline, newest first."""
    rows = [(line.version, point) for line in found.lines for point in line.points]
    rows.sort(key=lambda one: (one[1].window, names.version_order(one[0])), reverse=True)
    return table(
        f"{found.title} by window and version, newest first",
        ("window", "version", "value", "give or take", "allowed", "records", "status"),
        (
            (
                str(point.window),
                version,
                names.shown(point.value) + (f" ({point.why})" if point.why else ""),
                f"± {point.spread:.2g}" if point.spread else "–",
                words.between(point.low, point.high),
                names.count(point.n),
                point.said,
            )
            for version, point in rows
        ),
    )


def drift(found: Drift) -> Table:
    """The worst and the last window of each feature."""
    return table(
        f"{names.name(found.metric).title} by feature, version {found.version}",
        ("feature", "highest", "in", "last", "allowed", "windows outside"),
        (
            (
                one.column,
                names.shown(one.worst.value),
                str(one.worst.window),
                names.shown(one.points[-1].value),
                words.between(None, one.worst.high),
                f"{one.outside} of {len(one.points)}",
            )
            for one in found.features
        ),
    )


def histogram(found: Histogram) -> Table:
    """The shares of the bins."""
    return table(
        f"{found.column}: shares of records",
        ("bin", "at release", found.when),
        (
            (name, f"{before:.1%}", f"{now:.1%}")
            for name, before, now in zip(found.bins, found.reference, found.found, strict=True)
        ),
    )


def calibration(now: Sequence[Calibrated], before: Sequence[Calibrated], when: str) -> Table:
    """The groups of both curves."""
    return table(
        "Groups of records by score",
        ("records of", "mean score", "came true", "records"),
        (
            (which, f"{one.score:.1%}", f"{one.share:.1%}", names.count(one.n))
            for which, side in ((when, now), ("at release", before))
            for one in side
        ),
    )


def confusion(found: Confusion) -> Table:
    """The counts."""
    return table(
        "Records by label and prediction",
        ("label", *(f"predicted {one}" for one in found.predictions)),
        (
            (label, *map(names.count, counts))
            for label, counts in zip(found.labels, found.counts, strict=True)
        ),
    )


def marks(watched: Watched) -> Table:
    """What happened, with the letters of the timelines; newest first."""
    letters = {mark: one.letter for one in series.events(watched) for mark in one.marks}
    ordered = sorted(watched.marks, key=lambda one: (one.when, one.version, one.what), reverse=True)
    return table(
        "What happened, newest first",
        ("letter", "when", "version", "what"),
        ((letters.get(one, ""), words.when(one.when), one.version, one.what) for one in ordered),
        40,
    )


def rules(verdict: Verdict) -> Table:
    """Every rule that the last window was held to."""
    found = verdict.results[-1].findings if verdict.results else ()
    return table(
        f"Rules of version {verdict.version}, as of its last window",
        ("rule", "found", "allowed", "least records", "status", "where the bound is from"),
        (
            (
                words.metric(one),
                names.shown(one.measured.value),
                words.bounds(one),
                names.count(one.rule.minimum),
                "noted" if one.noted else str(one.status),
                _source(one.rule),
            )
            for one in sorted(found, key=series.by_weight)
        ),
    )


def looks(found: Comparison) -> Table:
    """The looks of a comparison, newest first."""
    return table(
        "Looks, newest first",
        ("until", "records", "difference", "from", "to"),
        (
            (
                one.window.until if one.window else "–",
                names.count(one.n),
                *(names.shown(value) for value in (one.difference, one.low, one.high)),
            )
            for one in reversed(found.looks)
        ),
    )


def _source(rule: Rule) -> str:
    return ": ".join(filter(None, (rule.source, rule.why)))
