"""What commands answer, as JSON values. Pure."""

from __future__ import annotations

import json
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
