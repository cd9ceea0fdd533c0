"""What commands answer, as JSON values. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gavial.model.difference import Change, Difference, LearnedChange, StageChange
    from gavial.model.learned import Digest
    from gavial.registry.release import Release


def release(found: Release) -> dict[str, Any]:
    """A release: coordinate, repository, files and card."""
    return {
        "coordinate": str(found.coordinate),
        "repository": place(found.repository),
        "files": [
            {"name": file.name, "size": file.size, "sha256": file.sha256} for file in found.files
        ],
        "card": json.loads(found.card.to_json()),
    }


def place(repository: Any) -> dict[str, str]:
    """A repository: its id and URL."""
    return {"id": repository.id, "url": repository.url}


def plain(value: Any) -> Any:
    """A value as JSON holds it: numbers that JSON lacks are texts.

    >>> plain({"auc": float("nan"), "labels": ("a",)})
    {'auc': 'NaN', 'labels': ['a']}
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def difference(found: Difference) -> dict[str, Any]:
    """A difference: what docs/reference/cli.md calls its shape."""
    return {
        "format": 1,
        "from": found.before,
        "to": found.after,
        "differs": found.differs,
        "sections": {
            name: [_change(one) for one in changes] for name, changes in found.sections.items()
        },
        "stages": [_stage(one) for one in found.stages],
        "sizes": [_change(one) for one in found.sizes],
    }


def _change(one: Change) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one.name, "status": one.status}
    if one.status != "added":
        found["from"] = plain(one.before)
    if one.status != "removed":
        found["to"] = plain(one.after)
    return found


def _stage(one: StageChange) -> dict[str, Any]:
    return {
        "class": one.class_name,
        "status": one.status,
        "moved": one.moved,
        "from": {"place": one.place_before, "uid": one.uid_before} if one.place_before else None,
        "to": {"place": one.place_after, "uid": one.uid_after} if one.place_after else None,
        "parameters": [
            {**_change(each), "set": {"from": each.set_before, "to": each.set_after}}
            for each in one.parameters
        ],
        "learned": None if one.learned is None else _learned(one.learned),
        "stages": [_stage(inner) for inner in one.stages],
    }


def _learned(one: LearnedChange) -> dict[str, Any]:
    return {
        "status": one.status,
        "size": {"from": one.size_before, "to": one.size_after},
        "unread": one.unread,
        "parts": [
            {
                "name": part.name,
                "status": part.status,
                "same": part.same,
                "values": [_change(each) for each in part.values],
                "added": [{"label": label, "to": at} for at, label in part.added],
                "removed": [{"label": label, "from": at} for at, label in part.removed],
                "moved": [
                    {"label": each.label, "from": each.before, "to": each.after}
                    for each in part.moved
                ],
                "many": {"from": _many(part.before), "to": _many(part.after)},
            }
            for part in one.parts
        ],
    }


def _many(one: Digest | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "count": one.count,
        "sha256": one.sha256,
        "least": plain(one.least),
        "greatest": plain(one.greatest),
    }
