"""A summary for a terminal: plain lines, and a line of blocks a metric. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from gavial.monitoring.comparison import Comparison
from gavial.monitoring.verdict import Status, Watched
from gavial.reports import names, series, words
from gavial.reports.plain import harmless

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 40  # windows in a line; of more, the newest


def sparkline(values: Sequence[float | None], width: int = _WIDTH) -> str:
    """Values as blocks, from the lowest to the highest; a gap is `·`.

    >>> sparkline([0.0, 0.5, None, 1.0])
    '▁▅·█'
    """
    shown = values[-width:]
    known = [one for one in shown if one is not None and one == one]
    if not known:
        return "·" * len(shown)
    low, spread = min(known), max(known) - min(known)

    def block(value: float) -> str:
        at = (value - low) / spread if spread else 0.5
        return _BLOCKS[min(7, int(at * 8))]

    return "".join("·" if one is None or one != one else block(one) for one in shown)


def timelines(watched: Watched, width: int = _WIDTH) -> list[tuple[str, ...]]:
    """A row a metric and version: metric, version, blocks, first and last value, and a line below
    it that has `×` under each window outside its bounds, where there is one.

    Args:
        width: windows in a line; of more, the newest.
    """
    rows: list[tuple[str, ...]] = []
    for found in series.timelines(watched)[0]:
        for line in found.lines:
            points = line.points[-width:]
            if not points:
                continue
            values = [one.value for one in points]
            ends = f"{names.shown(values[0])} → {names.shown(values[-1])}"
            rows.append(
                (harmless(found.title), harmless(line.version), sparkline(values, width), ends)
            )
            broken = "".join(" ×"[one.status is Status.ALERT] for one in points)
            if broken.strip():
                rows.append(("", "", broken.rstrip(), "× outside its bounds"))
    return rows


def summary(watched: Watched, width: int = _WIDTH) -> list[str]:
    """What a report says at its top, in lines that a terminal only shows.

    Args:
        width: windows in a line of blocks; of more, the newest.
    """
    verdict = series.subject(watched)
    if verdict is None:
        return ["There is nothing to tell yet: no records were counted."]
    lines = [f"{words.SIGNS[verdict.status]} {words.headline(verdict)}"]
    lines += [f"  {one}" for one in verdict.reasons]
    lines += ["", *_aligned(timelines(watched, width)), ""]
    lines += [f"next: {one}" for one in words.next_steps(verdict)]
    return [harmless(one) for one in lines]


def compared(found: Comparison) -> list[str]:
    """The same of a comparison."""
    lines = [f"{words.OUTCOME_SIGNS[found.outcome]} {words.outcome(found)}"]
    lines += [f"  {one}" for one in (*words.proof(found), *found.reasons)]
    if found.looks:
        blocks = sparkline([one.difference for one in found.looks])
        lines += ["", f"difference by look  {blocks}  last {found.looks[-1].difference:.3g}", ""]
    lines += [f"next: {one}" for one in words.comparison_steps(found)]
    return [harmless(one) for one in lines]


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
