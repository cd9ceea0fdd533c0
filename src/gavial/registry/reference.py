"""The reference of a release, read from its own file, without a JVM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gavial.errors import ConfigurationError, CorruptRelease
from gavial.maven import layout
from gavial.model import parquet
from gavial.monitoring import reference, state
from gavial.monitoring.profile import Reference
from gavial.owner import temporary
from gavial.registry.release import Release

INSTALL = 'pip install "gavial[monitor]"'
# 200 features in 27 bins, a score by 50 classes, 100 chunks: 600,000 rows of 15 values.
_VALUES = 20_000_000
_BYTES = 64 << 20


def reference_of(release: Release) -> Reference | None:
    """What a version's records looked like when it was released; `None` where it does not say.

    Raises:
        CorruptRelease: the file is not what was released, or no reference of this release.
        IncompatibleModel: it is of a later format.
        ConfigurationError: neither pyarrow nor a Spark session is there to read it.

    >>> reference_of(gavial.repository("models").release("com.acme:churn:1.0.3"))  # doctest: +SKIP
    """
    name = layout.reference_path(release.coordinate).rpartition("/")[2]
    found = [one for one in release.files if one.name == name]
    if not found:
        return None
    if found[0].size > _BYTES:
        raise CorruptRelease(f"{name} has {found[0].size} bytes: no reference is that large.")
    with temporary("gavial-reference-") as folder:
        place = release.fetch(found[0], folder / name)
        return of_file(place, str(release.coordinate.module), str(release.coordinate.version))


def of_file(place: Path, module: str, version: str) -> Reference:
    """The reference in a file of a release.

    Raises:
        CorruptRelease: it is none, or that of another release.
    """
    return reference.from_rows(_rows(place), module, version)


def _rows(place: Path) -> Sequence[Mapping[str, Any]]:
    try:
        import pyarrow  # noqa: F401 the reader
    except ImportError:
        return _by_spark(place)
    try:
        table = parquet.Table([place])
        _check_columns(table.columns, place.name)
        rows = table.read(_VALUES)
    except parquet.TooLarge:
        rows = None
    if rows is None:
        raise CorruptRelease(f"{place.name} holds more than any reference does.")
    return rows


def _by_spark(place: Path) -> Sequence[Mapping[str, Any]]:
    """Where a session is there already, as on a cluster's driver, which may lack pyarrow."""
    missing = ConfigurationError(
        f"The monitoring reference {place.name} is a Parquet file, and neither pyarrow nor a Spark "
        f"session is there to read it: {INSTALL}"
    )
    try:
        from gavial.spark import session
    except (ConfigurationError, ImportError) as error:
        raise missing from error
    if not session.has_active():
        raise missing
    from gavial.spark.monitoring import files

    found = files.read(session.classic(), place, _VALUES // len(state.COLUMNS))
    if found is None:
        raise CorruptRelease(f"{place.name} holds more than any reference does.")
    _check_columns(list(found[0]) if found else [], place.name)
    return found


def _check_columns(columns: Sequence[str], name: str) -> None:
    missing = [one for one in (*state.COLUMNS, reference.TEXT) if one not in columns]
    if missing:
        raise CorruptRelease(f"{name} is no monitoring reference: it has no {missing[0]!r}.")
