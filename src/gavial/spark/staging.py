"""A folder that Spark's driver and executors both reach, and this process too.

On a cluster each host has files of its own: a model saved to a local path there ends up in
pieces on the workers, and Spark reports success. So saving and loading go through a staging
folder, by this rule, first one wins:

1. `spark.gavial.stagingDir`, a URI or path that every host reaches;
2. a master on this host alone (`local[…]`, `local-cluster[…]`): a temporary folder;
3. the session's default file system, where it is not local: below the user's home folder there.

Before the first use of such a folder in a session it is tried, from the driver to the executors
and back, and what dead processes left there is taken away.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from gavial import owner
from gavial.errors import ConfigurationError, GavialError
from gavial.owner import Owner
from gavial.spark import hadoop, round_trip, session
from gavial.spark.hadoop import Place
from gavial.spark.schema import reason

SETTING = "stagingDir"
_PREFIX = "gavial-"
_LOCAL_PREFIX = "gavial-staging-"
_LITTLE = 1 << 16  # bytes: a file system with less than that is full
# What a disk, a quota, HDFS without a disk left, and a mount say, however deep in a message.
_FULL = (
    "No space left on device",
    "Disk quota exceeded",
    "QuotaExceededException",
    "could only be written to 0 of",
    "Read-only file system",
)


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
        with _explained(self.uri):
            hadoop.place(self.spark, f"{self.uri}/{name}").copy_to(target)
        return target

    def put(self, folder: Path) -> str:
        """The URI of a copy of a local folder."""
        uri = f"{self.uri}/{folder.name}"
        with _explained(self.uri):
            hadoop.place(self.spark, uri).copy_from(folder)
        return uri


@contextmanager
def folder(spark: SparkSession) -> Iterator[Staging]:
    """An empty staging folder, gone afterwards whatever happens.

    Raises:
        ConfigurationError: no folder is known that all hosts reach, or it cannot be written.
    """
    base = _base(spark)
    if base is None:
        with owner.temporary(_LOCAL_PREFIX) as local:
            yield Staging(spark, hadoop.file_uri(local), local)
        return
    _prepare(spark, base)
    made = _make(spark, base)
    try:
        yield Staging(spark, made.uri, None)
    except GavialError as error:
        if isinstance(error, ConfigurationError) or not (why := _why_unusable(made, error)):
            raise
        raise unusable(base, why) from error
    finally:
        _notes.drop(made)
        with suppress(Exception):  # py4j's: what went wrong before is what counts
            made.delete()
            made.keep_after_jvm()


def lasting(spark: SparkSession, local: Path) -> str:
    """The URI under which every host reads a local folder, until the JVM ends.

    Where everything runs on this host that is the folder itself, and it has to stay: some
    models, such as ALS, read their data only when they score.

    Raises:
        ConfigurationError: no folder is known that all hosts reach, or it cannot be written.
    """
    base = _base(spark)
    if base is None:
        return hadoop.file_uri(local)
    _prepare(spark, base)
    made = _make(spark, base)
    try:
        return Staging(spark, made.uri, None).put(local)
    except BaseException:
        _notes.drop(made)
        with suppress(Exception):
            made.delete()
        raise


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
    if _is_local(master):
        return None
    if not home.startswith("file:"):
        return f"{home}/.gavial-staging"
    raise ConfigurationError(
        f"Spark runs on {master!r}, and its default file system is each host's own: there a model "
        "would be saved in pieces. Name a folder that every host reaches, with "
        f"--conf {session.PREFIX}{SETTING}=hdfs:///tmp/gavial (or s3a://…, or a mounted folder)."
    )


def unusable(uri: str, why: str) -> ConfigurationError:
    """The error of a staging folder that cannot be written or read."""
    return ConfigurationError(
        f"The staging folder {uri!r} cannot be used: {why} Name another one with "
        f"{session.PREFIX}{SETTING}."
    )


def _is_local(master: str) -> bool:
    return master == "local" or master.startswith(("local[", "local-cluster["))


def _base(spark: SparkSession) -> str | None:
    configured = session.setting(spark, SETTING)
    master = str(spark.sparkContext.master)
    if not configured and _is_local(master):
        return None  # without a question to Hadoop
    with _explained(configured or "the default file system"):
        home = "" if configured else hadoop.home(spark)
    return shared_folder(configured, master, home)


# -- a folder that hosts share ---------------------------------------------------------------

_preparing = threading.Lock()
_prepared: set[tuple[str, str]] = set()


def _prepare(spark: SparkSession, base: str) -> None:
    """Try the folder and sweep it, where this session has not done so yet, or it is gone since.

    Raises:
        ConfigurationError: it cannot be used.
    """
    key = (str(spark.sparkContext.applicationId), base)
    with _preparing:
        with _explained(base):
            if key in _prepared and hadoop.place(spark, base).exists():
                return
        made = _make(spark, base)
        try:
            with _explained(base):
                now = made.below(owner.NOTE).changed()
                why = round_trip.fault(spark, made)
            if why:
                raise unusable(base, why)
        finally:
            _notes.drop(made)
            with suppress(Exception):
                made.delete()
                made.keep_after_jvm()
        _sweep(hadoop.place(spark, base), now)
        _prepared.add(key)


def _make(spark: SparkSession, base: str) -> Place:
    """A new folder with our note; it goes with the JVM at the latest."""
    with _explained(base):
        made = hadoop.place(spark, f"{base}/{_PREFIX}{secrets.token_hex(8)}")
        # Before the folder is there, for a file system that makes none until it has a file.
        _notes.add(made)
    try:
        with _explained(base):
            made.delete_with_jvm()
    except ConfigurationError:
        _notes.drop(made)
        raise
    return made


def _sweep(base: Place, now: float) -> None:
    with suppress(Exception):  # py4j's: a folder of another user, or one that somebody else sweeps
        for name in base.names():
            if name.startswith(_PREFIX):
                with suppress(Exception):
                    _sweep_one(base.below(name), now)


def _sweep_one(left: Place, now: float) -> None:
    note = left.below(owner.NOTE)
    has_note = note.exists()
    noted = Owner.parse(note.read()) if has_note else None
    age = now - (note if has_note else left).changed()
    if owner.is_left_over(noted, age):
        left.delete()


class _Notes:
    """The notes of this process's folders, renewed as long as it lives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ours: dict[str, Place] = {}
        self._renewing = False

    def add(self, made: Place) -> None:
        """Write the note of a folder, and with it the folder."""
        made.below(owner.NOTE).write(Owner.this().to_json())
        with self._lock:
            self._ours[made.uri] = made
            if not self._renewing:
                self._renewing = True
                _every(owner.RENEWAL_SECONDS, self.renew)

    def drop(self, made: Place) -> None:
        with self._lock, suppress(Exception):
            self._ours.pop(made.uri, None)

    def renew(self) -> None:
        for made in list(self._ours.values()):
            with suppress(Exception):  # the JVM has ended, or the folder is away for now
                note = made.below(owner.NOTE)
                if note.exists():
                    note.write(Owner.this().to_json())


_notes = _Notes()


def _every(seconds: float, work: Callable[[], None]) -> None:
    def run() -> None:
        pause = threading.Event()
        while not pause.wait(seconds):
            work()

    threading.Thread(target=run, name="gavial-staging", daemon=True).start()


def _why_unusable(made: Place, error: BaseException) -> str:
    """What is wrong with the folder where work in it failed; empty where it is not the folder."""
    seen: BaseException | None = error
    while seen is not None:
        for sign in _FULL:
            if sign in str(seen):
                line = next(line for line in str(seen).splitlines() if sign in line)
                return f"{line.strip().rstrip('.')}."
        seen = seen.__cause__ or seen.__context__
    with suppress(Exception):
        if made.remaining() < _LITTLE:
            return "it is full."
    return ""


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # py4j's, around whatever the file system says
        raise unusable(uri, reason(error)) from error
