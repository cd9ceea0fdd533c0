"""A metric over time: a line a version, bounds, alerts, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from gavial.reports import names, specs, theme
from gavial.reports.drawing import Drawing
from gavial.reports.series import Line, Point, Timeline

_POINTS: Final = 160  # with more of them, lines are drawn without
_CROSS: Final = "M-.8,-.8L.8,.8M-.8,.8L.8,-.8"


def draw(found: Timeline, narrow: bool = False) -> Drawing:
    """The chart of one metric."""
    lines = [one for one in found.lines if one.points]
    versions = specs.labels((one.version for one in lines), 11 if narrow else 16)
    points = [point for line in lines for point in line.points]
    low, high = _domain(points, names.from_zero(found.metric))
    begin = min((one.window.start for one in points), default=None)
    end = max((one.window.end for one in points), default=None)
    if begin is None or end is None:
        raise ValueError("a timeline without points")
    x = specs.time_axis(narrow, (specs.instant(begin), specs.instant(end)))
    y = _axis(found, low, high)
    rows = list(_rows(lines, versions))
    layers = [
        *_alerts(found),
        *_bounds(lines),
        *_lines(rows, versions, x, y, 3 if narrow else 6),
        *_crosses(rows, len(points)),
        *_events(found, specs.instant(begin), specs.instant(end)),
    ]
    better = names.name(found.metric).better
    return specs.finish(
        layers,
        found.title,
        " · ".join(filter(None, [better, *reading(found)])),
        described(found),
        width=specs.NARROW if narrow else specs.WIDE,
        height=150 if narrow else 190,
    )


def reading(found: Timeline) -> list[str]:
    """How the chart is read, as far as it has such things."""
    points = [point for line in found.lines for point in line.points]
    return [
        text
        for there, text in (
            (any(one.low is not None or one.high is not None for one in points), "dashes: bounds"),
            (any(one.outside for one in points), "×: outside its bounds"),
            (bool(found.alerts), "shading: an alert, by this or several windows"),
        )
        if there
    ]


def described(found: Timeline) -> str:
    """What is to be seen, in a sentence a version."""
    sentences = []
    for line in found.lines:
        known = [one for one in line.points if one.value is not None]
        if not known:
            sentences.append(f"Version {line.version}: no value in any window.")
            continue
        values = [one.value or 0.0 for one in known]
        broken = sum(one.outside for one in known)
        sentences.append(
            f"Version {line.version}: from {names.shown(values[0])} to {names.shown(values[-1])} "
            f"over {len(known)} windows, lowest {names.shown(min(values))}, highest "
            f"{names.shown(max(values))}; outside its bounds in {broken}."
        )
    return f"{found.title} over time. " + " ".join(sentences)


def _rows(lines: Iterable[Line], versions: list[str]) -> Iterator[dict[str, Any]]:
    for line, version in zip(lines, versions, strict=True):
        for at, one in enumerate(line.points):
            before = at > 0 and line.points[at - 1].outside
            yield {
                "t": specs.instant(one.window.start + (one.window.end - one.window.start) / 2),
                "v": one.value,
                "version": version,
                "outside": one.outside,
                "first": one.outside and not before,
            }


def _domain(points: Iterable[Point], from_zero: bool) -> tuple[float, float]:
    values = [
        one for point in points for one in (point.value, point.low, point.high) if one is not None
    ]
    values += [0.0] * from_zero
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = (high - low) * 0.08 or abs(high) * 0.05 or 1.0
    return (0.0 if 0 <= low < margin * 2 else low - margin), high + margin


def _axis(found: Timeline, low: float, high: float) -> Callable[[str], Any]:
    alt = specs.altair()
    name = names.name(found.metric)
    title = name.title + (f" ({name.unit})" if name.unit and name.unit != "records" else "")
    scale = alt.Scale(domain=[low, high], zero=False, nice=True)
    axis = alt.Axis(title=title, tickCount=5)
    return lambda field: alt.Y(f"{field}:Q", scale=scale, axis=axis)


def _lines(
    rows: specs.Rows, versions: list[str], x: Any, y: Callable[[str], Any], columns: int
) -> Iterator[Any]:
    alt = specs.altair()
    many = len(rows) > _POINTS
    legend = alt.Legend(title="version", offset=18, columns=columns) if len(versions) > 1 else None
    colour = alt.Color("version:N", scale=specs.scale(versions, theme.SERIES), legend=legend)
    shape = alt.Shape("version:N", scale=specs.scale(versions, theme.SHAPES), legend=legend)
    base = alt.Chart(specs.data(rows)).encode(x=x, color=colour)
    # A layer each: a legend would draw the border of its symbols in the dashes of a channel.
    for version, dash in zip(versions, theme.DASHES, strict=False):
        own = specs.data(row for row in rows if row["version"] == version)
        yield base.mark_line(strokeWidth=2, strokeDash=dash).encode(y=y("v")).properties(data=own)
    alone = [row for row in rows if row["v"] is not None and not row["outside"]]
    yield (
        alt.Chart(specs.data(alone))
        .mark_point(filled=True, size=30, opacity=0 if many else 1)
        .encode(x=x, y=y("v"), color=colour, shape=shape)
    )


def _alerts(found: Timeline) -> Iterator[Any]:
    """Shading; windows that follow each other are one."""
    runs: list[list[int]] = []
    for one in found.alerts:
        start, end = specs.instant(one.start), specs.instant(one.end)
        if runs and start <= runs[-1][1]:
            runs[-1][1] = max(end, runs[-1][1])
        else:
            runs.append([start, end])
    if runs:
        rows = [{"t": start, "end": end} for start, end in runs]
        yield (
            specs.altair()
            .Chart(specs.data(rows))
            .mark_rect(color=theme.light("alert-back"), opacity=1)
            .encode(x="t:T", x2="end:T")
        )


def _bounds(lines: Iterable[Line]) -> Iterator[Any]:
    """The bounds of each version, which move as windows have more records or fewer."""
    rows: specs.Rows = []
    drawn: set[tuple[float | None, ...]] = set()
    for at, line in enumerate(lines):
        for side in ("low", "high"):
            held = [getattr(one, side) for one in line.points]
            if all(one is None for one in held) or tuple(held) in drawn:
                continue
            drawn.add(tuple(held))
            for one, bound in zip(line.points, held, strict=True):
                ends = one.window.start, one.window.end
                rows += [{"t": specs.instant(t), "v": bound, "of": f"{at}{side}"} for t in ends]
    if rows:
        yield (
            specs.altair()
            .Chart(specs.data(rows))
            .mark_line(color=theme.light("bound"), strokeDash=[4, 4], strokeWidth=1.2)
            .encode(x="t:T", y="v:Q", detail="of:N")
        )


def _crosses(rows: specs.Rows, points: int) -> Iterator[Any]:
    which = "first" if points > _POINTS else "outside"
    crossed = [row for row in rows if row[which] and row["v"] is not None]
    if crossed:
        yield (
            specs.altair()
            .Chart(specs.data(crossed))
            .mark_point(
                shape=_CROSS,
                size=60,
                filled=False,
                stroke=theme.light("alert"),
                strokeWidth=2,
                opacity=1,
            )
            .encode(x="t:T", y="v:Q")
        )


def _events(found: Timeline, begin: int, end: int) -> Iterator[Any]:
    alt = specs.altair()
    rows = [
        {"t": specs.instant(one.marks[0].when), "letter": one.letter}
        for one in found.events
        if begin <= specs.instant(one.marks[0].when) <= end
    ]
    if rows:
        base = alt.Chart(specs.data(rows)).encode(x="t:T")
        ink = theme.light("ink")
        yield base.mark_rule(color=ink, strokeWidth=1)
        yield base.mark_text(dy=-6, fontWeight=600, fontSize=11, color=ink).encode(
            y=alt.value(0), text="letter:N"
        )
