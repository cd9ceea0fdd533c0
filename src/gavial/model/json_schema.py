"""The part of JSON Schema that Gavial's own schemas use, without a library.

The core imports the standard library alone, and a card is checked wherever it is read. A schema
with a keyword that is not known here is refused, so that none is passed over silently.

Source: https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

Schema = Mapping[str, Any]
_SHOWN = 5  # problems that a message lists

_ANNOTATIONS = frozenset(("$schema", "$id", "$defs", "$comment", "title", "description"))
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list | tuple),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool)
        and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
}


@cache
def shipped(name: str) -> Schema:
    """A schema of this package by its file's name, such as `card.schema.json`."""
    text = resources.files("gavial.model").joinpath(name).read_text("utf-8")
    schema: Schema = json.loads(text)
    return schema


def problems(value: Any, schema: Schema) -> Iterator[str]:
    """What of a JSON value does not fit, each with its place.

    Args:
        value: as `json.loads` gives it; a tuple is an array as well.
        schema: such as `shipped` gives it.

    Raises:
        ValueError: the schema has a keyword that is not known here.

    >>> list(problems({"size": "1"}, {"required": ["name"], "properties":
    ...     {"size": {"type": "integer"}}}))
    ["the whole lacks 'name'", "'size' is a text, not an integer"]
    """
    return _problems(value, schema, "", schema)


def check(value: Any, schema: Schema) -> None:
    """Check a value.

    Raises:
        ValueError: it does not fit; with the first problems.
    """
    found = []
    for problem in problems(value, schema):
        found.append(problem)
        if len(found) == _SHOWN:
            break
    if found:
        raise ValueError("; ".join(found))


def _problems(value: Any, schema: Any, place: str, root: Schema) -> Iterator[str]:
    if schema is True:
        return
    if schema is False:
        yield f"{_where(place)} is not allowed"
        return
    for keyword, expected in schema.items():
        rule = _RULES.get(keyword)
        if rule is not None:
            yield from rule(value, expected, place, root)
        elif keyword == "additionalProperties":
            yield from _additional(value, expected, schema, place, root)
        elif keyword not in _ANNOTATIONS:
            raise ValueError(f"the keyword {keyword!r} of a JSON Schema is not known here")


def _ref(value: Any, expected: str, place: str, root: Schema) -> Iterator[str]:
    found: Any = root
    for part in expected.removeprefix("#/").split("/"):
        found = found[part]
    yield from _problems(value, found, place, root)


def _type(value: Any, expected: Any, place: str, _: Schema) -> Iterator[str]:
    names = [expected] if isinstance(expected, str) else expected
    if not any(_TYPES[name](value) for name in names):
        wanted = " or ".join(_KINDS[name] for name in names)
        yield f"{_where(place)} is {_kind(value)}, not {wanted}"


def _any_of(value: Any, expected: list[Any], place: str, root: Schema) -> Iterator[str]:
    tried = [list(_problems(value, one, place, root)) for one in expected]
    if all(tried):
        # That of the kind which was meant says most: of an object its wrong member.
        kind = f"{_where(place)} is {_kind(value)}, not "
        meant = [found[0] for found in tried if not found[0].startswith(kind)]
        yield meant[0] if meant else kind + " or ".join(one[0].removeprefix(kind) for one in tried)


def _enum(value: Any, expected: list[Any], place: str, _: Schema) -> Iterator[str]:
    if not any(_same(value, one) for one in expected):
        yield f"{_where(place)} is {_shown(value)}, not one of {', '.join(map(_shown, expected))}"


def _pattern(value: Any, expected: str, place: str, _: Schema) -> Iterator[str]:
    # In JSON Schema `$` is the very end; in Python a line break may follow it.
    if isinstance(value, str) and not re.search(re.sub(r"\$$", r"\\Z", expected), value):
        yield f"{_where(place)} is {_shown(value)}, which does not match {expected}"


def _minimum(value: Any, expected: float, place: str, _: Schema) -> Iterator[str]:
    if _TYPES["number"](value) and value < expected:
        yield f"{_where(place)} is {_shown(value)}, less than {expected}"


def _required(value: Any, expected: list[str], place: str, _: Schema) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{_where(place)} lacks {name!r}" for name in expected if name not in value)


def _properties(value: Any, expected: Schema, place: str, root: Schema) -> Iterator[str]:
    if isinstance(value, dict):
        for name, schema in expected.items():
            if name in value:
                yield from _problems(value[name], schema, _below(place, name), root)


def _additional(
    value: Any, expected: Any, schema: Schema, place: str, root: Schema
) -> Iterator[str]:
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for name, one in value.items():
            if name not in known:
                yield from _problems(one, expected, _below(place, name), root)


def _items(value: Any, expected: Any, place: str, root: Schema) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for at, one in enumerate(value):
            yield from _problems(one, expected, _below(place, str(at)), root)


_RULES: Mapping[str, Callable[[Any, Any, str, Schema], Iterator[str]]] = {
    "$ref": _ref,
    "type": _type,
    "anyOf": _any_of,
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _minimum,
    "required": _required,
    "properties": _properties,
    "items": _items,
}
_KINDS = {
    "null": "null",
    "boolean": "true or false",
    "string": "a text",
    "object": "an object",
    "array": "a list",
    "integer": "an integer",
    "number": "a number",
}


def _kind(value: Any) -> str:
    names = (name for name in _KINDS if _TYPES[name](value))
    return _KINDS.get(next(names, ""), f"a {type(value).__name__}")


def _same(value: Any, other: Any) -> bool:
    """Equal as JSON: `true` is not 1."""
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _where(place: str) -> str:
    return repr(place) if place else "the whole"


def _below(place: str, name: str) -> str:
    name = name if len(name) <= 60 else f"{name[:60]}…"
    return f"{place}/{name}" if place else name
