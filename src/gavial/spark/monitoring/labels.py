"""Labels that come later than the records they are of: one for each record, by a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, functions
from pyspark.sql import types as kinds

from gavial.errors import ConfigurationError
from gavial.spark.monitoring import instants
from gavial.spark.monitoring.table import Table

LABEL, AT, DROPPED, CONTRADICTED = "late_label", "late_at", "late_dropped", "late_contradicted"
_LEAST = -(2**63) + 1


@dataclass(frozen=True)
class Labels:
    """What came true, known later than the records were scored.

    A key may have several: of those the latest by `time` counts. Where that leaves two that say
    different things, neither counts: the record is one without a label, and a problem says so.

    Args:
        data: the labels.
        on: the columns that name a record, in the labels and in the records.
        label: the column with what came true; a null there is no label.
        time: the column that says when it was known; "" where none does.
    """

    data: DataFrame
    on: Sequence[str]
    label: str
    time: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.on, str) or not self.on:
            raise ConfigurationError(
                f"on={self.on!r}: expected the names of the columns that name a record, such as "
                "on=['order_id']."
            )


def key(at: int) -> str:
    """The name of a key's column, in records and labels alike."""
    return f"key{at}"


def apart(names: Sequence[str]) -> Column:
    """A number of its own for each record that lacks a part of its key, null for the others:
    without a whole key nothing is known to be the same.

    Args:
        names: the columns of the key.
    """
    unknown = functions.lit(False)
    for name in names:
        unknown = unknown | functions.col(name).isNull()
    return functions.when(unknown, functions.monotonically_increasing_id())


def by_key(labels: Labels, zone: str, records: Sequence[kinds.DataType]) -> DataFrame:
    """One row a key: `key0`, …, `LABEL`, `AT`, `DROPPED` and `CONTRADICTED`.

    Args:
        labels: what came.
        zone: whose clocks a time without a zone is of.
        records: the types of the keys in the records.

    Raises:
        ConfigurationError: a column is not there, or is of a type that cannot be compared.
    """
    table = Table(labels.data, "the labels")
    keys = [table.need(name) for name in labels.on]
    for name, found, wanted in zip(labels.on, keys, records, strict=True):
        _check_comparable(name, found.kind, wanted)
    columns = {key(at): found.column for at, found in enumerate(keys)}
    columns[LABEL] = table.need(labels.label).column
    known = functions.lit(None).cast("bigint")
    if labels.time:
        when = table.need_time(labels.time)
        columns[AT] = when.column
        known = instants.micros(AT, when.kind, zone)
    names = [key(at) for at in range(len(keys))]
    rows = table.df.select(*[one.alias(name) for name, one in columns.items()])
    rows = rows.where(functions.col(LABEL).isNotNull()).dropna(subset=names)
    rows = rows.select(*names, LABEL, known.alias(AT))
    return _grouped(rows, names) if labels.time else _collapsed(rows, names)


def _grouped(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """The latest label of each key. One without a time is older than all others."""
    when = functions.coalesce(functions.col(AT), functions.lit(_LEAST))
    label = functions.col(LABEL)
    last = functions.max(functions.struct(when.alias("at"), label.alias("label")))
    # The least of what is as late: were it another, two labels of one time contradict each other.
    least = functions.min(functions.struct((-when).alias("at"), label.alias("label")))
    found = rows.groupBy(*names).agg(
        last.alias("last"), least.alias("least"), functions.count(label).alias("n")
    )
    at = functions.col("last.at")
    return _one(found, names, "last.label", "least.label", functions.when(at != _LEAST, at))


def _collapsed(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    label = functions.col(LABEL)
    found = rows.groupBy(*names).agg(
        functions.max(label).alias("last"),
        functions.min(label).alias("least"),
        functions.count(label).alias("n"),
    )
    return _one(found, names, "last", "least", functions.lit(None).cast("bigint"))


def _one(found: DataFrame, names: Sequence[str], last: str, least: str, at: Column) -> DataFrame:
    same = functions.col(last) == functions.col(least)
    return found.select(
        *names,
        functions.when(same, functions.col(last)).alias(LABEL),
        functions.when(same, at).alias(AT),
        (functions.col("n") - 1).alias(DROPPED),
        (~same).alias(CONTRADICTED),
    )


def _check_comparable(name: str, label: kinds.DataType, record: kinds.DataType) -> None:
    both = isinstance(label, kinds.IntegralType) and isinstance(record, kinds.IntegralType)
    if not both and label.simpleString() != record.simpleString():
        raise ConfigurationError(
            f"The key {name!r} is {label.simpleString()} in the labels and {record.simpleString()} "
            "in the records: cast one of them, so that equal keys are equal."
        )
