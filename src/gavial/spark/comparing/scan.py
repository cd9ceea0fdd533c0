"""One scan of scored records to what their losses add up to: states of a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pyspark.sql import Column, DataFrame, Row, functions

from gavial.errors import ConfigurationError
from gavial.monitoring import losses
from gavial.monitoring.comparison import Mode
from gavial.monitoring.route import Route
from gavial.monitoring.state import Cell, Key, Slot, State
from gavial.monitoring.windows import Windows
from gavial.spark.comparing import rows
from gavial.spark.comparing.rows import Columns
from gavial.spark.monitoring import instants
from gavial.spark.monitoring.cells import cell_of
from gavial.spark.monitoring.table import collect

_KEYLESS: Final = -1  # beside `losses.WHY_LOST`: a record of a split without a key
_WHY_OF_A_SPLIT: Final = (
    _KEYLESS,
    losses.UNLABELLED,
    losses.CONTRADICTING,
    losses.CROSSED,
    losses.INVALID,
)
_PAIRED, _GROUP, _ASSIGNED, _LOST = range(4)
_NOBODY: Final = -1  # for a champion, where a cell is of one version


def states(
    scored: DataFrame, route: Route, loss: str, columns: Columns, windows: Windows
) -> dict[Slot, State]:
    """What records add up to, by version, window and segment.

    The slots are those of the challengers, and of a split of all versions. States of other records
    are added to these by `state.total`; each record must be in one of the scans alone, with all
    versions that scored it, and of a split each key of a window.

    Raises:
        ConfigurationError: a column is not there or of a type that does not fit, or a record of a
            split has no key.
    """
    read = rows.read(scored, route, loss, columns, windows)
    records = _records(read, route, columns, windows)
    if columns.segment:  # each record counts for the whole, and for its segment
        both = functions.array_distinct(functions.array(functions.lit(""), "segment"))
        records = records.withColumn("segment", functions.explode(both))
    if route.mode is Mode.SPLIT:
        records, cells = _keys(records, len(route.arms)), list(_of_keys())
    else:
        cells = [one for at in range(1, len(route.arms)) for one in _pair(at)]
    exploded = records.select("start", "segment", functions.explode(functions.array(*cells)))
    exploded = exploded.where(functions.col("col").isNotNull()).select("start", "segment", "col.*")
    by = ("start", "segment", "kind", "version", "champion", "bin", "label")
    found = exploded.groupBy(*by).agg(
        functions.sum("n").alias("n"),
        functions.avg("value").alias("mean"),
        functions.var_pop("value").alias("variance"),
    )
    return _made(collect(found), route, loss, windows)


def _records(read: DataFrame, route: Route, columns: Columns, windows: Windows) -> DataFrame:
    """One row a record: how often and with which loss each version scored it."""
    truth, version = functions.col("truth"), functions.col("version")
    same = functions.min(truth) == functions.max(truth)
    made = [
        functions.min("at").alias("at"),
        functions.min("segment").alias("segment"),
        functions.max("class").alias("class"),
        functions.max(truth).isNotNull().alias("labelled"),
        (functions.max("contradicted") | ~same).alias("contradicted"),
    ]
    if route.mode is Mode.SPLIT:
        made.append(functions.min("key").alias("key"))
    for at in range(len(route.arms)):
        own = version == at
        made.append(functions.count(functions.when(own, True)).alias(f"n{at}"))
        # Of several losses the greatest, and NaN is greater than any: twice is not better.
        loss = functions.max(functions.when(own, functions.col("loss")))
        made.append(loss.alias(f"loss{at}"))
    start = functions.lit(None).cast("bigint")
    if columns.time:
        start = instants.start(functions.col("at"), windows)
    return read.groupBy(*columns.record_names()).agg(*made).withColumn("start", start)


def _pair(at: int) -> Iterator[Column]:
    """The cells of a record for one challenger, by its place in the route."""
    mine, theirs = functions.col(f"loss{at}"), functions.col("loss0")
    n, others = functions.col(f"n{at}"), functions.col("n0")
    valid = ~functions.isnan(mine) & ~functions.isnan(theirs)
    why = _why((n == 0) | (others == 0), losses.UNPAIRED, valid)
    here, difference = n + others > 0, mine - theirs
    differs = functions.when(difference == 0, 0).otherwise(1)
    fine = here & why.isNull()
    yield _cell(fine, _PAIRED, at, 0, differs, functions.col("class"), difference)
    yield _cell(here & why.isNotNull(), _LOST, at, 0, why)
    again = functions.greatest(n - 1, functions.lit(0))
    again += functions.greatest(others - 1, functions.lit(0))
    yield _cell(again > 0, _LOST, at, 0, functions.lit(losses.REPEATED), n=again)


def _why(lacks: Column, lacking: int, valid: Column) -> Column:
    """Why a record counts for nothing; null where it counts."""
    return (
        functions.when(functions.col("contradicted"), losses.CONTRADICTING)
        .when(~functions.col("labelled"), losses.UNLABELLED)
        .when(lacks, lacking)
        .when(~functions.coalesce(valid, functions.lit(False)), losses.INVALID)
    )


def _keys(records: DataFrame, count: int) -> DataFrame:
    """Of a split, one row a key, version and window: keys were drawn, and not records."""
    ns = [functions.col(f"n{at}") for at in range(count)]
    scored_by = sum(((n > 0).cast("int") for n in ns[1:]), (ns[0] > 0).cast("int"))
    version = functions.coalesce(
        *(functions.when(n > 0, functions.lit(at)) for at, n in enumerate(ns))
    )
    loss = functions.coalesce(*(functions.col(f"loss{at}") for at in range(count)))
    crossed, keyless = scored_by > 1, functions.col("key").isNull()
    why = functions.when(keyless, _KEYLESS).when(crossed, losses.CROSSED)
    why = why.otherwise(_why(functions.lit(False), losses.CROSSED, ~functions.isnan(loss)))
    told = records.withColumns(
        {
            "version": version,
            "why": why,
            "loss": functions.when(why.isNull(), loss),
            "again": functions.greatest(*ns) - 1,
        }
    )
    known = functions.when(functions.col("loss").isNotNull(), functions.col("class"))
    lost = (
        functions.count(functions.when(functions.col("why") == one, True)).alias(f"why{at}")
        for at, one in enumerate(_WHY_OF_A_SPLIT)
    )
    return told.groupBy("start", "segment", "version", "key").agg(
        functions.avg("loss").alias("loss"),
        functions.count("loss").alias("n"),
        functions.max(known).alias("class"),
        functions.sum("again").alias("again"),
        *lost,
    )


def _of_keys() -> Iterator[Column]:
    """The cells of a key of a split."""
    version, loss, n = functions.col("version"), functions.col("loss"), functions.col("n")
    keys, records = functions.lit(losses.KEYS), functions.lit(losses.RECORDS)
    drawn = functions.col("key").isNotNull()
    none = functions.lit(0)
    yield _cell(loss.isNotNull(), _GROUP, version, _NOBODY, none, functions.col("class"), loss)
    yield _cell(drawn, _ASSIGNED, version, _NOBODY, keys)
    yield _cell(n > 0, _ASSIGNED, version, _NOBODY, records, n=n)
    for at, why in enumerate(_WHY_OF_A_SPLIT):
        count = functions.col(f"why{at}")
        yield _cell(count > 0, _LOST, version, _NOBODY, functions.lit(why), n=count)
    again, repeated = functions.col("again"), functions.lit(losses.REPEATED)
    yield _cell(again > 0, _LOST, version, _NOBODY, repeated, n=again)


def _cell(
    when: Column,
    kind: int,
    version: Column | int,
    champion: int,
    bin: Column,
    label: Column | None = None,
    value: Column | None = None,
    n: Column | None = None,
) -> Column:
    """A structure of the array of a record's cells; null where it adds none."""
    place = functions.lit(version) if isinstance(version, int) else version
    made = functions.struct(
        functions.lit(kind).alias("kind"),
        place.cast("int").alias("version"),
        functions.lit(champion).alias("champion"),
        bin.cast("int").alias("bin"),
        (functions.lit(0) if label is None else label).cast("int").alias("label"),
        (functions.lit(None) if value is None else value).cast("double").alias("value"),
        (functions.lit(1) if n is None else n).cast("bigint").alias("n"),
    )
    return functions.when(when, made)


def _made(found: Iterable[Row], route: Route, loss: str, windows: Windows) -> dict[Slot, State]:
    """States, out of rows of cells."""
    kinds = {
        _PAIRED: losses.paired(loss),
        _GROUP: losses.group(loss),
        _ASSIGNED: losses.ASSIGNED,
        _LOST: losses.LOST,
    }
    cells: dict[Slot, dict[Key, Cell]] = {}
    keyless = 0
    for row in found:
        if row["bin"] == _KEYLESS:
            keyless += row["n"] if row["segment"] == "" else 0
            continue
        version = route.arms[row["version"]].version
        champion = "" if row["champion"] == _NOBODY else route.arms[row["champion"]].version
        start = row["start"]
        window = None if start is None else instants.window(start, windows)
        slot = Slot(str(route.module), version, window, row["segment"])
        key = Key(kinds[row["kind"]], champion, row["bin"], row["label"])
        cells.setdefault(slot, {})[key] = cell_of(row)
    if keyless:
        raise ConfigurationError(
            f"{keyless} records of the split have no {' or '.join(route.key)}: those were not "
            "drawn. Leave them out, and score them apart."
        )
    return {slot: State(one) for slot, one in cells.items()}
