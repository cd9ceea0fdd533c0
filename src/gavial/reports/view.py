"""Everything that a report shows of a watched module, found once. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gavial.monitoring.verdict import Status, Verdict, Watched
from gavial.reports import quality, series, shifts
from gavial.reports.quality import Calibrated, Confusion
from gavial.reports.series import Timeline
from gavial.reports.shifts import Drift, Histogram


@dataclass(frozen=True)
class View:
    """What is drawn and put in tables.

    Attributes:
        verdict: that the report is about.
        when: which of its records are meant, in words: those since an alert began, or all.
        timelines: a metric each. `undrawn` counts those that are left out.
        drift, histograms: of the features.
        outputs: histograms of what a regression says, and of what came true.
        calibration, before: of those records, and at release.
        confusion: of those records.
    """

    verdict: Verdict
    when: str
    timelines: tuple[Timeline, ...]
    undrawn: int
    drift: Drift | None
    histograms: tuple[Histogram, ...]
    outputs: tuple[Histogram, ...]
    calibration: tuple[Calibrated, ...]
    before: tuple[Calibrated, ...]
    confusion: Confusion | None


def of(watched: Watched) -> View | None:
    """What there is to see; `None` where nothing was judged."""
    verdict = series.subject(watched)
    if verdict is None:
        return None
    timelines, undrawn = series.timelines(watched)
    drift, state, when = shifts.drift(verdict), series.recent(watched, verdict), _since(verdict)
    reference = series.reference(watched, verdict.version)
    return View(
        verdict,
        when,
        timelines,
        undrawn,
        drift,
        shifts.histograms(watched, verdict, drift) if drift else (),
        shifts.outputs(watched, verdict, state, when),
        quality.calibration(state, watched.profile),
        quality.calibration(reference.total, watched.profile) if reference else (),
        quality.confusion(state, watched.profile),
    )


def _since(verdict: Verdict) -> str:
    if verdict.status is Status.ALERT and verdict.since is not None:
        return f"since {verdict.since.since}"
    return "of all windows"
