"""Which data a model was trained or measured on, as the caller names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Dataset:
    """A set of data, for `gavial.deploy(training_data=…)` and `metrics_on=`.

    Args:
        source: a DataFrame, or a path or the name of a table that the session reads.
        name: what people call it.
        version: which state of it, where its table keeps none itself.
        time_col: a column whose lowest and highest values are the time range.

    What the card then says of it: where it lies, format and version of a Delta or Iceberg table,
    number of rows, schema, time range. Rows and range are counted by one Spark job, which reads
    that column of all of the data: a DataFrame that is costly to make is better cached, or
    written and named by its path.

    >>> Dataset("sales.customers", name="customers of 2024", time_col="day").name
    'customers of 2024'
    """

    source: Any
    name: str = ""
    version: str = ""
    time_col: str = ""
