"""A release's Python modules, brought to the driver and to every executor."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path

from pyspark.sql import SparkSession

from gavial.errors import CorruptRelease, IncompatibleModel
from gavial.owner import until_exit
from gavial.spark import session

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold


def bring(spark: SparkSession, jar: Path, members: Mapping[str, str]) -> None:
    """Make the Python modules of a jar importable, here and on the executors.

    They travel without the model, in a zip that is named by their content; those that
    `--packages` brought already are left as they are.

    Args:
        spark: the session.
        jar: the release's jar, verified.
        members: its Python members by name, each with its sha256.

    Raises:
        CorruptRelease: a member does not have the bytes that were released.
        IncompatibleModel: a module of that name, with other bytes, is imported from elsewhere.
    """
    if not members:
        return
    names = {_top_level(member) for member in members}
    homes = [_home(name) for name in sorted(names) if name.isidentifier()]
    for home in filter(None, homes):
        _check_same(home, jar, members)
    remote = session.remote(spark)
    if remote is None and all(_travels(spark, home) for home in homes):
        return
    packed = _packed(jar, tuple(sorted(members.items())))
    if remote is not None:
        remote.send_modules(packed)
    elif packed.name not in _includes(spark):
        spark.sparkContext.addPyFile(str(packed))
    importlib.invalidate_caches()


def _top_level(member: str) -> str:
    return member.partition("/")[0].removesuffix(".py")


def _home(name: str) -> ModuleSpec | None:
    """Where a top-level module would be imported from now, or `None`."""
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None


def _folders(spec: ModuleSpec) -> list[Path]:
    """The folders, or paths into a zip, that hold a top-level module."""
    if spec.submodule_search_locations is not None:
        return [Path(one).parent for one in spec.submodule_search_locations]
    return [Path(spec.origin).parent] if spec.has_location and spec.origin else []


def _check_same(spec: ModuleSpec, jar: Path, members: Mapping[str, str]) -> None:
    # Many places may share a package without `__init__.py`: they only must not contradict.
    shared = spec.loader is None or not spec.has_location
    folders = _folders(spec)
    for member, sha256 in members.items():
        if _top_level(member) != spec.name:
            continue
        found = [data for folder in folders if (data := _read(folder / member)) is not None]
        if found and hashlib.sha256(found[0]).hexdigest() == sha256:
            continue
        if found or not folders or not shared:
            where = str(folders[0]) if folders else "Python itself"
            raise IncompatibleModel(
                f"The model needs the Python module {spec.name!r} as it was released, and another "
                f"one is imported from {where!r}: {member!r} differs. One process holds one "
                f"version of a module: start Python anew with PYTHONPATH={str(jar)!r}, away from "
                "that folder."
            )


def _read(path: Path) -> bytes | None:
    """A file's bytes, in a folder or in a zip; `None` where it is not there."""
    if path.is_file():
        return path.read_bytes()
    archive = _archive(path)
    if archive is None:
        return None
    with zipfile.ZipFile(archive) as opened, suppress(KeyError):
        return opened.read(path.relative_to(archive).as_posix())
    return None


def _archive(path: Path) -> Path | None:
    """The zip that a path leads into."""
    there = next((parent for parent in path.parents if parent.exists()), None)
    return there if there is not None and zipfile.is_zipfile(there) else None


def _travels(spark: SparkSession, spec: ModuleSpec | None) -> bool:
    """Whether a module comes from a py-file, which the executors have as well."""
    if spec is None:
        return False
    archives = [_archive(folder / spec.name) for folder in _folders(spec)]
    return any(one is not None and one.name in _includes(spark) for one in archives)


def _includes(spark: SparkSession) -> list[str]:
    return list(getattr(spark.sparkContext, "_python_includes", None) or ())


@cache
def _folder_of_zips() -> Path:
    """Spark hands them out to executors as long as the session lives, so they stay till the end."""
    return until_exit("gavial-modules-")


@cache
def _packed(jar: Path, members: tuple[tuple[str, str], ...]) -> Path:
    digest = hashlib.sha256(repr(members).encode()).hexdigest()[:16]
    target = _folder_of_zips() / f"gavial_modules_{digest}.zip"
    # Python imports a folder without `__init__.py` only where it has an entry of its own.
    folders = {f"{parent}/" for name, _ in members for parent in Path(name).parents if parent.name}
    with zipfile.ZipFile(jar) as source, zipfile.ZipFile(target, "w") as packed:
        for folder in sorted(folders):
            packed.writestr(zipfile.ZipInfo(folder, _EPOCH), b"")
        for name, sha256 in members:
            data = source.read(name)
            if hashlib.sha256(data).hexdigest() != sha256:
                raise CorruptRelease(
                    f"{name!r} of {jar.name} does not have the bytes that were released. Fetch it "
                    "again, or ask who released it."
                )
            packed.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return target
