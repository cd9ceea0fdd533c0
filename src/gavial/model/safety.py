"""What a saved model may make Spark do, decided from its files alone, before Spark sees it.

Loading a model imports the class that each stage names, and an `SQLTransformer` runs whatever
statement it holds. So every class must be Spark's own or declared, and every statement plainly
harmless or allowed by the caller.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection

from gavial.errors import UnsafeModel
from gavial.model import sql
from gavial.model.saved_model import SavedModel
from gavial.model.saved_stage import Stage

_SQL_TRANSFORMERS = (
    "org.apache.spark.ml.feature.SQLTransformer",
    "pyspark.ml.feature.SQLTransformer",
)
# A class and nothing else that a dotted name can reach: `pyspark.ml.util.json` is a module. Not
# those that load with PyTorch, whose files are pickles: they run what is in them.
_OWN_CLASS = re.compile(
    r"(?!pyspark\.ml\.(connect|torch|deepspeed)\.)"
    r"(org\.apache\.spark\.ml|pyspark\.ml|gavial)(\.[a-z_][A-Za-z0-9_]*)*\.[A-Z][A-Za-z0-9_]*",
    re.ASCII,
)
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_VIEW_NAME = re.compile(r"[A-Za-z0-9_]+")
_NEVER = sys.stdlib_module_names | {"__main__", "pyspark", "py4j", "gavial"}
_SHOWN = 300


def check_classes(
    model: SavedModel, python_modules: Collection[str] = (), libraries: Collection[str] = ()
) -> None:
    """Check that loading a model brings in no class that nobody declared.

    Args:
        model: the saved model.
        python_modules: modules that travel with the release, such as `acme_features`.
        libraries: the JVM libraries of the release, `group:artifact:version`.

    Raises:
        UnsafeModel: naming each such stage, its class and the line that would declare it.
    """
    problems = [
        _undeclared(stage, _is_python(model))
        for stage in model.stages()
        if not _is_declared(stage.class_name, python_modules, bool(libraries))
    ]
    if problems:
        raise UnsafeModel(
            "Loading this model would bring in classes that are neither Spark's nor declared:\n"
            + "\n".join(f"- {problem}" for problem in problems)
        )


def check_sql(model: SavedModel, *, allow_sql: bool = False) -> None:
    """Check that no `SQLTransformer` of a model does more than one SELECT over its input.

    Args:
        model: the saved model.
        allow_sql: the caller has read the statements, and lets them run.

    Raises:
        UnsafeModel: with the statement, and why it is refused.
    """
    for stage in model.stages():
        if stage.class_name in _SQL_TRANSFORMERS:
            _check_view(stage)
            if not allow_sql:
                _check_statements(stage)


def _is_python(model: SavedModel) -> bool:
    return model.root.language == "Python" or model.root.class_name.startswith("pyspark.")


def _is_declared(name: str, python_modules: Collection[str], libraries: bool) -> bool:
    if _OWN_CLASS.fullmatch(name):
        return True
    # Python imports what a class names: never a module of its own standard library.
    if not _DOTTED.fullmatch(name) or name.partition(".")[0] in _NEVER:
        return False
    return libraries or any(name.startswith(f"{module}.") for module in python_modules)


def _undeclared(stage: Stage, python: bool) -> str:
    name = stage.class_name
    where = f"stage {_clean(stage.uid)} is a {_clean(name)}"
    top = name.partition(".")[0]
    if top == "__main__":
        return (
            f"{where}, a class of a script or notebook: move it into a module, such as "
            'acme_features.py, save the model again and add python_modules=["acme_features"]'
        )
    if not _DOTTED.fullmatch(name) or top in _NEVER or name.startswith("org.apache.spark."):
        return f"{where}, which is no stage of Spark ML: such a model is not loaded"
    if python:
        return f'{where}: add python_modules=["{top}"]'
    return (
        f'{where}: add requires=["group:artifact:version"], the library that has it, or '
        f'python_modules=["{top}"] if it is written in Python'
    )


def _check_view(stage: Stage) -> None:
    """Spark makes a view's name of the uid and puts it into the statement."""
    if not _VIEW_NAME.fullmatch(stage.uid):
        raise UnsafeModel(
            f"The uid {stage.uid!r} of an SQLTransformer becomes part of its SQL: expected "
            "letters, digits and '_' only. Save the model again with another uid."
        )


def _check_statements(stage: Stage) -> None:
    for values in (stage.parameters, stage.defaults):
        if "statement" not in values:
            continue
        statement = values["statement"]
        problem = sql.problem(statement) if isinstance(statement, str) else "it is no text"
        if problem:
            raise UnsafeModel(
                f"Stage {stage.uid} would run this SQL: {_clean(str(statement))}\n"
                f"Refused because {problem}. Allowed is one SELECT whose only relation is "
                f"{sql.THIS}. If you have read it and trust it, pass allow_sql=True."
            )


def _clean(text: str) -> str:
    """Short, on one line, and nothing that a terminal would act on."""
    shown = "".join(c if c.isprintable() else " " for c in text[:_SHOWN])
    return shown + ("…" if len(text) > _SHOWN else "")
