"""Charts of what was watched and compared: Altair describes them, `drawing` draws them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gavial.monitoring.comparison import Comparison
from gavial.monitoring.verdict import Watched
from gavial.reports import chart_comparison, chart_drift, chart_quality, chart_timeline, view
from gavial.reports.drawing import Drawing
from gavial.reports.view import View

__all__ = ["Drawing", "compared", "drawings"]

_NOT_OF_A_NAME: Final = re.compile(r"[^a-z0-9]+")


def drawings(watched: Watched, *, narrow: bool = False) -> Mapping[str, Drawing]:
    """Each chart of a watched module, by a name that a file may have.

    Args:
        narrow: for a phone: 330 pixels wide, not 760.

    Raises:
        ConfigurationError: Altair is not installed.
    """
    found = view.of(watched)
    return draw(found, narrow=narrow) if found else {}


def draw(found: View, *, narrow: bool = False) -> dict[str, Drawing]:
    """The charts of what was found; as `drawings`."""
    made: dict[str, Drawing] = {}
    for timeline in found.timelines:
        made[_name(f"timeline-{timeline.metric}", made)] = chart_timeline.draw(timeline, narrow)
    if found.drift is not None:
        made["drift"] = chart_drift.draw(found.drift, narrow)
    for kind, several in (("histogram", found.histograms), ("output", found.outputs)):
        for at, one in enumerate(several, 1):
            made[f"{kind}-{at}"] = chart_drift.histogram(one)
    if found.calibration:
        made["calibration"] = chart_quality.calibration(found.calibration, found.before, found.when)
    if found.confusion is not None:
        made["confusion"] = chart_quality.confusion(found.confusion, found.when)
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


def _name(text: str, taken: Iterable[str]) -> str:
    plain = _NOT_OF_A_NAME.sub("-", text.lower()).strip("-")[:60] or "chart"
    number, found = 1, plain
    while found in set(taken):
        number += 1
        found = f"{plain}-{number}"
    return found
