"""Bins as Spark expressions: the same index as `gavial.monitoring.bins` gives, in the JVM."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from pyspark.ml.feature import Bucketizer
from pyspark.sql import Column, DataFrame, functions
from pyspark.sql import types as kinds

from gavial.monitoring import bins
from gavial.monitoring.bins import Bins, Categories, Numeric, text_of

_INFINITY: Final = float("inf")
_FLOATING = kinds.FloatType | kinds.DoubleType


def is_number(kind: kinds.DataType) -> bool:
    """Whether values of a type have bins of numbers."""
    return isinstance(kind, kinds.NumericType | kinds.BooleanType)


def is_text(kind: kinds.DataType) -> bool:
    # Not `VARCHAR` and `CHAR` alone: a collated text is a subclass on Spark 4.
    return isinstance(kind, kinds.StringType | kinds.VarcharType | kinds.CharType)


def fits(kind: kinds.DataType, found: Bins) -> bool:
    """Whether values of a type can be counted in these bins."""
    if isinstance(found, Numeric):
        return is_number(kind)
    return is_number(kind) or is_text(kind) or isinstance(kind, kinds.DateType)


def has_text(kind: kinds.DataType) -> bool:
    """Whether values of a type have a text that Spark and Python write alike."""
    return is_text(kind) or isinstance(
        kind, kinds.BooleanType | kinds.IntegralType | kinds.DateType | _FLOATING
    )


def text(value: Column, kind: kinds.DataType) -> Column:
    """As `text_of`, for what `has_text`; a fraction is as Spark writes it."""
    if isinstance(kind, kinds.BooleanType):
        return value.cast("int").cast("string")
    if not isinstance(kind, _FLOATING):
        return value.cast("string")
    double = value.cast("double")
    # Not by `floor`, which makes a bigint and ends the job where a double is beyond those.
    whole = (double == functions.rint(double)) & (functions.abs(double) < 2.0**53)
    return functions.when(whole, double.cast("bigint").cast("string")).otherwise(
        double.cast("string")
    )


def number(value: Column, kind: kinds.DataType) -> Column:
    """A value as a double, without a negative zero; a truth value is 0 or 1."""
    if isinstance(kind, kinds.BooleanType):
        value = value.cast("int")
    return value.cast("double") + functions.lit(0.0)


def finite(value: Column) -> Column:
    """A double where it is finite, else null."""
    return functions.when(is_finite(value), value)


def is_finite(value: Column) -> Column:
    """Whether a double is a number; null is none."""
    # NaN is larger than every number to Spark.
    return functions.coalesce(functions.abs(value) < functions.lit(_INFINITY), functions.lit(False))


def with_buckets(df: DataFrame, wanted: Mapping[str, Numeric]) -> DataFrame:
    """Add for each column of doubles its bucket, which `index_of` reads.

    Spark's own Bucketizer searches them in the JVM. What a bucket means is left to `index_of`,
    since the code for each record has to stay small: a method of more than 8,000 bytes is never
    compiled by the JVM, and a tree of comparisons took five times as long.

    Args:
        df: the records.
        wanted: bins by the column's name, which has no special character.
    """
    if not wanted:
        return df
    bucketizer = Bucketizer(
        splitsArray=[_splits(one) for one in wanted.values()],
        inputCols=list(wanted),
        outputCols=[bucket(name) for name in wanted],
        handleInvalid="keep",
    )
    return bucketizer.transform(df)


def bucket(name: str) -> str:
    """The name of the column that `with_buckets` adds for a column."""
    return f"{name}_bucket"


def index_of(raw: int | None, is_number: bool, found: Numeric) -> int:
    """As `Numeric.index`, of a value of which the bucket is known, and whether it is finite."""
    splits = _splits(found)
    inner = len(set(found.edges)) - 1  # buckets that are bins; then the last edge itself
    if raw is None:
        return bins.NULL
    if raw == len(splits) - 1:
        return bins.NAN
    if raw == 0:
        return bins.BELOW if is_number else bins.NEGATIVE_INFINITY
    if raw <= inner:
        return raw - 1
    if not is_number:
        return bins.POSITIVE_INFINITY
    return len(found) - 1 if raw == inner + 1 else bins.ABOVE


def category_index(value: Column, kind: kinds.DataType, found: Categories) -> Column:
    """As `Categories.index`: the bin of a value of a type that `fits`."""
    texts = {text: at for at, text in enumerate(found.values)}
    if is_text(kind) or isinstance(kind, kinds.DateType):
        # As a plain string, for which equal is equal whatever the column's collation.
        return _looked_up(value, value.cast("string"), list(texts), list(texts.values()))
    if isinstance(kind, kinds.BooleanType):
        value, kind = value.cast("int"), kinds.IntegerType()
    known = [(one, at) for text, at in texts.items() if (one := _value_of(text, kind)) is not None]
    plain = [(one, at) for one, at in known if one == one]
    values, indices = [one for one, _ in plain], [at for _, at in plain]
    if isinstance(kind, kinds.IntegralType):
        return _looked_up(value, value.cast("bigint"), _cast(values, "bigint"), indices)
    if isinstance(kind, kinds.DecimalType):
        return _looked_up(value, value, _cast(values, kind.simpleString()), indices)
    value = value.cast("double")
    case = _looked_up(value, value + functions.lit(0.0), values, indices)
    if len(plain) < len(known):
        case = functions.when(functions.isnan(value), texts["nan"]).otherwise(case)
    return case


def _cast(values: Sequence[Any], kind: str) -> list[Column]:
    return [functions.lit(one).cast(kind) for one in values]


def _looked_up(
    value: Column, compared: Column, values: Sequence[Any], indices: Sequence[int]
) -> Column:
    """The index of a value among some that are known."""
    case = functions.when(value.isNull(), bins.NULL)
    if not values:
        return case.otherwise(bins.UNSEEN).cast("int")
    known = functions.array(
        *[one if isinstance(one, Column) else functions.lit(one) for one in values]
    )
    # Of constants, so that both are made once and the search is a short loop.
    place = functions.call_function("array_position", known, compared).cast("int")
    numbers = functions.array(*[functions.lit(one) for one in (bins.UNSEEN, *indices)])
    return case.otherwise(functions.get(numbers, place)).cast("int")


def _splits(found: Numeric) -> list[float]:
    # `+ 0.0`, since the search takes -0.0 for less than 0.0. What follows the last edge is one
    # more, so that the last edge itself, which belongs to the last bin, has a bucket of its own.
    edges = sorted({one + 0.0 for one in found.edges})
    after = math.nextafter(edges[-1], _INFINITY)
    return [-_INFINITY, *edges, *([after] if after < _INFINITY else []), _INFINITY]


_INTEGER = re.compile(r"-?[0-9]{1,19}")


def _value_of(text: str, kind: kinds.DataType) -> Any:
    """The value of a type whose text it is; `None` where there is none."""
    try:
        if isinstance(kind, kinds.IntegralType):
            found: Any = int(text) if _INTEGER.fullmatch(text) else None
            if found is None or not -(2**63) <= found < 2**63:
                return None
        elif isinstance(kind, kinds.DecimalType):
            found = Decimal(text)
            if not found.is_finite() or found != found.quantize(Decimal(1).scaleb(-kind.scale)):
                return None
            if abs(found) >= Decimal(10) ** (kind.precision - kind.scale):
                return None
        else:
            found = float(text)
    except (ValueError, InvalidOperation, OverflowError):
        return None
    return found if text_of(found) == text else None
