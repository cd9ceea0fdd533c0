"""Two gavials on `sys.path`: which one runs depends on the order, so say so."""

from __future__ import annotations

import os
import sys
import warnings
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_ARCHIVES = (".jar", ".zip", ".whl", ".egg")


def warn(path: Iterable[str] = tuple(sys.path)) -> None:
    """Warn where `path` has gavials with different content.

    Under `spark-submit` the driver runs the jar's and with `SparkSession.builder` an installed
    one, while executors always run the jar's.
    """
    places = list(dict.fromkeys(os.path.realpath(entry or ".") for entry in path))
    found = [place for place in places if _has_gavial(place)]
    if len(found) < 2 or len({_content(place) for place in found}) < 2:
        return
    warnings.warn(
        f"{len(found)} different gavials are on sys.path: {', '.join(found)}. This process runs "
        "the first, executors run the jar's. Install the version that the model depends on, or "
        "none.",
        UserWarning,
        stacklevel=3,
    )


def _has_gavial(place: str) -> bool:
    if not place.endswith(_ARCHIVES):
        return Path(place, "gavial", "__init__.py").is_file()
    return any(name == "gavial/__init__.py" for name, _ in _archived(place))


def _content(place: str) -> frozenset[tuple[str, int]]:
    """Name and CRC-32 of each Python file of the gavial there."""
    if place.endswith(_ARCHIVES):
        files = _archived(place)
    else:
        files = (
            (file.relative_to(place).as_posix(), zlib.crc32(file.read_bytes()))
            for file in Path(place, "gavial").rglob("*.py")
        )
    return frozenset(
        (name, crc) for name, crc in files if name.startswith("gavial/") and name.endswith(".py")
    )


def _archived(place: str) -> Iterator[tuple[str, int]]:
    import zipfile

    try:
        with zipfile.ZipFile(place) as archive:
            for entry in archive.infolist():
                yield entry.filename, entry.CRC
    except (OSError, zipfile.BadZipFile):
        return
