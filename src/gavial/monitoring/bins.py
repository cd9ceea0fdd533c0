"""Bins with edges that never change, so that what is counted in them adds up.

Edges are taken once, of the records that a release was measured on, and travel with it. Besides a
variable's own bins there are guard bins, with negative numbers: what lies beyond the edges, what
was not seen then, and what is no value at all is counted apart, and never lost.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from gavial.errors import CorruptRelease

NULL: Final = -1
NAN: Final = -2
BELOW: Final = -3  # a number before the first edge
ABOVE: Final = -4  # a number after the last edge
UNSEEN: Final = -5  # a category that none of the bins is for
NEGATIVE_INFINITY: Final = -6
POSITIVE_INFINITY: Final = -7
GUARDS: Final[Mapping[int, str]] = {
    NULL: "null",
    NAN: "NaN",
    BELOW: "below",
    ABOVE: "above",
    UNSEEN: "unseen",
    NEGATIVE_INFINITY: "-Infinity",
    POSITIVE_INFINITY: "Infinity",
}
FEATURE_BINS: Final = 20  # of a feature at most
SCORE_BINS: Final = 200  # of a score at most
CATEGORIES: Final = 50  # of a feature at most; what is rarer is counted as unseen


@dataclass(frozen=True)
class Numeric:
    """Bins of numbers: bin `i` is from `edges[i]`, inclusive, to `edges[i + 1]`; the last has both
    ends. A variable that was constant has two equal edges.

    Raises:
        ValueError: the edges are not finite, fewer than two, or do not ascend.

    >>> bins = Numeric((0.0, 1.0, 2.0))
    >>> bins.index(0.0), bins.index(1.0), bins.index(2.0), bins.index(2.1), bins.index(None)
    (0, 1, 1, -4, -1)
    """

    edges: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.edges) < 2 or not all(map(math.isfinite, self.edges)):
            raise ValueError(f"expected two finite edges or more, not {self.edges!r:.200}")
        rising = all(low < high for low, high in pairwise(self.edges))
        if not rising and not (len(self.edges) == 2 and self.edges[0] == self.edges[1]):
            raise ValueError(f"the edges do not ascend: {self.edges!r:.200}")

    def __len__(self) -> int:
        return len(self.edges) - 1

    def index(self, value: float | None) -> int:
        """The bin of a value, which may be a guard bin."""
        if value is None:
            return NULL
        if math.isnan(value):
            return NAN
        if math.isinf(value):
            return POSITIVE_INFINITY if value > 0 else NEGATIVE_INFINITY
        if value < self.edges[0]:
            return BELOW
        if value > self.edges[-1]:
            return ABOVE
        return min(bisect_right(self.edges, value), len(self)) - 1

    def name(self, index: int) -> str:
        """A bin's name for people, such as `0.5 to 1`."""
        if index in GUARDS:
            return GUARDS[index]
        return f"{self.edges[index]:.6g} to {self.edges[index + 1]:.6g}"

    def to_json(self) -> dict[str, Any]:
        return {"edges": list(self.edges)}


@dataclass(frozen=True)
class Categories:
    """Bins of texts, one each; a number or a truth value is its `text_of`.

    Raises:
        ValueError: a category is named twice.

    >>> bins = Categories(("AA", "UA"))
    >>> bins.index("UA"), bins.index("XX"), bins.index(None)
    (1, -5, -1)
    """

    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"a category is there twice: {self.values!r:.200}")

    def __len__(self) -> int:
        return len(self.values)

    def index(self, value: object) -> int:
        """The bin of a value, which may be a guard bin."""
        if value is None:
            return NULL
        try:
            return self.values.index(text_of(value))
        except ValueError:
            return UNSEEN

    def name(self, index: int) -> str:
        """A bin's name for people: its category."""
        return GUARDS[index] if index in GUARDS else self.values[index]

    def to_json(self) -> dict[str, Any]:
        return {"categories": list(self.values)}


Bins = Numeric | Categories


def text_of(value: object) -> str:
    """A class or a category as a text, the same for every type that holds it: Spark's prediction
    `1.0`, the label `1` and the truth value `True` are one class.

    >>> text_of(1.0), text_of(1), text_of(True), text_of(2.5), text_of("AA")
    ('1', '1', '1', '2.5', 'AA')
    >>> text_of(Decimal("1.00")), text_of(Decimal("2.50"))
    ('1', '2.5')
    """
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f").rstrip("0").rstrip(".") if value % 1 else str(int(value))
    return str(value)


def from_quantiles(quantiles: Iterable[float]) -> Numeric:
    """Bins between quantiles; what falls together is one edge.

    >>> from_quantiles([0.0, 0.0, 0.5, 2.0]).edges
    (0.0, 0.5, 2.0)
    """
    edges = sorted(set(map(float, quantiles)))
    return Numeric(tuple(edges * 2) if len(edges) == 1 else tuple(edges))


def from_json(found: Any) -> Bins:
    """Read what `to_json` wrote.

    Raises:
        CorruptRelease: it is none.
    """
    try:
        if "edges" in found:
            return Numeric(tuple(float(one) for one in found["edges"]))
        values = found["categories"]
        if not all(isinstance(one, str) for one in values):
            raise TypeError("a category is no text")
        return Categories(tuple(values))
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise CorruptRelease(
            f"The bins of a monitoring profile are damaged: {error!s:.200}."
        ) from error
