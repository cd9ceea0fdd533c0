"""Spark's schemas as JSON, compared: can what suited one be read by the other? Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

# To which types a value goes without loss: of Spark's `Cast.canUpCast` those that lose nothing.
_WIDER: Mapping[str, tuple[str, ...]] = {
    "byte": ("short", "integer", "long", "float", "double"),
    "short": ("integer", "long", "float", "double"),
    "integer": ("long", "double"),
    "float": ("double",),
    "date": ("timestamp_ntz",),
}
_DIGITS = {"byte": 3, "short": 5, "integer": 10, "long": 19}
_UNBOUNDED = ("string", "char", "varchar")


def fits(given: Any, wanted: Any) -> str:
    """Why values of one type may not do where another is read; empty where they do.

    A wider type takes the values of a narrower one, a type that may be null those of one that
    may not. A struct may have fields more than are read.

    Args:
        given: a type as in `StructType.json`.
        wanted: the type that is read.

    >>> fits("integer", "long"), fits("long", "integer")
    ('', 'it is integer, and was long')
    """
    return next(_misfits(given, wanted), "")


def _misfits(given: Any, wanted: Any) -> Iterator[str]:
    match given, wanted:
        case {"type": "array", **one}, {"type": "array", **other}:
            if one.get("containsNull") is True and other.get("containsNull") is False:
                yield "an element of it may no longer be null"
            yield from _within("an element of it", one.get("elementType"), other.get("elementType"))
        case {"type": "map", **one}, {"type": "map", **other}:
            if one.get("valueContainsNull") is True and other.get("valueContainsNull") is False:
                yield "a value of it may no longer be null"
            yield from _within("a key of it", one.get("keyType"), other.get("keyType"))
            yield from _within("a value of it", one.get("valueType"), other.get("valueType"))
        case {"type": "struct", **one}, {"type": "struct", **other}:
            yield from _of_structs(fields(one), fields(other))
        case {"type": "udt", **one}, {"type": "udt", **other}:
            if not _same_class(one, other):
                yield f"it is {name(wanted)}, and was {name(given)}"
        case _:
            if not _goes(given, wanted):
                yield f"it is {name(wanted)}, and was {name(given)}"


def _of_structs(
    one: Mapping[str, Mapping[str, Any]], other: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for field, about in other.items():
        before = one.get(field)
        if before is None:
            yield f"its field {field!r} is new"
            continue
        if before.get("nullable") is True and about.get("nullable") is False:
            yield f"its field {field!r} may no longer be null"
        yield from _within(f"its field {field!r}", before.get("type"), about.get("type"))


def _within(what: str, given: Any, wanted: Any) -> Iterator[str]:
    yield from (f"{what}: {problem}" for problem in _misfits(given, wanted))


def _goes(given: Any, wanted: Any) -> bool:
    if given == wanted:
        return True
    if not isinstance(given, str) or not isinstance(wanted, str):
        return False
    if wanted in _WIDER.get(given, ()) or (wanted == "string" and given.startswith(_UNBOUNDED)):
        return True
    return _decimal_goes(given, wanted)


def _decimal_goes(given: str, wanted: str) -> bool:
    before, after = _decimal(given), _decimal(wanted)
    if after is None:
        return False
    whole, scale = after
    if before is None:
        return given in _DIGITS and whole - scale >= _DIGITS[given]
    return whole - scale >= before[0] - before[1] and scale >= before[1]


def _decimal(kind: str) -> tuple[int, int] | None:
    if not (kind.startswith("decimal(") and kind.endswith(")")):
        return None
    whole, _, scale = kind[8:-1].partition(",")
    if not all(re.fullmatch(r"\s*[0-9]{1,3}\s*", one) for one in (whole, scale)):
        return None
    return int(whole), int(scale)


def _same_class(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    keys = [key for key in ("class", "pyClass") if one.get(key) and other.get(key)]
    return bool(keys) and any(one[key] == other[key] for key in keys)


def fields(schema: Any) -> dict[str, Mapping[str, Any]]:
    """The fields of a struct by name; none where it is no struct."""
    found = schema.get("fields") if isinstance(schema, Mapping) else None
    columns = found if isinstance(found, list) else []
    return {str(one.get("name")): one for one in columns if isinstance(one, Mapping)}


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def name(kind: Any) -> str:
    """A type as SQL writes it, and a user-defined one by the name of its class.

    >>> name({"type": "udt", "class": "org.apache.spark.ml.linalg.VectorUDT"})
    'vector'
    """
    match kind:
        case str():
            return kind
        case None:
            return "unknown"
        case {"type": "array", "elementType": element}:
            return f"array<{name(element)}>"
        case {"type": "map", "keyType": key, "valueType": value}:
            return f"map<{name(key)}, {name(value)}>"
        case {"type": "udt", **about}:
            whole = str(about.get("class") or about.get("pyClass") or "udt")
            return whole.rpartition(".")[2].removesuffix("UDT").lower() or "udt"
        case {"type": "struct", "fields": list(found)} if all(map(_is_object, found)):
            inner = (f"{one}: {name(about.get('type'))}" for one, about in fields(kind).items())
            return f"struct<{', '.join(inner)}>"
    return json.dumps(kind, ensure_ascii=False)
