"""Models and Python modules read out of a jar, each file checked against its manifest."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gavial import limits
from gavial.errors import ConfigurationError, CorruptRelease
from gavial.model.archive import CHUNK, Archive, open_jar
from gavial.model.manifest import Manifest
from gavial.model.saved_metadata import FOLDER
from gavial.model.saved_model import is_marker

PIPELINES = "pipelines/"
_THREADS = 2  # inflating, hashing and writing leave the interpreter's lock
RESERVED = (PIPELINES, "meta-inf/")  # lower case: what is not there is Python's


def read_manifest(jar: Path) -> Manifest | None:
    """The manifest of a jar; `None` where somebody else made it.

    Raises:
        CorruptRelease: it is no jar, or not as its manifest says.
        IncompatibleModel: the manifest is of a later Gavial.
    """
    with open_jar(jar) as archive:
        return archive.manifest


def artifacts(jar: Path) -> tuple[str, ...]:
    """The names of the models in a jar."""
    with open_jar(jar) as archive:
        parts = [name.split("/") for name in archive.files if name.startswith(PIPELINES)]
        return tuple(sorted({p[1] for p in parts if len(p) == 4 and p[2] == FOLDER}))


def unpack(jar: Path, artifact: str, to: Path) -> Path:
    """Extract one model of a jar, each file checked against the manifest where there is one.

    Args:
        jar: the release's jar, or one by others with the same layout.
        artifact: the model's name, the folder below `pipelines/`.
        to: the folder to fill; it must be empty or not exist. On failure it may hold a part.

    Returns:
        The folder of the saved model, `to` itself.

    Raises:
        CorruptRelease: the jar is damaged, hostile, or not as its manifest says.
        ConfigurationError: the folder is not empty, or cannot hold the model.
    """
    prefix = f"{PIPELINES}{artifact}/"
    with open_jar(jar) as archive:
        names = [name for name in archive.files if name.startswith(prefix)]
        if not any(name.startswith(f"{prefix}{FOLDER}/") for name in names):
            raise CorruptRelease(f"{jar.name} has no model {artifact!r} ({prefix}{FOLDER}).")
        try:
            _prepare(to, sum(archive.files[name].file_size for name in names), jar)
            # Checksums beside files may be stale where another tool made the jar.
            wanted = [name for name in names if archive.manifest or not is_marker(name)]
            with ThreadPoolExecutor(_THREADS) as threads:
                extracted = threads.map(
                    lambda name: _extract(archive, name, to / name.removeprefix(prefix)), wanted
                )
                try:
                    list(extracted)
                finally:
                    threads.shutdown(cancel_futures=True)
        except OSError as error:
            raise ConfigurationError(
                f"{str(to)!r} cannot be written: {error.strerror or error}. Free some space or "
                "choose another folder."
            ) from error
    return to


def differences(jar: Path) -> tuple[str, ...]:
    """What of a jar is not as its manifest says, file by file; all of it is read.

    Raises:
        CorruptRelease: it is damaged or hostile, has no manifest, or has other files than that.
        IncompatibleModel: the manifest is of a later Gavial.
    """
    found = []
    with open_jar(jar) as archive:
        if archive.manifest is None:
            raise CorruptRelease(f"{jar.name} has no manifest.")
        for name, member in sorted(archive.manifest.members.items()):
            try:
                if _hash(archive, name) != member.sha256:
                    found.append(f"{name!r} is not what the manifest lists")
            except CorruptRelease as error:
                found.append(str(error))
    return tuple(found)


def member(jar: Path, name: str) -> bytes | None:
    """A small file of a jar; `None` where it has none of that name.

    Raises:
        CorruptRelease: the jar is damaged or hostile, or the file is large.
    """
    with open_jar(jar) as archive:
        if name not in archive.files:
            return None
        if archive.files[name].file_size > limits.SMALL_FILE:
            raise CorruptRelease(f"{name!r} of {jar.name} is too large (GAVIAL_LIMIT_SMALL_FILE).")
        with archive.read(name) as data:
            return data.read(limits.SMALL_FILE)


def python_members(jar: Path) -> dict[str, str]:
    """The sha256 of each file of a jar that Python could import or read, by member name."""
    with open_jar(jar) as archive:
        names = [name for name in archive.files if not name.lower().startswith(RESERVED)]
        if archive.manifest:
            return {name: archive.manifest.members[name].sha256 for name in names}
        return {name: _hash(archive, name) for name in names}


def _prepare(to: Path, size: int, jar: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    if any(to.iterdir()):
        raise ConfigurationError(f"{str(to)!r} is not empty: choose another folder.")
    free = shutil.disk_usage(to).free
    if size > free:
        raise ConfigurationError(
            f"{jar.name} holds {size} bytes, and {str(to)!r} has room for {free}. Free some space "
            "or choose another folder."
        )


def _extract(archive: Archive, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with archive.read(name) as data, target.open("xb") as file:
        while chunk := data.read(CHUNK):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    if size != archive.files[name].file_size:
        raise CorruptRelease(f"{name!r} of {archive.path.name} is truncated.")
    if archive.manifest and digest.hexdigest() != archive.manifest.members[name].sha256:
        raise CorruptRelease(
            f"{name!r} of {archive.path.name} is not what its manifest lists (sha256 differs)."
        )


def _hash(archive: Archive, name: str) -> str:
    digest = hashlib.sha256()
    with archive.read(name) as data:
        while chunk := data.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
