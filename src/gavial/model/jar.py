"""A release's jar: packed from a saved model, and unpacked into one again (`jar_reader`).

Files of the model under `pipelines/<artifact>/`, Python modules at the root, the POM under
`META-INF/maven/`, the manifest last. Entries are sorted and have fixed times and modes, so the
same inputs give the same bytes; folders have entries, which class loaders and Python ask for.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any, cast

from gavial.errors import IncompatibleModel
from gavial.maven.content import Content, Digests
from gavial.maven.coordinate import Coordinate
from gavial.model import manifest
from gavial.model.archive import CHUNK, open_jar
from gavial.model.jar_reader import (
    PIPELINES,
    RESERVED,
    artifacts,
    differences,
    member,
    python_members,
    read_manifest,
    unpack,
)
from gavial.model.manifest import Manifest, Member
from gavial.model.one_pass import OnePass
from gavial.model.saved_model import Print, SavedModel

__all__ = [
    "Manifest",
    "Member",
    "artifacts",
    "differences",
    "member",
    "pack",
    "python_members",
    "read_manifest",
    "unpack",
]

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold
_ZIPIMPORT_ENTRIES = 65535  # Python's zipimport reads no zip64 before 3.13
_ZIPIMPORT_BYTES = 0xFFFFFFFF
_PYTHON_NAME = re.compile(r"[^/\\\x00:]+(/[^/\\\x00:]+)*")

_PACKED = (".parquet", ".orc", ".gz", ".deflate", ".zip", ".jar", ".bz2", ".xz", ".zst", ".snappy")
_LEVEL = "compress_level" if hasattr(zipfile.ZipInfo, "compress_level") else "_compresslevel"

Source = bytes | Path
Progress = Callable[[int], None]


def pack(
    target: Path,
    model: SavedModel,
    coordinate: Coordinate,
    *,
    overlay: Mapping[str, bytes | None],
    python_files: Mapping[str, Path | bytes],
    pom: bytes,
    pom_properties: bytes,
    libraries: tuple[str, ...] = (),
    prints: Mapping[Path, Print] | None = None,
    progress: Progress | None = None,
) -> Content:
    """Write the jar of a release and take its digests, in one pass and at constant memory.

    Args:
        target: the file to write; removed again when packing fails.
        model: the saved model; its folder is only read.
        coordinate: the release.
        overlay: files of the model that differ in the jar (`stamp.overlay`), by relative path;
            `None` leaves one out.
        python_files: Python modules by member name, such as `acme_features/__init__.py`.
        pom: the POM's bytes.
        pom_properties: the bytes of `pom.properties`.
        libraries: the JVM libraries that the model declares, `group:artifact:version`.
        prints: of the model's files (`SavedModel.read_through`), which are not taken again.
        progress: called with the number of bytes read, again and again.

    Returns:
        The jar, given up to whoever takes it.

    Raises:
        IncompatibleModel: names collide, a file is not what its print says, or Python could not
            import from a jar of that size.
    """
    members = _members(model, coordinate, overlay, python_files, pom, pom_properties)
    folders = _folders([*members, manifest.PATH])
    _check_names(members, folders)
    if python_files:
        _check_importable(len(members) + len(folders) + 1, "entries", _ZIPIMPORT_ENTRIES)
    try:
        with target.open("wb") as file, Digests() as digests:
            packing = _Packing(OnePass(file, digests), prints or {}, progress or _ignore)
            packing.write_all(members, folders, coordinate, libraries)
            content = digests.content(target, given_up=True)
        if python_files:
            _check_importable(target.stat().st_size, "bytes", _ZIPIMPORT_BYTES)
        with open_jar(target):
            pass  # what could not be opened again is not released
        return content
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _members(
    model: SavedModel,
    coordinate: Coordinate,
    overlay: Mapping[str, bytes | None],
    python_files: Mapping[str, Source],
    pom: bytes,
    pom_properties: bytes,
) -> dict[str, Source]:
    files: dict[str, Source | None] = {**dict(model.files()), **overlay}
    prefix = f"{PIPELINES}{coordinate.artifact}/"
    maven = f"META-INF/maven/{coordinate.group}/{coordinate.artifact}/"
    for name in python_files:
        _check_python_name(name)
    return {
        **{prefix + name: source for name, source in files.items() if source is not None},
        **python_files,
        maven + "pom.xml": pom,
        maven + "pom.properties": pom_properties,
    }


def _check_python_name(name: str) -> None:
    parts = name.split("/")
    if not _PYTHON_NAME.fullmatch(name) or "." in parts or ".." in parts:
        raise IncompatibleModel(f"{name!r} cannot be a Python file's name in a jar.")
    if f"{parts[0].lower()}/" in RESERVED:
        raise IncompatibleModel(
            f"{name!r} cannot travel with the model: the jar keeps {parts[0]!r} for itself. "
            "Rename that package."
        )


def _folders(names: Iterable[str]) -> set[str]:
    return {
        "/".join(parts[:count]) + "/"
        for name in names
        for parts in [name.split("/")]
        for count in range(1, len(parts))
    }


def _check_names(members: Mapping[str, Source], folders: set[str]) -> None:
    """What `unpack` would refuse is not packed."""
    seen: dict[str, str] = {}
    for name in sorted([*members, *folders]):
        key = name.rstrip("/").casefold()
        if key in seen:
            raise IncompatibleModel(
                f"{seen[key]!r} and {name!r} are one file on some systems: rename one, and save "
                "the model again."
            )
        if "\\" in name or not name.isprintable():
            raise IncompatibleModel(f"{name!r} is no name that every system can hold: rename it.")
        seen[key] = name


def _check_importable(count: int, what: str, limit: int) -> None:
    if count > limit:
        raise IncompatibleModel(
            f"The jar would have {count} {what}, and Python imports only from jars of up to "
            f"{limit}. Save the model with fewer partitions (df.coalesce), or release its Python "
            "modules as a package of their own."
        )


class _Packing:
    """One jar under way."""

    def __init__(self, file: OnePass, prints: Mapping[Path, Print], progress: Progress) -> None:
        self.file = file
        self.prints = prints
        self.progress = progress

    def write_all(
        self,
        members: Mapping[str, Source],
        folders: set[str],
        coordinate: Coordinate,
        libraries: tuple[str, ...],
    ) -> None:
        written: dict[str, Member] = {}
        with zipfile.ZipFile(cast(Any, self.file), "w") as jar:
            for name in sorted([*members, *folders]):
                if name in folders:
                    with self.file.held():
                        jar.writestr(_entry(name, 0), b"", zipfile.ZIP_STORED)
                else:
                    written[name] = self.write(jar, name, members[name])
            this = str(coordinate)
            found = Manifest(manifest.FORMAT, coordinate.artifact, this, written, libraries)
            self.progress = _ignore
            self.write(jar, manifest.PATH, found.render())

    def write(self, jar: zipfile.ZipFile, name: str, source: Source) -> Member:
        known = self.prints.get(source) if isinstance(source, Path) else None
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        entry = _entry(name, size)
        if known is None or entry.compress_type != zipfile.ZIP_STORED:
            with self.file.held(), _open(source) as data:
                return self.copy(jar, entry, data)
        entry.file_size = known.size
        self.file.foresee(entry, known.crc)
        with _open(source) as data, jar.open(entry, "w") as target:
            while chunk := data.read(CHUNK):
                target.write(chunk)
                self.progress(len(chunk))
        if self.file.changed:
            raise IncompatibleModel(
                f"{str(source)!r} changed while the model was packed. Nothing was released: deploy "
                "again when nothing writes there."
            )
        return Member(known.size, known.sha256)

    def copy(self, jar: zipfile.ZipFile, entry: zipfile.ZipInfo, data: IO[bytes]) -> Member:
        digest, size = hashlib.sha256(), 0
        with jar.open(entry, "w") as target:
            while chunk := data.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
                size += len(chunk)
                self.progress(len(chunk))
        return Member(size, digest.hexdigest())


def _open(source: Source) -> IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _entry(name: str, size: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = 3  # Unix, wherever it is packed
    # To pack again what is packed already would cost most of a deploy and gain nothing; of the
    # rest, a better level takes ten times as long for a few hundredths.
    packed = name.endswith(_PACKED)
    entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    setattr(entry, _LEVEL, 1)
    entry.file_size = size  # decides on zip64
    mode = stat.S_IFDIR | 0o755 if name.endswith("/") else stat.S_IFREG | 0o644
    entry.external_attr = mode << 16 | (0x10 if name.endswith("/") else 0)
    return entry


def _ignore(_: int) -> None:
    """No progress is shown."""
