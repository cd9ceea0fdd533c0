"""Kept states that somebody damaged, moved or forged, read without a JVM."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from gavial.errors import ConfigurationError, CorruptRelease, GavialError
from gavial.maven.coordinate import Module
from gavial.monitoring import places, state
from gavial.monitoring.bins import Numeric
from gavial.monitoring.profile import Profile
from gavial.monitoring.state import Cell, Key, Slot, State
from gavial.monitoring.windows import Window
from gavial.registry.states import read

CHURN = Module("com.acme", "churn")
PROFILE = Profile("unlabelled", {"age": Numeric((0.0, 1.0))})
DAY = datetime(2026, 3, 1, tzinfo=UTC)
SLOT = Slot(str(CHURN), "1.0.0", Window(DAY, DAY + timedelta(days=1)))
SCHEMA = pyarrow.schema(
    [
        (name, {"int": "int32", "bigint": "int64", "timestamp": pyarrow.timestamp("us", "UTC")}.get(
            kind, kind))
        for name, kind in state.COLUMNS.items()
    ]
)  # fmt: skip


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """One window of five records."""
    found = State({Key("records"): Cell(5), Key("feature", "age", 0): Cell(5, 0.5, 0.1)})
    write(tmp_path, [dict(zip(state.COLUMNS, row, strict=True))
                     for row in state.rows({SLOT: found}, PROFILE.digest)])  # fmt: skip
    profiles = tmp_path / places.PROFILES
    profiles.mkdir()
    (profiles / f"{PROFILE.digest}.json").write_text(json.dumps(PROFILE.to_json()))
    return tmp_path


def write(folder: Path, rows: list[dict[str, Any]], schema: pyarrow.Schema | None = SCHEMA) -> Path:
    file = folder / str(places.of(SLOT))
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), file)
    return file


def records(folder: Path) -> list[int]:
    return [one.records for one in read(str(folder), CHURN).states.values()]


def test_a_copy_of_the_states_inside_their_folder_counts_nothing_twice(kept: Path) -> None:
    shutil.copytree(kept, kept / "backup", ignore=shutil.ignore_patterns("backup"))

    assert records(kept) == [5]


def test_a_file_of_another_window_is_refused_and_counts_nothing_twice(kept: Path) -> None:
    file = kept / str(places.of(SLOT))
    copy = kept / str(places.of(SLOT._replace(window=None)))
    copy.parent.mkdir()
    shutil.copy(file, copy)

    with pytest.raises(CorruptRelease, match=r"moved or copied it\. Remove it"):
        read(str(kept), CHURN)


def test_folders_of_others_are_left_alone(kept: Path) -> None:
    foreign = kept / "group=a b" / "artifact=c" / "version=1" / "window=none"
    foreign.mkdir(parents=True)
    (foreign / places.FILE).write_text("no Parquet")

    assert records(kept) == [5]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("format", 0),
        ("format", None),
        ("format", "1"),
        ("module", None),
        ("version", None),
        ("version", "../1"),
        ("segment", None),
        ("profile", None),
        ("kind", None),
        ("column_name", None),
        ("n", -1),
        ("n", None),
        ("n", 2**62),
        ("m2", -1.0),
        ("window_end", DAY - timedelta(days=1)),
        ("window_end", datetime(9999, 12, 31, 23, tzinfo=UTC)),
        ("window_end", None),
    ],
)
def test_a_row_with_a_value_that_no_state_has_names_its_file(
    kept: Path, column: str, value: Any
) -> None:
    file = kept / str(places.of(SLOT))
    rows = parquet.ParquetFile(file).read().to_pylist()
    kind = None if isinstance(value, str) and column == "format" else SCHEMA
    write(kept, [{**row, column: value} for row in rows], kind)

    with pytest.raises(CorruptRelease, match=r"state\.parquet: A monitoring state is damaged"):
        read(str(kept), CHURN)


@pytest.mark.parametrize("data", [b"", b"PAR1" * 3, b"PAR1" + b"x" * 50 + b"PAR1"])
def test_a_damaged_file_is_named_with_what_to_do(kept: Path, data: bytes) -> None:
    (kept / str(places.of(SLOT))).write_bytes(data)

    with pytest.raises(CorruptRelease, match=r"state\.parquet.*count its window again"):
        read(str(kept), CHURN)


def test_a_time_of_no_calendar_is_a_damaged_file(kept: Path) -> None:
    file = kept / str(places.of(SLOT))
    table = parquet.ParquetFile(file).read()
    never = pyarrow.array([2**62] * len(table), pyarrow.int64()).cast(SCHEMA.types[3])
    parquet.write_table(table.set_column(3, "window_start", never), file)

    with pytest.raises(CorruptRelease, match=r"state\.parquet.*count its window again"):
        read(str(kept), CHURN)


def test_a_profile_that_was_changed_is_refused(kept: Path) -> None:
    (file,) = (kept / places.PROFILES).iterdir()
    content = json.loads(file.read_text())
    content["features"]["age"]["edges"] = [0.0, 99.0]
    file.write_text(json.dumps(content))

    with pytest.raises(CorruptRelease, match="was changed"):
        read(str(kept), CHURN)


def test_a_profile_with_half_a_character_is_damaged(kept: Path) -> None:
    (file,) = (kept / places.PROFILES).iterdir()
    file.write_text(json.dumps(PROFILE.to_json() | {"label": "\ud800"}))

    with pytest.raises(CorruptRelease, match="lone surrogate"):
        read(str(kept), CHURN)


@pytest.mark.parametrize("name", ["gone", "file"])
def test_what_is_no_folder_is_told_with_what_was_expected(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(ConfigurationError, match="Expected a folder that may be read"):
        read(str(tmp_path / name))


@pytest.mark.parametrize("uri", ["s3://KEY:S3CRET@bucket/states", "hdfs://u:S3CRET@host:1/x"])
def test_a_password_in_a_uri_is_refused_and_not_shown(uri: str) -> None:
    with pytest.raises(GavialError, match="holds a password") as found:
        read(uri)
    assert "S3CRET" not in str(found.value)
