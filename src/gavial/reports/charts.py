"""Charts of what was watched and compared: Altair describes them, `drawing` draws them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gavial.monitoring.comparison import Comparison
from gavial.monitoring.verdict import Status, Verdict, Watched
from gavial.reports import (
    chart_comparison,
    chart_drift,
    chart_quality,
    chart_timeline,
    series,
    shifts,
)
from gavial.reports.drawing import Drawing
from gavial.reports.quality import calibration, confusion

__all__ = ["Drawing", "compared", "drawings"]

_NOT_OF_A_NAME: Final = re.compile(r"[^a-z0-9]+")


def drawings(watched: Watched, *, narrow: bool = False) -> Mapping[str, Drawing]:
    """Each chart of a watched module, by a name that a file may have.

    Args:
        narrow: for a phone: 330 pixels wide, not 760.

    Raises:
        ConfigurationError: Altair is not installed.
    """
    made: dict[str, Drawing] = {}
    for one in series.timelines(watched)[0]:
        kind = "-estimated" if one.estimated else ""
        made[_name(f"timeline-{one.metric}{kind}", made)] = chart_timeline.draw(one, narrow)
    verdict = series.subject(watched)
    if verdict is not None:
        made |= _of_version(watched, verdict, narrow)
    return made


def compared(comparisons: Sequence[Comparison], *, narrow: bool = False) -> Mapping[str, Drawing]:
    """The chart of each comparison that was looked at, by a name that a file may have.

    Raises:
        ConfigurationError: Altair is not installed.
    """
    made: dict[str, Drawing] = {}
    for one in comparisons:
        if one.looks:
            name = _name(f"difference-{one.loss}-{one.segment}", made)
            made[name] = chart_comparison.draw(one, narrow)
    return made


def _of_version(watched: Watched, verdict: Verdict, narrow: bool) -> dict[str, Drawing]:
    made: dict[str, Drawing] = {}
    drift = shifts.drift(verdict)
    if drift is not None:
        made["drift"] = chart_drift.draw(drift, narrow)
        for at, one in enumerate(shifts.histograms(watched, verdict, drift), 1):
            made[f"histogram-{at}"] = chart_drift.histogram(one)
    state = series.recent(watched, verdict)
    for at, one in enumerate(shifts.outputs(watched, verdict, state, since(verdict)), 1):
        made[f"output-{at}"] = chart_drift.histogram(one)
    reference = series.reference(watched, verdict.version)
    before = calibration(reference.total, watched.profile) if reference else ()
    now = calibration(state, watched.profile)
    if now:
        made["calibration"] = chart_quality.calibration(now, before, since(verdict))
    matrix = confusion(state, watched.profile)
    if matrix is not None:
        made["confusion"] = chart_quality.confusion(matrix, since(verdict))
    return made


def since(verdict: Verdict) -> str:
    """Which records are meant, as `series.recent` takes them."""
    if verdict.status is Status.ALERT and verdict.since is not None:
        return f"since {str(verdict.since).partition(' to ')[0]}"
    return "of all windows"


def _name(text: str, taken: Iterable[str]) -> str:
    plain = _NOT_OF_A_NAME.sub("-", text.lower()).strip("-")[:60] or "chart"
    number, found = 1, plain
    while found in set(taken):
        number += 1
        found = f"{plain}-{number}"
    return found
