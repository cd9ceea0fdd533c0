"""`gavial compare`, without Spark: kept comparisons and routes."""

import json
import math
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

import gavial
from gavial.cli.main import main
from gavial.maven import drive
from gavial.monitoring.comparison import Comparison, Look, Mode, Outcome
from gavial.registry.catalog import repository

SAVED = Path(__file__).parents[2] / "fixtures" / "saved_models" / "spark-4.3" / "churn"
FOUND = Comparison(
    "com.acme:churn", "1.0.0", "1.0.1", Mode.SHADOW, "log_loss", 0.0, 0.05, Outcome.BETTER,
    (Look(None, 5000, -0.03, -0.04, -0.02),), reasons=("1.0.1 is \x1b[31mbetter.",),
)  # fmt: skip
LOOK = FOUND.to_json()["looks"][0]
NO_DIFFERENCE = replace(FOUND, outcome=Outcome.NO_DIFFERENCE, margin=0.05)
WORSE = replace(FOUND, outcome=Outcome.WORSE, looks=(Look(None, 5000, 0.03, 0.02, 0.04),))
KEEP_GOING = replace(FOUND, outcome=Outcome.KEEP_GOING, needed=77)


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs a command line in this process; gives its exit code, output and diagnostics."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # which `main` replaces

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["gavial", *map(str, words)])
        code = main()
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(drive, "SETTLE_SECONDS", 0.0)
    for _ in range(3):
        gavial.deploy(SAVED, "com.acme:churn:1.0", tmp_path / "models")
    models = repository(tmp_path / "models")
    models.set_alias("com.acme:churn", "champion", "1.0.0")
    return tmp_path / "models"


@pytest.mark.parametrize(
    ("kept", "code"), [(FOUND, 0), (NO_DIFFERENCE, 0), (WORSE, 4), (KEEP_GOING, 5)]
)
def test_the_exit_code_is_that_of_the_verdict(command, tmp_path, kept, code):
    file = tmp_path / "kept.json"
    file.write_text(json.dumps(kept.to_json()))
    found, out, told = command("compare", "check", file)
    assert found == code
    assert f"1.0.1 against 1.0.0 of com.acme:churn: {kept.outcome}" in out
    assert "\x1b" not in out + told
    assert ("about 77 more labelled records" in told) == (code == 5)
    found, out, _ = command("compare", "check", file, "--json")
    assert (found, Comparison.from_json(json.loads(out))) == (code, kept)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"alpha": -5}, "-5 is out of range"),
        ({"alpha": math.nan}, "nan is out of range"),
        ({"margin": math.nan}, "nan is out of range"),
        ({"format": 0}, "0 is not a format number"),
        ({"format": True}, "True is not a format number"),
        ({"outcome": "worse"}, "its verdict is 'worse', and its newest difference is between"),
        ({"outcome": "no difference worth having"}, "with the margin 0"),
        ({"looks": []}, "its verdict is 'better'"),
        ({"looks": {"a": 1}}, "is no list"),
        ({"looks": [LOOK | {"n": -5}]}, "-5 is out of range"),
        ({"looks": [LOOK | {"n": 10**30}]}, "is out of range"),
        ({"looks": [LOOK | {"low": 5}]}, "a difference is between 5 and -0.02"),
        ({"looks": [LOOK | {"difference": math.nan}]}, "nan is out of range"),
        ({"looks": [LOOK | {"window": ["0001-01-01T00:00:00+23:59"] * 2}]}, "is damaged"),
        ({"looks": [LOOK | {"window": ["2026-01-01T00:00:00Z"] * 2}]}, "a window is from"),
        ({"reasons": "abc"}, "'abc' is no list"),
        ({"needed": -1}, "-1 is out of range"),
        ({"ratio": {"expected": [0.5], "observed": [1], "p": math.nan}}, "nan is out of range"),
    ],
)
def test_a_forged_comparison_is_refused(command, tmp_path, change, says):
    file = tmp_path / "forged.json"
    file.write_text(json.dumps(FOUND.to_json() | change))
    found, out, told = command("compare", "check", file)
    assert (found, out) == (1, "")
    assert f"{file}: A comparison is damaged" in told
    assert says in told


def test_a_document_without_a_comparison_is_no_verdict(command, tmp_path):
    file = tmp_path / "none.json"
    file.write_text('{"format": 1, "comparisons": []}')
    found, out, told = command("compare", "check", file)
    assert (found, out) == (1, "")
    assert "holds no comparison" in told


def test_a_comparison_that_is_not_there_is_said_and_not_taken_for_records(command, tmp_path):
    found, _, told = command("compare", "check", tmp_path / "gone.json")
    assert found == 2
    assert "gone.json' cannot be read: No such file or directory" in told


def test_names_in_a_comparison_do_not_steer_the_terminal(command, tmp_path):
    file = tmp_path / "kept.json"
    steering = replace(FOUND, segment="plan=\x1b[2J", champion="\u202e1.0.0")
    file.write_text(json.dumps(steering.to_json()))
    _, out, _ = command("compare", "check", file)
    assert "\\x1b[2J" in out
    assert not {"\x1b", "\u202e"} & set(out)


def test_of_several_the_exit_code_is_that_of_the_worst_on_all_records(command, tmp_path):
    file = tmp_path / "kept.json"
    worse = replace(WORSE, challenger="1.0.2")
    undecided = replace(FOUND, challenger="1.0.3", outcome=Outcome.KEEP_GOING)
    for kept, code in (
        ([FOUND, undecided], 5),
        ([FOUND, undecided, worse], 4),
        ([FOUND, replace(worse, segment="shop=x")], 0),
    ):
        document = {"format": 1, "comparisons": [one.to_json() for one in kept]}
        file.write_text(json.dumps(document))
        found, out, _ = command("compare", "check", file, "--json")
        assert (found, json.loads(out)) == (code, document)
    assert "worse (shop=x)" in command("compare", "check", file)[1]


def test_misuse_of_check_is_told(command, tmp_path):
    assert command("compare", "check", tmp_path)[0] == 2
    code, _, told = command("compare", "check", tmp_path, "--champion", "a:b:1.0.0")
    assert (code, "name --champion and --challenger, or --route" in told) == (2, True)
    both = ("--champion", "a:b:1.0.0", "--challenger", "a:b:1.0.1")
    assert "--id COLUMN" in command("compare", "check", tmp_path, *both)[2]
    assert command("compare", "check", tmp_path, *both, "--route", "a:b@c")[0] == 2
    assert command("compare", "check", tmp_path, *both, "--loss", "hinge")[0] == 2
    late = (*both, "--id", "id", "--label-time", "known_at")
    assert "--label-time is of --labels" in command("compare", "check", tmp_path, *late)[2]


def test_a_route_is_set_ramped_shown_and_ended(command, folder):
    what = ("com.acme:churn@champion", "--repository", folder)
    route = ("compare", "route")
    code, out, told = command(*route, "set", *what, "--challenger", "1.0.1", "--why", "try")
    assert (code, out) == (0, "shadow of com.acme:churn: 1.0.0 against 1.0.1\n")
    assert "com.acme:churn@champion is at record 1" in told
    split = ("--split", "--key", "customer", "--salt", "may")
    for share in ("0.1", "0.25"):
        assert command(*route, "set", *what, *split, "--challenger", f"1.0.1={share}")[0] == 0
    code, out, _ = command(*route, "show", *what, "--json")
    found = json.loads(out)
    assert (code, found["number"], found["alias"]) == (0, 3, "champion")
    assert [one["buckets"] for one in found["route"]["versions"]] == [7500, 2500]
    assert command(*route, "end", *what, "--why", "over")[:2] == (
        0,
        "no route: what com.acme:churn@champion means is served\n",
    )
    code, out, _ = command(*route, "history", *what)
    lines = out.splitlines()
    assert (code, len(lines)) == (0, 5)
    assert lines[1].split()[:2] == ["4", "ended"]
    assert "1.0.1 (25.00%)" in lines[2]
    code, out, _ = command(*route, "history", *what, "--json")
    assert [one["number"] for one in json.loads(out)["history"]] == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("set", "com.acme:churn", "--challenger", "1.0.1"), 2, "names no alias"),
        (("set", "com.acme:churn@champion", "--challenger", "1.0.9"), 3, "not released"),
        (("set", "com.acme:churn@champion", "--challenger", "1.0.0"), 2, "twice"),
        (("set", "com.acme:churn@other", "--challenger", "1.0.1"), 3, "no alias 'other'"),
        (("set", "com.acme:churn@champion", "--challenger", "1.0.1=0.1"), 2, "are of a --split"),
        (
            ("set", "com.acme:churn@champion", "--challenger", "1.0.1", "--split"),
            2,
            "its share too",
        ),
        (
            ("set", "com.acme:churn@champion", "--challenger", "1.0.1=0.1", "--split"),
            2,
            "key=",
        ),
        (
            ("set", "com.acme:churn@champion", "--challenger", "1.0.1", "--split", "--replay"),
            2,
            "one of them",
        ),
        (("show", "com.acme:churn@champion"), 3, "has no route"),
        (("history", "com.acme:churn@champion"), 3, "has no route"),
        (("end", "com.acme:churn@champion"), 3, "no route to end"),
    ],
)
def test_what_makes_no_route_is_told_with_the_right_exit_code(command, folder, words, code, said):
    found, _, told = command("compare", "route", *words, "--repository", folder)
    assert (found, said in told) == (code, True), told


def test_a_route_is_set_only_where_the_newest_is_the_one_that_was_seen(command, folder):
    words = ("compare", "route", "set", "com.acme:churn@champion", "--repository", folder)
    assert command(*words, "--challenger", "1.0.1", "--expected", "0")[0] == 0
    code, _, told = command(*words, "--challenger", "1.0.2", "--expected", "0")
    assert (code, "at record 1, and not 0" in told) == (1, True)
