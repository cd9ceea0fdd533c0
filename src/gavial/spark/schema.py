"""Schemas and sample records as JSON, as a model card holds them."""

from __future__ import annotations

import json
from typing import Any

from pyspark.ml import Transformer
from pyspark.sql import DataFrame, functions

from gavial.errors import ConfigurationError, IncompatibleModel


def of_dataframe(df: DataFrame) -> Any:
    """A DataFrame's schema as parsed JSON: `StructType.fromJson` reads it back.

    >>> from gavial.spark import session
    >>> of_dataframe(session.current().range(1))["fields"][0]["name"]
    'id'
    """
    return json.loads(df.schema.json())


def output_schema(model: Transformer, df: DataFrame) -> Any:
    """The schema of what a fitted model makes of `df`, as parsed JSON. No record is scored.

    Raises:
        IncompatibleModel: the model cannot take records like these.
    """
    try:
        return of_dataframe(model.transform(df))
    except Exception as error:  # Spark's, py4j's, and whatever a Python-written stage raises
        raise IncompatibleModel(
            f"The model cannot score records with the columns {df.columns!r}: {reason(error)} "
            "Pass records such as it was fitted on."
        ) from error


def rows(df: DataFrame, limit: int) -> list[dict[str, Any]]:
    """The first records, as JSON values by column; at most `limit` of them.

    Spark writes them itself, so vectors, dates, maps and structs look as its `from_json` with
    the DataFrame's schema reads them again. Nulls are kept.

    Raises:
        ConfigurationError: `df` is a stream, or two of its columns have one name.
    """
    if df.isStreaming:
        raise ConfigurationError(
            "A stream has no first records: pass an example that is not a stream, such as "
            "spark.read… of the same source."
        )
    if len(set(df.columns)) < len(df.columns):
        raise ConfigurationError(
            f"Two columns of the example have one name: {df.columns!r}. Rename or drop one."
        )
    whole = functions.to_json(functions.struct("*"), {"ignoreNullFields": "false"}).alias("record")
    return [json.loads(row["record"]) for row in df.limit(limit).select(whole).collect()]


def reason(error: BaseException) -> str:
    """The first line of what went wrong, as Spark says it, and the root of a Java stack.

    >>> reason(ValueError("no such column\\nand a plan"))
    'no such column.'
    """
    java = getattr(error, "java_exception", None)
    text = str(java.toString()) if java is not None else str(error)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return (first or type(error).__name__).rstrip(".") + "."
