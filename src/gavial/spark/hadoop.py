"""Files of the session's file systems, through Hadoop's own API in the driver's JVM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

_MAX_TEXT = 1 << 16


@dataclass(frozen=True)
class Place:
    """A file or folder of one of those file systems; the methods raise py4j's errors."""

    spark: SparkSession
    system: Any
    path: Any

    @property
    def uri(self) -> str:
        """Where it is, with scheme and host."""
        return str(self.system.makeQualified(self.path).toString())

    def below(self, name: str) -> Place:
        """A file or folder in this one."""
        return Place(self.spark, self.system, _path(self.spark, f"{self.path.toString()}/{name}"))

    def exists(self) -> bool:
        return bool(self.system.exists(self.path))

    def changed(self) -> float:
        """When it was changed, in seconds, by its file system's clock."""
        return float(self.system.getFileStatus(self.path).getModificationTime()) / 1000

    def names(self) -> Iterator[str]:
        """What a folder holds."""
        for status in self.system.listStatus(self.path):
            yield str(status.getPath().getName())

    def size(self) -> int:
        return int(self.system.getFileStatus(self.path).getLen())

    def write(self, text: str) -> None:
        """Write a small file; folders above it are made."""
        stream = self.system.create(self.path, True)
        try:
            stream.write(bytearray(text.encode()))
        finally:
            stream.close()

    def read(self) -> str:
        """A small file's text."""
        stream = self.system.open(self.path)
        try:
            data = _jvm(self.spark).org.apache.commons.io.IOUtils.toByteArray(
                stream, min(self.size(), _MAX_TEXT)
            )
        finally:
            stream.close()
        return bytes(data).decode(errors="replace")

    def delete(self) -> None:
        self.system.delete(self.path, True)

    def delete_with_jvm(self) -> None:
        """Delete it when the JVM ends, if it is still there."""
        self.system.deleteOnExit(self.path)

    def keep_after_jvm(self) -> None:
        """Take `delete_with_jvm` back."""
        self.system.cancelDeleteOnExit(self.path)

    def copy_to(self, local: Path) -> None:
        """Copy it to a local path, without the `.crc` files of Hadoop's local file system."""
        self.system.copyToLocalFile(False, self.path, _path(self.spark, file_uri(local)), True)

    def copy_from(self, local: Path) -> None:
        self.system.copyFromLocalFile(False, True, _path(self.spark, file_uri(local)), self.path)

    def remaining(self) -> int:
        """The bytes that are free there, as far as its file system knows."""
        return int(self.system.getStatus(self.path).getRemaining())


def place(spark: SparkSession, uri: str) -> Place:
    """What a URI, or a path of the default file system, names."""
    path = _path(spark, uri)
    return Place(spark, path.getFileSystem(_conf(spark)), path)


def home(spark: SparkSession) -> str:
    """The user's home folder on the session's default file system, as a URI."""
    system = _jvm(spark).org.apache.hadoop.fs.FileSystem.get(_conf(spark))
    return str(system.getHomeDirectory().toString())


def file_uri(path: Path) -> str:
    """The URI of a local path, as Hadoop reads it."""
    # Not `as_uri()`: Hadoop takes a `%20` for three characters.
    return f"file:{path.absolute().as_posix()}"


def _path(spark: SparkSession, uri: str) -> Any:
    return _jvm(spark).org.apache.hadoop.fs.Path(uri)


def _conf(spark: SparkSession) -> Any:
    return spark.sparkContext._jsc.hadoopConfiguration()


def _jvm(spark: SparkSession) -> Any:
    return spark.sparkContext._jvm
