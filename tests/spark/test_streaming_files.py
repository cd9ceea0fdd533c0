"""The files beside a checkpoint."""

from __future__ import annotations

import threading

import pytest

from gavial.errors import ConfigurationError, CorruptRelease, IncompatibleModel
from gavial.maven.coordinate import Coordinate
from gavial.spark.streaming import checkpoint
from gavial.spark.streaming.checkpoint import Checkpoint
from gavial.spark.streaming.files import Files, qualified
from gavial.spark.streaming.pin import Owner, Pin

PIN = Pin(Coordinate.parse("com.acme:churn:1.0.3"), "ab" * 32)
OWNER = Owner("com.acme:churn", "hdfs://nn/scored", "parquet", "pipeline")


@pytest.fixture
def files(spark, tmp_path):
    return Files(spark, qualified(spark, tmp_path / "some folder"))


def test_a_file_that_is_not_there_is_none(files):
    assert files.read("a/b") is None
    assert files.names("a") == ()


def test_a_file_is_made_once_and_read_as_it_was_written(files):
    assert files.create("a/b", b"one")
    assert not files.create("a/b", b"two")
    assert files.read("a/b") == b"one"
    assert files.names("a") == ("b",)


def test_of_many_writers_exactly_one_is_told_that_it_made_the_file(files):
    made, start = [], threading.Barrier(8)

    def write(who):
        start.wait()
        if files.create("a/b", who.encode() * 1000):
            made.append(who)

    for _ in range(20):
        made.clear()
        threads = [threading.Thread(target=write, args=(str(n),)) for n in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(made) == 1
        assert files.read("a/b") == made[0].encode() * 1000
        files.delete("a/b")


def test_what_cannot_be_written_is_said(spark, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        Files(spark, qualified(spark, tmp_path / "file")).create("a", b"")


def test_the_first_pin_of_a_batch_counts(spark, tmp_path):
    place = Checkpoint(spark, qualified(spark, tmp_path))
    other = Pin(Coordinate.parse("com.acme:churn:1.0.4"), "cd" * 32)
    assert place.create_pin("q", 7, PIN) == PIN
    assert place.create_pin("q", 7, other) == PIN
    assert place.pin("q", 7) == PIN
    assert place.pin("q", 8) is None


def test_pins_of_long_ago_are_removed(spark, tmp_path):
    place = Checkpoint(spark, qualified(spark, tmp_path))
    place.create_pin("q", 1, PIN)
    place.create_pin("q", 2, PIN)
    place.forget("q", checkpoint.PINS_KEPT + 1)
    assert place.pin("q", 1) is None
    assert place.pin("q", 2) == PIN


def test_a_checkpoint_without_batches_has_no_last_pin(spark, tmp_path):
    assert Checkpoint(spark, qualified(spark, tmp_path)).last_pin() is None


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[]", b"{}", b'{"format_number": 1}', PIN.render()[:-9] + b'"}']
)
def test_what_is_no_pin_is_said_with_its_place(data):
    with pytest.raises(CorruptRelease, match=r"pins/7 is not what Gavial writes there"):
        Pin.parse(data, "pins/7")


def test_what_a_newer_gavial_adds_is_passed_over_and_a_newer_format_refused():
    more = PIN.render().replace(b"{", b'{"weights": {"a": 1}, ', 1)
    assert Pin.parse(more, "pins/7") == PIN
    newer = PIN.render().replace(b'"format_number": 1', b'"format_number": 2')
    with pytest.raises(IncompatibleModel, match="format 2"):
        Pin.parse(newer, "pins/7")


def test_an_owner_is_read_as_it_was_written_and_tells_its_differences():
    assert Owner.parse(OWNER.render(), "query.json") == OWNER
    assert OWNER.differences(OWNER) == ""
    other = Owner("com.acme:churn", "hdfs://nn/other", "delta", "pipeline")
    assert OWNER.differences(other) == (
        "output 'hdfs://nn/scored' and not 'hdfs://nn/other', format 'parquet' and not 'delta'"
    )
