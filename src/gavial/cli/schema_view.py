"""Spark's JSON schemas as rows of text. Pure; whatever is in them, it does not fail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


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
    columns = _columns(schema)
    if columns is None:
        return [("schema", _json(schema))]
    return [
        (name, f"{kind}{'' if nullable else ', never null'}") for name, kind, nullable in columns
    ]


def type_name(kind: Any) -> str:
    """A type as SQL writes it, and a user-defined one by the name of its class.

    >>> type_name({"type": "udt", "class": "org.apache.spark.ml.linalg.VectorUDT"})
    'vector'
    """
    match kind:
        case str():
            return kind
        case {"type": "array", "elementType": element}:
            return f"array<{type_name(element)}>"
        case {"type": "map", "keyType": key, "valueType": value}:
            return f"map<{type_name(key)}, {type_name(value)}>"
        case {"type": "udt", **about}:
            name = str(about.get("class") or about.get("pyClass") or "udt").rpartition(".")[2]
            return name.removesuffix("UDT").lower() or "udt"
    columns = _columns(kind)
    if columns is None:
        return _json(kind)
    return f"struct<{', '.join(f'{name}: {kind}' for name, kind, _ in columns)}>"


def _columns(schema: Any) -> list[tuple[str, str, bool]] | None:
    found = schema.get("fields") if isinstance(schema, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        return None
    return [
        (str(one.get("name", "")), type_name(one.get("type", "")), one.get("nullable") is not False)
        for one in found
    ]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
