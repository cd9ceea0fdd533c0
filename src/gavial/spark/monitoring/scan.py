"""The one scan: scored records become states, by one Spark job whatever is counted of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyspark.sql import DataFrame, Row, Window, functions
from pyspark.sql.types import DataType, TimestampType

from gavial.errors import ConfigurationError
from gavial.maven.coordinate import Module
from gavial.model.watermark import UNRELEASED
from gavial.monitoring import state
from gavial.monitoring.profile import Profile
from gavial.monitoring.state import Cell, Key, Slot, State
from gavial.monitoring.windows import Windows
from gavial.spark.monitoring import binning, instants
from gavial.spark.monitoring import labels as late
from gavial.spark.monitoring.cells import (
    LABEL,
    SECONDS,
    Cells,
    cell,
    cell_of,
    collected,
    summed,
)
from gavial.spark.monitoring.chosen import Chosen
from gavial.spark.monitoring.labels import Labels
from gavial.spark.monitoring.segments import text_of
from gavial.spark.monitoring.table import Table

_MARK, _TIME, _AT, _FAULT, _VERSION_COLUMN, _START = (
    "mark",
    "time",
    "at",
    "fault",
    "version",
    "start",
)
_APART, _AGAIN, _CELLS, _SEGMENT = "apart", "again", "cells", "segment"
_COORDINATE: Final = r"^[^:]+:[^:]+:[0-9]+\.[0-9]+\.[0-9]+$"
_NUMBER: Final = r"(0|[1-9][0-9]{0,8})"  # as long as those of a release may be
_VERSION: Final = rf"^{_NUMBER}\.{_NUMBER}\.{_NUMBER}$"
_CONTRADICTED: Final = "contradicted"  # a cell for a problem, and none of a state
# Why a record is not counted: the number of the cell that counts it instead.
_FAULTS: Final[Mapping[int, str]] = {
    -1: "no version, since their watermark is null",
    -2: "a model that was not released when it scored them",
    -3: "a watermark that is no coordinate of a release",
    -4: "other models",
}
_NO_TIME: Final = -5


@dataclass(frozen=True)
class Scanned:
    """What a scan found.

    Attributes:
        states: by module, version, window and segment.
        problems: what was wrong with the records, in words.
    """

    states: Mapping[Slot, State]
    problems: tuple[str, ...]


def scan(
    scored: DataFrame,
    module: Module,
    profile: Profile,
    windows: Windows,
    *,
    watermark: str,
    time: str,
    labels: Labels | None = None,
    segments: Sequence[str] = (),
    versions: Collection[str] | None = None,
) -> Scanned:
    """Count scored records, in one Spark job over them.

    A record that cannot be counted is told in the problems. So is a column of the profile that
    the records do not have, or have with a type that its bins are not for: its cells are left out.

    Args:
        scored: records that a model scored, which name its version. Not a stream.
        module: whose records are counted.
        profile: what is counted, and in which bins.
        windows: how time is cut.
        watermark: the column that names the version.
        time: the column that says when a record was: a timestamp, a date, or a text of one. What
            has no time zone of its own is of the clocks of `windows.zone`.
        labels: what came true, where it is not in the records. With it, records of one version and
            key are one: the first counts.
        segments: columns by whose values records are counted also apart.
        versions: count these alone, such as `["1.0.3"]`; `None` is all.

    Raises:
        ConfigurationError: a column is not there, or no record is of this module.

    >>> scanned = scan(
    ...     spark.read.parquet("scored/"),
    ...     Module.parse("com.acme:churn"),
    ...     profile,
    ...     Windows("day", "Europe/Paris"),
    ...     watermark="pipeline",
    ...     time="scored_at",
    ... )  # doctest: +SKIP
    """
    segments = tuple(dict.fromkeys(segments))  # one that is named twice would count twice
    table = Table(scored, "the records")
    found = _Records(table, profile, labels)
    chosen = found.select(watermark, time, segments)
    placed = _placed(chosen, found.time_kind, module, windows, versions)
    if labels is not None:
        placed = _labelled(placed, found, labels, windows.zone)
    cells = Cells(profile, found.kinds)
    rows = collected(_grouped(cells, placed, found, segments))
    return _read(rows, cells, module, windows, found.problems)


class _Records(Chosen):
    """The columns of scored records.

    Attributes:
        keys: the types of those that name a record.
        time_kind: the type of the time.
    """

    def __init__(self, table: Table, profile: Profile, labels: Labels | None) -> None:
        super().__init__(table, profile, labels)
        self.keys: list[DataType] = []
        self.time_kind: DataType = TimestampType()

    def select(self, watermark: str, time: str, segments: Sequence[str]) -> DataFrame:
        """What the scan needs of the records, and no more."""
        self._watermark(watermark)
        self._time(time)
        for at, name in enumerate(self.labels.on if self.labels else ()):
            key = self.table.need(name)
            self.keys.append(key.kind)
            self.columns[late.key(at)] = key.column
        self.columns |= {
            _segment(at): text_of(self.table, name, self.profile)
            for at, name in enumerate(segments)
        }
        return self.table.df.select(*[one.alias(name) for name, one in self.columns.items()])

    def _watermark(self, name: str) -> None:
        found = self.table.need(
            name,
            "Name the column that the model writes its version into; a model without one gets it "
            'from gavial.deploy(…, watermark_col="pipeline"), and records that one such scored do '
            "not say which version it was.",
        )
        if not binning.is_text(found.kind):
            raise ConfigurationError(
                f"The watermark {name!r} is of type {found.kind.simpleString()}: expected texts "
                "such as 'com.acme:churn:1.0.3'."
            )
        self.columns[_MARK] = found.column.cast("string")

    def _time(self, name: str) -> None:
        found = self.table.need_time(name, "Name the column that says when a record was.")
        self.time_kind = found.kind
        self.columns[_TIME] = found.column


def _placed(
    df: DataFrame,
    kind: DataType,
    module: Module,
    windows: Windows,
    versions: Collection[str] | None,
) -> DataFrame:
    """Add when each record was, its version and window, and why it is not counted if so."""
    prefix = f"{module}:"
    mark, at = functions.col(_MARK), functions.col(_AT)
    version = functions.substring(mark, len(prefix) + 1, 100)
    ours = mark.startswith(prefix)
    fault = functions.when(mark.isNull(), functions.lit(-1))
    fault = fault.when(mark == UNRELEASED, -2)
    fault = fault.when(~ours & mark.rlike(_COORDINATE), -4)
    fault = fault.when(~ours | ~version.rlike(_VERSION), -3)
    fault = fault.when(at.isNull(), _NO_TIME)
    if versions is not None:
        wanted = [f"{prefix}{one}" for one in versions]
        df = df.where(~functions.coalesce(ours, functions.lit(False)) | mark.isin(wanted))
    df = df.withColumn(_AT, instants.micros(_TIME, kind, windows.zone))
    df = df.withColumn(_FAULT, fault)
    good = functions.col(_FAULT).isNull()
    return df.withColumns(
        {
            _VERSION_COLUMN: functions.when(good, version),
            _START: functions.when(good, instants.start(at, windows)),
        }
    )


def _labelled(df: DataFrame, found: _Records, labels: Labels, zone: str) -> DataFrame:
    """Add the label of each record, and which records were there before."""
    names = [late.key(at) for at in range(len(labels.on))]
    known = late.by_key(labels, zone, found.keys)
    df = df.join(known, names, "left")
    df = df.withColumn(_APART, late.apart(names))
    late_ones = (LABEL, SECONDS)
    content = functions.xxhash64(
        *[functions.col(name) for name in found.kinds if name not in late_ones]
    )
    same = Window.partitionBy(*names, _MARK, _APART).orderBy(functions.col(_AT), content)
    seconds = (functions.col(late.AT) - functions.col(_AT)) / 1_000_000
    df = df.withColumn(_AGAIN, functions.row_number().over(same) > 1)
    df = df.withColumn(LABEL, functions.col(late.LABEL))
    return df.withColumn(SECONDS, seconds) if labels.time else df


def _grouped(cells: Cells, df: DataFrame, found: _Records, segments: Sequence[str]) -> DataFrame:
    """One row a cell of each state."""
    late_ones = found.labels is not None
    extra = []
    if late_ones:
        dropped = functions.col(late.DROPPED).cast("double")
        extra.append(cells.extra(state.DUPLICATE, LABEL, dropped > 0, dropped))
        extra.append(cells.extra(_CONTRADICTED, "", functions.col(late.CONTRADICTED)))
    df = cells.of(df, _CELLS, extra)
    all_cells = functions.when(
        functions.col(_FAULT).isNotNull(), functions.array(cell(functions.col(_FAULT)))
    )
    if late_ones:
        again = functions.lit(cells.number(state.DUPLICATE))
        all_cells = all_cells.when(functions.col(_AGAIN), functions.array(cell(again)))
    each = [functions.lit("")]
    each += [
        functions.concat(functions.lit(f"{name}="), functions.col(_segment(at)))
        for at, name in enumerate(segments)
    ]
    df = df.select(
        _VERSION_COLUMN,
        _START,
        functions.array(*each).alias(_SEGMENT),
        all_cells.otherwise(functions.col(_CELLS)).alias(_CELLS),
    )
    if segments:
        df = df.withColumn(_SEGMENT, functions.explode(_SEGMENT))
    else:
        df = df.withColumn(_SEGMENT, functions.lit(""))
    return summed(df, (_VERSION_COLUMN, _START, _SEGMENT), _CELLS)


def _read(
    rows: Sequence[Row], cells: Cells, module: Module, windows: Windows, problems: Sequence[str]
) -> Scanned:
    """States and problems, out of the rows of `_grouped`."""
    found: dict[Slot, dict[Key, Cell]] = {}
    slots: dict[tuple[str, int, str], Slot] = {}
    faults: dict[int, int] = {}
    contradicted = 0
    for row in rows:
        if row["cell"] < 0:
            if row[_SEGMENT] == "":
                faults[row["cell"]] = faults.get(row["cell"], 0) + row["n"]
            continue
        kind, column = cells.keys[row["cell"]]
        if kind == _CONTRADICTED:
            contradicted += row["n"] if row[_SEGMENT] == "" else 0
            continue
        place = (row[_VERSION_COLUMN], row[_START], row[_SEGMENT])
        if place not in slots:
            slots[place] = _slot(module, windows, *place)
        sum_ = cell_of(row)
        if (kind, column) == (state.DUPLICATE, LABEL):  # which carries how many were dropped
            sum_ = Cell(round(sum_.n * sum_.mean))
        key, state_ = cells.key(row), found.setdefault(slots[place], {})
        state_[key] = state_.get(key, Cell(0)) + sum_
    states = {slot: State(found[slot]) for slot in sorted(found, key=lambda one: one[1:])}
    told = [*problems, *_told(faults, contradicted, states, module)]
    return Scanned(states, tuple(told))


def _slot(module: Module, windows: Windows, version: str, start: int, segment: str) -> Slot:
    return Slot(str(module), version, instants.window(start, windows), segment)


def _told(
    faults: Mapping[int, int], contradicted: int, states: Mapping[Slot, State], module: Module
) -> Iterator[str]:
    """What is to be said of records and labels."""
    foreign = {
        _FAULTS[one]: n for one, n in sorted(faults.items(), reverse=True) if one != _NO_TIME
    }
    if foreign and not states and _NO_TIME not in faults:
        told = "; ".join(f"{_count(n, 'record')} of {what}" for what, n in foreign.items())
        raise ConfigurationError(
            f"No record is of {module}: there are {told}. Name the module whose records they are, "
            "or the column that names their version."
        )
    for what, n in foreign.items():
        yield f"{_count(n, 'record')} of {what}: not counted."
    if _NO_TIME in faults:
        yield f"{_count(faults[_NO_TIME], 'record')} without a time that can be read: not counted."
    whole = [(slot, one) for slot, one in states.items() if not slot.segment]
    for column, what in (("", "record"), (LABEL, "label")):
        again = sum(one.histogram(state.DUPLICATE, column).get(0, 0) for _, one in whole)
        if again:
            yield f"{_count(again, what)} dropped, as another of the same key is there."
    if contradicted:
        yield (
            f"{_count(contradicted, 'record')} with labels that contradict each other: counted as "
            "without a label. Say by Labels(time=…) which is the later one."
        )
    if not states and not faults:
        yield f"There are no records of {module}."


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _segment(at: int) -> str:
    return f"segment{at}"
