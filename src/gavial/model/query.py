"""Conditions on releases, `metrics.auc>0.8 and labels.team=risk`, and the order of the answer.

Pure: a release is a row of facts (`gavial.model.facts`), and nothing is read here.

    where     = condition ("and" condition)*
    condition = field operator value
    field     = name | family "." key        key and value: a bare word, or in double quotes
    operator  = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" (has in it, whatever the case)

What a release does not say matches no condition, not even `!=`, and sorts last both ways.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from gavial.errors import InvalidSelector

Row = Mapping[str, Any]


class Kind(Enum):
    """How values of a field compare, and what a condition may ask of them."""

    TEXT = "a text"
    NUMBER = "a number, such as 0.8"
    DATE = "a date, such as 2026-11 or 2026-11-24T10:00 (UTC)"
    VERSION = "numbers with dots, such as 1.0"
    MIXED = "a version or a text"


# What can be asked. A fact that is no part of the card comes here and into `find.LIVE`.
FIELDS: dict[str, Kind] = {
    "model": Kind.TEXT,
    "group": Kind.TEXT,
    "artifact": Kind.TEXT,
    "version": Kind.VERSION,
    "repository": Kind.TEXT,
    "created": Kind.DATE,
    "owner": Kind.TEXT,
    "author": Kind.TEXT,
    "description": Kind.TEXT,
    "watermark": Kind.TEXT,
    "commit": Kind.TEXT,
    "stage": Kind.TEXT,  # several: the classes, with and without their packages
    "library": Kind.TEXT,  # several
    "size": Kind.NUMBER,  # bytes of all files
    "alias": Kind.TEXT,  # several: those that mean it now
    "signer": Kind.TEXT,  # as its signature says
}
FAMILIES: dict[str, Kind] = {
    "metrics": Kind.NUMBER,
    "labels": Kind.TEXT,
    "environment": Kind.MIXED,
}

_OPERATORS = ("!=", "<=", ">=", "=", "<", ">", "~")
_BARE = re.compile(r"[^\s\"<>=!~\\]+")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_NAME = re.compile(r"[A-Za-z_]+")
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"[+-]?(\d{1,300}(\.\d{0,300})?|\.\d{1,300})([eE][+-]?\d{1,4})?")
_NUMBERS = re.compile(r"\d{1,18}(?:\.\d{1,18})*")
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d))?)?Z?)?)?)?")
_LONGEST = 10_000


@dataclass(frozen=True)
class Field:
    """What is asked about: a name, and of a family the key in it.

    >>> str(Field.parse("metrics.auc")), str(Field.parse('labels."cost centre"'))
    ('metrics.auc', 'labels."cost centre"')
    """

    name: str
    key: str | None = None

    @classmethod
    def parse(cls, text: str) -> Field:
        """Read a field.

        Raises:
            InvalidSelector: showing the place, and which fields there are.
        """
        reader = _Reader(text)
        found = reader.field()
        reader.end()
        return found

    @property
    def kind(self) -> Kind:
        return FIELDS[self.name] if self.key is None else FAMILIES[self.name]

    def values(self, row: Row) -> list[Any]:
        """What a release says of it; nothing where it does not."""
        found = row.get(self.name)
        if self.key is not None:
            found = found.get(self.key) if isinstance(found, Mapping) else None
        several = found if isinstance(found, list | tuple) else [found]
        return [one for one in several if _comparable(self.kind, one) is not None]

    def __str__(self) -> str:
        return self.name if self.key is None else f"{self.name}.{_written(self.key)}"


@dataclass(frozen=True)
class Condition:
    """One comparison.

    >>> str(Condition.parse("metrics.auc > 0.8"))
    'metrics.auc>0.8'
    """

    field: Field
    operator: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read one condition.

        Raises:
            InvalidSelector: showing the place, and what was expected there.
        """
        reader = _Reader(text)
        found = reader.condition()
        reader.end()
        return found

    def matches(self, row: Row) -> bool:
        """Whether it holds for a release."""
        values = self.field.values(row)
        if self.operator == "!=":
            return bool(values) and not any(self._holds("=", one) for one in values)
        return any(self._holds(self.operator, one) for one in values)

    def _holds(self, operator: str, actual: Any) -> bool:
        if operator == "~":
            return self.value.casefold() in str(actual).casefold()
        order = _compare(self.field.kind, actual, self.value)
        if order is None:
            return False
        return {
            "=": order == 0,
            "<": order < 0,
            "<=": order <= 0,
            ">": order > 0,
            ">=": order >= 0,
        }[operator]

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{_written(self.value)}"


@dataclass(frozen=True)
class Where:
    """Conditions that must all hold.

    >>> where = Where.parse("metrics.auc>0.8 and labels.team=risk")
    >>> where.matches({"metrics": {"auc": 0.9}, "labels": {"team": "risk"}})
    True
    """

    conditions: tuple[Condition, ...] = ()

    @classmethod
    def parse(cls, texts: str | Iterable[str]) -> Where:
        """Read conditions, of one text or of several.

        Raises:
            InvalidSelector: showing the place, and what was expected there.
        """
        found: list[Condition] = []
        for text in [texts] if isinstance(texts, str) else texts:
            reader = _Reader(text)
            found.append(reader.condition())
            while reader.word("and"):
                found.append(reader.condition())
            reader.end()
        return cls(tuple(found))

    def matches(self, row: Row) -> bool:
        return all(one.matches(row) for one in self.conditions)

    def __str__(self) -> str:
        return " and ".join(map(str, self.conditions))


@dataclass(frozen=True)
class Order:
    """What to sort by.

    >>> str(Order.parse("-metrics.auc"))
    '-metrics.auc'
    """

    field: Field
    descending: bool = False

    @classmethod
    def parse(cls, text: str) -> Order:
        """Read a field, with `-` before it for the highest first.

        Raises:
            InvalidSelector: as `Field.parse`.
        """
        reader = _Reader(text)
        descending = reader.sign("-")
        found = cls(reader.field(), descending)
        reader.end()
        return found

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.field}"


def ordered(rows: Iterable[Row], by: Sequence[Order]) -> list[Row]:
    """Rows in order: the first field decides, then the second, and so on; equal ones stay.

    >>> rows = [{"owner": "b"}, {}, {"owner": "a"}]
    >>> ordered(rows, [Order.parse("-owner")])
    [{'owner': 'b'}, {'owner': 'a'}, {}]
    """
    found = list(rows)
    for one in reversed(by):
        there = [(row, values) for row in found if (values := one.field.values(row))]
        missing = [row for row in found if not one.field.values(row)]
        pick = max if one.descending else min
        keyed = [
            (row, pick(_comparable(one.field.kind, value) for value in values))
            for row, values in there
        ]
        keyed.sort(key=lambda pair: pair[1], reverse=one.descending)
        found = [row for row, _ in keyed] + missing
    return found


def fields_of(texts: Iterable[str]) -> list[Field]:
    """The fields that conditions and orders ask about, each once, as they come.

    >>> [str(one) for one in fields_of(["metrics.auc>0.8 and owner=Ann", "-metrics.auc"])]
    ['metrics.auc', 'owner']
    """
    found: list[Field] = []
    for text in texts:
        try:
            found += [one.field for one in Where.parse(text).conditions]
        except InvalidSelector:
            found.append(Order.parse(text).field)
    return list(dict.fromkeys(found))


def suggestion(name: str, known: Iterable[str]) -> str:
    """`Did you mean …?` where one of the names is near, else the names."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"there is {', '.join(names) or 'none'}"


class _Reader:
    """A text, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0
        if len(text) > _LONGEST:
            raise InvalidSelector(f"A condition of {len(text)} characters: at most {_LONGEST}.")

    def condition(self) -> Condition:
        field = self.field()
        operator = self._operator()
        self._skip()
        start = self.place
        value = self._text("a value, such as " + ("0.8" if field.kind is Kind.NUMBER else "risk"))
        if operator != "~" and not _fits(field.kind, value):
            self.place = start
            raise self._error(f"{field} is compared with {field.kind.value}")
        return Condition(field, operator, value)

    def field(self) -> Field:
        self._skip()
        names = [*FIELDS, *(f"{name}.…" for name in FAMILIES)]
        found = _NAME.match(self.text, self.place)
        if not found:
            raise self._error(f"expected a field: {', '.join(names)}")
        name = found[0]
        if name not in FIELDS and name not in FAMILIES:
            raise self._error(f"no field {name!r}: {suggestion(name, [*FIELDS, *FAMILIES])}")
        self.place = found.end()
        dot = self.text.startswith(".", self.place)
        if name in FIELDS:
            if dot:
                raise self._error(f"{name} has no parts")
            return Field(name)
        if not dot:
            raise self._error(f"expected a dot and a name, as in {name}.auc")
        self.place += 1
        return Field(name, self._text(f"a name, as in {name}.auc"))

    def word(self, wanted: str) -> bool:
        """Whether that word is next; then it is read."""
        self._skip()
        found = _BARE.match(self.text, self.place)
        if not found or found[0].lower() != wanted:
            return False
        self.place = found.end()
        return True

    def sign(self, wanted: str) -> bool:
        self._skip()
        if not self.text.startswith(wanted, self.place):
            return False
        self.place += len(wanted)
        return True

    def end(self) -> None:
        self._skip()
        if self.place < len(self.text):
            raise self._error("expected 'and', or the end (a value with spaces stands in quotes)")

    def _operator(self) -> str:
        self._skip()
        for one in _OPERATORS:
            if self.text.startswith(one, self.place):
                self.place += len(one)
                return one
        raise self._error(f"expected one of {' '.join(_OPERATORS)}")

    def _text(self, expected: str) -> str:
        self._skip()
        if self.text.startswith('"', self.place):
            found = _QUOTED.match(self.text, self.place)
            if not found:
                raise self._error("these quotes are not closed")
            try:
                value = json.loads(found[0], strict=False)
                value.encode()
            except ValueError as error:
                raise self._error(
                    'in quotes, " and \\ are written \\" and \\\\, as in JSON'
                ) from error
            self.place = found.end()
            return str(value)
        found = _BARE.match(self.text, self.place)
        if not found:
            raise self._error(f"expected {expected}")
        self.place = found.end()
        return found[0]

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.place)
        self.place = found.end() if found else self.place

    def _error(self, problem: str) -> InvalidSelector:
        shown = self.text.replace("\n", " ").replace("\t", " ")
        return InvalidSelector(
            f"At place {self.place + 1}: {problem}.\n{shown}\n{' ' * self.place}^"
        )


def _written(text: str) -> str:
    """A text as it is read again: bare where it can be."""
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _fits(kind: Kind, wanted: str) -> bool:
    match kind:
        case Kind.NUMBER:
            return _NUMBER.fullmatch(wanted) is not None
        case Kind.DATE:
            return _date(wanted) is not None
        case Kind.VERSION:
            return _NUMBERS.fullmatch(wanted) is not None
    return True


def _comparable(kind: Kind, actual: Any) -> Any:
    """A value as something with an order; `None` where it has none and so says nothing."""
    match kind:
        case Kind.NUMBER:
            number = isinstance(actual, int | float) and not isinstance(actual, bool)
            return actual if number and not math.isnan(actual) else None
        case Kind.DATE:
            return _moment(actual)
        case Kind.VERSION:
            return _numbers(actual)
    if not isinstance(actual, str) or not actual:
        return None
    if kind is Kind.TEXT:
        return actual
    return (0, _numbers(actual), actual) if _numbers(actual) else (1, (), actual)


def _compare(kind: Kind, actual: Any, wanted: str) -> int | None:
    """How a value stands to what is asked: below 0, 0, above 0.

    Dates and versions are compared by as many numbers as were asked: 2026-11 is the whole month.
    """
    if kind is Kind.MIXED:
        kind = Kind.VERSION if _NUMBERS.fullmatch(wanted) else Kind.TEXT
    match kind:
        case Kind.NUMBER:
            return _order(actual, float(wanted))
        case Kind.DATE:
            there, asked = _moment(actual), _date(wanted)
        case Kind.VERSION:
            there, asked = _numbers(actual), _numbers(wanted)
        case _:
            return _order(actual, wanted)
    return None if there is None or asked is None else _order(there[: len(asked)], asked)


def _order(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


def _numbers(text: Any) -> tuple[int, ...] | None:
    found = _NUMBERS.match(text) if isinstance(text, str) else None
    return tuple(map(int, found[0].split("."))) if found else None


def _date(text: str) -> tuple[int, ...] | None:
    """The parts of a date that are given."""
    found = _DATE.fullmatch(text)
    if not found:
        return None
    parts = tuple(int(part) for part in found.groups() if part is not None)
    try:
        datetime(*(*parts, 1, 1)[: max(3, len(parts))])  # type: ignore[arg-type]
    except ValueError:
        return None
    return parts


def _moment(text: Any) -> tuple[int, ...] | None:
    """The parts of a card's time, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment.timetuple()[:6]
