"""Which releases scored some records, as their watermarks say. Pure.

A record is a JSON object, a row of CSV below a header, or a line of text as Spark shows one. The
column with the watermark is known by the form of its value, `group:artifact:major.minor.build`.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gavial.errors import InvalidCoordinate
from gavial.maven.coordinate import Coordinate
from gavial.model import json_values
from gavial.model.watermark import UNRELEASED

# What a coordinate is made of, without a dot, dash or colon at an end: `… by com.acme:churn:1.0.3.`
_WORD = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.:-]*[A-Za-z0-9_])?")
_DELIMITERS = ",;\t"
_SHOWN = 6  # names that a message lists
_EXPECTED = "expected a value such as com.acme:churn:1.0.3"


@dataclass(frozen=True)
class Scored:
    """What records say.

    Attributes:
        records: how many there are.
        versions: the releases that scored them, each with the number of its records, in the order
            in which they come.
        unreleased: how many were scored by a model that was not released.
    """

    records: int
    versions: Mapping[Coordinate, int]
    unreleased: int = 0


def read(text: str, column: str | None = None) -> Scored:
    """Find the watermarks of records.

    Args:
        text: JSON objects (one a line, one alone, or a list), CSV with a header, rows as Spark
            shows them, or a coordinate alone.
        column: where the watermark stands; a dot leads into an object. `None` is wherever a value
            has its form.

    Raises:
        InvalidCoordinate: no record has one, or a line of text has several.

    >>> [str(one) for one in read("Row(plan='a', pipeline='com.acme:churn:1.0.3')").versions]
    ['com.acme:churn:1.0.3']
    """
    counted: Counter[Coordinate] = Counter()
    records = unreleased = 0
    seen: dict[str, None] = {}
    for record in _records(text.removeprefix("\ufeff"), column):
        records += 1
        found: set[Coordinate] = set()
        for name, value in record:
            seen.setdefault(name)
            if column is not None and name != column:
                continue
            coordinate = _coordinate(value)
            if coordinate is not None:
                found.add(coordinate)
            elif value == UNRELEASED:
                unreleased += 1
            elif column is not None:
                raise InvalidCoordinate(
                    f"Column {column!r} of record {records} has {value!r:.100}: {_EXPECTED}."
                )
        counted.update(sorted(found))
    if not counted:
        raise _nothing(records, unreleased, column, list(seen))
    return Scored(records, dict(counted), unreleased)


Record = Iterable[tuple[str, Any]]


def _records(text: str, column: str | None) -> Iterator[Record]:
    """The records of a text, each as its values with the names of their columns."""
    stripped = text.strip()
    if stripped.startswith(("{", "[")):
        known = _json(stripped)
        if known is not None:
            yield from map(_values, known)
            return
    lines = _lines(text)
    rows = _csv(lines)
    if rows is not None:
        yield from rows
        return
    if column is not None and lines:
        raise InvalidCoordinate(
            f"There are no columns in {lines[0]!r:.100}: expected JSON objects or CSV with a "
            "header where a column is named."
        )
    for at, line in enumerate(lines, 1):
        words = {one: None for one in map(_coordinate, _WORD.findall(line)) if one}
        if len(words) > 1:
            raise InvalidCoordinate(
                f"Line {at} names {', '.join(map(str, islice(words, _SHOWN)))}: which of them is "
                "the watermark cannot be told. Pass it alone, or the record as JSON, with --column."
            )
        if words:
            yield [("", str(next(iter(words))))]
        elif UNRELEASED in _WORD.findall(line):
            yield [("", UNRELEASED)]


def _json(text: str) -> list[Any] | None:
    """JSON values: one, the members of a list, or one a line; `None` where it is no JSON.

    Spark shows a row as `[a,3.0,…]` in Scala, and `{…}` where it is a struct: those are text.
    """
    try:
        whole = json_values.loads(text)
    except ValueError:
        pass
    else:
        return whole if isinstance(whole, list) else [whole]
    found, problem = [], ""
    lines = _lines(text)
    for at, line in enumerate(lines, 1):
        try:
            found.append(json_values.loads(line))
        except ValueError as error:
            problem = problem or f"line {at} is no JSON ({error!s:.100})"
    if not problem:
        return found
    if found or text.startswith('{"'):
        raise InvalidCoordinate(
            f"The records cannot be read: {problem}. Expected a JSON object a line."
        )
    return None


def _lines(text: str) -> list[str]:
    """Not by `splitlines`: a text of JSON may hold what that takes for the end of a line."""
    return [line.rstrip("\r") for line in text.split("\n") if line.strip()]


def _csv(lines: list[str]) -> list[list[tuple[str, str]]] | None:
    """Rows below a header, where every one has as many cells as that; else `None`."""
    if len(lines) < 2 or any(map(_coordinate, _WORD.findall(lines[0]))):
        return None
    delimiter = max(_DELIMITERS, key=lines[0].count)
    if not lines[0].count(delimiter):
        return None
    try:
        header, *rows = csv.reader(lines, delimiter=delimiter, strict=True)
    except csv.Error:
        return None
    if any(len(row) != len(header) for row in rows):
        return None
    return [list(zip(header, row, strict=True)) for row in rows]


def _values(value: Any) -> Iterator[tuple[str, Any]]:
    """Every plain value with the name of its column; a dot leads into an object."""
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        name, one = stack.pop()
        if isinstance(one, Mapping):
            stack += ((f"{name}.{key}" if name else key, inner) for key, inner in one.items())
        elif isinstance(one, list):
            stack += ((name, inner) for inner in one)
        else:
            yield name, one


def _coordinate(value: Any) -> Coordinate | None:
    if not isinstance(value, str) or value.count(":") != 2:
        return None
    try:
        return Coordinate.parse(value)
    except InvalidCoordinate:
        return None


def _nothing(
    records: int, unreleased: int, column: str | None, names: list[str]
) -> InvalidCoordinate:
    if unreleased:
        return InvalidCoordinate(
            f"What scored it says {UNRELEASED!r}: a model that was fitted and not released, of "
            "which no repository knows anything."
        )
    if column is not None and names and column not in names:
        shown = ", ".join(map(repr, islice(names, _SHOWN)))
        return InvalidCoordinate(f"No record has the column {column!r}: there is {shown}.")
    what = f"None of {records} records has a watermark" if records else "There is no watermark"
    return InvalidCoordinate(f"{what}: {_EXPECTED}.")
