"""A folder that Spark's driver and executors both reach, and this process too.

On a cluster each host has files of its own: a model saved to a local path there ends up in
pieces on the workers, and Spark reports success. So saving and loading go through a staging
folder, by this rule, first one wins:

1. `spark.gavial.stagingDir`, a URI or path that every host reaches;
2. a master on this host alone (`local[…]`, `local-cluster[…]`): a temporary folder;
3. the session's default file system, where it is not local: below the user's home folder there.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from gavial.errors import ConfigurationError
from gavial.spark import session
from gavial.spark.schema import reason

SETTING = "stagingDir"
_PREFIX = "gavial-"


@dataclass(frozen=True)
class Staging:
    """A folder of one job: `uri` is what Spark is given.

    `local` is the same folder for this process, or `None` where only Spark's file system
    reaches it.
    """

    spark: SparkSession
    uri: str
    local: Path | None

    def fetch(self, name: str, into: Path) -> Path:
        """A file or folder of the staging folder, as local files; copied only where needed."""
        if self.local is not None:
            return self.local / name
        target = into / name
        system, path = _hadoop(self.spark, f"{self.uri}/{name}")
        with _explained(self.uri):
            # Without the `.crc` files that Hadoop's own local file system would add.
            system.copyToLocalFile(False, path, _path(self.spark, _file_uri(target)), True)
        return target

    def put(self, folder: Path) -> str:
        """The URI of a copy of a local folder."""
        system, path = _hadoop(self.spark, f"{self.uri}/{folder.name}")
        with _explained(self.uri):
            system.copyFromLocalFile(False, True, _path(self.spark, _file_uri(folder)), path)
        return f"{self.uri}/{folder.name}"


@contextmanager
def folder(spark: SparkSession) -> Iterator[Staging]:
    """An empty staging folder, gone afterwards whatever happens.

    Raises:
        ConfigurationError: no folder is known that all hosts reach, or it cannot be written.
    """
    base = _base(spark)
    if base is None:
        local = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            yield Staging(spark, _file_uri(local), local)
        finally:
            shutil.rmtree(local, ignore_errors=True)
        return
    staging = _make(spark, base)
    try:
        yield staging
    finally:
        with suppress(Exception):  # py4j's: what went wrong before is what counts
            system, path = _hadoop(spark, staging.uri)
            system.delete(path, True)


def lasting(spark: SparkSession, local: Path) -> str:
    """The URI under which every host reads a local folder, until the JVM ends.

    Where everything runs on this host that is the folder itself, and it has to stay: some
    models, such as ALS, read their data only when they score.

    Raises:
        ConfigurationError: no folder is known that all hosts reach, or it cannot be written.
    """
    base = _base(spark)
    if base is None:
        return _file_uri(local)
    staging = _make(spark, base)
    system, path = _hadoop(spark, staging.uri)
    system.deleteOnExit(path)
    return staging.put(local)


def shared_folder(configured: str, master: str, home: str) -> str | None:
    """The folder to work below, by the rule; `None` is a temporary folder of this host.

    Args:
        configured: the setting, or an empty text.
        master: the session's master.
        home: the user's home folder on the session's default file system, as a URI.

    Raises:
        ConfigurationError: no folder is known that all hosts reach.

    >>> shared_folder("", "local[4]", "file:/home/me") is None
    True
    >>> shared_folder("", "yarn", "hdfs://nn/user/me")
    'hdfs://nn/user/me/.gavial-staging'
    """
    if configured:
        return configured.rstrip("/") or "/"
    if master == "local" or master.startswith(("local[", "local-cluster[")):
        return None
    if not home.startswith("file:"):
        return f"{home}/.gavial-staging"
    raise ConfigurationError(
        f"Spark runs on {master!r}, and its default file system is each host's own: there a model "
        "would be saved in pieces. Name a folder that every host reaches, with "
        f"--conf {session.PREFIX}{SETTING}=hdfs:///tmp/gavial (or s3a://…, or a mounted folder)."
    )


def _base(spark: SparkSession) -> str | None:
    system = _jvm(spark).org.apache.hadoop.fs.FileSystem.get(_conf(spark))
    home = str(system.getHomeDirectory().toString())
    return shared_folder(session.setting(spark, SETTING), str(spark.sparkContext.master), home)


def _make(spark: SparkSession, base: str) -> Staging:
    uri = f"{base}/{_PREFIX}{secrets.token_hex(8)}"
    with _explained(base):
        system, path = _hadoop(spark, uri)
        made = system.mkdirs(path)
    if not made:
        raise unusable(base, "no folder could be made there.")
    return Staging(spark, str(system.makeQualified(path).toString()), None)


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # py4j's, around whatever the file system says
        raise unusable(uri, reason(error)) from error


def unusable(uri: str, why: str) -> ConfigurationError:
    """The error of a staging folder that cannot be written or read."""
    return ConfigurationError(
        f"The staging folder {uri!r} cannot be used: {why} Name another one with "
        f"{session.PREFIX}{SETTING}."
    )


def _hadoop(spark: SparkSession, uri: str) -> tuple[Any, Any]:
    """The file system of a URI, and the URI as its path."""
    path = _path(spark, uri)
    return path.getFileSystem(_conf(spark)), path


def _path(spark: SparkSession, uri: str) -> Any:
    return _jvm(spark).org.apache.hadoop.fs.Path(uri)


def _conf(spark: SparkSession) -> Any:
    return spark.sparkContext._jsc.hadoopConfiguration()


def _jvm(spark: SparkSession) -> Any:
    return spark.sparkContext._jvm


def _file_uri(path: Path) -> str:
    # Not `as_uri()`: Hadoop takes a `%20` for three characters.
    return f"file:{path.absolute().as_posix()}"
