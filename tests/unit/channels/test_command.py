"""Messages to real programs."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime

import pytest

from gavial.channels.command import Command
from gavial.channels.message import Event, Item, message_of
from gavial.errors import NotDelivered
from gavial.monitoring.verdict import Status

from .conftest import MODULE, make

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ITEMS = [Item(Event.ALERT, make()), Item(Event.ALERT, make(version="1.0.4"))]


def python(script, *more):
    return (sys.executable, "-c", script, *more)


@pytest.fixture
def message():
    return message_of(MODULE, Status.ALERT, ITEMS, NOW)


def test_a_program_gets_the_document_and_the_facts(tmp_path, message):
    file = tmp_path / "said.json"
    script = (
        "import json, os, sys; json.dump([json.load(sys.stdin), sys.argv[2:], "
        "{name: os.environ[name] for name in ('GAVIAL_EVENT', 'GAVIAL_MODULE', "
        "'GAVIAL_VERSIONS', 'GAVIAL_STATUS', 'PATH')}], open(sys.argv[1], 'w'))"
    )
    Command("hook", python(script, str(file), "$HOME; rm -rf x")).send(message)
    document, arguments, environment = json.loads(file.read_text())
    assert document == message.document
    assert arguments == ["$HOME; rm -rf x"]  # no shell reads it
    assert environment == {
        "GAVIAL_EVENT": "alert",
        "GAVIAL_MODULE": "com.acme:churn",
        "GAVIAL_VERSIONS": "1.0.3 1.0.4",
        "GAVIAL_STATUS": "alert",
        "PATH": os.environ["PATH"],
    }


def test_what_a_program_says_is_no_result_of_ours(message, capfd):
    Command("hook", python("print('started job 7')")).send(message)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "started job 7\n")


def test_a_program_that_fails_is_told_with_its_code(message):
    with pytest.raises(NotDelivered, match=r"failed: it ended with 3"):
        Command("hook", python("raise SystemExit(3)")).send(message)


def test_a_program_that_reads_nothing_is_fine(message):
    Command("hook", ("true",)).send(message)


@pytest.mark.parametrize("name", ["no-such-program-here", "/", "a\0b"])
def test_a_program_that_does_not_start_is_told(message, name):
    with pytest.raises(NotDelivered, match="does not start"):
        Command("hook", (name,)).send(message)


def test_a_program_that_hangs_is_ended_with_what_it_started(tmp_path, message, eventually):
    file = tmp_path / "pid"
    script = (
        "import subprocess, sys, time; inner = subprocess.Popen(['sleep', '600']); "
        "open(sys.argv[1], 'w').write(str(inner.pid)); time.sleep(600)"
    )
    begun = time.monotonic()
    with pytest.raises(NotDelivered, match="did not end within 2 seconds"):
        Command("hook", python(script, str(file)), seconds=2).send(message)
    assert time.monotonic() - begun < 20
    inner = file.read_text()

    def gone():
        try:
            with open(f"/proc/{inner}/stat") as stat:  # noqa: PTH123
                return stat.read().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    eventually(gone)


def test_a_program_is_run_when_an_alert_begins_and_not_each_time_that_it_is_told_of():
    assert Command("hook", ("true",)).events == {Event.ALERT}
