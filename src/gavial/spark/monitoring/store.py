"""States that are kept: one small file for each module, version and window, replaced as a whole."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession, functions

from gavial.errors import ConfigurationError, CorruptRelease, GavialError
from gavial.maven.coordinate import Module
from gavial.maven.locations import check_no_password
from gavial.monitoring import places, state
from gavial.monitoring.kept import SOURCE, Kept, profile_of
from gavial.monitoring.places import Place
from gavial.monitoring.profile import Profile
from gavial.monitoring.state import Cell, Key, Slot, State, States
from gavial.spark import session
from gavial.spark.monitoring import files
from gavial.spark.schema import reason
from gavial.spark.streaming.files import Files, qualified
from gavial.spark.streaming.sinks import check_delta

FORMATS: Final = ("parquet", "delta")
_SLOT: Final = "slot"
_FILE: Final = "file"
_OBJECT_STORES = {"s3a", "s3", "s3n", "gs", "oss", "cosn", "obs", "swift"}


class StateStore:
    """Kept states below one folder of a file system that Spark reaches.

    A window is one file, which is replaced in one step: so to count it again leaves it there once,
    and whoever reads meanwhile sees the one or the other.

    Args:
        spark: a classic session.
        uri: the folder, which need not be there.
        format: "parquet", or "delta" for a Delta table in that folder.

    Raises:
        ConfigurationError: no such format, or the folder cannot be used.
    """

    def __init__(self, spark: SparkSession, uri: str, format: str = "parquet") -> None:
        if format not in FORMATS:
            raise ConfigurationError(
                f"The format {format!r} is unknown: expected {' or '.join(map(repr, FORMATS))}."
            )
        if session.is_connect(spark):
            raise ConfigurationError(
                "A store of states needs a classic session: a Spark Connect client shares no file "
                "system with its server. Scan here, and keep the states where the driver is."
            )
        if format == "delta":
            check_delta(spark)
        check_no_password(uri)
        self.uri = qualified(spark, uri)
        self.format = format
        self._spark = spark
        self._own = files.own_session(spark)
        self._files = Files(spark, self.uri)

    def replace(self, states: States, profile: Profile) -> None:
        """Put states in place of what is kept of their windows.

        All segments of a window are one: give them together.

        Raises:
            ConfigurationError: they cannot be written. Windows that were not, are as they were.
        """
        self._keep_profile(profile)
        by_place = _by_place(states)
        if self.format == "delta":
            self._replace_in_table(states, profile, by_place)
            return
        kept = self._rows(by_place)
        written = {
            place: [*state.rows(found, profile.digest), *_sources(kept.get(place, ()))]
            for place, found in by_place.items()
        }
        self._write(written)

    def add(self, states: States, profile: Profile, *, query: str, batch: int) -> None:
        """Add the states of a stream's micro-batch, once however often the batch runs.

        Each window says which batch of the query it has, so that a batch that is repeated after a
        crash is added only to those that it did not reach.

        Args:
            states: of the batch's records.
            profile: what they are counted by.
            query: the query's id, as Spark gives it.
            batch: the batch's id.

        Raises:
            ConfigurationError: they cannot be written; run the batch again.
        """
        self._keep_profile(profile)
        if self.format == "delta":
            self._append_to_table(states, profile, query, batch)
            return
        by_place = _by_place(states)
        kept = self._rows(by_place)
        written = {}
        for place, found in by_place.items():
            rows = kept.get(place, [])
            if _last(rows, query) < batch:
                written[place] = _added(rows, place, found, profile.digest, query, batch)
        self._write(written)

    def read(self, module: Module | None = None) -> Kept:
        """What is kept, of one module or of all.

        Raises:
            IncompatibleModel: a later Gavial wrote some of it.
            CorruptRelease: a file is damaged.
        """
        if self.format == "delta":
            return Kept.of(self._table_rows(module), self._profiles())
        wanted = "group=*/artifact=*" if module is None else _folder(module)
        paths = [one for _, one in self._glob(f"{wanted}/version=*/window=*/{places.FILE}")]
        by_file: dict[str, list[dict[str, Any]]] = {}
        for row in self._read(paths):
            by_file.setdefault(unquote(row.pop(_FILE)), []).append(row)
        return Kept.of_files(by_file.items(), self._profiles())

    # -- a Delta table -------------------------------------------------------------------------

    def _replace_in_table(
        self, states: States, profile: Profile, wanted: Collection[Place]
    ) -> None:
        """One transaction: whoever reads sees all windows before it, or all after it."""
        if not states:
            return
        conditions = [_condition(place) for place in wanted]
        with _explained(self.uri):
            writer = self._frame(states, profile).write.format("delta").mode("overwrite")
            if self._exists("_delta_log"):
                writer = writer.option("replaceWhere", " OR ".join(conditions))
            writer.save(self.uri)

    def _append_to_table(self, states: States, profile: Profile, query: str, batch: int) -> None:
        """Delta keeps in its log which batches it has. Rows of one key add up when read."""
        with _explained(self.uri):
            writer = self._frame(states, profile).write.format("delta").mode("append")
            writer.option("txnAppId", query).option("txnVersion", batch).save(self.uri)

    def _table_rows(self, module: Module | None) -> list[dict[str, Any]]:
        if not self._exists("_delta_log"):
            return []
        with _explained(self.uri):
            df = self._own.read.format("delta").load(self.uri)
            if module is not None:
                df = df.where(functions.col("module") == str(module))
            return files.rows_of(df)

    def _frame(self, states: States, profile: Profile) -> DataFrame:
        rows = list(state.rows(states, profile.digest))
        return self._own.createDataFrame(rows, files.SCHEMA).coalesce(1)

    # -- profiles ------------------------------------------------------------------------------

    def _keep_profile(self, profile: Profile) -> None:
        self._files.create(f"{places.PROFILES}/{profile.digest}.json", profile.text.encode())

    def _profiles(self) -> dict[str, Profile]:
        found = {}
        for name in self._files.names(places.PROFILES):
            if name.endswith(".json") and not name.startswith("."):
                data = self._files.read(f"{places.PROFILES}/{name}")
                if data is not None:
                    found[name.removesuffix(".json")] = profile_of(data, name)
        return found

    # -- files ---------------------------------------------------------------------------------

    def _rows(self, wanted: Collection[Place]) -> dict[Place, list[dict[str, Any]]]:
        """What is kept of some windows."""
        if not wanted:
            return {}
        with _explained(self.uri):
            there = [one for one in map(str, wanted) if self._exists(one)]
        found: dict[Place, list[dict[str, Any]]] = {}
        rows = self._read([f"{self.uri}/{one}" for one in there])
        state.from_rows(rows)  # what is damaged is not written over in silence
        for row in rows:
            found.setdefault(places.of(state.slot_of(row)), []).append(row)
        return found

    def _read(self, paths: Sequence[str]) -> list[dict[str, Any]]:
        if not paths:
            return []
        try:
            df = self._own.read.parquet(*paths)
            return files.rows_of(df.withColumn(_FILE, functions.col("_metadata.file_path")))
        except GavialError:
            raise
        except Exception as error:  # Spark's and py4j's
            raise CorruptRelease(
                f"The states in {self.uri!r} cannot be read: {reason(error)}"
            ) from error

    def _write(self, written: Mapping[Place, Sequence[tuple[Any, ...]]]) -> None:
        """Write all windows in one job, then put each in its place."""
        if not written:
            return
        order = list(written)
        rows = [(at, *row) for at, place in enumerate(order) for row in written[place]]
        folder = f"{places.WRITING}/{secrets.token_hex(8)}"
        try:
            with _explained(self.uri):
                df = self._own.createDataFrame(rows, f"{_SLOT} int, {files.SCHEMA}")
                parts = df.repartition(min(len(order), 8), _SLOT).sortWithinPartitions(_SLOT)
                parts.write.partitionBy(_SLOT).parquet(f"{self.uri}/{folder}")
                for at, place in enumerate(order):
                    ((_, part),) = self._glob(f"{folder}/{_SLOT}={at}/part-*")
                    self._put(part, str(place))
        finally:
            with suppress(Exception):  # what went wrong before is what counts
                system, path = self._place(folder)
                system.delete(path, True)

    def _put(self, written: str, name: str) -> None:
        """Put a file in its place, in one step, whether there is one already or not."""
        system, target = self._place(name)
        source = self._jvm.org.apache.hadoop.fs.Path(written)
        scheme = str(system.getUri().getScheme())
        if scheme == "file":
            local = Path(str(target.toUri().getPath()))
            local.parent.mkdir(parents=True, exist_ok=True)
            Path(str(source.toUri().getPath())).replace(local)
        elif scheme in _OBJECT_STORES:  # there a rename is a copy, and an object appears whole
            conf = self._spark.sparkContext._jsc.hadoopConfiguration()
            self._jvm.org.apache.hadoop.fs.FileUtil.copy(
                system, source, system, target, False, True, conf
            )
        else:
            self._rename(system, source, target)

    def _rename(self, system: Any, source: Any, target: Any) -> None:
        jvm = self._jvm
        system.mkdirs(target.getParent())
        conf = self._spark.sparkContext._jsc.hadoopConfiguration()
        context = jvm.org.apache.hadoop.fs.FileContext.getFileContext(system.getUri(), conf)
        kind = jvm.java.lang.Class.forName("org.apache.hadoop.fs.Options$Rename")
        options = self._spark.sparkContext._gateway.new_array(
            getattr(jvm.org.apache.hadoop.fs, "Options$Rename"), 1
        )
        options[0] = jvm.java.lang.Enum.valueOf(kind, "OVERWRITE")
        context.rename(source, target, options)

    @property
    def _jvm(self) -> Any:
        return self._spark.sparkContext._jvm

    def _exists(self, name: str) -> bool:
        system, path = self._place(name)
        return bool(system.exists(path))

    def _place(self, name: str) -> tuple[Any, Any]:
        path = self._jvm.org.apache.hadoop.fs.Path(f"{self.uri}/{name}")
        return path.getFileSystem(self._spark.sparkContext._jsc.hadoopConfiguration()), path

    def _glob(self, pattern: str) -> Iterator[tuple[str, str]]:
        """Name and URI of what matches."""
        with _explained(self.uri):
            system, path = self._place(pattern)
            for one in system.globStatus(path) or ():
                yield str(one.getPath().getName()), str(one.getPath().toString())


def _condition(place: Place) -> str:
    """Which rows of a table are of a window. Modules and versions have no quote in them."""
    start = "window_start IS NULL"
    if place.window is not None:
        start = f"window_start = timestamp'{place.window.start.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z'"
    return f"(module = '{place.module}' AND version = '{place.version}' AND {start})"


def _folder(module: Module) -> str:
    return f"group={module.group}/artifact={module.artifact}"


def _by_place(states: States) -> dict[Place, dict[Slot, State]]:
    found: dict[Place, dict[Slot, State]] = {}
    for slot, one in states.items():
        found.setdefault(places.of(slot), {})[slot] = one
    return found


def _sources(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """The rows that say which batches are in a window."""
    return [tuple(row[name] for name in state.COLUMNS) for row in rows if row["kind"] == SOURCE]


def _last(rows: Sequence[Mapping[str, Any]], query: str) -> int:
    """The last batch of a query that is in a window; -1 where none is."""
    found = [int(row["n"]) for row in rows if row["kind"] == SOURCE and row["column_name"] == query]
    return max(found, default=0) - 1


def _added(
    rows: Sequence[Mapping[str, Any]],
    place: Place,
    states: Mapping[Slot, State],
    digest: str,
    query: str,
    batch: int,
) -> list[tuple[Any, ...]]:
    """The rows of a window with a batch's states added."""
    old = [row for row in rows if (row["kind"], row["column_name"]) != (SOURCE, query)]
    by_profile = state.from_rows(old)
    slot = Slot(*place)
    mark = State({Key(SOURCE, query): Cell(batch + 1)})
    mine = dict(by_profile.pop(digest, {}))
    for one, added in {slot: State(), **states}.items():
        mine[one] = mine.get(one, State()) + added
    mine[slot] = mine[slot] + mark
    every = {**by_profile, digest: mine}
    return [row for one in sorted(every) for row in state.rows(every[one], one)]


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    try:
        yield
    except GavialError:
        raise
    except Exception as error:  # Spark's, py4j's and this system's own
        raise ConfigurationError(
            f"The states in {uri!r} cannot be written or read: {reason(error)} Expected a folder "
            "that this process and every executor may read and write, with room in it."
        ) from error
