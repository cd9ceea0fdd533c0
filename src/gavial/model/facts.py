"""What can be asked of a release by `gavial list --where`: its card as a flat row. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gavial.model.card import Card

# Raised where `of` gives other facts than before: what was kept of older ones is read again.
FORMAT = 1


def of(card: Card) -> dict[str, Any]:
    """The facts of a card, as JSON can hold them; what it does not say is left out.

    >>> of(Card("com.acme:churn:1.0.3", "2026-01-02T03:04:05Z", metrics={"auc": 0.9}))["metrics"]
    {'auc': 0.9}
    """
    model, _, version = card.coordinate.rpartition(":")
    group, _, artifact = model.partition(":")
    found = {
        "model": model,
        "group": group,
        "artifact": artifact,
        "version": version,
        "created": card.created,
        "owner": card.owner,
        "author": card.author,
        "description": card.description,
        "watermark": card.watermark,
        "commit": (card.git or {}).get("commit"),
        "stage": list(dict.fromkeys(_classes(card.pipeline))),
        "library": list(card.libraries),
        "size": sum(one.size for one in card.files),
        "metrics": dict(card.metrics),
        "labels": dict(card.labels),
        "environment": dict(card.environment),
    }
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def _classes(stages: Any) -> Iterator[str]:
    """The class of each stage and of those in it, with and without its package."""
    for stage in stages if isinstance(stages, list | tuple) else ():
        if isinstance(stage, Mapping):
            name = stage.get("class")
            if isinstance(name, str):
                yield name
                yield name.rpartition(".")[2]
            yield from _classes(stage.get("stages"))
