"""State: what records add up to. Every metric is a function of it, and it merges in any order.

A state maps keys to cells. A cell has the number of its records, and of the number that they carry
(if any) the mean and the sum of squared deviations from it. Cells of one key are added by the
formula of Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
Variances" (1979). Counts are exact; moments are so up to the rounding of floating point.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from gavial.errors import CorruptRelease
from gavial.model.json_values import MOST
from gavial.model.manifest import check_format
from gavial.monitoring import windows
from gavial.monitoring.windows import Window

FORMAT: Final = 1
_VERSION: Final = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}")

# Kinds of cells. `bin` and `label` are indices into the profile's bins and classes, or a guard bin
# of `bins`; they are 0 where a kind has none. "no label" is `bins.NULL`.
RECORDS: Final = "records"  # all records; column ""
FEATURE: Final = "feature"  # a feature's bins; carries its value, if that is a number
SCORE: Final = "score"  # score bin x class of the label; carries the score (binary)
CONFUSION: Final = "confusion"  # class of the prediction x class of the label
PREDICTION: Final = "prediction"  # regression: bins of the prediction; carries it
LABEL: Final = "label"  # regression: bins of the label; carries it
ERROR: Final = "error"  # regression: carries prediction - label; labelled records alone
ABSOLUTE_ERROR: Final = "absolute_error"  # regression: carries |prediction - label|
LOG_LOSS: Final = "log_loss"  # carries -ln of the label's probability; labelled records alone
LATENCY: Final = "latency"  # bins of `LATENCY_EDGES`; carries seconds from record to label
DUPLICATE: Final = "duplicate"  # records, or labels (column "label"), dropped as said twice
KINDS: Final = (
    RECORDS,
    FEATURE,
    SCORE,
    CONFUSION,
    PREDICTION,
    LABEL,
    ERROR,
    ABSOLUTE_ERROR,
    LOG_LOSS,
    LATENCY,
    DUPLICATE,
)
# Seconds: a second, a minute, an hour, a day, a week, 30 days, a year, ten years.
LATENCY_EDGES: Final = (0.0, 1.0, 60.0, 3600.0, 86400.0, 604800.0, 2592000.0, 31536000.0, 3.2e8)


class Key(NamedTuple):
    """Where records are counted."""

    kind: str
    column: str = ""
    bin: int = 0
    label: int = 0


class Cell(NamedTuple):
    """A count, and the moments of a number that its records carry.

    >>> Cell.of([1.0, 2.0]) + Cell.of([6.0])
    Cell(n=3, mean=3.0, m2=14.0)
    """

    n: int
    mean: float = 0.0
    m2: float = 0.0

    @classmethod
    def of(cls, values: Iterable[float]) -> Cell:
        """The cell of some numbers."""
        total = cls(0)
        for value in values:
            total += cls(1, float(value))
        return total

    def __add__(self, other: object) -> Cell:
        if not isinstance(other, Cell):
            return NotImplemented
        n = self.n + other.n
        if not self.n or not other.n:
            return self if self.n else other
        delta = other.mean - self.mean
        return Cell(
            n,
            self.mean + delta * (other.n / n),
            self.m2 + other.m2 + delta * delta * (self.n * (other.n / n)),
        )

    @property
    def variance(self) -> float:
        """The sample variance; 0 for fewer than two records."""
        return self.m2 / (self.n - 1) if self.n > 1 else 0.0


class State(Mapping[Key, Cell]):
    """Cells by key. It adds up: `State() + one == one`, and order does not matter.

    >>> one = State({Key(RECORDS): Cell(2)})
    >>> (one + one + State())[Key(RECORDS)].n
    4
    """

    __slots__ = ("_by_kind", "_cells")

    def __init__(self, cells: Mapping[Key, Cell] | None = None) -> None:
        self._cells = dict(cells or {})
        self._by_kind: dict[tuple[str, str | None], list[tuple[Key, Cell]]] | None = None

    def __getitem__(self, key: Key) -> Cell:
        return self._cells[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def __add__(self, other: object) -> State:
        if not isinstance(other, State):
            return NotImplemented
        return total((self, other))

    def __repr__(self) -> str:
        return f"<State of {self.records} records, {len(self)} cells>"

    @property
    def records(self) -> int:
        """How many records it is of."""
        return self._cells.get(Key(RECORDS), Cell(0)).n

    def of(self, kind: str, column: str | None = None) -> Iterator[tuple[Key, Cell]]:
        """The cells of one kind, and of one column where that is named."""
        if self._by_kind is None:  # many metrics ask for many columns
            self._by_kind = {}
            for key, cell in self._cells.items():
                for name in (None, key.column):
                    self._by_kind.setdefault((key.kind, name), []).append((key, cell))
        return iter(self._by_kind.get((kind, column), ()))

    def histogram(self, kind: str, column: str = "") -> dict[int, int]:
        """Counts by bin, over all labels; bins without records are not there."""
        found: dict[int, int] = {}
        for key, cell in self.of(kind, column):
            found[key.bin] = found.get(key.bin, 0) + cell.n
        return found

    def moments(self, kind: str, column: str = "") -> Cell:
        """The moments over all bins that hold finite numbers."""
        found = Cell(0)
        for key, cell in self.of(kind, column):
            if key.bin >= 0 or key.bin in _FINITE_GUARDS:
                found += cell
        return found


_FINITE_GUARDS = (-3, -4)  # bins.BELOW and bins.ABOVE


def total(states: Iterable[State]) -> State:
    """The sum of states."""
    cells: dict[Key, Cell] = {}
    for state in states:
        for key, cell in state.items():
            before = cells.get(key)
            cells[key] = cell if before is None else before + cell
    return State(cells)


class Slot(NamedTuple):
    """What a state is of.

    `module` is `group:artifact`. `window` is `None` for a part of a reference that was not cut by
    time. `segment` is "" for all records, or such as `carrier=AA`.
    """

    module: str
    version: str
    window: Window | None
    segment: str = ""


States = Mapping[Slot, State]

# The columns of a stored state: names and types as Spark says them. One row a cell.
COLUMNS: Final[Mapping[str, str]] = {
    "format": "int",
    "module": "string",
    "version": "string",
    "window_start": "timestamp",
    "window_end": "timestamp",
    "segment": "string",
    "profile": "string",
    "kind": "string",
    "column_name": "string",
    "bin": "int",
    "label": "int",
    "n": "bigint",
    "mean": "double",
    "m2": "double",
}


def rows(states: States, profile: str) -> Iterator[tuple[Any, ...]]:
    """The rows of states, in a fixed order, with the fields of `COLUMNS`.

    Args:
        profile: the digest of the profile whose bins the states are counted in.
    """
    for slot in sorted(states, key=in_time):
        start, end = slot.window or (None, None)
        state = states[slot]
        for key in sorted(state):
            cell = state[key]
            yield (
                FORMAT,
                slot.module,
                slot.version,
                start,
                end,
                slot.segment,
                profile,
                key.kind,
                key.column,
                key.bin,
                key.label,
                *cell,
            )


def from_rows(found: Iterable[Mapping[str, Any]]) -> dict[str, dict[Slot, State]]:
    """States by the digest of their profile, out of rows by the names of `COLUMNS`.

    Rows of one key are added. Kinds that this version does not know are kept.

    Raises:
        IncompatibleModel: a row is of a later format.
        CorruptRelease: a row has a value that no state has.
    """
    cells: dict[str, dict[Slot, dict[Key, Cell]]] = {}
    for row in found:
        try:
            check_format(row["format"], FORMAT, "A monitoring state")
            slot = slot_of(row)
            profile = _text(row, "profile")
            key = Key(
                _text(row, "kind"), _text(row, "column_name"), int(row["bin"]), int(row["label"])
            )
            cell = Cell(int(row["n"]), float(row["mean"] or 0.0), float(row["m2"] or 0.0))
            if not 0 <= cell.n <= MOST or cell.m2 < 0:
                raise ValueError(f"a cell is of {cell.n} records, with the moment {cell.m2}")
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CorruptRelease(f"A monitoring state is damaged: {error!s:.200}.") from error
        place = cells.setdefault(profile, {}).setdefault(slot, {})
        place[key] = place.get(key, Cell(0)) + cell
    return {
        profile: {slot: State(one) for slot, one in slots.items()}
        for profile, slots in cells.items()
    }


def slot_of(row: Mapping[str, Any]) -> Slot:
    """What a row is of.

    Raises:
        TypeError, ValueError, KeyError: it has no such values.
    """
    return Slot(_text(row, "module"), _version(row), _window(row), _text(row, "segment"))


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r:.50}, and no text")
    return value


def _version(row: Mapping[str, Any]) -> str:
    value = _text(row, "version")
    if _VERSION.fullmatch(value) is None:
        raise ValueError(f"its version is {value!r:.50}, and not major.minor.build")
    return value


def _window(row: Mapping[str, Any]) -> Window | None:
    if row["window_start"] is None:
        return None
    return windows.checked(_utc(row["window_start"]), _utc(row["window_end"]))


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def in_time(slot: Slot) -> tuple[str, str, datetime, str]:
    """A key to sort slots by: module, version, time, segment; those without a window first."""
    start = slot.window.start if slot.window else datetime.min.replace(tzinfo=UTC)
    return slot.module, slot.version, start, slot.segment
