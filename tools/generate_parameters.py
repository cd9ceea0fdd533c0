"""Make the table of parameter descriptions that `gavial.model.parameters` reads.

    python tools/generate_parameters.py

It walks the pyspark that is installed, without a JVM: each `Param` of a stage's class carries
its description.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pyspark
from pyspark.ml.param import Param, Params

from gavial.model.parameters import Table, jvm_class, write_table

TARGET = Path(__file__).parent.parent / "src/gavial/model/parameters.json"
MODULES = (
    "classification",
    "clustering",
    "evaluation",
    "feature",
    "fpm",
    "pipeline",
    "recommendation",
    "regression",
    "tuning",
)


def generate() -> str:
    """The table's text for the installed pyspark."""
    descriptions = {}
    for name in MODULES:
        module = importlib.import_module(f"pyspark.ml.{name}")
        for label, one in inspect.getmembers(module, inspect.isclass):
            if issubclass(one, Params) and one.__module__ == module.__name__ and label[0] != "_":
                found = _parameters(one)
                if found:
                    descriptions[jvm_class(f"{module.__name__}.{label}")] = found
    return write_table(Table(pyspark.__version__, descriptions))


def _parameters(one: type[Params]) -> dict[str, str]:
    members = (getattr(one, name, None) for name in dir(one))
    return {
        param.name: " ".join(param.doc.split()) for param in members if isinstance(param, Param)
    }


if __name__ == "__main__":
    TARGET.write_text(generate(), encoding="utf-8")
