"""A summary for a terminal: plain lines, and a line of blocks a metric. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gavial.monitoring.comparison import Comparison
from gavial.monitoring.verdict import Watched
from gavial.monitoring.windows import Window
from gavial.reports import names, series, words
from gavial.reports.plain import harmless
from gavial.reports.series import Point

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 40  # windows in a line; of more, the newest


def sparkline(
    values: Sequence[float | None], low: float | None = None, high: float | None = None
) -> str:
    """Values as blocks; a gap is `·`.

    Args:
        low, high: of the lowest and the highest block; by themselves those of the values.

    >>> sparkline([0.0, 0.5, None, 1.0])
    '▁▅·█'
    """
    known = [one for one in values if one is not None]
    bottom = min(known, default=0.0) if low is None else low
    spread = (max(known, default=0.0) if high is None else high) - bottom

    def block(value: float) -> str:
        at = (value - bottom) / spread if spread else 0.5
        return _BLOCKS[max(0, min(7, int(at * 8)))]

    return "".join("·" if one is None else block(one) for one in values)


def timelines(watched: Watched, width: int = _WIDTH) -> list[tuple[str, ...]]:
    """A row a metric and version: metric, version, blocks, first and last known value; and a row
    below it with `×` under each window outside its bounds, where there is one. The versions of a
    metric have one scale, and what is of one window is one below the other.

    Args:
        width: windows in a line; of more, the newest.
    """
    rows: list[tuple[str, ...]] = []
    drawn = series.timelines(watched)[0]
    every = (one.window for found in drawn for line in found.lines for one in line.points)
    windows = sorted(set(every))[-width:]
    for found in drawn:
        values = [
            point.value
            for line in found.lines
            for point in line.points
            if point.value is not None and point.window in windows
        ]
        values += [0.0] * names.from_zero(found.metric)
        for line in found.lines:
            points = {one.window: one for one in line.points if one.window in windows}
            if points:
                rows += _rows(found.title, line.version, windows, points, values)
    return rows


def _rows(
    title: str,
    version: str,
    windows: Sequence[Window],
    points: Mapping[Window, Point],
    every: Sequence[float],
) -> Iterator[tuple[str, ...]]:
    low, high = min(every, default=0.0), max(every, default=0.0)
    blocks = "".join(
        sparkline([points[one].value], low, high) if one in points else " " for one in windows
    )
    known = [one.value for one in points.values() if one.value is not None]
    first, last = (known[0], known[-1]) if known else (None, None)
    ends = f"{names.shown(first)} → {names.shown(last)}"
    yield harmless(title), harmless(version), blocks, ends
    broken = "".join(" ×"[one in points and points[one].outside] for one in windows)
    if broken.strip():
        yield "", "", broken, "× outside its bounds"


def summary(watched: Watched, width: int = _WIDTH) -> list[str]:
    """What a report says at its top, in lines that a terminal only shows.

    Args:
        width: windows in a line of blocks; of more, the newest.
    """
    verdict = series.subject(watched)
    if verdict is None:
        return ["There is nothing to tell yet: no records were counted."]
    lines = [f"{words.SIGNS[verdict.status]} {words.headline(verdict)}"]
    lines += [f"  {one}" for one in words.reasons(verdict)]
    lines += ["", *_aligned(timelines(watched, width)), ""]
    lines += [f"next: {one}" for one in words.next_steps(verdict)]
    return [harmless(one) for one in lines]


def compared(found: Comparison) -> list[str]:
    """The same of a comparison."""
    lines = [f"{words.OUTCOME_SIGNS[found.outcome]} {words.outcome(found)}"]
    lines += [f"  {one}" for one in (*words.proof(found), *found.reasons)]
    if found.looks:
        blocks = sparkline([one.difference for one in found.looks])
        lines += [
            "",
            f"difference by look  {blocks}  last {names.number(found.looks[-1].difference, 3)}",
            "",
        ]
    lines += [f"next: {one}" for one in words.comparison_steps(found)]
    return [harmless(one) for one in lines]


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
