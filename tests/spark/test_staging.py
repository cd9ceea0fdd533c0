"""A staging folder is tried before its first use, and swept of what dead processes left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from gavial import owner
from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.owner import LEASE_SECONDS, Owner
from gavial.spark import hadoop, round_trip, staging

OLD = 2 * LEASE_SECONDS


@pytest.fixture
def base(spark: SparkSession, tmp_path: Path) -> Iterator[Path]:
    """The folder that the setting names; nothing has used it yet."""
    folder = tmp_path / "staging"
    folder.mkdir()
    spark.conf.set("spark.gavial.stagingDir", f"file:{folder}")
    yield folder
    spark.conf.unset("spark.gavial.stagingDir")


def _dead() -> Owner:
    """A process of ours that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return replace(Owner.this(), process=ended.pid)


def _left(base: Path, name: str, note: Owner | None, age: float = 0.0) -> Path:
    """A folder as a process leaves it, its note renewed that many seconds ago."""
    folder = base / name
    folder.mkdir()
    if note is not None:
        file = folder / owner.NOTE
        file.write_text(note.to_json())
        os.utime(file, (file.stat().st_mtime - age,) * 2)
    os.utime(folder, (folder.stat().st_mtime - age,) * 2)
    return folder


def _jobs(spark: SparkSession, group: str) -> int:
    return len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))


def test_the_first_use_sweeps_what_nobody_uses_and_leaves_the_rest(
    spark: SparkSession, base: Path
) -> None:
    elsewhere = replace(Owner.this(), space="another machine")
    swept = [
        _left(base, "gavial-1", _dead()),
        _left(base, "gavial-2", elsewhere, age=OLD),
        _left(base, "gavial-3", None, age=OLD),
    ]
    kept = [
        _left(base, "gavial-4", Owner.this(), age=OLD),
        _left(base, "gavial-5", elsewhere),
        _left(base, "gavial-6", None),
        _left(base, "data", _dead(), age=OLD),
    ]
    with staging.folder(spark):
        pass
    assert [folder.name for folder in swept if folder.exists()] == []
    assert [folder.name for folder in kept if not folder.exists()] == []


def test_a_folder_is_tried_once_a_session(spark: SparkSession, base: Path) -> None:
    for group in ("first use", "second use"):
        spark.sparkContext.setJobGroup(group, "")
        with staging.folder(spark):
            pass
    spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)
    assert _jobs(spark, "first use") == 2
    assert _jobs(spark, "second use") == 0


def test_a_folder_that_was_removed_is_tried_again(spark: SparkSession, base: Path) -> None:
    with staging.folder(spark):
        pass
    base.rmdir()
    spark.sparkContext.setJobGroup("gone", "")
    with staging.folder(spark) as made:
        assert Path(made.uri.removeprefix("file:")).is_dir()
    spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)
    assert _jobs(spark, "gone") == 2


def test_a_local_session_without_the_setting_runs_no_spark_job(spark: SparkSession) -> None:
    spark.sparkContext.setJobGroup("local", "")
    with staging.folder(spark) as made:
        assert made.local is not None
    spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)
    assert _jobs(spark, "local") == 0


def test_a_folder_says_whose_it_is_while_it_is_in_use(spark: SparkSession, base: Path) -> None:
    with staging.folder(spark) as made:
        note = Path(made.uri.removeprefix("file:")) / owner.NOTE
        assert Owner.parse(note.read_text()) == Owner.this()
    assert not note.exists()


def test_a_local_folder_says_whose_it_is(spark: SparkSession) -> None:
    with staging.folder(spark) as made:
        assert made.local is not None
        assert Owner.parse((made.local / owner.NOTE).read_text()) == Owner.this()


def test_a_local_folder_of_a_killed_process_is_swept_by_the_next(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = _left(tmp_path, "gavial-staging-dead", _dead())
    alive = _left(tmp_path, "gavial-staging-alive", Owner.this(), age=OLD)
    owner._sweep_here.cache_clear()
    with staging.folder(spark):
        pass
    assert not dead.exists()
    assert alive.exists()


def test_notes_are_renewed_as_long_as_a_folder_is_in_use(spark: SparkSession, base: Path) -> None:
    with staging.folder(spark) as made:
        note = Path(made.uri.removeprefix("file:")) / owner.NOTE
        os.utime(note, (1.0, 1.0))
        staging._notes.renew()
        assert note.stat().st_mtime > 1.0


def test_a_folder_that_somebody_removed_is_not_made_again_by_a_renewal(
    spark: SparkSession, base: Path
) -> None:
    with staging.folder(spark) as made:
        hadoop.place(spark, made.uri).delete()
        staging._notes.renew()
        assert not Path(made.uri.removeprefix("file:")).exists()


def test_a_lasting_folder_keeps_its_note(spark: SparkSession, base: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "part-00000").write_text("{}")
    uri = staging.lasting(spark, tmp_path / "model")
    assert uri.endswith("/model")
    note = Path(uri.removeprefix("file:")).parent / owner.NOTE
    assert Owner.parse(note.read_text()) == Owner.this()


def test_a_round_trip_through_a_folder_of_this_host_finds_no_fault(
    spark: SparkSession, base: Path
) -> None:
    assert round_trip.fault(spark, hadoop.place(spark, f"file:{base}/trip")) == ""


def test_a_failure_for_want_of_room_is_the_folder_s(spark: SparkSession, base: Path) -> None:
    with (
        pytest.raises(ConfigurationError, match="No space left on device") as error,
        staging.folder(spark),
    ):
        try:
            raise OSError(28, "No space left on device")
        except OSError as full:
            raise IncompatibleModel("The stage x cannot be saved.") from full
    assert "spark.gavial.stagingDir" in str(error.value)


def test_another_failure_stays_the_model_s(spark: SparkSession, base: Path) -> None:
    with pytest.raises(IncompatibleModel, match="cannot be saved"), staging.folder(spark):
        raise IncompatibleModel("The stage x cannot be saved.")


def test_a_note_is_json_with_the_process() -> None:
    assert json.loads(Owner.this().to_json())["process"] == os.getpid()
