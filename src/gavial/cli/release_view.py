"""A release as a page of text or of HTML, for `gavial show`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gavial.cli import card_view, output
from gavial.cli.schema_view import fields
from gavial.reports import html
from gavial.reports.plain import harmless, harmless_lines, human_size

if TYPE_CHECKING:
    from gavial.model.card import Card
    from gavial.registry.release import Release

_INDENT = "  "


def render(release: Release, repository: str | None) -> None:
    """Write the page. `repository` is what the caller named it, for the lines to copy."""
    card = release.card
    output.heading(str(release.coordinate))
    _lines(card.description, "")
    _section("", card_view.facts(release))
    for title, text in (("Intended use", card.intended_use), ("Limits", card.limits)):
        if text:
            _title(title)
            _lines(text, _INDENT)
    _section("Metrics", card_view.metrics(card))
    _section("Measured on", card_view.data(card.metrics_on))
    _section("Training data", card_view.data(card.training_data))
    _section("Further facts", [(k, card_view.plain(v)) for k, v in card.fields.items()])
    _section("Environment", list(card.environment.items()))
    _columns(card)
    _changes(card)
    _stages(card)
    _section("Files", [(one.name, human_size(one.size), one.sha256) for one in release.files])
    _title("Use")
    for text in usage(str(release.coordinate), repository):
        output.line(_INDENT + harmless(text))


def page(release: Release, repository: str | None) -> str:
    """The same as HTML, one file to hand to somebody."""
    lines = usage(str(release.coordinate), repository)
    return html.render("release.html", str(release.coordinate), page=card_view.page(release, lines))


def usage(coordinate: str, repository: str | None) -> list[str]:
    """Lines to copy: for a shell, and for Python."""
    option = f" --repository {shlex.quote(repository)}" if repository else ""
    argument = f", repository={json.dumps(repository, ensure_ascii=False)}" if repository else ""
    return [
        f"gavial run {coordinate}{option} -- pyspark",
        f'eval pyspark "$(gavial spark-conf {coordinate}{option})"',
        f'gavial.resolve("{coordinate}"{argument})',
    ]


def _columns(card: Card) -> None:
    """What the pipeline needs and makes; of an older card the schemas of its example."""
    if card.inputs is None or card.outputs is None:
        _section("Input", fields(card.input_schema))
        _section("Output", fields(card.output_schema))
        return
    _section("Needs", card_view.column_lines(card.inputs["columns"]))
    _section("Not known", [(text,) for text in card_view.unknown(card)])
    _section("Makes", card_view.column_lines(card.outputs["columns"]))
    if not card.outputs["passes"]:
        output.line(_INDENT + "other columns of a record are not kept")


def _changes(card: Card) -> None:
    found = card_view.replaces(card)
    if found is None:
        return
    _title(f"Changes since {harmless(found['coordinate'])}")
    if found["why"]:
        output.line(_INDENT + harmless(f"not compared: {found['why']}"))
    if found["same"]:
        output.line(_INDENT + "none of stages, parameters and columns")
    for text in (text for _, texts in found["changes"] for text in texts):
        output.line(_INDENT + harmless(text))
    if found["refused"]:
        output.line(_INDENT + harmless(f"released all the same, because: {found['allowed']}"))


def _lines(text: str, indent: str) -> None:
    for one in harmless_lines(text):
        output.line(indent + one)


def _title(title: str) -> None:
    output.line()
    output.heading(title)


def _section(title: str, rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    if title:
        _title(title)
    else:
        output.line()
    for text in output.aligned([[harmless(cell) for cell in row] for row in rows]):
        output.line((_INDENT if title else "") + text)


def _stages(card: Card) -> None:
    if not card.pipeline:
        return
    _title("Stages")
    for text in _described(card.pipeline, ""):
        output.line(_INDENT + text)


def _described(stages: Any, above: str) -> Iterator[str]:
    for at, stage in enumerate(stages, 1):
        number = f"{above}{at}"
        yield f"{number}  {harmless(stage.get('class', 'of no class'))}"
        explicit = stage.get("parameters")
        rows = explicit.items() if isinstance(explicit, Mapping) else ()
        shown = [[harmless(name), harmless(card_view.plain(value))] for name, value in rows]
        for text in output.aligned(shown):
            yield " " * (len(number) + 2) + text
        inner = stage.get("stages")
        if isinstance(inner, list) and all(isinstance(one, Mapping) for one in inner):
            yield from _described(inner, f"{number}.")
