"""JSON from outside, with nothing in it that breaks whoever shows or writes it later."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from gavial import limits

MOST = 2**53  # a double holds no greater whole numbers exactly
_DIGITS = 300  # a float holds a number of 308


def loads(text: str | bytes, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """As `json.loads`.

    Raises:
        ValueError: it is no JSON, or has a lone surrogate, a number that is out of any range, or
            values nested too deeply.

    >>> loads('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    """
    try:
        value = json.loads(
            text, parse_int=_integer, parse_float=_float, parse_constant=parse_constant
        )
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error
    check(value)
    return value


def check(value: Any) -> None:
    """Check that values can be shown and written.

    Raises:
        ValueError: a text has a lone surrogate, or values are nested too deeply.
    """
    if isinstance(value, str):
        _encode(value)
    stack = [(value, 0)]
    while stack:  # of what holds values: a card has a few of those and thousands of plain ones
        one, depth = stack.pop()
        if depth + bool(one) > limits.JSON_DEPTH:
            raise ValueError("its values are nested too deeply (GAVIAL_LIMIT_JSON_DEPTH)")
        if isinstance(one, dict):
            for key in one:
                _encode(str(key))
            inside: Iterable[Any] = one.values()
        else:
            inside = one if isinstance(one, list | tuple) else ()
        for inner in inside:
            if isinstance(inner, str):
                _encode(inner)
            elif isinstance(inner, dict | list | tuple):
                stack.append((inner, depth + 1))


def text(value: Any) -> str:
    """A value that is a text.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.50} is no text")
    return value


def items(value: Any) -> list[Any]:
    """A value that is a list.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.50} is no list")
    return value


def number(value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """A value that is a finite number, from `low` to `high`.

    Raises:
        TypeError, ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r:.50} is no number")
    if not math.isfinite(value) or not low <= value <= high:
        raise ValueError(f"{value!r:.50} is out of range")
    return float(value)


def whole(value: Any) -> int:
    """A value that is a whole number.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r:.50} is no whole number")
    return value


def count(value: Any) -> int:
    """A value that is a whole number, from 0 to what a double holds exactly.

    Raises:
        TypeError, ValueError: it is none.
    """
    if not 0 <= whole(value) <= MOST:
        raise ValueError(f"{value!r:.50} is out of range")
    return whole(value)


def instant(value: Any) -> datetime:
    """A value that is a time with a zone, as ISO 8601 has it; in UTC.

    Raises:
        TypeError, ValueError: it is none.

    >>> print(instant("2026-05-01T02:00:00+02:00"))
    2026-05-01 00:00:00+00:00
    """
    found = datetime.fromisoformat(text(value))
    if found.tzinfo is None:
        raise ValueError(f"{value!r:.50} has no time zone")
    return found.astimezone(UTC)


def _encode(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("it has half a character (a lone surrogate)") from error


def _integer(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"the number {text:.20}… is out of range")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text:.20} is out of range")
    return value
