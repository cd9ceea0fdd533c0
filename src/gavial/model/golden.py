"""The golden sample: what a model made of the example records when it was released.

Scored again elsewhere it shows whether the model still does the same. Values are JSON as Spark's
`to_json` writes them: a vector is an object, numbers come back exactly (Java and Python both
write the digits that identify a float), and those that are not finite are texts.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_LARGEST = sys.float_info.max
TOLERANCE = 1e-6
_SHOWN = 10  # differences that are told one by one


@dataclass(frozen=True)
class Golden:
    """Predictions: the columns that a model adds, and their values record by record."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """As a card's `golden` has it.

        >>> Golden(("prediction",), ({"prediction": 1.0},)).to_json()
        {'columns': ['prediction'], 'rows': [{'prediction': 1.0}]}
        """
        return {"columns": list(self.columns), "rows": [dict(row) for row in self.rows]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Golden:
        """Read a card's `golden`, which its schema has checked."""
        return cls(tuple(content["columns"]), tuple(content["rows"]))


@dataclass(frozen=True)
class Comparison:
    """How two samples differ.

    Attributes:
        same: every value is the same, or a number within the tolerance.
        largest: the largest difference of two numbers, absolute; infinite where one is NaN or
            infinite and the other is not that.
        where: record and place of the largest, such as `record 3, probability/values/0`; empty
            where no two numbers differ.
        problems: what is not the same, at most ten.
    """

    same: bool
    largest: float
    where: str
    problems: tuple[str, ...]


def compare(expected: Golden, actual: Golden, tolerance: float = TOLERANCE) -> Comparison:
    """Compare two samples, record by record.

    Some stages (ALS) join, and promise no order: records that are not in the same order are
    paired with those that are nearest to them.

    Args:
        expected: what the release says.
        actual: what was made now.
        tolerance: how far two numbers may be apart, absolute for those below 1, else relative.

    >>> one, other = (Golden(("p",), ({"p": value},)) for value in (0.25, 0.5))
    >>> compare(one, other).problems
    ('record 1, p: 0.25, now 0.5',)
    """
    problems = []
    gone = [name for name in expected.columns if name not in actual.columns]
    new = [name for name in actual.columns if name not in expected.columns]
    problems += [f"the column {name!r} is gone" for name in gone]
    problems += [f"the column {name!r} is new" for name in new]
    if len(expected.rows) != len(actual.rows):
        problems.append(f"{len(actual.rows)} records were made of {len(expected.rows)}")
    shared = [name for name in expected.columns if name in actual.columns]
    pairs = _pairs(expected.rows, actual.rows, shared, tolerance)
    differences = [
        (f"record {at}, {one.place}", one)
        for at, (before, now) in enumerate(pairs, 1)
        for one in _differences(before, now, shared)
    ]
    problems += [
        f"{where}: {one.expected!r:.60}, now {one.actual!r:.60}"
        for where, one in differences
        if not one.within(tolerance)
    ]
    numbers = [(one.size, where) for where, one in differences if one.size is not None]
    largest, where = max(numbers, default=(0.0, ""), key=lambda pair: pair[0])
    return Comparison(not problems, largest, where, tuple(problems[:_SHOWN]))


@dataclass(frozen=True)
class _Difference:
    """Two values that are not equal. `size` is `None` where they are not both numbers."""

    place: str
    expected: Any
    actual: Any
    size: float | None

    def within(self, tolerance: float) -> bool:
        if self.size is None or not math.isfinite(self.size):
            return False
        return bool(self.size <= tolerance * max(1.0, abs(self.expected), abs(self.actual)))


_Row = Mapping[str, Any]


def _pairs(
    expected: tuple[_Row, ...], actual: tuple[_Row, ...], names: list[str], tolerance: float
) -> list[tuple[_Row, _Row]]:
    """Each record with that at its place, or where those differ with the one nearest to it."""
    in_order = list(zip(expected, actual, strict=False))
    if all(one.within(tolerance) for pair in in_order for one in _differences(*pair, names)):
        return in_order
    left = list(actual)
    pairs = []
    for row in expected[: len(actual)]:
        nearest = min(range(len(left)), key=lambda at: _distance(row, left[at], names))
        pairs.append((row, left.pop(nearest)))
    return pairs


def _distance(row: _Row, other: _Row, names: list[str]) -> tuple[int, float]:
    sizes = [one.size for one in _differences(row, other, names)]
    finite = [size for size in sizes if size is not None and math.isfinite(size)]
    return len(sizes) - len(finite), sum(finite)


def _differences(row: _Row, other: _Row, names: list[str]) -> Iterator[_Difference]:
    for name in names:
        yield from _of_values(name, row.get(name), other.get(name))


def _of_values(place: str, expected: Any, actual: Any) -> Iterator[_Difference]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name in {**expected, **actual}:
            yield from _of_values(f"{place}/{name}", expected.get(name), actual.get(name))
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for at, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from _of_values(f"{place}/{at}", one, other)
    else:
        numbers = _number(expected), _number(actual)
        if None not in numbers:
            size = _size(*numbers)
            if size:
                yield _Difference(place, expected, actual, size)
        elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
            yield _Difference(place, expected, actual, None)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _NON_FINITE.get(value)
    if not isinstance(value, int | float):
        return None
    # A whole number beyond any float is infinite here, as it is to Spark.
    return value if abs(value) <= _LARGEST else math.copysign(math.inf, value > 0 or -1)


def _size(expected: Any, actual: Any) -> float:
    if expected == actual or (expected != expected and actual != actual):
        return 0.0
    if not (math.isfinite(expected) and math.isfinite(actual)):
        return math.inf
    try:
        return float(abs(expected - actual))
    except OverflowError:  # of two whole numbers
        return math.inf
