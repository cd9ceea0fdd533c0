"""Drift by feature over windows, and the histograms that explain it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from gavial.reports import names, specs, theme
from gavial.reports.drawing import Drawing
from gavial.reports.series import Point
from gavial.reports.shifts import Drift, FeatureDrift, Histogram

# Where one level of drift ends and the next begins. 0.1 and 0.2 are customary for the PSI.
_STEPS: Final = (0.05, 0.1, 0.2, 0.5)


def draw(found: Drift, narrow: bool = False) -> Drawing:
    """A row a feature, a column a window; what is outside its bounds is struck through."""
    alt = specs.altair()
    rows = specs.labels((one.column for one in found.features), 18 if narrow else 32)
    cells = [
        run for name, one in zip(rows, found.features, strict=True) for run in _runs(name, one)
    ]
    begin = min(run["t"] for run in cells)
    end = max(run["end"] for run in cells)
    y = alt.Y("feature:N", sort=rows, title=None, axis=alt.Axis(ticks=False, domain=False))
    levels = [_level(at) for at in range(len(_STEPS) + 1)]
    legend = alt.Legend(
        title=names.name(found.metric).title, symbolType="square", columns=3 if narrow else 5
    )
    layers = [
        alt.Chart(specs.data(cells))
        .mark_rect()
        .encode(
            x=specs.time_axis(narrow, (begin, end)),
            x2="end:T",
            y=y,
            color=alt.Color("level:O", scale=specs.scale(levels, theme.LEVELS), legend=legend),
        )
    ]
    over = [run for run in cells if run["over"]]
    if over:
        layers += [
            alt.Chart(specs.data(over))
            .mark_rule(strokeWidth=width, color=theme.light(colour), opacity=1)
            .encode(x="t:T", x2="end:T", y=y)
            for width, colour in ((4, "paper"), (2, "alert"))
        ]
    return specs.finish(
        layers,
        f"{names.name(found.metric).title} by feature, version {found.version}",
        "the stronger, the further from the reference"
        + (" · line: outside its bound" * bool(over)),
        described(found),
        width=specs.NARROW if narrow else specs.WIDE,
        height={"step": 15 if narrow else 20},
    )


def described(found: Drift) -> str:
    """What is to be seen: the features that drifted most."""
    parts = []
    for one in found.features[:5]:
        parts.append(
            f"{one.column}: highest {names.shown(one.worst.value)} in {one.worst.window}, outside "
            f"its bound in {one.outside} of {len(one.points)} windows"
        )
    return f"{names.name(found.metric).title} by feature and window. " + "; ".join(parts) + "."


def histogram(found: Histogram) -> Drawing:
    """A column's shares by bin: filled in the window, outlined at release."""
    alt = specs.altair()
    bins = specs.labels(_short(found), 18)
    rows = [
        {"bin": name, "reference": before, "found": now}
        for name, before, now in zip(bins, found.reference, found.found, strict=True)
    ]
    title = f"{specs.label(found.column)} (lower end of a bin)" if found.numeric else None
    axis = alt.Axis(
        title=title,
        labelOverlap=False,
        labelAngle=-55 if found.numeric else 0,
        labelFontSize=9 if found.numeric and len(bins) > 14 else 11,
    )
    places = alt.Axis(title="share of records", format="%", tickCount=4)
    across, along = (alt.X, alt.Y) if found.numeric else (alt.Y, alt.X)
    bin_side, share_side = ("x", "y") if found.numeric else ("y", "x")
    base = alt.Chart(specs.data(rows)).encode(
        **{bin_side: across("bin:N", sort=bins, axis=axis, scale=alt.Scale(paddingInner=0.15))}
    )

    def bars(field: str, **style: Any) -> Any:
        side = along(f"{field}:Q", axis=places, scale=alt.Scale(zero=True))
        return base.mark_bar(opacity=1, **style).encode(**{share_side: side})

    return specs.finish(
        [
            bars("found", color=theme.light("fill")),
            bars("reference", filled=False, stroke=theme.light("ink"), strokeWidth=1.3),
        ],
        specs.label(found.column),
        f"filled: {found.when} · outlined: at release",
        explained(found),
        width=specs.NARROW,
        height=150 if found.numeric else {"step": 18},
    )


def explained(found: Histogram) -> str:
    """Where the two differ most, in words."""
    moved = sorted(
        zip(found.bins, found.reference, found.found, strict=True),
        key=lambda one: -abs(one[2] - one[1]),
    )[:3]
    parts = [f"{name} {before:.1%} at release, {now:.1%} then" for name, before, now in moved]
    return f"{found.column}, {found.when}, by share of records: {'; '.join(parts)}."


def _short(found: Histogram) -> Iterator[str]:
    """Of a bin of numbers its lower end, which is enough on an axis."""
    for name in found.bins:
        yield name.partition(" to ")[0] if found.numeric else name


def _runs(name: str, found: FeatureDrift) -> Iterator[dict[str, Any]]:
    """Windows that follow each other, of one level, as one cell."""
    known = [one for one in found.points if one.value is not None]

    def kind(point: Point) -> tuple[str, bool]:
        level = sum((point.value or 0.0) >= step for step in _STEPS)
        return _level(level), point.outside

    for (level, over), group in groupby(known, key=kind):
        run: list[Point] = []
        for point in [*group, None]:
            if run and (point is None or point.window.start > run[-1].window.end):
                yield {
                    "feature": name,
                    "t": specs.instant(run[0].window.start),
                    "end": specs.instant(run[-1].window.end),
                    "level": level,
                    "over": over,
                }
                run = []
            if point is not None:
                run.append(point)


def _level(at: int) -> str:
    if at == 0:
        return f"below {_STEPS[0]:g}"
    if at == len(_STEPS):
        return f"{_STEPS[-1]:g} or more"
    return f"{_STEPS[at - 1]:g} to {_STEPS[at]:g}"
