"""The models that `--packages` brought: jars with `pipelines/<artifact>/` in this session's reach.

Spark appends what `--packages` resolves to `spark.jars` and to the py-files, so it is found in
the configuration, on `sys.path`, in Spark's own folder of files, and on the JVM's class path;
which of these hold depends on the cluster manager.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import sys
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pyspark.sql import SparkSession

from gavial.errors import GavialError, InvalidCoordinate
from gavial.maven.coordinate import Coordinate
from gavial.model import jar as model_jar
from gavial.spark import session

_CONFS = ("spark.jars", "spark.submit.pyFiles", "spark.files")
_FOLDER = b"pipelines/"
_END = b"PK\5\6"  # the end record of a zip's directory
_MAX_TAIL = 65535 + 22
_ZIP64 = 0xFFFFFFFF
_PROPERTIES = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties")
_MAX_PROPERTIES = 1 << 16


@dataclass(frozen=True)
class Found:
    """One model of a jar; `coordinate` is `None` where the jar does not say which release.

    `jar` is `None` where a Spark Connect server has it: it may then be a model, or no model.
    """

    coordinate: Coordinate | None
    artifact: str
    jar: Path | None


def find(spark: SparkSession) -> tuple[Found, ...]:
    """Every model in the session's reach, each once. Only the directories of jars are read.

    A jar that is damaged, or of a later Gavial, is left out with a warning.

    >>> find(session.current())
    ()
    """
    if remote := session.remote(spark):
        return remote.found()
    found: dict[tuple[str, str], Found] = {}
    for jar in dict.fromkeys(path.resolve() for path in _jars(spark) if path.is_file()):
        stat = jar.stat()
        digest, models = _models(jar, stat.st_mtime_ns, stat.st_size)
        for one in models:
            found.setdefault((digest, one.artifact), one)
    return tuple(found.values())


def _jars(spark: SparkSession) -> Iterator[Path]:
    files = _files_folder()
    for place in [*_configured(spark), *_of_jvm(spark), *sys.path]:
        path = _local(place)
        if path is None and files is not None:  # remote: Spark has fetched it under its name
            path = files / unquote(place.rpartition("/")[2])
        if path is not None and path.name.endswith(".jar"):
            yield path
    if files is not None:
        yield from sorted(files.glob("*.jar"))


def _configured(spark: SparkSession) -> Iterator[str]:
    conf = spark.sparkContext.getConf()
    for name in _CONFS:
        yield from filter(None, (one.strip() for one in (conf.get(name) or "").split(",")))


def _of_jvm(spark: SparkSession) -> Iterator[str]:
    jvm = spark.sparkContext._jvm
    yield from (jvm.java.lang.System.getProperty("java.class.path") or "").split(os.pathsep)
    kind = jvm.java.lang.Class.forName("java.net.URLClassLoader")
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    while loader is not None:
        if kind.isInstance(loader):
            yield from (str(url.toString()) for url in loader.getURLs())
        loader = loader.getParent()


def _files_folder() -> Path | None:
    from pyspark.files import SparkFiles  # not in pyspark-client

    folder = Path(SparkFiles.getRootDirectory())
    # Where Spark has no folder of its own it names the working one; nobody asked for its jars.
    return None if folder.resolve() == Path.cwd() else folder


def _local(place: str) -> Path | None:
    """The local path of a URI or path; `None` where it is elsewhere."""
    parts = urlsplit(place)
    if parts.scheme in ("file", "local"):
        return Path(unquote(parts.path))
    return Path(place) if len(parts.scheme) < 2 else None  # one letter: a drive on Windows


@lru_cache(maxsize=4096)
def _models(jar: Path, _changed: int, _size: int) -> tuple[str, tuple[Found, ...]]:
    """A digest of what a jar lists, and its models."""
    try:
        if not _may_hold_models(jar):
            return "", ()
        artifacts = model_jar.artifacts(jar)
        if not artifacts:
            return "", ()
        known = dict(_coordinates(jar))
        return _digest(jar), tuple(Found(known.get(name), name, jar) for name in artifacts)
    except (GavialError, OSError, zipfile.BadZipFile) as error:
        warnings.warn(f"{str(jar)!r} on the class path is left out: {error}", stacklevel=4)
        return "", ()


def _may_hold_models(jar: Path) -> bool:
    """Whether a zip's directory speaks of models: Spark alone brings 280 jars that do not."""
    with jar.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, size - _MAX_TAIL))
        tail = file.read()
        place = tail.rfind(_END)
        if place < 0 or place + 16 > len(tail):
            raise zipfile.BadZipFile("It has no end, as of a download that was cut.")
        (length,) = struct.unpack("<I", tail[place + 12 : place + 16])
        if length == _ZIP64:
            return True
        file.seek(max(0, start + place - length))
        return _FOLDER in file.read(length)


def _digest(jar: Path) -> str:
    with zipfile.ZipFile(jar) as opened:
        entries = sorted((one.filename, one.CRC, one.file_size) for one in opened.infolist())
    return hashlib.sha256(repr(entries).encode()).hexdigest()


def _coordinates(jar: Path) -> Iterator[tuple[str, Coordinate]]:
    """Which release each artifact of a jar is: by `pom.properties`, or better by our manifest."""
    with zipfile.ZipFile(jar) as opened:
        for entry in opened.infolist():
            if _PROPERTIES.fullmatch(entry.filename) and entry.file_size <= _MAX_PROPERTIES:
                yield from _parsed(_properties(opened.read(entry).decode("latin-1")))
    manifest = model_jar.read_manifest(jar)
    if manifest is not None:
        yield from _parsed(manifest.coordinate)


def _parsed(text: str) -> Iterable[tuple[str, Coordinate]]:
    with suppress(InvalidCoordinate):
        coordinate = Coordinate.parse(text)
        return [(coordinate.artifact, coordinate)]
    return []


def _properties(text: str) -> str:
    """`groupId:artifactId:version` of a `pom.properties`."""
    lines = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    values: dict[str, Any] = {name.strip(): value.strip() for name, _, value in lines}
    return ":".join(values.get(name, "") for name in ("groupId", "artifactId", "version"))
