"""Small files on any file system that Hadoop reaches, that appear whole and are never replaced."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from gavial.errors import ConfigurationError
from gavial.spark.schema import reason

# Where a rename is a copy, and a new object appears whole when it is closed.
_OBJECT_STORES = {"s3a", "s3", "s3n", "gs", "oss", "cosn", "obs", "swift"}
_CONDITIONAL = "fs.option.create.conditional.overwrite"


def qualified(spark: SparkSession, place: str | os.PathLike[str]) -> str:
    """A folder's URI, with its file system, and without a slash at its end.

    Raises:
        ConfigurationError: no file system is known for it.

    >>> from gavial.spark import session
    >>> qualified(session.current(), "/data/scored/")
    'file:/data/scored'
    """
    text = place if isinstance(place, str) else str(Path(place).expanduser().absolute())
    with _explained(text):
        path = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(text)
        system = path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
        return str(system.makeQualified(path).toString())


class Files:
    """The files below one folder.

    Args:
        spark: the session.
        folder: a URI as `qualified` gives it; it need not be there.
    """

    def __init__(self, spark: SparkSession, folder: str) -> None:
        self.spark = spark
        self.folder = folder

    def read(self, name: str) -> bytes | None:
        """The bytes of a file, or `None` where there is none.

        Raises:
            ConfigurationError: the folder cannot be read.
        """
        with _explained(f"{self.folder}/{name}"):
            system, path = self._hadoop(name)
            if not system.exists(path):
                return None
            stream = system.open(path)
            try:
                return bytes(self._jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
            finally:
                stream.close()

    def create(self, name: str, data: bytes) -> bool:
        """Write a file where there is none; of several writers exactly one is told that it did.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        with _explained(f"{self.folder}/{name}"):
            system, path = self._hadoop(name)
            uri = system.makeQualified(path).toUri()
            scheme = str(uri.getScheme())
            if scheme == "file":
                return _create_locally(Path(str(uri.getPath())), data)
            if scheme in _OBJECT_STORES:
                return self._create_object(system, path, data)
            return self._create_by_rename(system, path, data)

    def names(self, name: str) -> tuple[str, ...]:
        """The names in a folder below; none where there is no such folder.

        Raises:
            ConfigurationError: the folder cannot be read.
        """
        with _explained(f"{self.folder}/{name}"):
            system, path = self._hadoop(name)
            if not system.exists(path):
                return ()
            return tuple(str(one.getPath().getName()) for one in system.listStatus(path))

    def delete(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        with _explained(f"{self.folder}/{name}"):
            system, path = self._hadoop(name)
            system.delete(path, False)

    @property
    def _jvm(self) -> Any:
        return self.spark.sparkContext._jvm

    def _hadoop(self, name: str) -> tuple[Any, Any]:
        path = self._jvm.org.apache.hadoop.fs.Path(f"{self.folder}/{name}")
        return path.getFileSystem(self.spark.sparkContext._jsc.hadoopConfiguration()), path

    def _create_object(self, system: Any, path: Any, data: bytes) -> bool:
        from py4j.protocol import Py4JJavaError

        if system.exists(path):
            return False
        try:
            # With the option, S3 itself refuses a second writer (`If-None-Match: *`); a store
            # that knows no such option has the look before alone.
            builder = system.createFile(path).overwrite(False).recursive()
            stream = builder.opt(_CONDITIONAL, True).build()
            stream.write(bytearray(data))
            stream.close()
        except Py4JJavaError:
            if system.exists(path):
                return False
            raise
        return True

    def _create_by_rename(self, system: Any, path: Any, data: bytes) -> bool:
        """A new name in one step; HDFS and its like refuse one that is taken."""
        if system.exists(path):
            return False
        temporary = self._jvm.org.apache.hadoop.fs.Path(
            path.getParent(), f".{path.getName()}.{secrets.token_hex(8)}"
        )
        try:
            stream = system.create(temporary, False)
            stream.write(bytearray(data))
            stream.close()
            if system.rename(temporary, path):
                return True
            if system.exists(path):
                return False
            raise OSError(f"{temporary.toString()} could not be renamed to {path.toString()}.")
        finally:
            with suppress(Exception):  # py4j's: what went wrong before is what counts
                system.delete(temporary, False)


def _create_locally(place: Path, data: bytes) -> bool:
    """Hadoop's own local file system looks first and writes then; a link does both at once."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, place)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # py4j's, around whatever the file system says
        raise ConfigurationError(
            f"{uri!r} cannot be used: {reason(error)} Expected a folder that this process and "
            "every executor may read and write."
        ) from error
