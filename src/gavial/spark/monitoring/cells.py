"""What one record adds to a state, as an array of structures: the count of `monitoring.count`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame, Row, functions
from pyspark.sql import types as kinds

from gavial.monitoring import bins, state
from gavial.monitoring.bins import Bins, Numeric
from gavial.monitoring.losses import LEAST_PROBABILITY
from gavial.monitoring.profile import BINARY, MULTICLASS, REGRESSION, Profile
from gavial.monitoring.state import Cell, Key
from gavial.spark.monitoring import binning
from gavial.spark.monitoring.table import collect

_LATENCY: Final = Numeric(state.LATENCY_EDGES)
_LIMIT: Final = "spark.sql.codegen.hugeMethodLimit"
LABEL, PREDICTION, SCORE, SECONDS = "label", "prediction", "score", "seconds"


@dataclass
class Cells:
    """The cells that a record adds to, and the columns that they are made of.

    Attributes:
        profile: what is counted.
        kinds: the types of the columns that the records have, by the names used here: `LABEL`,
            `PREDICTION`, `SCORE`, `SECONDS`, and `feature` of each.
        keys: kind and column by the number that a structure has for it.
    """

    profile: Profile
    kinds: Mapping[str, kinds.DataType]
    keys: list[tuple[str, str]] = field(default_factory=list)
    _bins: dict[int, Numeric] = field(default_factory=dict)

    def of(self, df: DataFrame, name: str, extra: Sequence[Column] = ()) -> DataFrame:
        """Add the array, as a column, to records that have the columns of `kinds`.

        Args:
            extra: further structures, as `extra` makes them.
        """
        prepared = self._prepared(df)
        return prepared.withColumn(name, functions.array(*self._all(), *extra))

    def extra(self, kind: str, column: str, when: Column, value: Column | None = None) -> Column:
        """A cell of the records alone for which something holds."""
        return self._cell(kind, column, value=value, when=when)

    def number(self, kind: str, column: str = "") -> int:
        """The number of a kind and column; a new one is given where it has none."""
        if (kind, column) not in self.keys:
            self.keys.append((kind, column))
        return self.keys.index((kind, column))

    def key(self, row: Row) -> Key:
        """The key of a row of `summed`. Two rows may have one: then their cells are added."""
        kind, column = self.keys[row["cell"]]
        found = self._bins.get(row["cell"])
        index = row["bin"]
        if found is not None:
            index = binning.index_of(index, row["finite"], found)
        return Key(kind, column, index, row["label"])

    def _prepared(self, df: DataFrame) -> DataFrame:
        """Numbers as doubles, their buckets, and the label's class."""
        numbers: dict[str, Numeric] = {}
        made: dict[str, Column] = {}
        for name, found in self._numeric().items():
            if name == SCORE and not binning.is_number(self.kinds[name]):
                made[_number(name)] = (
                    functions.get(score_array(functions.col(SCORE), self.kinds[name]), 1) + 0.0
                )
            else:
                made[_number(name)] = binning.number(functions.col(name), self.kinds[name])
            if found is not None:
                numbers[_number(name)] = found
        if self._classified:
            made["class"] = self._class(LABEL)
        return binning.with_buckets(df.withColumns(made) if made else df, numbers)

    def _numeric(self) -> dict[str, Numeric | None]:
        """The columns of which numbers are taken, with the bins for them."""
        profile = self.profile
        wanted: dict[str, Numeric | None] = {
            feature(at): found
            for at, found in enumerate(profile.features.values())
            if isinstance(found, Numeric)
        }
        if profile.task == BINARY:
            wanted[SCORE] = profile.score_bins
        if profile.task == REGRESSION:
            wanted[PREDICTION] = wanted[LABEL] = profile.value_bins
        wanted[SECONDS] = _LATENCY
        return {name: found for name, found in wanted.items() if name in self.kinds}

    @property
    def _classified(self) -> bool:
        return self.profile.task in (BINARY, MULTICLASS)

    def _class(self, name: str) -> Column:
        if name not in self.kinds:
            return functions.lit(bins.NULL)
        value = functions.col(name)
        return binning.category_index(value, self.kinds[name], self.profile.class_bins)

    def _all(self) -> list[Column]:
        found = [self._cell(state.RECORDS)]
        for at, (name, one) in enumerate(self.profile.features.items()):
            if feature(at) in self.kinds:
                found.append(self._feature(feature(at), name, one))
        if self._classified:
            found += self._outcome()
        elif self.profile.task == REGRESSION:
            found += self._errors()
        if SECONDS in self.kinds:
            found.append(self._binned(state.LATENCY, SECONDS, _LATENCY, optional=True))
        return found

    def _feature(self, column: str, name: str, found: Bins) -> Column:
        if isinstance(found, Numeric):
            return self._binned(state.FEATURE, column, found, name=name)
        index = binning.category_index(functions.col(column), self.kinds[column], found)
        return self._cell(state.FEATURE, name, bin=index)

    def _outcome(self) -> list[Column]:
        profile, label = self.profile, functions.col("class")
        found = []
        if PREDICTION in self.kinds:
            found.append(self._cell(state.CONFUSION, bin=self._class(PREDICTION), label=label))
        if SCORE not in self.kinds:
            return found
        if profile.task == BINARY and profile.score_bins is not None:
            found.append(self._binned(state.SCORE, SCORE, profile.score_bins, label=label))
        if LABEL in self.kinds:
            likely = self._likelihood(label)
            # Not `least` and `greatest`, which pass over a null.
            likely = functions.when(likely < LEAST_PROBABILITY, LEAST_PROBABILITY).otherwise(likely)
            likely = functions.when(likely > 1, 1.0).otherwise(likely)
            loss = functions.when(label >= 0, -functions.log(likely))
            found.append(self._carried(state.LOG_LOSS, loss))
        return found

    def _likelihood(self, label: Column) -> Column:
        """The probability of the label's class; null where the score says none."""
        count = len(self.profile.classes)
        if binning.is_number(self.kinds[SCORE]):
            if self.profile.task != BINARY:
                return functions.lit(None).cast("double")
            positive = binning.finite(functions.col(_number(SCORE)))
            return functions.when(label == 1, positive).otherwise(1.0 - positive)
        each = score_array(functions.col(SCORE), self.kinds[SCORE])
        whole = functions.forall(each, binning.is_finite) & (functions.size(each) == count)
        return functions.when(whole, functions.get(each, label))

    def _errors(self) -> list[Column]:
        found = []
        for kind, name in ((state.PREDICTION, PREDICTION), (state.LABEL, LABEL)):
            if name in self.kinds and self.profile.value_bins is not None:
                found.append(self._binned(kind, name, self.profile.value_bins))
            elif name == LABEL and self.profile.label and self.profile.value_bins is not None:
                found.append(self._cell(kind, bin=functions.lit(bins.NULL)))
        if PREDICTION in self.kinds and LABEL in self.kinds:
            error = binning.finite(
                functions.col(_number(PREDICTION)) - functions.col(_number(LABEL))
            )
            found.append(self._carried(state.ERROR, error))
            found.append(self._carried(state.ABSOLUTE_ERROR, functions.abs(error)))
        return found

    def _binned(
        self,
        kind: str,
        column: str,
        found: Numeric,
        *,
        name: str = "",
        label: Column | None = None,
        optional: bool = False,
    ) -> Column:
        self._bins[self.number(kind, name)] = found
        value = functions.col(_number(column))
        return self._cell(
            kind,
            name,
            bin=functions.col(binning.bucket(_number(column))),
            label=label,
            value=value,
            when=value.isNotNull() if optional else None,
        )

    def _carried(self, kind: str, value: Column) -> Column:
        """A cell of the records alone that have such a value."""
        return self._cell(kind, value=value, when=value.isNotNull())

    def _cell(
        self,
        kind: str,
        column: str = "",
        *,
        bin: Column | None = None,
        label: Column | None = None,
        value: Column | None = None,
        when: Column | None = None,
    ) -> Column:
        number = functions.lit(self.number(kind, column))
        return cell(
            number if when is None else functions.when(when, number),
            bin=bin,
            label=label,
            value=value,
        )


def cell(
    number: Column,
    *,
    bin: Column | None = None,
    label: Column | None = None,
    value: Column | None = None,
) -> Column:
    """A structure of the array: `cell` (none where that is null), `bin`, `label`, `value`.

    A bin of numbers is the bucket that `binning.index_of` reads, as a double.
    """
    none = functions.lit(None).cast("double")
    return functions.struct(
        number.cast("int").alias("cell"),
        (functions.lit(0.0) if bin is None else bin.cast("double")).alias("bin"),
        (functions.lit(0) if label is None else label).alias("label"),
        (none if value is None else value).alias("value"),
    )


def summed(df: DataFrame, by: Sequence[str], name: str) -> DataFrame:
    """One row a cell: the columns of `by`, those of `cell` but its value, and what `cell_of` reads.

    Args:
        df: records with arrays of structures.
        by: the columns that say whose the cells are.
        name: the column of the arrays.
    """
    value = functions.col("value")
    each = df.select(*by, functions.explode(name).alias("one")).select(*by, "one.*")
    each = each.where(functions.col("cell").isNotNull()).select(
        *by,
        "cell",
        functions.col("bin").cast("int").alias("bin"),
        "label",
        binning.is_finite(value).alias("finite"),
        binning.finite(value).alias("value"),
    )
    return each.groupBy(*by, "cell", "bin", "label", "finite").agg(
        functions.count(functions.lit(1)).alias("n"),
        functions.avg(value).alias("mean"),
        # Spark's own, which merges moments by Chan's formula as `Cell` does.
        functions.var_pop(value).alias("variance"),
    )


def collected(df: DataFrame) -> list[Row]:
    """The rows of `summed`.

    Of many columns Spark makes one method, and the JVM compiles none of more than 8,000 bytes: it
    would be interpreted, many times slower. With the limit that Spark's own documentation names
    it makes many short ones instead. The setting is as it was afterwards.

    Raises:
        ConfigurationError: Spark cannot read the records.
    """
    conf = df.sparkSession.conf
    before = conf.get(_LIMIT, None)
    conf.set(_LIMIT, "8000")
    try:
        return collect(df)
    finally:
        if before is None:
            conf.unset(_LIMIT)
        else:
            conf.set(_LIMIT, before)


def cell_of(row: Row) -> Cell:
    """The cell of a row of `summed`."""
    if row["mean"] is None:
        return Cell(row["n"])
    return Cell(row["n"], row["mean"], row["variance"] * row["n"])


def feature(at: int) -> str:
    """The name of a feature's column here, by its place in the profile."""
    return f"feature{at}"


def is_score(kind: kinds.DataType) -> bool:
    """Whether a column of a type can be a score: a number, a vector, or an array of numbers."""
    if isinstance(kind, kinds.ArrayType):
        return isinstance(kind.elementType, kinds.NumericType)
    return isinstance(kind, kinds.NumericType) or is_vector(kind)


def is_vector(kind: kinds.DataType) -> bool:
    return type(kind).__name__ == "VectorUDT"


def score_array(value: Column, kind: kinds.DataType) -> Column:
    """A score of several classes as an array of doubles."""
    if is_vector(kind):
        return functions.when(value.isNotNull(), vector_to_array(value))
    return value.cast("array<double>")


def _number(name: str) -> str:
    return f"{name}_number"
