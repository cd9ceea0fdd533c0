"""What commands answer, as JSON values. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
