"""States that are kept: replaced, added to, read with and without Spark, after a crash."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from pyspark.sql import SparkSession
from states_parts import OTHER, PROFILE, records, states

from gavial.errors import ConfigurationError, CorruptRelease, IncompatibleModel
from gavial.maven.coordinate import Module
from gavial.monitoring import state
from gavial.monitoring.state import Slot, State
from gavial.registry import states as without_jvm
from gavial.spark.monitoring.store import StateStore

HERE = Path(__file__).parent


def cells(found: Mapping[Slot, State]) -> dict[Slot, dict[object, object]]:
    return {slot: dict(one) for slot, one in found.items()}


def file_of(folder: Path, day: int = 0) -> Path:
    return sorted(folder.glob("group=*/**/state.parquet"))[day]


def test_states_come_back_as_they_were_with_and_without_a_jvm(
    spark: SparkSession, tmp_path: Path
) -> None:
    store = StateStore(spark, str(tmp_path))
    given = {**states(3, 4), **states(5, version="1.0.1"), **states(6, module="org.x:sales")}

    store.replace(given, PROFILE)

    found, plain = store.read(), without_jvm.read(str(tmp_path))
    assert cells(found.states) == cells(plain.states) == cells(given)
    assert found.profiles == plain.profiles == {PROFILE.digest: PROFILE}
    churn = Module("com.acme", "churn")
    assert {slot.module for slot in store.read(churn).states} == {str(churn)}
    assert cells(store.read(churn).states) == cells(
        without_jvm.read(tmp_path.as_uri(), churn).states
    )
    assert not (tmp_path / "_writing").exists() or not list((tmp_path / "_writing").iterdir())
    table = spark.read.parquet(str(tmp_path)).where("kind = 'records' AND segment = ''")
    assert {(row["artifact"], row["version"], row["n"]) for row in table.collect()} == {
        ("churn", "1.0.0", 3),
        ("churn", "1.0.0", 4),
        ("churn", "1.0.1", 5),
        ("sales", "1.0.0", 6),
    }


def test_a_window_that_is_counted_again_is_replaced_and_others_stay(
    spark: SparkSession, tmp_path: Path
) -> None:
    store = StateStore(spark, str(tmp_path))
    store.replace(states(3, 4), PROFILE)

    store.replace(states(5), PROFILE)

    assert records(store.read().states) == [5, 4]


def test_nothing_kept_is_nothing(spark: SparkSession, tmp_path: Path) -> None:
    store = StateStore(spark, str(tmp_path / "new"))
    store.replace({}, PROFILE)

    assert dict(store.read().states) == {}


def test_a_batch_adds_once_however_often_it_runs_and_a_recount_keeps_that(
    spark: SparkSession, tmp_path: Path
) -> None:
    store = StateStore(spark, str(tmp_path))
    store.add(states(1, 2), PROFILE, query="q", batch=0)
    store.add(states(10), PROFILE, query="q", batch=1)
    store.add(states(10), PROFILE, query="q", batch=1)
    store.add(states(100), PROFILE, query="other", batch=0)
    assert records(store.read().states) == [111, 2]
    assert records(without_jvm.read(str(tmp_path)).states) == [111, 2]

    store.replace(states(7), PROFILE)
    store.add(states(10), PROFILE, query="q", batch=1)

    assert records(store.read().states) == [7, 2]


def test_a_kill_between_two_windows_loses_and_doubles_nothing(
    spark: SparkSession, tmp_path: Path
) -> None:
    store = StateStore(spark, str(tmp_path))
    store.add(states(1, 2), PROFILE, query="q", batch=0)
    path = os.pathsep.join(map(str, [HERE / "parts", *sys.path]))
    died = subprocess.run(
        [sys.executable, HERE / "parts" / "dying_store.py", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert sorted(records(store.read().states)) in ([2, 11], [1, 22])

    store.add(states(10, 20), PROFILE, query="q", batch=1)

    assert records(store.read().states) == [11, 22]
    assert records(without_jvm.read(str(tmp_path)).states) == [11, 22]


def test_states_of_two_profiles_are_kept_apart(spark: SparkSession, tmp_path: Path) -> None:
    store = StateStore(spark, str(tmp_path))
    store.add(states(1), PROFILE, query="q", batch=0)
    store.add(states(2), OTHER, query="q", batch=1)

    found = store.read()

    assert {digest: records(one) for digest, one in found.by_profile.items()} == {
        PROFILE.digest: [1],
        OTHER.digest: [2],
    }
    assert records(found.states) == [2]
    assert found.profiles == {PROFILE.digest: PROFILE, OTHER.digest: OTHER}


def test_states_of_a_later_format_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    store = StateStore(spark, str(tmp_path))
    store.replace(states(1), PROFILE)
    place = file_of(tmp_path)
    table = parquet.ParquetFile(place).read()
    later = pyarrow.array([state.FORMAT + 1] * len(table), pyarrow.int32())
    parquet.write_table(table.set_column(0, "format", later), place)

    for read in (store.read, lambda: without_jvm.read(str(tmp_path))):
        with pytest.raises(IncompatibleModel, match="format 2"):
            read()
    with pytest.raises(IncompatibleModel, match="format 2"):
        store.add(states(1), PROFILE, query="q", batch=0)


def test_damaged_states_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    store = StateStore(spark, str(tmp_path))
    store.replace(states(1), PROFILE)
    place = file_of(tmp_path)
    place.write_bytes(place.read_bytes()[:100])

    for read in (store.read, lambda: without_jvm.read(str(tmp_path))):
        with pytest.raises(CorruptRelease):
            read()


def test_a_copied_window_is_refused_and_a_copied_folder_counts_nothing_twice(
    spark: SparkSession, tmp_path: Path
) -> None:
    store = StateStore(spark, str(tmp_path))
    store.replace(states(1, 2), PROFILE)
    shutil.copytree(tmp_path, tmp_path / "backup", ignore=shutil.ignore_patterns("backup"))
    assert records(store.read().states) == [1, 2]

    shutil.copy(file_of(tmp_path, 0), file_of(tmp_path, 1))
    with pytest.raises(CorruptRelease, match="moved or copied"):
        store.read()


def test_a_window_that_cannot_be_written_is_told_and_written_the_next_time(
    spark: SparkSession, tmp_path: Path
) -> None:
    store = StateStore(spark, str(tmp_path))
    store.replace(states(1, 2), PROFILE)
    place = file_of(tmp_path, 1)
    place.unlink()
    (place / "in the way").mkdir(parents=True)

    with pytest.raises(ConfigurationError, match="cannot be written"):
        store.add(states(5, 6), PROFILE, query="q", batch=0)
    (place / "in the way").rmdir()
    place.rmdir()
    store.replace(states(5, 6), PROFILE)

    assert records(store.read().states) == [5, 6]


def test_a_format_that_is_none_and_a_missing_reader_are_said(
    spark: SparkSession, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="'parquet' or 'delta'"):
        StateStore(spark, str(tmp_path), "csv")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        without_jvm.read(str(tmp_path / "nowhere"))
