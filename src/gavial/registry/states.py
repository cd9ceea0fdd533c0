"""Kept states, read without a JVM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gavial.errors import ConfigurationError, CorruptRelease
from gavial.maven.coordinate import Module
from gavial.maven.locations import check_no_password
from gavial.monitoring import places
from gavial.monitoring.kept import Kept, profile_of
from gavial.monitoring.profile import Profile
from gavial.registry.reference import INSTALL


def read(uri: str, module: Module | None = None) -> Kept:
    """What a store of states holds, of one module or of all.

    Args:
        uri: the store's folder: a path, or a URI that pyarrow knows, such as `s3://bucket/states`.
        module: whose states.

    Raises:
        ConfigurationError: pyarrow is not installed, or the folder cannot be read.
        IncompatibleModel: a later Gavial wrote some of it.
        CorruptRelease: a file is damaged.

    >>> read("states", Module.parse("com.acme:churn")).states  # doctest: +SKIP
    """
    try:
        import pyarrow
        from pyarrow import fs
    except ImportError as missing:
        raise ConfigurationError(
            f"Kept states are Parquet files, and pyarrow reads them: {INSTALL}. Or have Spark read "
            "them: states=gavial.spark.monitoring.store.StateStore(spark, uri)."
        ) from missing
    foreign = (pyarrow.ArrowException, OSError, ValueError)
    check_no_password(uri)
    try:
        system, folder = _opened(fs, uri)
        found = system.get_file_info(fs.FileSelector(folder, recursive=True))
    except foreign as error:
        raise _unreadable(uri, error) from error
    names = [one.path.removeprefix(folder).lstrip("/") for one in found if one.is_file]
    if any(one.startswith("_delta_log/") for one in names):
        raise ConfigurationError(
            f"{uri!r} is a Delta table: read it by Spark, with "
            'gavial.spark.monitoring.store.StateStore(spark, uri, "delta").'
        )
    inside = fs.SubTreeFileSystem(folder, system)
    own = sorted(one for one in names if _wanted(one, module))
    try:
        profiles = dict(_profiles(inside, names))
        return Kept.of_files(((one, _rows(inside, one)) for one in own), profiles)
    except PermissionError as error:
        raise _unreadable(uri, error) from error
    except foreign as error:
        raise CorruptRelease(
            f"The states in {uri!r} are damaged: {error!s:.300} Remove what is "
            "damaged, and count its window again."
        ) from error


def _unreadable(uri: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"The states in {uri!r} cannot be read: {error!s:.300}. Expected a folder "
        "that may be read and holds what gavial monitor scan --states wrote."
    )


def _opened(fs: Any, uri: str) -> tuple[Any, str]:
    if "://" in uri or uri.startswith("file:"):
        system, folder = fs.FileSystem.from_uri(uri.replace("s3a://", "s3://", 1))
        return system, folder
    return fs.LocalFileSystem(), str(uri)


def _wanted(path: str, module: Module | None) -> bool:
    found = places.module_of(path)
    return found is not None and (module is None or found == str(module))


def _rows(system: Any, path: str) -> list[dict[str, Any]]:
    from pyarrow import parquet

    try:
        with system.open_input_file(path) as stream, parquet.ParquetFile(stream) as file:
            rows: list[dict[str, Any]] = file.read(use_threads=False).to_pylist()
    except PermissionError:
        raise
    except (OSError, ValueError, OverflowError) as error:  # pyarrow's own, and a time of no year
        raise OSError(f"{path}: {error}") from error
    return rows


def _profiles(system: Any, names: list[str]) -> Iterator[tuple[str, Profile]]:
    for one in names:
        above, _, name = one.rpartition("/")
        if above == places.PROFILES and name.endswith(".json") and not name.startswith("."):
            with system.open_input_stream(one) as stream:
                yield name.removesuffix(".json"), profile_of(stream.read(), name)
