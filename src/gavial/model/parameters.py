"""What each parameter of Spark's own stages means, from a table made out of pyspark's.

Saved metadata has no descriptions. `tools/generate_parameters.py` makes the table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

_TABLE = "parameters.json"


@dataclass(frozen=True)
class Table:
    """The descriptions by JVM class and parameter, and the pyspark that they come from."""

    pyspark: str
    descriptions: Mapping[str, Mapping[str, str]]


def description(class_name: str, parameter: str) -> str:
    """The description of a parameter; empty for a class or parameter that is not Spark's own.

    >>> description("org.apache.spark.ml.feature.StringIndexerModel", "inputCol")
    'input column name.'
    """
    return table().descriptions.get(jvm_class(class_name), {}).get(parameter, "")


@cache
def table() -> Table:
    """The shipped table."""
    return read_table(resources.files("gavial.model").joinpath(_TABLE).read_text("utf-8"))


def read_table(text: str) -> Table:
    """Read the table's file: pairs of parameter and description, and by class which it has."""
    content = json.loads(text)
    pairs = content["parameters"]
    return Table(
        content["pyspark"],
        {
            name: {pairs[index][0]: pairs[index][1] for index in indexes}
            for name, indexes in content["classes"].items()
        },
    )


def write_table(table: Table) -> str:
    """The table's file: each pair of parameter and description once."""
    pairs = sorted({pair for one in table.descriptions.values() for pair in one.items()})
    place = {pair: index for index, pair in enumerate(pairs)}
    classes = {
        name: sorted(place[pair] for pair in one.items())
        for name, one in sorted(table.descriptions.items())
    }
    lines = ",\n".join(json.dumps(pair, ensure_ascii=False) for pair in pairs)
    rows = ",\n".join(
        f"{json.dumps(name)}:{json.dumps(indexes, separators=(',', ':'))}"
        for name, indexes in classes.items()
    )
    version = json.dumps(table.pyspark)
    return f'{{"pyspark":{version},\n"parameters":[\n{lines}\n],\n"classes":{{\n{rows}\n}}}}\n'


def jvm_class(class_name: str) -> str:
    """The JVM's name for a class of pyspark; any other name as it is.

    >>> jvm_class("pyspark.ml.pipeline.PipelineModel")
    'org.apache.spark.ml.PipelineModel'
    """
    if not class_name.startswith("pyspark.ml."):
        return class_name
    return "org.apache.spark.ml." + class_name.removeprefix("pyspark.ml.").removeprefix("pipeline.")
