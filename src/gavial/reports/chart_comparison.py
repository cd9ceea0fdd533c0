"""A challenger's loss less the champion's, look by look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gavial.monitoring.comparison import Comparison, Look
from gavial.reports import names, specs, theme
from gavial.reports.drawing import Drawing


def draw(found: Comparison, narrow: bool = False) -> Drawing:
    """The difference with its always-valid interval, the margin, and zero."""
    alt = specs.altair()
    low, high = _domain(found)
    reach = high - low  # an interval may be endless at first: it ends outside of what is seen
    rows = [
        {
            "n": one.n,
            "v": one.difference,
            "from": max(one.low, low - reach),
            "to": min(one.high, high + reach),
        }
        for one in found.looks
    ]
    for row, one in zip(rows, found.looks, strict=True):
        row["t"] = specs.instant(one.window.end) if one.window else one.n
    x = _across(found.looks, narrow)
    loss = names.name(found.loss).title.lower()
    scale = alt.Scale(domain=[low, high], nice=False)
    axis = alt.Axis(title=f"difference in {loss}", tickCount=6)

    def y(field: str = "v") -> Any:
        return alt.Y(f"{field}:Q", scale=scale, axis=axis)

    base = alt.Chart(specs.data(rows)).encode(x=x)
    lines = [
        {"v": 0.0, "what": "zero"},
        *({"v": one, "what": "margin"} for one in (-found.margin, found.margin) if one),
    ]
    layers = [
        alt.Chart(specs.data([{"v": -found.margin, "to": found.margin}]))
        .mark_rect(color=theme.light("band"), opacity=1)
        .encode(y=y(), y2="to:Q"),
        base.mark_area(color=theme.SERIES[0], opacity=0.22, clip=True).encode(
            y=y("from"), y2="to:Q"
        ),
        *(
            alt.Chart(specs.data([one for one in lines if one["what"] == what]))
            .mark_rule(color=theme.light(colour), strokeDash=dash, strokeWidth=1.2)
            .encode(y=y())
            for what, colour, dash in (("margin", "bound", [4, 4]), ("zero", "ink", [1, 0]))
        ),
        *(
            base.mark_line(color=theme.SERIES[0], strokeWidth=width, clip=True).encode(y=y(field))
            for field, width in (("from", 1), ("to", 1), ("v", 2.2))
        ),
        alt.Chart(specs.data(rows[-1:]))
        .mark_point(filled=True, size=60, color=theme.SERIES[0], opacity=1)
        .encode(x=x, y=y()),
    ]
    return specs.finish(
        layers,
        f"{found.challenger} less {found.champion}" + (f", {found.segment}" * bool(found.segment)),
        "below 0 the challenger is better · " + reading(found),
        described(found),
        width=specs.NARROW if narrow else specs.WIDE,
        height=190 if narrow else 230,
    )


def reading(found: Comparison) -> str:
    """How the chart is read."""
    return (
        f"pale band: holds the true difference at every look at once with {1 - found.alpha:.4g} "
        "confidence · grey band: a difference not worth having"
    )


def described(found: Comparison) -> str:
    """What is to be seen at the last look."""
    last = found.looks[-1]
    return (
        f"Mean {names.name(found.loss).title.lower()} of {found.challenger} less that of "
        f"{found.champion} over {len(found.looks)} looks. At the last, over {names.count(last.n)} "
        f"records: {names.number(last.difference)}, between {names.number(last.low)} and "
        f"{names.number(last.high)}. The margin is {found.margin:g}. Verdict: {found.outcome}."
    )


def _across(looks: Sequence[Look], narrow: bool) -> Any:
    alt = specs.altair()
    if any(one.window is None for one in looks):
        ticks = 4 if narrow else 8
        return alt.X("n:Q", axis=alt.Axis(title="records", tickCount=ticks, grid=False))
    ends = [specs.instant(one.window.end) for one in looks if one.window]
    return specs.time_axis(narrow, (ends[0], max(ends[-1], ends[0] + 1)))


def _domain(found: Comparison) -> tuple[float, float]:
    """What is worth seeing: the first intervals may be a hundred times as wide as the last."""
    half = found.looks[len(found.looks) // 3 :]
    values = [0.0, found.margin, -found.margin]
    values += [one.difference for one in found.looks]
    values += [side for one in half for side in (one.low, one.high)]
    finite = [one for one in values if one == one and abs(one) != float("inf")]
    low, high = min(finite), max(finite)
    space = (high - low) * 0.06 or 1.0
    return low - space, high + space
