"""A difference side by side, as a page to hand to somebody: `gavial diff A B --html FILE`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gavial.cli import diff_text
from gavial.model.difference import (
    ADDED,
    CHANGED,
    REMOVED,
    SAME,
    Difference,
    LearnedChange,
    PartChange,
    StageChange,
)
from gavial.reports import html
from gavial.reports.html import text

SHOWN = 500  # values or labels of one part
_Row = tuple[str, str, str, str, str]  # status, name, before, after, by how much


def render(found: Difference) -> str:
    """The page."""
    title = f"{found.before} → {found.after}"
    return html.render("diff.html", title, "diff.css", body=html.markup(_body(found)))


def _body(found: Difference) -> Iterator[str]:
    if not found.differs:
        yield "<p>No difference.</p>"
    yield from _counts(found.stages)
    for name, changes in found.sections.items():
        rows = [
            (
                one.status,
                one.name,
                *diff_text.sides(name, one),
                diff_text.by_how_much(one),
            )
            for one in changes
        ]
        if any(row[0] != SAME for row in rows):
            yield f"<h2>{text(name.capitalize())}</h2>"
            yield from _table(found, rows)
    if found.stages:
        yield "<h2>Stages</h2>"
        yield from _stages(found, found.stages)
    if any(one.differs for one in found.sizes):
        yield "<h2>Files</h2>"
        rows = [
            (one.status, one.name, *diff_text.sizes(one.before, one.after), "")
            for one in found.sizes
        ]
        yield from _table(found, rows)


def _counts(stages: Sequence[StageChange]) -> Iterator[str]:
    numbers = {
        status: sum(one.status == status for one in stages)
        for status in (ADDED, REMOVED, CHANGED, SAME)
    }
    yield '<ul class="counts" aria-label="Stages">'
    for status, number in numbers.items():
        if number:
            yield f'<li><span class="tag {status}">{number} {_word(status)}</span></li>'
    yield "</ul>"


def _word(status: str) -> str:
    return "as before" if status == SAME else status


def _table(found: Difference, rows: Iterable[_Row]) -> Iterator[str]:
    yield "<table><thead><tr><th>name</th>"
    yield f"<th>{text(found.before)}</th><th>{text(found.after)}</th><th></th></tr></thead><tbody>"
    for status, name, before, after, distance in rows:
        sign = diff_text.SIGNS[status]
        yield (
            f'<tr class="{status}"><td><span title="{status}">{sign}</span> {text(name)}</td>'
            f'<td data-label="before"><code>{text(before)}</code></td>'
            f'<td data-label="after"><code>{text(after)}</code></td><td>{text(distance)}</td></tr>'
        )
    yield "</tbody></table>"


def _stages(found: Difference, stages: Sequence[StageChange]) -> Iterator[str]:
    for one in stages:
        opened = "" if one.status == SAME else " open"
        yield (
            f'<details{opened}><summary><span class="tag {one.status}">{_word(one.status)}</span>'
            f"{text(diff_text.stage_title(one))}</summary><div>"
        )
        yield f'<p class="quiet"><code>{text(one.class_name)}</code></p>'
        rows = [
            (
                change.status,
                change.name,
                *diff_text.parameter_sides(change),
                diff_text.by_how_much(change),
            )
            for change in one.parameters
        ]
        differ = [row for row in rows if row[0] != SAME]
        if differ:
            yield "<h3>Parameters</h3>"
            yield from _table(found, differ)
        if len(differ) < len(rows):
            count = len(rows) - len(differ)
            plural = "s" * (count > 1)
            yield f"<details><summary>{count} parameter{plural} as before</summary><div>"
            yield from _table(found, [row for row in rows if row[0] == SAME])
            yield "</div></details>"
        if one.learned is not None:
            yield from _learned(found, one.learned)
        yield from _stages(found, one.stages)
        yield "</div></details>"


def _learned(found: Difference, learned: LearnedChange) -> Iterator[str]:
    size = text(diff_text.learned_title(learned))
    yield f'<h3>What it learnt <span class="quiet">{size}, {_word(learned.status)}</span></h3>'
    if learned.unread:
        yield f"<p>Its files differ. Not compared by value: {text(learned.unread)}</p>"
    for part in learned.parts:
        if part.status == SAME:
            continue
        title = text(diff_text.part_title(part))
        yield f'<p>{text(part.name)} <span class="quiet">{title}</span></p>'
        rows = _rows(part)
        if rows:
            yield from _table(found, rows[:SHOWN])
        if len(rows) > SHOWN:
            yield f'<p class="quiet">… {len(rows) - SHOWN} more, in --json.</p>'


def _rows(part: PartChange) -> list[_Row]:
    labels = [(*row, "") for row in diff_text.label_rows(part)]
    return labels or [
        (one.status, one.name, *diff_text.sides("", one), diff_text.by_how_much(one))
        for one in diff_text.largest_first(part.values, SHOWN)
    ]
