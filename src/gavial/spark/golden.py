"""Score the example records of a model card, for its golden sample and to compare with one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.ml import Transformer
from pyspark.sql import DataFrame, functions
from pyspark.sql.types import StructType

from gavial.errors import IncompatibleModel
from gavial.model.golden import Golden
from gavial.spark import columns, schema, session


def records(rows: Sequence[Mapping[str, Any]], content: Any) -> DataFrame:
    """The records of a card's `input_example` with the schema in its `input_schema`.

    >>> fields = [{"name": "x", "type": "double", "nullable": True, "metadata": {}}]
    >>> records([{"x": 1.5}], {"type": "struct", "fields": fields}).first()["x"]
    1.5
    """
    texts = [(json.dumps(dict(row), ensure_ascii=False),) for row in rows]
    spark = session.current()
    made = spark.createDataFrame(texts, "record string").coalesce(1)
    wanted = StructType.fromJson(content)
    return made.select(functions.from_json("record", wanted).alias("record")).select("record.*")


def score(
    model: Transformer, rows: Sequence[Mapping[str, Any]], content: Any, watermark: str | None
) -> Golden:
    """What a model makes of a card's example: the columns that it adds, but for the watermark's.

    Args:
        model: a fitted model.
        rows: the card's `input_example`.
        content: the card's `input_schema`.
        watermark: the watermark's column, whose value is each release's own.

    Raises:
        IncompatibleModel: the model cannot score them.
    """
    given = records(rows, content)
    try:
        scored = model.transform(given)
        names = [
            name
            for name in scored.columns
            if columns.same(name, given.columns) is None and name != watermark
        ]
        quoted = [columns.quoted(name) for name in names]
        made = schema.rows(scored.select(*quoted), len(rows) * 100) if names else []
    except Exception as error:  # Spark's, py4j's, and whatever a Python-written stage raises
        raise IncompatibleModel(
            f"The model cannot score its example: {schema.reason(error)} Pass records that it can "
            "score."
        ) from error
    return Golden(tuple(names), tuple(made))
