"""What a notebook shows of a value: a small piece of HTML, drawn without any library. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gavial.monitoring.verdict import Status, Watched
from gavial.reports import names, series, words
from gavial.reports.html import text
from gavial.reports.series import Line, Timeline

_WIDTH, _HEIGHT = 160, 28  # pixels of a sparkline
_ROWS: Final = 12
_REASONS: Final = 5
# Of text and background as the notebook has them: it may be light or dark.
_COLOURS: Final = {"alert": "#d1433a", "ok": "#2f9e63", "unknown": "#b98a1a"}


def fragment(watched: Watched) -> str:
    """HTML of a watched module for `_repr_html_`; everything from outside is escaped."""
    return "\n".join(_watched(watched))


def _watched(watched: Watched) -> Iterator[str]:
    verdict = series.subject(watched)
    if verdict is None:
        yield f"<div>{text(watched.module)}: no records were counted.</div>"
        return
    kind = {Status.OK: "ok", Status.ALERT: "alert"}.get(verdict.status, "unknown")
    yield from _head(
        kind, f"{words.SIGNS[verdict.status]} {words.headline(verdict)}", words.reasons(verdict)
    )
    lines = [(found, line) for found in series.timelines(watched)[0] for line in found.lines]
    lines = [(found, line) for found, line in lines if line.points]
    yield from _table(
        ("metric", "version", "over time", "first", "last", "allowed"),
        (_line(found, line) for found, line in lines[:_ROWS]),
        len(lines) - _ROWS,
    )
    yield "</div>"


def _line(found: Timeline, line: Line) -> tuple[str, ...]:
    values = [one.value for one in line.points]
    broken = [one.outside for one in line.points]
    known = [one for one in line.points if one.value is not None] or line.points
    last = known[-1]  # labels of later windows may be still to come
    bounds = [
        f"≥ {names.number(last.low)}" if last.low is not None else "",
        f"≤ {names.number(last.high)}" if last.high is not None else "",
    ]
    return (
        text(found.title),
        text(line.version),
        _spark(values, broken),
        text(names.shown(known[0].value)),
        text(names.shown(last.value)),
        text(", ".join(filter(None, bounds))),
    )


def _head(kind: str, headline: str, reasons: Sequence[str]) -> Iterator[str]:
    colour = _COLOURS[kind]
    yield f'<div style="border-left:.35em solid {colour};padding-left:.8em">'
    yield f"<p><b>{text(headline)}</b></p>"
    if reasons:
        listed = "".join(f"<li>{text(one)}</li>" for one in reasons[:_REASONS])
        yield f"<ul>{listed}</ul>"
        if len(reasons) > _REASONS:
            yield f"<p>{len(reasons) - _REASONS} more reasons.</p>"


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]], left_out: int) -> Iterator[str]:
    yield "<table><thead><tr>"
    yield "".join(f'<th scope="col">{text(one)}</th>' for one in headers)
    yield "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</tbody></table>"
    if left_out > 0:
        yield f"<p>{left_out} more rows were left out.</p>"


def _spark(values: Sequence[float | None], broken: Sequence[bool]) -> str:
    """A line, with a ring at each value that is outside its bounds. At most 100 values."""
    values, broken = values[-100:], broken[-100:]
    known = [one for one in values if one is not None]
    if not known:
        return "–"
    low, spread = min(known), (max(known) - min(known)) or 1.0
    step = (_WIDTH - 8) / max(1, len(values) - 1)
    pieces, rings, pen = [], [], "M"
    for at, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x, y = 4 + at * step, 4 + (_HEIGHT - 8) * (1 - (value - low) / spread)
        pieces.append(f"{pen}{x:.1f},{y:.1f}")
        pen = "L"
        if broken[at]:
            rings.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" stroke="#d1433a"/>')
    label = f"from {names.shown(known[0])} to {names.shown(known[-1])}"
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{text(label)}" fill="none" stroke="currentColor" stroke-width="1.5">'
        f'<path d="{"".join(pieces)}"/>{"".join(rings)}</svg>'
    )
