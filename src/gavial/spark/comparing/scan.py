"""One scan of scored records to what their losses add up to: states of a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pyspark.sql import Column, DataFrame, functions

from gavial.errors import ConfigurationError
from gavial.monitoring import losses
from gavial.monitoring.comparison import Mode
from gavial.monitoring.route import Arm, Route
from gavial.monitoring.state import Cell, Key, Slot, State
from gavial.monitoring.windows import Window, Windows
from gavial.spark.comparing import loss as loss_of
from gavial.spark.monitoring import instants, labels
from gavial.spark.monitoring.labels import Labels
from gavial.spark.monitoring.table import Found, Table

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KEYLESS: Final = -1  # beside `losses.WHY_LOST`: a record of a split without a key
_PAIRED, _GROUP, _ASSIGNED, _LOST = range(4)


@dataclass(frozen=True)
class Columns:
    """Where scored records say what.

    Attributes:
        id: the columns that name a record.
        label: what came true; where it comes later, `late` has it.
        late: labels of a table of their own.
        prediction, score: what the model says.
        watermark: the version that scored it.
        time: when it was scored; "" puts all into one look.
        segment: a column by whose values it is looked at apart, besides the whole; "" for none.
    """

    id: tuple[str, ...]
    label: str = "label"
    late: Labels | None = None
    prediction: str = "prediction"
    score: str = "probability"
    watermark: str = "pipeline"
    time: str = ""
    segment: str = ""


@dataclass
class Scan:
    """What is asked of scored records.

    Raises:
        ConfigurationError: a column is not there, or of a type that does not fit.
    """

    scored: DataFrame
    route: Route
    loss: str
    columns: Columns
    windows: Windows = field(default_factory=Windows)

    def states(self) -> dict[Slot, State]:
        """What the records add up to, by version, window and segment.

        The slots are those of the challengers, and of a split of all versions. States of other
        records are added to these by `state.total`; each record must be in one of them alone, with
        all versions that scored it.
        """
        records = self._records(self._rows())
        if self.columns.segment:  # each record counts for the whole, and for its segment
            both = functions.array_distinct(functions.array(functions.lit(""), "segment"))
            records = records.withColumn("segment", functions.explode(both))
        if self.route.mode is Mode.SPLIT:
            cells = functions.array(*self._of_keys())
            records = self._keys(records)
        else:
            cells = functions.array(*(one for arm in self.challengers for one in self._pair(arm)))
        exploded = records.select("start", "segment", functions.explode(cells).alias("cell"))
        exploded = exploded.where(functions.col("cell").isNotNull()).select(
            "start", "segment", "cell.*"
        )
        value = functions.col("value")
        found = exploded.groupBy(
            "start", "segment", "kind", "version", "champion", "bin", "label"
        ).agg(
            functions.sum("n").alias("n"),
            functions.avg(value).alias("mean"),
            functions.var_pop(value).alias("variance"),
        )
        return self._made(row.asDict() for row in found.collect())

    @property
    def challengers(self) -> tuple[Arm, ...]:
        return self.route.challengers

    # From rows to records ------------------------------------------------------------------

    def _rows(self) -> DataFrame:
        """One row a record and version, with `loss`, `label` and `class`."""
        asked, table = self.columns, Table(self.scored, "the scored records")
        ids = [table.need(name) for name in asked.id]
        mark = table.need(
            asked.watermark, "It says which version scored a record: name it by watermark_col=."
        )
        made = {labels.key(at): one.column for at, one in enumerate(ids)}
        made["version"] = self._version(mark.column)
        said = asked.score if self.loss in losses.OF_SCORES else asked.prediction
        heard = table.need(said, f"The loss {self.loss} is made of it.")
        made["said"] = heard.column
        kinds = {"said": heard.kind}
        if asked.late is None:
            truth = table.need(asked.label, "It is what came true: name it by label=.")
            made["truth"], kinds["truth"] = truth.column, truth.kind
        made["at"] = functions.lit(None).cast("bigint")
        if asked.time:
            when = table.need(asked.time)
            if not instants.is_time(when.kind):
                raise ConfigurationError(
                    f"The time {asked.time!r} is of type {when.kind.simpleString()}: expected a "
                    "timestamp, a date or a text."
                )
            made["at"], kinds["at"] = when.column, when.kind
        made["segment"] = functions.lit("")
        if asked.segment:
            text = table.need(asked.segment).column.cast("string")
            named = functions.concat(functions.lit(f"{asked.segment}="), text)
            made["segment"] = functions.coalesce(named, functions.lit(""))
        if self.route.mode is Mode.SPLIT:
            keys = [table.need(name).column.cast("string") for name in self.route.key]
            known = functions.concat(*keys).isNotNull()  # of a null nothing is made
            made["key"] = functions.when(known, functions.to_json(functions.array(*keys)))
        rows = self.scored.where(made["version"].isNotNull()).select(
            *(one.alias(name) for name, one in made.items())
        )
        if asked.time:
            rows = rows.withColumn("at", instants.micros("at", kinds["at"], self.windows.zone))
        since = self.route.since
        if since is not None and asked.time:
            rows = rows.where(functions.col("at") >= (since - _EPOCH) // timedelta(microseconds=1))
        if asked.late is not None:
            rows, kinds["truth"] = self._joined(rows, [one.kind for one in ids], asked.late)
        else:
            rows = rows.withColumn("contradicted", functions.lit(False))
        truth, said_now = (
            Found(name, functions.col(column), kinds[column])
            for name, column in ((asked.label, "truth"), (said, "said"))
        )
        labelled = truth.column.isNotNull() & ~truth.column.cast("string").isin("NaN")
        return rows.withColumns(
            {
                "loss": functions.when(labelled, loss_of.of(self.loss, truth, said_now)),
                "class": functions.when(labelled, loss_of.class_of(self.loss, truth)),
                "truth": functions.when(labelled, truth.column),
            }
        )

    def _version(self, mark: Column) -> Column:
        """The place of a record's version in the route; null for any other."""
        found = functions.lit(None).cast("int")
        for at, arm in enumerate(self.route.arms):
            found = functions.when(mark == str(arm.coordinate), functions.lit(at)).otherwise(found)
        return found

    def _joined(self, rows: DataFrame, kinds: list[Any], late: Labels) -> tuple[DataFrame, Any]:
        one_each = labels.by_key(late, self.windows.zone, kinds).select(
            *(labels.key(at) for at in range(len(kinds))),
            functions.col(labels.LABEL).alias("truth"),
            functions.col(labels.CONTRADICTED).alias("contradicted"),
        )
        names = [labels.key(at) for at in range(len(kinds))]
        kind = one_each.schema["truth"].dataType
        return rows.join(one_each, names, "left"), kind

    def _records(self, rows: DataFrame) -> DataFrame:
        """One row a record: how often and with which loss each version scored it."""
        keys = [labels.key(at) for at in range(len(self.columns.id))]
        truth, version = functions.col("truth"), functions.col("version")
        same = functions.min(truth) == functions.max(truth)
        made = [
            functions.min("at").alias("at"),
            functions.min("segment").alias("segment"),
            functions.max("class").alias("class"),
            functions.max(truth).isNotNull().alias("labelled"),
            (functions.max("contradicted") | ~same).alias("contradicted"),
        ]
        if self.route.mode is Mode.SPLIT:
            made.append(functions.min("key").alias("key"))
        for at in range(len(self.route.arms)):
            own = version == at
            made.append(functions.count(functions.when(own, True)).alias(f"n{at}"))
            # Of several losses the greatest, and NaN is greater than any: twice is not better.
            made.append(
                functions.max(functions.when(own, functions.col("loss"))).alias(f"loss{at}")
            )
        found = rows.groupBy(*keys).agg(*made)
        start = functions.lit(None).cast("bigint")
        if self.columns.time:
            start = instants.start(functions.col("at"), self.windows)
        return found.withColumn("start", start)

    # From records to cells -----------------------------------------------------------------

    def _pair(self, arm: Arm) -> Iterator[Column]:
        at = self.route.arms.index(arm)
        mine, theirs = functions.col(f"loss{at}"), functions.col("loss0")
        n, others = functions.col(f"n{at}"), functions.col("n0")
        valid = ~functions.isnan(mine) & ~functions.isnan(theirs)
        why = self._why((n == 0) | (others == 0), losses.UNPAIRED, valid)
        here = n + others > 0
        fine, difference = here & why.isNull(), mine - theirs
        differs = functions.when(difference == 0, 0).otherwise(1)
        yield self._cell(fine, _PAIRED, at, 0, differs, functions.col("class"), difference)
        yield self._cell(here & why.isNotNull(), _LOST, at, 0, why)
        again = functions.greatest(n - 1, functions.lit(0))
        again = again + functions.greatest(others - 1, functions.lit(0))
        yield self._cell(again > 0, _LOST, at, 0, functions.lit(losses.REPEATED), n=again)

    def _why(self, lacks: Column, lacking: int, valid: Column) -> Column:
        """Why a record counts for nothing; null where it counts."""
        return (
            functions.when(functions.col("contradicted"), losses.CONTRADICTING)
            .when(~functions.col("labelled"), losses.UNLABELLED)
            .when(lacks, lacking)
            .when(~functions.coalesce(valid, functions.lit(False)), losses.INVALID)
        )

    def _keys(self, records: DataFrame) -> DataFrame:
        """Of a split, one row a key, version and window: keys were drawn, and not records."""
        count = len(self.route.arms)
        ns = [functions.col(f"n{at}") for at in range(count)]
        scored_by = sum(((n > 0).cast("int") for n in ns[1:]), (ns[0] > 0).cast("int"))
        version = functions.coalesce(
            *(functions.when(n > 0, functions.lit(at)) for at, n in enumerate(ns))
        )
        loss = functions.coalesce(*(functions.col(f"loss{at}") for at in range(count)))
        crossed = scored_by > 1
        why = self._why(crossed, losses.CROSSED, ~functions.isnan(loss))
        why = functions.when(crossed, losses.CROSSED).otherwise(why)
        why = functions.when(functions.col("key").isNull(), _KEYLESS).otherwise(why)
        again = functions.greatest(*ns, functions.lit(0)) - 1
        told = records.withColumns({"version": version, "why": why, "again": again})
        told = told.withColumn("loss", functions.when(functions.col("why").isNull(), loss))
        lost = [
            functions.count(functions.when(functions.col("why") == one, True)).alias(f"why{at}")
            for at, one in enumerate(_SPLIT_LOSSES)
        ]
        return told.groupBy("start", "segment", "version", "key").agg(
            functions.avg("loss").alias("loss"),
            functions.max(
                functions.when(functions.col("loss").isNotNull(), functions.col("class"))
            ).alias("class"),
            functions.sum(functions.greatest("again", functions.lit(0))).alias("again"),
            *lost,
        )

    def _of_keys(self) -> Iterator[Column]:
        version, loss = functions.col("version"), functions.col("loss")
        zero = functions.lit(0)
        yield self._cell(loss.isNotNull(), _GROUP, version, -1, zero, functions.col("class"), loss)
        yield self._cell(functions.lit(True), _ASSIGNED, version, -1, zero)
        for at, one in enumerate(_SPLIT_LOSSES):
            n = functions.col(f"why{at}")
            yield self._cell(n > 0, _LOST, version, -1, functions.lit(one), n=n)
        again = functions.col("again")
        repeated = functions.lit(losses.REPEATED)
        yield self._cell(again > 0, _LOST, version, -1, repeated, n=again)

    def _cell(
        self,
        when: Column,
        kind: int,
        version: Column | int,
        champion: int,
        bin: Column,
        label: Column | None = None,
        value: Column | None = None,
        n: Column | None = None,
    ) -> Column:
        zero, one, none = functions.lit(0), functions.lit(1), functions.lit(None)
        made = functions.struct(
            functions.lit(kind).alias("kind"),
            (functions.lit(version) if isinstance(version, int) else version)
            .cast("int")
            .alias("version"),
            functions.lit(champion).alias("champion"),
            bin.cast("int").alias("bin"),
            (zero if label is None else label).cast("int").alias("label"),
            (none if value is None else value).cast("double").alias("value"),
            (one if n is None else n).cast("bigint").alias("n"),
        )
        return functions.when(when, made)

    # From rows of cells to states ------------------------------------------------------------

    def _made(self, rows: Iterable[dict[str, Any]]) -> dict[Slot, State]:
        kinds = {
            _PAIRED: losses.paired(self.loss),
            _GROUP: losses.group(self.loss),
            _ASSIGNED: losses.ASSIGNED,
            _LOST: losses.LOST,
        }
        cells: dict[Slot, dict[Key, Cell]] = {}
        keyless = 0
        for row in rows:
            if row["kind"] == _LOST and row["bin"] == _KEYLESS:
                keyless += row["n"]
                continue
            arms = self.route.arms
            version = arms[row["version"]].version
            champion = arms[row["champion"]].version if row["champion"] >= 0 else ""
            slot = Slot(str(self.route.module), version, self._window(row["start"]), row["segment"])
            key = Key(kinds[row["kind"]], champion, row["bin"], row["label"])
            n, mean = row["n"], row["mean"] or 0.0
            cells.setdefault(slot, {})[key] = Cell(n, mean, (row["variance"] or 0.0) * n)
        if keyless:
            raise ConfigurationError(
                f"{keyless} records of the split have no {' or '.join(self.route.key)}: those were "
                "not drawn. Leave them out, and score them apart."
            )
        return {slot: State(one) for slot, one in cells.items()}

    def _window(self, start: int | None) -> Window | None:
        if start is None:
            return None
        return self.windows.of(_EPOCH + timedelta(microseconds=start))


_SPLIT_LOSSES: Final = (
    _KEYLESS,
    losses.UNLABELLED,
    losses.CONTRADICTING,
    losses.CROSSED,
    losses.INVALID,
)
