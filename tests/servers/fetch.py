"""Server software from Maven Central, or from the mirror that Maven's settings put in its place.

Everything is kept in a cache, `~/.cache/gavial-test-servers` or `$GAVIAL_TEST_SERVERS`, and is
only ever the bytes whose SHA-256 is written here in the source.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path

from gavial.maven.open import open_repository
from gavial.maven.repository import Repository
from gavial.maven.settings import Settings

# As they are when this is imported: tests see a home and an environment of their own.
_HOME = Path.home()
_ENVIRONMENT = dict(os.environ)
_CHUNK = 1 << 20


class NotFetched(Exception):
    """An artifact is not to be had, or is not what it ought to be."""


@dataclass(frozen=True)
class Artifact:
    """A file of a Maven repository, `group:artifact:version[:extension[:classifier]]`."""

    coordinate: str
    sha256: str

    @property
    def path(self) -> str:
        """Where it lies in a repository."""
        group, artifact, version, *rest = self.coordinate.split(":")
        extension, classifier = (*rest, "jar")[0], "".join(f"-{one}" for one in rest[1:])
        folder = f"{group.replace('.', '/')}/{artifact}/{version}"
        return f"{folder}/{artifact}-{version}{classifier}.{extension}"


def locked(file: Path) -> tuple[Artifact, ...]:
    """The artifacts that a file names: a coordinate and a SHA-256 a line."""
    return tuple(Artifact(*line.split()) for line in file.read_text().splitlines())


def cache() -> Path:
    """The folder where everything is kept."""
    folder = Path(
        _ENVIRONMENT.get("GAVIAL_TEST_SERVERS") or _HOME / ".cache" / "gavial-test-servers"
    )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetched(artifact: Artifact) -> Path:
    """The artifact's file in the cache.

    Raises:
        NotFetched: it cannot be had, or has other bytes.
    """
    file = cache() / "maven" / artifact.path
    if file.is_file() and _sha256(file) == artifact.sha256:
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        came = Path(folder) / file.name
        with came.open("wb") as target:
            if not _central().download(artifact.path, target):
                raise NotFetched(f"{artifact.path} is not in {_central().url}.")
        if _sha256(came) != artifact.sha256:
            raise NotFetched(
                f"{artifact.path} from {_central().url} has the SHA-256 {_sha256(came)}: expected "
                f"{artifact.sha256}."
            )
        came.replace(file)
    return file


def jars(artifacts: Iterable[Artifact]) -> str:
    """A class path of these artifacts."""
    return os.pathsep.join(str(fetched(artifact)) for artifact in artifacts)


def unpacked(artifact: Artifact) -> Path:
    """A folder with what is in an archive, a zip or a tar. It is never written to again."""
    folder = cache() / "unpacked" / artifact.sha256[:16]
    if folder.is_dir():
        return folder
    folder.parent.mkdir(exist_ok=True)
    archive = fetched(artifact)
    made = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as entries:
                entries.extractall(made)
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(made, filter="data")
        made.rename(folder)
    except FileExistsError:  # another test run was faster
        shutil.rmtree(made)
    except BaseException:
        shutil.rmtree(made)
        raise
    archive.unlink(missing_ok=True)
    return folder


@once
def _central() -> Repository:
    return open_repository(Settings.load(environ=_ENVIRONMENT, home=_HOME).central())


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
