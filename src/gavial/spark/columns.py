"""Columns by name, and those that the stages of a pipeline name in their parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pyspark.sql import Column, functions


def nested(stage: Any) -> Iterator[Any]:
    """A stage and every stage inside it: of pipelines, of tuning, of one-vs-rest."""
    yield stage
    for inner in _inner(stage):
        yield from nested(inner)


def declared(stage: Any) -> Iterator[str]:
    """The columns that a stage, and those inside it, read or write by their parameters.

    >>> from pyspark.ml.feature import VectorAssembler
    >>> list(declared(VectorAssembler(inputCols=["a", "b"], outputCol="features")))
    ['a', 'b', 'features']
    """
    for one in nested(stage):
        for param in one.params:
            if param.name.endswith(("Col", "Cols")) and one.isDefined(param):
                value = one.getOrDefault(param)
                names = [value] if isinstance(value, str) else value
                yield from (name for name in names or () if name and isinstance(name, str))


def same(column: str, columns: Iterable[str]) -> str | None:
    """The first of `columns` that is `column` but for upper and lower case, if any.

    >>> same("pipeline", ["id", "Pipeline"])
    'Pipeline'
    """
    wanted = column.lower()
    return next((one for one in columns if one.lower() == wanted), None)


def quoted(name: str) -> Column:
    """A column by its very name, whatever characters that has.

    >>> from gavial.spark import session
    >>> df = session.current().range(1).toDF("a.b")
    >>> df.select(quoted("a.b")).columns
    ['a.b']
    """
    return functions.col(f"`{name.replace('`', '``')}`")


def _inner(stage: Any) -> list[Any]:
    best = getattr(stage, "bestModel", None)
    if best is not None:
        return [best]
    found: list[Any] = []
    for name in ("stages", "models"):  # PipelineModel and OneVsRestModel have plain lists
        value = getattr(stage, name, None)
        found += value if isinstance(value, list) else []
    for name in ("stages", "estimator", "classifier"):
        if stage.hasParam(name) and stage.isDefined(name):
            value = stage.getOrDefault(name)
            found += value if isinstance(value, list) else [value]
    return [one for one in found if hasattr(one, "uid") and hasattr(one, "params")]
