"""What is watched of a model, learnt from records: its task, its classes, and the bins."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pyspark.sql import Column, DataFrame, Row, Window, functions
from pyspark.sql import types as kinds

from gavial.errors import ConfigurationError
from gavial.monitoring import bins
from gavial.monitoring.bins import (
    CATEGORIES,
    FEATURE_BINS,
    SCORE_BINS,
    Bins,
    Categories,
    Numeric,
    text_of,
)
from gavial.monitoring.profile import (
    BINARY,
    MULTICLASS,
    REGRESSION,
    TASKS,
    UNLABELLED,
    Profile,
)
from gavial.spark.monitoring import binning
from gavial.spark.monitoring.cells import LABEL, PREDICTION, SCORE, feature, is_score, score_array
from gavial.spark.monitoring.table import Found, Table, collect

CLASSES: Final = 50
_SAMPLE: Final = 200_000  # records of which quantiles and categories are taken
_SEED: Final = 7
_ACCURACY: Final = 10_000  # of a quantile: to a ten-thousandth of the sample
_NAMES: Final = 0.5  # a text with more values than this share of its records names them
_OTHER: Final = "(other)"  # the class that is not there, of two


@dataclass
class Learning:
    """A profile in the making.

    Args:
        table: the records.
        features: the columns to watch.
        label, prediction, score: their columns; "" where there is none.
        task: one of `profile.TASKS`, or "" to find out.

    Attributes:
        problems: what was left out, in words.

    Raises:
        ConfigurationError: a column is not there, or a type does not fit.
    """

    table: Table
    features: Sequence[str]
    label: str = ""
    prediction: str = ""
    score: str = ""
    task: str = ""
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.task not in ("", *TASKS):
            raise ConfigurationError(f"task={self.task!r}: expected one of {TASKS!r}.")
        names = {LABEL: self.label, PREDICTION: self.prediction, SCORE: self.score}
        names |= {feature(at): name for at, name in enumerate(self.features)}
        self._found = {here: self.table.need(name) for here, name in names.items() if name}
        score = self._found.get(SCORE)
        if score and not is_score(score.kind):
            raise ConfigurationError(
                f"The score {self.score!r} is of type {score.kind.simpleString()}: expected the "
                "probability of the positive class, or a vector with one of each class."
            )
        self._width = 2 if score is None or binning.is_number(score.kind) else self._vector(score)
        self._values: Mapping[str, _Values] = {}

    def profile(self) -> Profile:
        """Look at the records: at the ends of numbers, then at a sample, then at the classes."""
        df = self.table.df.select(
            *[one.column.alias(here) for here, one in self._found.items() if here != SCORE],
            *([self._positive().alias(SCORE)] if self._scored else []),
        )
        numbers = [
            here
            for here, one in self._found.items()
            if binning.is_number(one.kind) or (here == SCORE and self._scored)
        ]
        for here in numbers:
            kind = kinds.DoubleType() if here == SCORE else self._found[here].kind
            df = df.withColumn(f"{here}_number", binning.number(functions.col(here), kind))
        rows, ends = _ends(df, numbers)
        sample = df if rows <= _SAMPLE else df.sample(_SAMPLE / rows, _SEED)
        quantiles = _quantiles(sample, numbers)
        self._values = _values(
            sample, {here: one.kind for here, one in self._found.items() if here != SCORE}
        )
        task = self.task or self._task()
        edges = _Edges(ends, quantiles)
        features = {
            name: one
            for at, name in enumerate(self.features)
            if (one := self._feature(name, feature(at), edges)) is not None
        }
        return Profile(
            task,
            features,
            self.label,
            self.prediction,
            self.score,
            self._classes() if task in (BINARY, MULTICLASS) else (),
            score_bins=edges.of([SCORE], SCORE_BINS) if task == BINARY and self.score else None,
            value_bins=self._value_bins(edges) if task == REGRESSION else None,
        )

    @property
    def _scored(self) -> bool:
        """Whether there is a score of one number."""
        return bool(self.score) and self._width == 2

    def _positive(self) -> Column:
        score = self._found[SCORE]
        if binning.is_number(score.kind):
            return score.column.cast("double")
        return functions.get(score_array(score.column, score.kind), 1)

    def _vector(self, score: Found) -> int:
        size = functions.size(score_array(score.column, score.kind)).alias("size")
        row = self.table.df.where(score.column.isNotNull()).select(size).first()
        return 2 if row is None else int(row["size"])

    def _task(self) -> str:
        if not (self.label or self.prediction or self.score):
            return UNLABELLED
        if self.score:
            return BINARY if self._width == 2 else MULTICLASS
        known = [self._values[one] for one in (LABEL, PREDICTION) if one in self._found]
        kinds_ = [self._found[one].kind for one in (LABEL, PREDICTION) if one in self._found]
        whole = all(one.whole for one in known) and all(one.count <= CLASSES for one in known)
        if all(binning.is_number(one) for one in kinds_) and not whole:
            return REGRESSION
        classes = {text for one in known for text in one.most}
        return BINARY if len(classes) <= 2 else MULTICLASS

    def _feature(self, name: str, here: str, edges: _Edges) -> Bins | None:
        kind, values = self._found[here].kind, self._values.get(here)
        discrete = values is not None and values.count <= CATEGORIES
        if isinstance(kind, kinds.BooleanType) or (
            isinstance(kind, kinds.IntegralType) and discrete and values and values.most
        ):
            return Categories(tuple(sorted(values.most, key=int))) if values else None
        if binning.is_number(kind):
            whole = isinstance(kind, kinds.IntegralType)
            found = edges.of([here], FEATURE_BINS, whole=whole)
            if found is None:
                self.problems.append(f"The feature {name!r} has no number: it is not watched.")
            return found
        if not binning.fits(kind, Categories(())) or values is None:
            self.problems.append(
                f"The feature {name!r} is of type {kind.simpleString()}: it is not watched."
            )
            return None
        if values.count > CATEGORIES and values.count > _NAMES * values.records:
            self.problems.append(
                f"The feature {name!r} has a value of its own for most records: it is not watched."
            )
            return None
        return Categories(tuple(values.most[:CATEGORIES]))

    def _value_bins(self, edges: _Edges) -> Numeric | None:
        for here in (LABEL, PREDICTION):
            if here in self._found and not binning.is_number(self._found[here].kind):
                raise ConfigurationError(
                    f"The {here} {self._found[here].name!r} is of type "
                    f"{self._found[here].kind.simpleString()}: a regression has numbers."
                )
        return edges.of([one for one in (LABEL, PREDICTION) if one in self._found], FEATURE_BINS)

    def _classes(self) -> tuple[str, ...]:
        """The classes, in the order in which a vector of scores has them where there is one."""
        top, score = functions.lit(None).cast("int"), functions.lit(None).cast("double")
        if SCORE in self._found and binning.is_number(self._found[SCORE].kind):
            score = self._found[SCORE].column.cast("double")
        elif SCORE in self._found:
            each = score_array(self._found[SCORE].column, self._found[SCORE].kind)
            top = (
                functions.call_function("array_position", each, functions.array_max(each)) - 1
            ).cast("int")
        nothing = functions.lit(None).cast("string")
        label, prediction = (
            self._found[one].column if one in self._found else nothing
            for one in (LABEL, PREDICTION)
        )
        counted = (
            self.table.df.groupBy(
                label.alias("label"), prediction.alias("prediction"), top.alias("top")
            )
            .agg(functions.count(functions.lit(1)).alias("n"), functions.avg(score).alias("score"))
            .limit(CLASSES**3)
        )
        rows = collect(counted)
        found = _named(rows)
        if len(found) > max(CLASSES, self._width):
            raise ConfigurationError(
                f"Label and prediction have {len(found)} classes or more; at most {CLASSES} are "
                'watched. Numbers that are no classes are a regression: pass task="regression".'
            )
        if (self.score and self._width > 2) or any(row["top"] is not None for row in rows):
            return _by_vector(found, rows, self._width)
        return _by_score(found, rows)


@dataclass(frozen=True)
class _Values:
    """The values of a column in the sample, as texts.

    `most` are the most frequent, at most one more than `CATEGORIES`; `whole` says whether all of
    those are whole numbers.
    """

    records: int
    count: int
    most: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return all(one.lstrip("-").isdecimal() for one in self.most)


@dataclass(frozen=True)
class _Edges:
    """Ends of columns over all records, and quantiles of the sample."""

    ends: Mapping[str, tuple[float, float]]
    quantiles: Mapping[str, Sequence[float]]

    def of(self, names: Sequence[str], count: int, *, whole: bool = False) -> Numeric | None:
        """Bins of what some columns have together; `None` where they have no number.

        A value that is a quantile twice gets a bin of its own, so that many zeros are not
        counted with what is a little more.
        """
        known = [name for name in names if name in self.ends]
        if not known:
            return None
        inner = sorted(one for name in known for one in self.quantiles[name])
        inner = inner[len(known) - 1 :: len(known)]
        step = max(1, len(inner) // count)
        inner = inner[step - 1 : -1 : step] if step > 1 else inner
        often = [one for one, n in Counter(inner).items() if n > 1]
        after = [one + 1.0 if whole else math.nextafter(one, math.inf) for one in often]
        low = min(self.ends[name][0] for name in known)
        high = max(self.ends[name][1] for name in known)
        edges = {low, high, *(one for one in (*inner, *after) if low < one < high)}
        return bins.from_quantiles(one + 0.0 for one in edges)


def _ends(df: DataFrame, names: Sequence[str]) -> tuple[int, dict[str, tuple[float, float]]]:
    """How many records there are, and the least and greatest finite number of each column."""
    wanted = [functions.count(functions.lit(1)).alias("n")]
    for name in names:
        value = binning.finite(functions.col(f"{name}_number"))
        wanted += [
            functions.min(value).alias(f"{name}_low"),
            functions.max(value).alias(f"{name}_high"),
        ]
    (row,) = collect(df.agg(*wanted))
    return row["n"], {
        name: (row[f"{name}_low"], row[f"{name}_high"])
        for name in names
        if row[f"{name}_low"] is not None
    }


def _quantiles(sample: DataFrame, names: Sequence[str]) -> dict[str, list[float]]:
    """The quantiles between the ends, of all columns in one job."""
    wanted = []
    for name in names:
        count = SCORE_BINS if name == SCORE else FEATURE_BINS
        probabilities = [at / count for at in range(1, count)]
        value = binning.finite(functions.col(f"{name}_number"))
        wanted.append(functions.percentile_approx(value, probabilities, _ACCURACY).alias(name))
    if not wanted:
        return {}
    (row,) = collect(sample.agg(*wanted))
    return {name: row[name] or [] for name in names}


def _values(sample: DataFrame, columns: Mapping[str, kinds.DataType]) -> dict[str, _Values]:
    """The values of columns that may be categories, of all columns in one job."""
    names = [name for name, kind in columns.items() if binning.has_text(kind)]
    if not names:
        return {}
    each = functions.array(
        *[
            functions.struct(
                functions.lit(at).alias("column"),
                binning.text(functions.col(name), columns[name]).alias("value"),
            )
            for at, name in enumerate(names)
        ]
    )
    one = Window.partitionBy("column")
    counted = (
        sample.select(functions.explode(each).alias("one"))
        .select("one.*")
        .where("value is not null")
        .groupBy("column", "value")
        .count()
        .withColumn(
            "rank", functions.row_number().over(one.orderBy(functions.desc("count"), "value"))
        )
        .withColumn("values", functions.count(functions.lit(1)).over(one))
        .withColumn("records", functions.sum("count").over(one))
        .where(functions.col("rank") <= CATEGORIES + 1)
    )
    found: dict[int, list[Row]] = {}
    for row in collect(counted):
        found.setdefault(row["column"], []).append(row)
    told = {}
    for at, name in enumerate(names):
        rows = sorted(found.get(at, []), key=lambda row: int(row["rank"]))
        count, records = (rows[0]["values"], rows[0]["records"]) if rows else (0, 0)
        told[name] = _Values(records, count, tuple(row["value"] for row in rows))
    return told


def _named(rows: Sequence[Row]) -> list[str]:
    """The classes that labels and predictions name, numbers in their order."""
    values = {row[name] for row in rows for name in ("label", "prediction")}
    texts = {text_of(one) for one in values if one is not None and one == one}
    return sorted(texts, key=_rank)


def _rank(text: str) -> tuple[bool, float, str]:
    try:
        return False, float(text), text
    except ValueError:
        return True, 0.0, text


def _by_vector(found: Sequence[str], rows: Sequence[Row], width: int) -> tuple[str, ...]:
    """The class at each place of a vector: the one that is predicted where that is the greatest."""
    votes: dict[int, Counter[str]] = {}
    for row in rows:
        if row["top"] is not None and row["prediction"] is not None:
            votes.setdefault(row["top"], Counter())[text_of(row["prediction"])] += row["n"]
    placed = {at: one.most_common(1)[0][0] for at, one in votes.items()}
    if len(set(placed.values())) < len(placed):
        placed = {}  # the prediction is not what the vector says: then by the order of the names
    left = [one for one in (*found, *map(str, range(width))) if one not in placed.values()]
    left = list(dict.fromkeys(left))
    return tuple(placed[at] if at in placed else left.pop(0) for at in range(width)) + tuple(
        one for one in left if one in found
    )


def _by_score(found: Sequence[str], rows: Sequence[Row]) -> tuple[str, ...]:
    """Two classes with the positive one last: the one whose predictions have the higher score."""
    if len(found) < 2:
        if set(found) <= {"0", "1"}:
            return ("0", "1")
        return (_OTHER, *found)
    means: dict[str, Any] = {}
    for one in found:
        of = [row for row in rows if row["prediction"] is not None and row["score"] is not None]
        of = [row for row in of if text_of(row["prediction"]) == one]
        n = sum(row["n"] for row in of)
        means[one] = sum(row["score"] * row["n"] for row in of) / n if n else None
    if len(found) == 2 and None not in means.values() and means[found[0]] > means[found[1]]:
        return (found[1], found[0])
    return tuple(found)
