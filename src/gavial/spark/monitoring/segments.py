"""Segments: the values of a column as texts, bounded in number."""

from __future__ import annotations

from typing import Final

from pyspark.sql import Column, functions

from gavial.errors import ConfigurationError
from gavial.monitoring.bins import CATEGORIES, Categories
from gavial.monitoring.profile import Profile
from gavial.spark.monitoring import binning
from gavial.spark.monitoring.table import Table, collect

NULL: Final = "(null)"
OTHER: Final = "(other)"


def text_of(table: Table, name: str, profile: Profile | None = None) -> Column:
    """The value of a record's segment.

    Those of a feature with categories are its categories, which never change. Of another column
    they are the most frequent ones, for which Spark looks in a job of its own.

    Args:
        table: the records.
        name: the column.
        profile: has the features; `None` knows none.

    Raises:
        ConfigurationError: there is no such column, or its values are no texts or whole numbers.
    """
    found = table.need(name)
    if not binning.has_text(found.kind):
        raise ConfigurationError(
            f"The segment {found.name!r} is of type {found.kind.simpleString()}: expected a column "
            "of texts, whole numbers, truth values or dates."
        )
    text = binning.text(found.column, found.kind)
    bins = profile.features.get(name) if profile else None
    if isinstance(bins, Categories):
        values = list(bins.values)
    else:
        counted = table.df.groupBy(text.alias("value")).count().where("value is not null")
        most = counted.orderBy(functions.desc("count"), "value").limit(CATEGORIES)
        values = [row["value"] for row in collect(most)]
    known = functions.array(*[functions.lit(one) for one in values]).cast("array<string>")
    case = functions.when(text.isNull(), NULL)
    return case.when(functions.array_contains(known, text), text).otherwise(OTHER)
