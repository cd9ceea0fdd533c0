"""What is shown of a card, on a terminal and on a page: rows of text. Pure; nothing fails."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gavial.cli.schema_view import fields
from gavial.model import schemas
from gavial.reports.plain import harmless_lines, human_size

if TYPE_CHECKING:
    from gavial.model.card import Card
    from gavial.registry.release import Release

Rows = list[tuple[str, str]]
_CHANGES = (("stages", "Stages"), ("parameters", "Parameters"), ("schema", "Columns"))
_LONGEST = 120  # of a value in a table


def facts(release: Release) -> Rows:
    """Who, when and where from."""
    card = release.card
    rows = [
        ("repository", f"{release.repository.id} ({release.repository.url})"),
        ("created", card.created + (f" by {card.author}" if card.author else "")),
        ("owner", card.owner),
        ("labels", ", ".join(f"{name}={value}" for name, value in card.labels.items())),
        ("watermark", f"column {card.watermark}" if card.watermark else "none"),
        ("git", commit(card)),
        ("script", card.script),
        ("libraries", ", ".join(card.libraries)),
        ("python modules", ", ".join(card.python_modules)),
        ("runtime", str((card.runtime or {}).get("coordinate", ""))),
    ]
    return [(name, value) for name, value in rows if value]


def commit(card: Card) -> str:
    """The commit, where it is, and whether it is all that ran."""
    git = card.git or {}
    text = str(git.get("commit", ""))
    if git.get("remote"):
        text += f" of {git['remote']}"
    return text + (", with changes that are not in it" if git.get("dirty") else "")


def metrics(card: Card) -> Rows:
    """Each metric with its number."""
    return [(name, f"{value:g}") for name, value in card.metrics.items()]


def data(about: Mapping[str, Any] | None) -> Rows:
    """A set of data."""
    rows = []
    for name, value in (about or {}).items():
        if name == "schema":
            shown = ", ".join(f"{column} {kind}" for column, kind in fields(value))
            rows.append(("columns", shown))
        elif name == "time" and isinstance(value, Mapping):
            shown = f"{value.get('column')}: {value.get('from')} to {value.get('to')}"
            rows.append((name, shown))
        elif name == "rows" and isinstance(value, int):
            rows.append((name, f"{value:,}".replace(",", " ")))
        else:
            rows.append((str(name), plain(value)))
    return rows


def column_rows(columns: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Columns that are needed or made."""
    return [
        {
            "name": str(one.get("name", "")),
            "type": "not known" if one.get("type") is None else schemas.name(one["type"]),
            "nullable": _null(one.get("nullable")) + _doubt(one),
        }
        for one in columns
    ]


def column_lines(columns: Sequence[Mapping[str, Any]]) -> Rows:
    """The same for a terminal."""
    rows = []
    for one in columns:
        text = "type not known" if one.get("type") is None else schemas.name(one["type"])
        text += ", never null" if one.get("nullable") is False else ""
        rows.append((str(one.get("name", "")), text + _doubt(one)))
    return rows


def _null(nullable: Any) -> str:
    return "not known" if nullable is None else "may be" if nullable else "never"


def _doubt(column: Mapping[str, Any]) -> str:
    return "" if column.get("certain", True) else ", if no other stage makes it"


def unknown(card: Card) -> list[str]:
    """Stages whose columns cannot be told."""
    found = (card.inputs or {}).get("unknown", ())
    return [f"{one['stage']} ({one['class']}): {one['why']}" for one in found]


def replaces(card: Card) -> dict[str, Any] | None:
    """The release before, and what changed."""
    found = card.replaces
    if found is None:
        return None
    changes = [(title, list(found.get(name, ()))) for name, title in _CHANGES]
    if found.get("unknown"):
        changes.append(("Not known", list(found["unknown"])))
    shown = [(title, texts) for title, texts in changes if texts]
    return {
        "coordinate": found["coordinate"],
        "why": found.get("why", ""),
        "refused": list(found.get("refused", ())),
        "allowed": found.get("allowed", ""),
        "changes": shown,
        "same": bool(found.get("compared")) and not shown,
    }


def page(release: Release, usage: list[str]) -> dict[str, Any]:
    """Everything that the HTML page shows."""
    card = release.card
    inputs, outputs = card.inputs or {}, card.outputs or {}
    texts = (("Intended use", card.intended_use), ("Limits", card.limits))
    return {
        "description": harmless_lines(card.description),
        "facts": facts(release),
        "texts": [(name, harmless_lines(text)) for name, text in texts if text],
        "metrics": metrics(card),
        "metrics_on": data(card.metrics_on),
        "replaces": replaces(card),
        "inputs": column_rows(inputs.get("columns", ())),
        "unknown": unknown(card),
        "outputs": column_rows(outputs.get("columns", ())),
        "passes": outputs.get("passes", True),
        "example": _example(card),
        "stages": list(_stages(card.pipeline)),
        "sections": [
            ("Training data", data(card.training_data)),
            ("Further facts", [(name, plain(value)) for name, value in card.fields.items()]),
            ("Environment", list(card.environment.items())),
        ],
        "files": [(one.name, human_size(one.size), one.sha256) for one in release.files],
        "usage": usage,
        "repository": f"{release.repository.id} ({release.repository.url}).",
    }


def _example(card: Card) -> dict[str, Any]:
    """The records with what was made of them beside them, where that is one for one."""
    given = list(card.input_example or ())
    made = list((card.golden or {}).get("rows", ()))
    together = len(given) == len(made) and bool(made)
    names = list(dict.fromkeys(name for row in given for name in row))
    results = list((card.golden or {}).get("columns", ())) if together else []
    rows = [
        [_short(row.get(name)) for name in names]
        + ([_short(made[at].get(name)) for name in results] if together else [])
        for at, row in enumerate(given)
    ]
    caption = f"{len(given)} records"
    if together:
        caption += f"; {', '.join(results)} are what the model made of them when it was released"
    return {"names": [*names, *results], "rows": rows, "caption": f"{caption}."}


def _stages(stages: Any) -> Iterator[dict[str, Any]]:
    for stage in stages:
        explicit, inner = stage.get("parameters"), stage.get("stages")
        whole = str(stage.get("class", "of no class"))
        rows = explicit.items() if isinstance(explicit, Mapping) else ()
        yield {
            "name": class_name(whole),
            "class_name": whole,
            "parameters": [(name, plain(value)) for name, value in rows],
            "stages": list(_stages(inner)) if isinstance(inner, list) else [],
        }


def class_name(whole: str) -> str:
    """A class without its package; what is no name of one, as it is.

    >>> class_name("org.apache.spark.ml.PipelineModel"), class_name(".")
    ('PipelineModel', '.')
    """
    return whole.rpartition(".")[2] or whole


def plain(value: Any) -> str:
    """A text as it is, and any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(value: Any) -> str:
    match value:
        case {"type": 1, "values": list(values)}:
            text = json.dumps(values)
        case _:
            text = plain(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
