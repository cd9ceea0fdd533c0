"""The columns of a DataFrame by name, as users name them."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql.types import DataType

from gavial.errors import ConfigurationError
from gavial.spark import columns
from gavial.spark.monitoring import instants
from gavial.spark.schema import reason


@dataclass(frozen=True)
class Found:
    """A column that is there: as an expression, and its type."""

    name: str
    column: Column
    kind: DataType


def collect(df: DataFrame) -> list[Row]:
    """The rows of what was counted of records.

    Raises:
        ConfigurationError: Spark cannot read the records, or a function of theirs fails.
    """
    try:
        rows: list[Row] = df.collect()
        return rows
    except Exception as error:  # Spark's, py4j's, and whatever a user's function raises
        raise ConfigurationError(
            f"The records cannot be read: {reason(error)} Look whether they are all there, and "
            "whether df.count() succeeds."
        ) from error


def check_dataframe(df: object, what: str) -> None:
    """Check that a caller passed a DataFrame.

    Args:
        df: what was passed.
        what: what it holds, for messages: `the records`.

    Raises:
        ConfigurationError: it is none of Spark's.
    """
    if not hasattr(df, "isStreaming"):  # that of Spark Connect is of another class
        raise ConfigurationError(
            f"{what.capitalize()} are {type(df).__module__}.{type(df).__qualname__}: expected "
            "a DataFrame of Spark, such as spark.createDataFrame makes of one of pandas."
        )


def check_batch(df: DataFrame, what: str) -> None:
    """Check that records can be counted.

    Raises:
        ConfigurationError: they are a stream, or no DataFrame of Spark.
    """
    check_dataframe(df, what)
    if df.isStreaming:
        raise ConfigurationError(
            f"{what.capitalize()} must not be a stream, which never ends: count each of its "
            "micro-batches, in stream.writeStream.foreachBatch(…)."
        )


class Table:
    """A DataFrame, by the names of its columns.

    Args:
        df: the DataFrame.
        what: what it holds, for messages: `the records`.

    Raises:
        ConfigurationError: it is a stream, or no DataFrame of Spark.
    """

    def __init__(self, df: DataFrame, what: str) -> None:
        check_batch(df, what)
        self.df, self.what = df, what

    def find(self, name: str) -> Found | None:
        """A column, also by another case of its letters; `None` where there is none.

        Raises:
            ConfigurationError: two columns have that name.
        """
        exact = [one for one in self.df.schema.fields if one.name == name]
        if not exact:
            same = columns.same(name, self.df.columns)
            exact = [one for one in self.df.schema.fields if one.name == same]
        if not exact:
            return None
        if len([one for one in self.df.columns if one.lower() == name.lower()]) > 1:
            raise ConfigurationError(
                f"Two columns of {self.what} have the name {name!r}: rename or drop one of them."
            )
        return Found(exact[0].name, columns.quoted(exact[0].name), exact[0].dataType)

    def need(self, name: str, advice: str = "") -> Found:
        """As `find`.

        Raises:
            ConfigurationError: there is none, or there are two.
        """
        found = self.find(name)
        if found is None:
            raise ConfigurationError(
                f"There is no column {name!r} in {self.what}, which have {self.df.columns!r}."
                + (f" {advice}" if advice else "")
            )
        return found

    def need_time(self, name: str, advice: str = "") -> Found:
        """As `need`, of a column that says when.

        Raises:
            ConfigurationError: there is none, or it is of another type.
        """
        found = self.need(name, advice)
        if not instants.is_time(found.kind):
            raise ConfigurationError(
                f"The time {name!r} of {self.what} is of type {found.kind.simpleString()}: "
                "expected a timestamp, a date, or a text of one. Numbers of seconds become one by "
                "pyspark.sql.functions.timestamp_seconds."
            )
        return found
