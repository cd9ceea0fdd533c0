"""Spark's JSON schemas as rows of text. Pure; whatever is in them, it does not fail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gavial.model.schemas import name


def fields(schema: Any) -> list[tuple[str, str]]:
    """Name and type of each column.

    Args:
        schema: the JSON of a Spark `StructType`, or `None`.

    >>> fields({"type": "struct", "fields": [
    ...     {"name": "id", "type": "long", "nullable": False},
    ...     {"name": "tags", "type": {"type": "array", "elementType": "string"}}]})
    [('id', 'long, never null'), ('tags', 'array<string>')]
    """
    if schema is None:
        return []
    found = schema.get("fields") if isinstance(schema, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        return [("schema", json.dumps(schema, ensure_ascii=False))]
    return [
        (
            str(one.get("name", "")),
            name(one.get("type", "")) + (", never null" if one.get("nullable") is False else ""),
        )
        for one in found
    ]
