"""The files of a Python module that travels with a model, found without importing it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from gavial.errors import IncompatibleModel

# They are where a model runs, or reach it in a jar of their own.
_PROVIDED = {"pyspark", "py4j", "gavial", "__main__"}
_COMPILED = {".so", ".pyd", ".dylib", ".dll"}
_SKIPPED_FOLDERS = {"__pycache__"}
_SKIPPED_FILES = {".pyc", ".pyo"}


def find(name: str) -> dict[str, Path]:
    """The files of an importable module or package, by the name they have in a jar.

    A dotted name takes its whole top-level package: parts of it import each other.

    Raises:
        IncompatibleModel: there is no such module, it is compiled, or it is there anyway.
    """
    top = name.partition(".")[0]
    if not all(part.isidentifier() for part in name.split(".")):
        raise IncompatibleModel(
            f"{name!r} is not the name of a Python module: expected one that can be imported, "
            'such as python_modules=["acme_features"].'
        )
    if top in _PROVIDED or top in sys.stdlib_module_names:
        raise IncompatibleModel(
            f"{top!r} does not travel with a model: it is there wherever one runs. "
            f"Leave it out of python_modules."
        )
    files = _files(_spec(top), top)
    if not any(member.endswith(".py") for member in files):
        raise IncompatibleModel(f"{top!r} is a folder without Python files: nothing to import.")
    return files


def _spec(top: str) -> ModuleSpec:
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise IncompatibleModel(
            f"No module {top!r} can be imported here: install it, or run from the folder that "
            "has it."
        )
    return spec


def _files(spec: ModuleSpec, top: str) -> dict[str, Path]:
    if spec.submodule_search_locations is None:
        return _single(spec, top)
    found: dict[str, Path] = {}
    # A namespace package has several places; as in an import, the first one wins.
    for place in spec.submodule_search_locations:
        folder = Path(place)
        if not folder.is_dir():
            raise IncompatibleModel(
                f"{top!r} is imported from {place!r}, which is not a folder: install the package "
                "unpacked."
            )
        for path in _walk(folder):
            found.setdefault(f"{top}/{path.relative_to(folder).as_posix()}", path)
    return found


def _single(spec: ModuleSpec, top: str) -> dict[str, Path]:
    path = Path(spec.origin or "")
    _check_compiled([path], top)
    if path.suffix != ".py" or not path.is_file():
        raise IncompatibleModel(
            f"{top!r} is imported from {spec.origin!r}, which is not a Python file: only modules "
            "that are files can travel with a model."
        )
    return {f"{top}.py": path}


def _walk(folder: Path) -> list[Path]:
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [n for n in folders if n not in _SKIPPED_FOLDERS and not n.startswith(".")]
        paths = [Path(parent, name) for name in names if not name.startswith(".")]
        found += [path for path in paths if path.suffix not in _SKIPPED_FILES]
    _check_compiled(found, folder.name)
    return sorted(found)


def _check_compiled(paths: Iterable[Path], top: str) -> None:
    for path in paths:
        if path.suffix.lower() in _COMPILED:
            raise IncompatibleModel(
                f"{top!r} has the compiled extension {path.name!r}, which Python cannot import "
                "from a jar: install the package on the cluster, and leave it out of "
                "python_modules."
            )
