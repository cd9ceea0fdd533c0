"""Scored records as rows of a record and version, with the loss of each: one reading of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pyspark.sql import Column, DataFrame, functions
from pyspark.sql import types as kinds

from gavial.monitoring import losses
from gavial.monitoring.comparison import Mode
from gavial.monitoring.route import Route
from gavial.monitoring.windows import Windows
from gavial.spark.comparing import loss as loss_of
from gavial.spark.monitoring import instants, labels, segments
from gavial.spark.monitoring.labels import Labels
from gavial.spark.monitoring.table import Found, Table

ALONE: Final = "alone"


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
        segment: a column by whose values, the 50 most frequent of them, it is looked at apart,
            besides the whole; "" for none.
    """

    id: tuple[str, ...]
    label: str = "label"
    late: Labels | None = None
    prediction: str = "prediction"
    score: str = "probability"
    watermark: str = "pipeline"
    time: str = ""
    segment: str = ""

    def record_names(self) -> list[str]:
        """Those by which rows are of one record: one whose id has a null is like no other."""
        return [*self.key_names(), ALONE]

    def key_names(self) -> list[str]:
        """The names that the columns of `id` have in the rows."""
        return [labels.key(at) for at in range(len(self.id))]


def read(
    scored: DataFrame, route: Route, loss: str, columns: Columns, windows: Windows
) -> DataFrame:
    """One row a record and version of the route.

    Returns:
        `key0`, …, `alone` (a number where one of those is null), `version` (its place in the
        route), `at` in microseconds, `segment`, `key` of a split, `truth`, `loss` and `class`
        where there is a label, and `contradicted`.

    Raises:
        ConfigurationError: a column is not there, or of a type that does not fit.
    """
    table = Table(scored, "the scored records")
    made, types = _named(table, route, loss, columns)
    mark = table.need(
        columns.watermark, "It says which version scored a record: name it by watermark_col=."
    )
    made["version"] = version = _version(mark.column, route)
    rows = scored.where(version.isNotNull()).select(
        *(one.alias(name) for name, one in made.items())
    )
    rows = rows.withColumn(ALONE, labels.apart(columns.key_names()))
    if columns.time:
        rows = rows.withColumn("at", instants.micros("at", types["at"], windows.zone))
        if route.since is not None:
            rows = rows.where(functions.col("at") >= instants.micros_of(route.since))
    if columns.late is not None:
        rows = _joined(
            rows, [types[name] for name in columns.key_names()], columns.late, windows.zone
        )
        types["truth"] = rows.schema["truth"].dataType
    else:
        rows = rows.withColumn("contradicted", functions.lit(False))
    return _with_losses(rows, loss, columns, types)


def _named(
    table: Table, route: Route, loss: str, columns: Columns
) -> tuple[dict[str, Column], dict[str, kinds.DataType]]:
    """The columns by the names that the rows have for them, and their types."""
    heard = columns.score if loss in losses.OF_SCORES else columns.prediction
    found = {
        **{labels.key(at): table.need(name) for at, name in enumerate(columns.id)},
        "said": table.need(heard, f"The loss {loss} is made of it."),
    }
    if columns.late is None:
        found["truth"] = table.need(columns.label, "It is what came true: name it by label=.")
    if columns.time:
        found["at"] = table.need_time(columns.time)
    made = {name: one.column for name, one in found.items()}
    made.setdefault("at", functions.lit(None).cast("bigint"))
    made["segment"] = functions.lit("")
    if columns.segment:
        text = segments.text_of(table, columns.segment)
        made["segment"] = functions.concat(functions.lit(f"{columns.segment}="), text)
    if route.mode is Mode.SPLIT:
        keys = [table.need(name).column.cast("string") for name in route.key]
        known = functions.concat(*keys).isNotNull()  # of a null nothing is made
        made["key"] = functions.when(known, functions.to_json(functions.array(*keys)))
    return made, {name: one.kind for name, one in found.items()}


def _version(mark: Column, route: Route) -> Column:
    """The place of a record's version in the route; null for any other."""
    found = functions.lit(None).cast("int")
    for at, arm in enumerate(route.arms):
        found = functions.when(mark == str(arm.coordinate), functions.lit(at)).otherwise(found)
    return found


def _joined(rows: DataFrame, types: Sequence[kinds.DataType], late: Labels, zone: str) -> DataFrame:
    names = [labels.key(at) for at in range(len(types))]
    one_each = labels.by_key(late, zone, types).select(
        *names,
        functions.col(labels.LABEL).alias("truth"),
        functions.col(labels.CONTRADICTED).alias("contradicted"),
    )
    return rows.join(one_each, names, "left")


def _with_losses(
    rows: DataFrame, loss: str, columns: Columns, types: dict[str, kinds.DataType]
) -> DataFrame:
    label = columns.late.label if columns.late else columns.label
    heard = columns.score if loss in losses.OF_SCORES else columns.prediction
    truth = Found(label, functions.col("truth"), types["truth"])
    said = Found(heard, functions.col("said"), types["said"])
    known = truth.column.isNotNull()
    if isinstance(truth.kind, kinds.FloatType | kinds.DoubleType):
        known &= ~functions.isnan(truth.column)
    return rows.withColumns(
        {
            "loss": functions.when(known, loss_of.of(loss, truth, said)),
            "class": functions.when(known, loss_of.class_of(loss, truth)),
            "truth": functions.when(known, truth.column),
        }
    )
