"""What a deploy that dies leaves for its repetition."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gavial.maven.coordinate import Coordinate
from gavial.registry.pending import Notes

ONE = Coordinate.parse("com.acme:churn:1.0.1")
TWO = Coordinate.parse("com.acme:churn:1.0.2")


class Killed(Exception):
    pass


def die_after(notes, *numbers, token="t"):
    with pytest.raises(Killed), notes.note(token) as note:
        for number in numbers:
            note.add(number)
        raise Killed


def test_a_deploy_that_ends_well_leaves_nothing(tmp_path):
    notes = Notes(tmp_path, "models", "churn")
    with notes.note("t") as note:
        note.add(ONE)
    assert list(notes.left()) == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_deploy_that_died_leaves_its_token_and_numbers(tmp_path):
    notes = Notes(tmp_path, "models", "churn")
    die_after(notes, ONE, TWO)
    assert list(notes.left()) == [("t", (ONE, TWO))]
    assert list(notes.left()) == []


def test_a_note_goes_when_the_caller_comes_back_for_the_next(tmp_path):
    notes = Notes(tmp_path, "models", "churn")
    die_after(notes, ONE)
    for token, _ in notes.left():
        assert token == "t"
    assert list(notes.left()) == []


def test_another_deploy_sees_no_note_of_this_one(tmp_path):
    die_after(Notes(tmp_path, "models", "churn"), ONE)
    assert list(Notes(tmp_path, "models", "upsell").left()) == []


def test_a_note_stays_where_the_repetition_fails_too(tmp_path):
    notes = Notes(tmp_path, "models")
    die_after(notes, ONE)
    with pytest.raises(Killed):
        for _ in notes.left():
            raise Killed
    assert list(notes.left()) == [("t", (ONE,))]


def test_the_note_of_a_living_process_is_not_touched(tmp_path):
    script = """
import sys
from pathlib import Path
from gavial.maven.coordinate import Coordinate
from gavial.registry.pending import Notes
with Notes(Path(sys.argv[1]), "models").note("alive") as note:
    note.add(Coordinate.parse("com.acme:churn:1.0.0"))
    print("noted", flush=True)
    sys.stdin.read()
    import os
    os._exit(1)
"""
    notes = Notes(tmp_path, "models")
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout.readline() == b"noted\n"
        assert list(notes.left()) == []
        other.communicate()
    assert [token for token, _ in notes.left()] == ["alive"]


def test_a_deploy_that_ends_well_is_never_taken_for_one_that_died(tmp_path):
    notes = Notes(tmp_path, "models")
    running, found = threading.Event(), []

    def look():
        while not running.is_set():
            found.extend(notes.left())

    with ThreadPoolExecutor(3) as pool:
        looking = [pool.submit(look) for _ in range(3)]
        for number in range(500):
            with notes.note(f"t{number}") as note:
                note.add(ONE)
        running.set()
    assert [one.result() for one in looking] == [None] * 3
    assert found == []


def test_a_note_whose_last_line_is_torn_counts_as_far_as_it_goes(tmp_path):
    notes = Notes(tmp_path, "models")
    die_after(notes, ONE, TWO)
    (path,) = tmp_path.rglob("*.txt")
    path.write_bytes(path.read_bytes()[:-3])
    assert list(notes.left()) == [("t", (ONE,))]
