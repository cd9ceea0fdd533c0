"""Files on the side of a Spark Connect server: how a saved model goes there and comes back.

A client shares no disk with its server. What it sends lands in the server's default file system
alone, file by file (`copyFromLocalToFs`); what it fetches comes as records of `binaryFile`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import urlsplit

from pyspark.sql import DataFrame, SparkSession

from gavial.errors import ConfigurationError, GavialError
from gavial.model.saved_metadata import is_hidden
from gavial.spark import session
from gavial.spark.schema import reason

SETTING = f"{session.PREFIX}stagingDir"
_TAKES_LOCAL = "spark.sql.artifact.copyFromLocalToFs.allowDestLocal"
_TAKES_LOCAL_TOO = "spark.connect.copyFromLocalToFs.allowDestLocal"  # its name in Spark 3.5
_CHUNK = 4 << 20  # bytes of a file in one record: far below what one gRPC message holds
_READ = 1 << 20
_ABANDONED = "INTERVAL 1 DAY"


@dataclass(frozen=True)
class Server:
    """What a Connect server says of itself.

    Attributes:
        configured: the setting `spark.gavial.stagingDir`, or an empty text.
        master: its master.
        file_system: its default file system, such as `file:///` or `hdfs://nn:8020`.
        user: who it runs as.
        takes_local: whether it lets clients write to its own disk.
    """

    configured: str
    master: str
    file_system: str
    user: str
    takes_local: bool

    @classmethod
    def of(cls, spark: SparkSession) -> Server:
        """Ask a server."""
        row = spark.sql("SET fs.defaultFS").first()
        user = spark.sql("SELECT current_user() AS user").first()
        return cls(
            session.setting(spark, SETTING.removeprefix(session.PREFIX)),
            str(spark.conf.get("spark.master", "") or ""),
            str(row["value"]) if row else "",
            str(user["user"]) if user else "",
            any(
                str(spark.conf.get(name, "")).lower() == "true"
                for name in (_TAKES_LOCAL, _TAKES_LOCAL_TOO)
            ),
        )

    @property
    def is_local(self) -> bool:
        """Whether its default file system is each host's own."""
        return urlsplit(self.file_system).scheme in ("", "file")


def folder_to_save(server: Server) -> str:
    """The folder that a server saves models into, as a URI or a path of its default file system.

    Raises:
        ConfigurationError: no folder is known that all its hosts reach.

    >>> folder_to_save(Server("", "yarn", "hdfs://nn:8020", "ann", False))
    '/user/ann/.gavial-staging'
    >>> folder_to_save(Server("s3a://models/tmp/", "yarn", "file:///", "ann", False))
    's3a://models/tmp'
    """
    if server.configured:
        return server.configured.rstrip("/") or "/"
    if not server.is_local:
        return f"/user/{server.user}/.gavial-staging"
    if server.master == "local" or server.master.startswith(("local[", "local-cluster[")):
        return f"/tmp/gavial-staging-{server.user}"
    raise ConfigurationError(
        f"The Spark Connect server runs on {server.master!r}, and its default file system is each "
        "host's own: there a model would be saved in pieces. Name a folder that all its hosts "
        f"reach, spark.conf.set({SETTING!r}, 'hdfs:///tmp/gavial')."
    )


def folder_to_send(server: Server) -> str:
    """The folder that a client sends models into, as a path of the server's default file system.

    Raises:
        ConfigurationError: the server takes no files, or none there.

    >>> folder_to_send(Server("hdfs://nn:8020/gavial", "yarn", "hdfs://nn:8020", "ann", False))
    '/gavial'
    """
    parts, default = urlsplit(server.configured), urlsplit(server.file_system)
    here = parts.scheme == (default.scheme or "file") and parts.netloc in ("", default.netloc)
    if parts.scheme and not here:
        raise ConfigurationError(
            f"{SETTING} is {server.configured!r}, and a Spark Connect client can send files only "
            f"to the server's default file system, {server.file_system!r}: name a folder there, "
            "or start the server with --conf spark.hadoop.fs.defaultFS="
            f"{parts.scheme}://{parts.netloc}."
        )
    if server.is_local and not server.takes_local:
        raise ConfigurationError(
            "The Spark Connect server takes no files: its default file system is its own disk "
            f"({server.file_system!r}). Start it with --conf {_TAKES_LOCAL}=true if all of it "
            "runs on one host, or its hosts all mount the folder that you name with "
            f"{SETTING}; else with a file system that its hosts share, "
            "--conf spark.hadoop.fs.defaultFS=hdfs://…"
        )
    folder = folder_to_save(server)
    return urlsplit(folder).path.rstrip("/") or "/"


def fresh(folder: str) -> str:
    """A name in a server's folder that nothing else has."""
    return f"{folder.rstrip('/')}/{_token()}"


def send(spark: SparkSession, folder: Path, to: str) -> str:
    """Send a saved model to the server, unless it is there already; the path it has there.

    It lies below `to` under its own sha256, where every file is compared with ours, byte for
    byte, by the server. Each upload has a folder of its own, so that none ever writes where
    another client reads. It stays there: some models read their data only when they score.

    Raises:
        ConfigurationError: the server does not take it, or holds other bytes afterwards.
    """
    ours = dict(_digests(folder))
    place = f"{to.rstrip('/')}/{_digest(ours)}"
    with _explained(to):
        there = _uploads(spark, place)
        for token, upload in there.items():
            if upload.files == ours:
                return f"{place}/{token}"
            if upload.old:  # and never finished, so that nobody reads it
                delete(f"{place}/{token}")
        token = _token()
        for name in ours:
            spark.copyFromLocalToFs(str(folder / name), f"{place}/{token}/{name}")
        came = _uploads(spark, place).get(token, _Upload())
    if came.files != ours:
        raise unusable(to, "what was sent there is not what it holds now.")
    return f"{place}/{token}"


def fetch(spark: SparkSession, uri: str, to: Path) -> None:
    """Copy a folder of the server into a local one, but for what Spark does not read.

    Those are markers, such as `_SUCCESS`, and empty files.

    Args:
        uri: a folder whose last name occurs nowhere else, as `fresh` makes them.
        to: a folder to fill.

    Raises:
        ConfigurationError: the server cannot read it, or a file came in part.
    """
    count = f"cast(ceil(length / {_CHUNK}) AS int)"
    part = f"substring(content, i * {_CHUNK} + 1, {_CHUNK})"
    chunks = f"posexplode(transform(sequence(0, {count} - 1), i -> {part})) AS (n, chunk)"
    rest: dict[str, int] = {}
    with _explained(uri):
        for row in _files(spark, uri).selectExpr("path", "length", chunks).toLocalIterator():
            name = _below(row["path"], uri.rpartition("/")[2])
            with _opened(to / name) as file:
                file.seek(row["n"] * _CHUNK)
                file.write(row["chunk"])
            rest[name] = rest.get(name, row["length"]) - len(row["chunk"])
    partial = sorted(name for name, missing in rest.items() if missing)
    if partial:
        raise unusable(uri, f"{partial[0]!r} came only in part.")


def delete(uri: str) -> None:
    """Delete a folder of the server, where its Spark can: nothing fails on account of it."""
    with suppress(Exception):
        from pyspark.ml.connect.readwrite import RemoteMLWriter

        RemoteMLWriter.handleOverwrite(uri, True)


def unusable(uri: str, why: str) -> ConfigurationError:
    """The error of a folder that the server cannot write or read."""
    return ConfigurationError(
        f"The folder {uri!r} of the Spark Connect server cannot be used: {why} Name another one "
        f"with spark.conf.set({SETTING!r}, …)."
    )


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    try:
        yield
    except GavialError:
        raise
    except Exception as error:  # Spark's and gRPC's
        raise unusable(uri, reason(error)) from error


def _files(spark: SparkSession, uri: str) -> DataFrame:
    return spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(uri)


@dataclass
class _Upload:
    """What one client sent: the sha256 of each file, and whether the last one came long ago."""

    files: dict[str, str] = field(default_factory=dict)
    old: bool = True


def _uploads(spark: SparkSession, place: str) -> dict[str, _Upload]:
    """What lies below a model's folder, by the name of each upload."""
    found: dict[str, _Upload] = {}
    old = f"modificationTime < current_timestamp() - {_ABANDONED} AS old"
    try:
        rows = (
            _files(spark, place).selectExpr("path", "sha2(content, 256) AS sha256", old).collect()
        )
    except Exception as error:
        if "PATH_NOT_FOUND" in str(error):
            return {}
        raise
    for row in rows:
        token, _, name = _below(row["path"], place.rpartition("/")[2]).partition("/")
        upload = found.setdefault(token, _Upload())
        upload.files[name] = row["sha256"]
        upload.old = upload.old and row["old"]
    return found


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file that Spark reads, by relative path, with its sha256."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(map(is_hidden, name.parts))
        if path.is_file() and not hidden and path.stat().st_size:  # Spark lists no empty file
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while chunk := file.read(_READ):
                    digest.update(chunk)
            yield name.as_posix(), digest.hexdigest()


def _digest(files: Mapping[str, str]) -> str:
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()


def _below(path: str, name: str) -> str:
    """The relative path below the folder of that name.

    >>> _below("hdfs://nn:8020/tmp/0a1b/stages/0_a/data/part-0", "0a1b")
    'stages/0_a/data/part-0'
    """
    relative = path.partition(f"/{name}/")[2]
    parts = PurePosixPath(relative).parts
    if not parts or relative.startswith("/") or ".." in parts:
        raise ConfigurationError(f"The Spark Connect server lists {path!r} below {name!r}.")
    return relative


def _opened(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("r+b" if path.exists() else "wb")


def _token() -> str:
    return f"gavial-{secrets.token_hex(8)}"
