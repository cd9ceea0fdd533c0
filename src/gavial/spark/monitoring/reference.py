"""A reference out of records: what a version's were like when it was released."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from pyspark.sql import Column, DataFrame, functions
from pyspark.sql import types as kinds

from gavial.errors import ConfigurationError
from gavial.model.watermark import DEFAULT_COLUMN
from gavial.monitoring.profile import Profile, Reference
from gavial.monitoring.state import Cell, Key, State
from gavial.monitoring.windows import Window, Windows
from gavial.spark import columns
from gavial.spark.monitoring import binning, instants
from gavial.spark.monitoring.cells import Cells, cell_of, collected, summed
from gavial.spark.monitoring.chosen import Chosen
from gavial.spark.monitoring.learning import Learning
from gavial.spark.monitoring.table import Table, collect

FEATURES: Final = 200  # watched at most
_BY_TIME, _BY_CONTENT = 60, 20  # chunks
_LEAST: Final = 100  # records of a chunk, where there are that many
_ACCURACY: Final = 10_000
_TIME, _AT, _CHUNK, _CELLS = "time", "at", "chunk", "cells"


def learn(
    df: DataFrame,
    *,
    label: str = "",
    prediction: str = "",
    score: str = "",
    features: Sequence[str] | None = None,
    time: str = "",
    windows: Windows | None = None,
    chunks: int | None = None,
    profile: Profile | None = None,
    version: str,
    task: str = "",
    problems: list[str] | None = None,
) -> Reference:
    """A reference out of scored records.

    Args:
        df: records that the model scored, as many as there are. Not a stream.
        label: the column with what came true.
        prediction: the column with what the model says.
        score: the column with the probability of the positive class, or the vector of all.
        features: the columns to watch; `None` is every plain one that is none of the others.
        time: the column that says when a record was: the records are cut by it into chunks of as
            many records each. Without one a hash of each record cuts them.
        windows: whose `zone` a time without a zone is of; `None` is UTC.
        chunks: how many, at most: 60 by time, which are put together to the length of the windows
            that are judged, else 20. How much they differ is what later records may differ by.
        profile: count in these bins, as versions of one major do, and learn none.
        version: whose records they are: `major.minor.build`.
        task: one of `gavial.monitoring.profile.TASKS`; "" finds out by labels and predictions.
        problems: gets, in words, what was left out; without it that is warned of.

    Raises:
        ConfigurationError: a column is not there, or there are no records.

    >>> from gavial.spark import session
    >>> df = session.current().range(1000).selectExpr("id % 7 AS a", "id % 2 AS late", "0.5D AS p")
    >>> reference = learn(df, label="late", score="p", version="1.0.0")
    >>> reference.profile.task, sum(one.records for one in reference.chunks)
    ('binary', 1000)
    """
    table = Table(df, "the reference")
    chunks = (_BY_TIME if time else _BY_CONTENT) if chunks is None else chunks
    if chunks < 1:
        raise ConfigurationError(f"chunks={chunks!r}: expected 1 or more.")
    told: list[str] = []
    if profile is None:
        if features is None:
            features = plain(df, {label, prediction, score, time})
        watched = _watched(features, told)
        profile = Learning(table, watched, label, prediction, score, task, told).profile()
    zone = (windows or Windows()).zone
    chosen = Chosen(table, profile)
    cut = (
        _by_time(table, chosen, time, zone, chunks) if time else _by_content(table, chosen, chunks)
    )
    found = _counted(cut, profile, chosen)
    told += (*cut.problems, *chosen.problems)
    if problems is not None:
        problems += told
    else:
        for one in told:
            warnings.warn(one, UserWarning, stacklevel=2)
    numbers = sorted(found)
    return Reference(
        profile,
        version,
        tuple(found[one] for one in numbers),
        tuple(cut.windows[one] for one in numbers) if cut.windows else (),
    )


def _watched(features: Sequence[str], problems: list[str]) -> Sequence[str]:
    if len(features) > FEATURES:
        left = ", ".join(map(repr, features[FEATURES:][:5]))
        problems.append(
            f"{len(features)} features are more than the {FEATURES} that are watched: {left}… "
            "are left out. Name those that matter with features=[…]."
        )
    return features[:FEATURES]


@dataclass(frozen=True)
class _Cut:
    """Records with the number of their chunk, which is null for those of none."""

    df: DataFrame
    windows: tuple[Window, ...] = ()
    problems: tuple[str, ...] = ()


def _counted(cut: _Cut, profile: Profile, chosen: Chosen) -> dict[int, State]:
    """The state of each chunk, by its number."""
    cells = Cells(profile, chosen.kinds)
    found: dict[int, dict[Key, Cell]] = {}
    for row in collected(summed(cells.of(cut.df, _CELLS), [_CHUNK], _CELLS)):
        if row[_CHUNK] is not None:
            key, chunk = cells.key(row), found.setdefault(row[_CHUNK], {})
            chunk[key] = chunk.get(key, Cell(0)) + cell_of(row)
    if not found:
        raise ConfigurationError("The reference has no records: pass some that the model scored.")
    return {number: State(chunk) for number, chunk in found.items()}


def _by_time(table: Table, chosen: Chosen, name: str, zone: str, chunks: int) -> _Cut:
    """Cut into chunks of as many records each, in the order of time."""
    when = table.need_time(name)
    df = table.df.select(*_aliased(chosen), when.column.alias(_TIME))
    df = df.withColumn(_AT, instants.micros(_TIME, when.kind, zone))
    at = functions.col(_AT)
    parts = [one / chunks for one in range(1, chunks)] or [0.5]
    ends = df.agg(
        functions.count(functions.lit(1)).alias("rows"),
        functions.count(at).alias("n"),
        functions.min(at).alias("low"),
        functions.max(at).alias("high"),
        functions.percentile_approx(at, parts, _ACCURACY).alias("cuts"),
    )
    (row,) = collect(ends)
    if not row["n"]:
        return _Cut(df.withColumn(_CHUNK, functions.lit(None).cast("int")))
    count = _bounded(chunks, row["n"])
    cuts = sorted({row["cuts"][chunks * one // count - 1] for one in range(1, count)})
    starts = [row["low"], *(one for one in cuts if one > row["low"])]
    number = functions.lit(-1)
    for one in starts:
        number = number + functions.when(at >= one, 1).otherwise(0)
    ends = [*starts[1:], row["high"] + 1]
    windows = tuple(
        Window(instants.instant_of(low), instants.instant_of(high))
        for low, high in zip(starts, ends, strict=True)
    )
    without = row["rows"] - row["n"]
    problems = (
        (f"{without} records of the reference have no time: not counted.",) if without else ()
    )
    return _Cut(df.withColumn(_CHUNK, functions.when(at.isNotNull(), number)), windows, problems)


def _by_content(table: Table, chosen: Chosen, chunks: int) -> _Cut:
    """Cut by a hash of all that a record has, which is the same whenever it is taken."""
    count = _bounded(chunks, table.df.count())
    names = [one.name for one in table.df.schema.fields if _is_hashed(one.dataType)]
    content = [columns.quoted(one) for one in names if table.df.columns.count(one) == 1]
    number = functions.pmod(functions.xxhash64(*content), functions.lit(count)).cast("int")
    return _Cut(table.df.select(*_aliased(chosen), number.alias(_CHUNK)))


def _aliased(chosen: Chosen) -> list[Column]:
    return [one.alias(name) for name, one in chosen.columns.items()]


def _bounded(chunks: int, records: int) -> int:
    return max(1, min(chunks, records // _LEAST))


def _is_hashed(kind: kinds.DataType) -> bool:
    """Whether Spark hashes values of a type: none that has a map in it."""
    return "map<" not in kind.simpleString() and "variant" not in kind.simpleString()


def plain(df: DataFrame, taken: Collection[str]) -> list[str]:
    """The columns that may be features: those whose values have bins.

    Args:
        df: the records.
        taken: columns that are something else.
    """
    out = {one.lower() for one in taken} | {DEFAULT_COLUMN}
    return [
        one.name
        for one in df.schema.fields
        if one.name.lower() not in out
        and df.columns.count(one.name) == 1
        and (binning.is_number(one.dataType) or binning.is_text(one.dataType))
    ]
