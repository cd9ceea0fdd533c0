"""The gate that asks for a comparison: what is read, and what it lets through."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gavial.errors import ConfigurationError
from gavial.maven.coordinate import Coordinate
from gavial.model import gates
from gavial.model.card import Card
from gavial.model.decision import Decision, GateResult, Place
from gavial.model.gates import Compared, Evidence, Finding, Served
from gavial.model.policy import Policy

CHAMPION, RELEASE = "com.acme:churn:1.0.3", "com.acme:churn:1.0.4"
FINE = Finding(True, "all is well")
GOOD = Compared(
    CHAMPION, RELEASE, "better", "log_loss", 0.001, 0.05, "", "2026-06-09T00:00:00+00:00",
    "1.0.4 is better than 1.0.3.", {"looks": []}, "ab" * 32,
)  # fmt: skip
EVIDENCE = Evidence(
    Coordinate.parse(RELEASE),
    Card(RELEASE, "2026-06-08T12:00:00+00:00"),
    "releases",
    datetime(2026, 6, 10, 12, tzinfo=UTC),
    FINE,
    FINE,
    FINE,
    lambda _: FINE,
    newest=Served(Coordinate.parse(CHAMPION), None, "no card"),
    compared=GOOD,
)


def decided(text, **change):
    policy = Policy.parse(f"comparison = {text}".encode(), Path("p.toml"))
    (result,) = gates.decide(policy.gates, replace(EVIDENCE, **change))
    return result


def test_a_release_that_is_better_than_what_is_served_passes_with_its_evidence():
    result = decided("true")
    assert result.passed
    assert result.evidence == f"1.0.4 is better than 1.0.3. (sha256 {'ab' * 32})"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"challenger": "com.acme:churn:1.0.5"}, "it is of com.acme:churn:1.0.5"),
        ({"champion": "com.acme:churn:1.0.2"}, "'releases' serves com.acme:churn:1.0.3 now"),
        ({"outcome": "keep going"}, "its verdict is 'keep going': asked for is better"),
        ({"outcome": "no difference worth having"}, "asked for is better"),
        ({"outcome": "worse"}, "its verdict is 'worse'"),
        ({"segment": "carrier=AA"}, "of the segment 'carrier=AA' alone"),
        ({"alpha": 0.2}, "it may be false in 0.2 of cases: asked for is 0.05"),
    ],
)
def test_a_comparison_of_something_else_or_with_another_verdict_does_not_pass(change, said):
    result = decided("true", compared=replace(GOOD, **change))
    assert not result.passed
    assert said in " ".join(result.problems)


@pytest.mark.parametrize(
    ("text", "change", "passes"),
    [
        ('{ outcome = ["better", "no difference worth having"] }',
         {"outcome": "no difference worth having"}, True),
        ("{ margin = 0.001 }", {}, True),
        ("{ margin = 0.0005 }", {}, False),
        ("{ alpha = 0.01 }", {}, False),
        ('{ loss = "log_loss" }', {}, True),
        ('{ loss = "brier" }', {}, False),
        ('{ max_age = "2d" }', {}, True),
        ('{ max_age = "1d" }', {}, False),
        ('{ max_age = "1d" }', {"until": ""}, False),
        ('{ max_age = "1d" }', {"until": "2026-07-01T00:00:00+00:00"}, True),
    ],
)  # fmt: skip
def test_a_policy_may_ask_for_more(text, change, passes):
    assert decided(text, compared=replace(GOOD, **change)).passed is passes


def test_every_problem_is_told_at_once():
    result = decided("true", compared=replace(GOOD, outcome="worse", champion="a:b:1.0.0"))
    assert len(result.problems) == 2


def test_without_a_comparison_it_is_refused_unless_nothing_is_served():
    assert decided("true", compared=None).problems == (
        f"no comparison with {CHAMPION} was passed (--comparison FILE)",
    )
    assert decided("true", compared=None, newest=None).passed


@pytest.mark.parametrize(
    "text",
    [
        "3",
        "{}",
        '{ outcome = "worse" }',
        '{ outcome = "keep going" }',
        "{ outcome = [] }",
        "{ outcom = 'better' }",
        "{ alpha = 2 }",
        "{ margin = -1 }",
        '{ margin = "small" }',
        "{ loss = 1 }",
        '{ max_age = "soon" }',
    ],
)
def test_what_a_policy_cannot_mean_is_refused(text):
    with pytest.raises(ConfigurationError, match=r"comparison"):
        decided(text)


def test_false_asks_for_nothing():
    assert Policy.parse(b"comparison = false", Path("p.toml")).gates == ()


def test_a_decision_holds_the_comparison_with_its_newest_looks():
    result = (GateResult("comparison", True, "x"),)
    places = Place("a", "file:///a/"), Place("b", "file:///b/")
    one = Decision(RELEASE, "0" * 64, "promoted", *places, result)
    held = replace(one, comparison={"outcome": "better", "looks": [1, 2]})
    assert Decision.from_json(held.to_json()) == held
    long = replace(one, comparison={"looks": list(range(500))})
    assert long.to_json()["comparison"]["looks"] == list(range(480, 500))
    older = {name: value for name, value in one.to_json().items() if name != "comparison"}
    assert Decision.from_json(older) == one
