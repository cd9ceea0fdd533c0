"""A difference on the terminal, for `gavial diff`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gavial.cli import diff_text, output
from gavial.model.difference import SAME, Change, Difference, LearnedChange, PartChange, StageChange
from gavial.reports.plain import harmless

SHOWN = 20  # values or labels of one part
_STYLES = {"+": "green", "-": "red", "~": "yellow", "=": "dim"}
_Row = tuple[str, ...]  # a sign, and cells


def render(found: Difference, everything: bool) -> None:
    """Write what differs; with `everything` also what is the same, and all values."""
    output.heading(f"{harmless(found.before)} → {harmless(found.after)}")
    for name, changes in found.sections.items():
        _section(name.capitalize(), _changes(name, changes, everything))
    stages = list(_stages(found.stages, everything))
    if stages:
        output.line()
        output.heading("Stages")
        for indent, rows in stages:
            _rows(rows, indent)
    _section("Files", _sizes(found.sizes, everything))
    if not found.differs:
        output.note("no difference" + ("" if found.sizes else ", as far as files tell"))


def _section(title: str, rows: Sequence[_Row]) -> None:
    if rows:
        output.line()
        output.heading(title)
        _rows(rows, 1)


def _rows(rows: Sequence[_Row], indent: int) -> None:
    texts = output.aligned([[harmless(cell) for cell in row] for row in rows])
    for row, text in zip(rows, texts, strict=True):
        output.styled("  " * indent + text, _STYLES.get(row[0], ""))


def _changes(section: str, changes: Iterable[Change], everything: bool) -> list[_Row]:
    return [
        (
            diff_text.SIGNS[one.status],
            one.name,
            _arrow(*diff_text.sides(section, one)),
            diff_text.by_how_much(one),
        )
        for one in changes
        if one.differs or everything
    ]


def _sizes(changes: Iterable[Change], everything: bool) -> list[_Row]:
    return [
        (
            diff_text.SIGNS[one.status],
            one.name,
            _arrow(*diff_text.sizes(one.before, one.after)),
        )
        for one in changes
        if one.differs or everything
    ]


def _arrow(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _stages(
    stages: Sequence[StageChange], everything: bool, indent: int = 1
) -> Iterator[tuple[int, list[_Row]]]:
    """Blocks of rows, each with its indent. Stages that are the same come as a number."""
    same = 0
    for one in stages:
        if one.status == SAME and not everything:
            same += 1
            continue
        yield from _unchanged(same, indent)
        same = 0
        yield indent, [(diff_text.SIGNS[one.status], diff_text.stage_title(one))]
        parameters: list[_Row] = [
            (
                diff_text.SIGNS[change.status],
                change.name,
                _arrow(*diff_text.parameter_sides(change)),
                diff_text.by_how_much(change),
            )
            for change in one.parameters
            if everything or (change.differs and one.place_before and one.place_after)
        ]
        if parameters:
            yield indent + 2, parameters
        if one.learned is not None:
            yield from _learned(one.learned, everything, indent + 2)
        yield from _stages(one.stages, everything, indent + 2)
    yield from _unchanged(same, indent)


def _unchanged(count: int, indent: int) -> Iterator[tuple[int, list[_Row]]]:
    if count:
        yield indent, [("=", f"{count} stage{'s' * (count > 1)} as before")]


def _learned(
    learned: LearnedChange, everything: bool, indent: int
) -> Iterator[tuple[int, list[_Row]]]:
    if learned.status == SAME and not everything:
        return
    sign = diff_text.SIGNS[learned.status]
    title = f"what it learnt: {diff_text.learned_title(learned)}"
    if learned.unread:
        title += f", other files; not compared by value: {learned.unread}"
    yield indent, [(sign, title)]
    for part in learned.parts:
        if part.status == SAME and not everything:
            continue
        yield indent + 1, [(diff_text.SIGNS[part.status], part.name, diff_text.part_title(part))]
        rows = _values(part)
        shown = rows if everything else rows[:SHOWN]
        if shown:
            yield indent + 2, shown
        if len(shown) < len(rows):
            rest = f"… {len(rows) - len(shown)} more: --all, or --json"
            yield indent + 2, [(" ", rest)]


def _values(part: PartChange) -> list[_Row]:
    labels: list[_Row] = [
        (diff_text.SIGNS[status], label, _arrow(before, after))
        for status, label, before, after in diff_text.label_rows(part)
    ]
    return labels or [
        (
            diff_text.SIGNS[one.status],
            one.name,
            _arrow(*diff_text.sides("", one)),
            diff_text.by_how_much(one),
        )
        for one in diff_text.largest_first(part.values, SHOWN)
    ]
