"""A release as a page of text, for `gavial show`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gavial.cli import output
from gavial.cli.schema_view import fields
from gavial.cli.text import harmless, harmless_lines, human_size

if TYPE_CHECKING:
    from gavial.model.card import Card
    from gavial.registry.release import Release

_INDENT = "  "


def render(release: Release, repository: str | None) -> None:
    """Write the page. `repository` is what the caller named it, for the lines to copy."""
    output.heading(str(release.coordinate))
    for text in harmless_lines(release.card.description):
        output.line(text)
    _section("", _facts(release))
    _section("Metrics", [(name, f"{value:g}") for name, value in release.card.metrics.items()])
    _section("Environment", list(release.card.environment.items()))
    _section("Input", fields(release.card.input_schema))
    _section("Output", fields(release.card.output_schema))
    _stages(release.card)
    _section("Files", [(one.name, human_size(one.size), one.sha256) for one in release.files])
    output.line()
    output.heading("Use")
    for text in usage(str(release.coordinate), repository):
        output.line(_INDENT + harmless(text))


def usage(coordinate: str, repository: str | None) -> list[str]:
    """Lines to copy: for a shell, and for Python."""
    option = f" --repository {shlex.quote(repository)}" if repository else ""
    argument = f", repository={json.dumps(repository, ensure_ascii=False)}" if repository else ""
    return [
        f"gavial run {coordinate}{option} -- pyspark",
        f'eval pyspark "$(gavial spark-conf {coordinate}{option})"',
        f'gavial.resolve("{coordinate}"{argument})',
    ]


def _facts(release: Release) -> list[tuple[str, str]]:
    card = release.card
    facts = [
        ("repository", f"{release.repository.id} ({release.repository.url})"),
        ("created", card.created + (f" by {card.author}" if card.author else "")),
        ("owner", card.owner),
        ("labels", ", ".join(f"{name}={value}" for name, value in card.labels.items())),
        ("watermark", f"column {card.watermark}" if card.watermark else "none"),
        ("git", _commit(card)),
        ("libraries", ", ".join(card.libraries)),
        ("python modules", ", ".join(card.python_modules)),
        ("runtime", str((card.runtime or {}).get("coordinate", ""))),
    ]
    return [(name, value) for name, value in facts if value]


def _commit(card: Card) -> str:
    if not card.git:
        return ""
    return str(card.git.get("commit", ""))


def _section(title: str, rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    output.line()
    if title:
        output.heading(title)
    for text in output.aligned([[harmless(cell) for cell in row] for row in rows]):
        output.line((_INDENT if title else "") + text)


def _stages(card: Card) -> None:
    if not card.pipeline:
        return
    output.line()
    output.heading("Stages")
    for text in _described(card.pipeline, ""):
        output.line(_INDENT + text)


def _described(stages: Any, above: str) -> Iterator[str]:
    for at, stage in enumerate(stages, 1):
        number = f"{above}{at}"
        yield f"{number}  {harmless(stage.get('class', 'of no class'))}"
        explicit = stage.get("parameters")
        rows = explicit.items() if isinstance(explicit, Mapping) else ()
        shown = [[harmless(name), harmless(_value(value))] for name, value in rows]
        for text in output.aligned(shown):
            yield " " * (len(number) + 2) + text
        inner = stage.get("stages")
        if isinstance(inner, list) and all(isinstance(one, Mapping) for one in inner):
            yield from _described(inner, f"{number}.")


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
