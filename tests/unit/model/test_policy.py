"""A promotion policy: what is read, what is refused, and what each gate says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.errors import ConfigurationError, CorruptRelease, IncompatibleModel, PromotionRefused
from gavial.maven.coordinate import Coordinate
from gavial.model import decision, gates
from gavial.model.card import Card
from gavial.model.decision import Approval, Decision, GateResult, Place, PolicyText
from gavial.model.gates import Approvals, Evidence, Finding, Served
from gavial.model.policy import Policy

FILE = Path("/project/promotion.toml")
NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
NAME = "com.acme:churn:1.0.3"
CARD = Card(
    NAME,
    "2026-06-08T12:00:00+00:00",
    owner="risk team",
    metrics={"auc": 0.87, "rmse": 2.0},
    labels={"team": "risk"},
)
FINE = Finding(True, "all is well")


def policy(text):
    return Policy.parse(text.encode(), FILE)


def served(name, **metrics):
    coordinate = Coordinate.parse(name)
    return Served(coordinate, Card(name, CARD.created, metrics=metrics))


def evidence(**more):
    known = {
        "coordinate": Coordinate.parse(NAME),
        "card": CARD,
        "target": "releases",
        "now": NOW,
        "verified": FINE,
        "room": FINE,
        "bom": FINE,
        "signature": lambda _: FINE,
        "signers": frozenset({"a" * 64}),
        "since": (CARD.created, "its card"),
    }
    return Evidence(**{**known, **more})


def decided(text, **more):
    """What the one gate of a policy says."""
    (result,) = gates.decide(policy(text).gates, evidence(**more))
    return result


def refused(text, **more):
    result = decided(text, **more)
    assert not result.passed
    return " ".join(result.problems)


# What is read --------------------------------------------------------------------------------


def test_a_policy_has_a_gate_for_all_that_it_asks_for_and_no_other():
    text = """
        format = 1
        description = "what risk asks for"
        metrics = ["auc >= 0.8", "auc >= current - 0.01"]
        compatibility = { freeze = ["*.maxIter"] }
        signature = { keys = ["keys/alice.pub"] }
        golden = { tolerance = 1e-4 }
        bom = true
        card = ["owner", "fields.reviewed"]
        age = "2d"
        labels = { team = "risk", stage = true }
        approvals = { required = 1, keys = ["keys/bob.pub", "~/carol.pub"] }
    """
    found = policy(text)
    assert [gate.name for gate in found.gates] == [
        "metrics: auc >= 0.8",
        "metrics: auc >= current - 0.01",
        "compatibility",
        "signature",
        "golden",
        "bom",
        "card",
        "age: 2d",
        "labels",
        "approvals",
    ]
    assert found.approvals.keys[0] == Path("/project/keys/bob.pub")
    assert found.text.text == text


def test_a_policy_that_asks_for_nothing_has_no_gate():
    assert policy("signature = false\nbom = false").gates == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "metric = ['auc > 0']",
            r"Unknown gate 'metric' in .*promotion.toml. Did you mean 'metrics'",
        ),
        ("zzz = true", r"Unknown gate 'zzz'.*There are: format, description, metrics"),
        (
            "[approvals]\nrequire = 1\nkeys = ['a']",
            "Unknown key 'require' in approvals.*'required'",
        ),
        ("signature = {key = ['a']}", "Unknown key 'key' in signature.*Did you mean 'keys'"),
        ("card = ['owners']", "Unknown field 'owners' of the card.*Did you mean 'owner'"),
        ("card = ['owner.name']", "owner has no names of its own"),
        ("format = 2", "format 2; this Gavial reads up to 1"),
        ("metrics = ['auc is good']", "'auc is good': expected conditions such as"),
        ("metrics = ['auc >= 1e999']", "expected conditions"),
        ("metrics = ['auc >= current / 2']", "expected conditions"),
        ("metrics = [0.8]", r"metrics of .* is a list: expected a list of texts"),
        ("age = '2 fortnights'", "expected a time such as '2d'"),
        ("age = 2", "age of .* is 2: expected a time"),
        ("bom = 'yes'", "bom of .* is 'yes': expected true or false"),
        ("signature = {}", "signature of .* is a table: expected true"),
        ("signature = {subjects = ['CN=A'], keys = ['a']}", "expected ca beside subjects"),
        ("golden = {tolerance = -1}", "golden.tolerance of .* is -1"),
        ("golden = {tolerance = nan}", "golden.tolerance of .* is nan"),
        ("compatibility = {freeze = ['maxIter']}", "compatibility of .*maxIter"),
        ("labels = {team = []}", "labels.team of .* expected a text"),
        ("approvals = {required = 3, keys = ['a', 'b']}", "3 approvals and names 2 keys"),
        ("approvals = {required = 2, keys = ['a', 'a']}", "2 approvals and names 1 keys"),
        ("approvals = {required = true, keys = ['a']}", "whole number from 1"),
        ("approvals = {required = 1}", "approvals.keys of .* is missing"),
        ("metrics = ['auc > 0'", "is not TOML in UTF-8"),
        ("a = " + "[" * 5000, "is not TOML in UTF-8"),
        ("a = " + "9" * 5000, "is not TOML in UTF-8"),
    ],
)
def test_what_nobody_knows_or_fits_is_named(text, message):
    with pytest.raises(ConfigurationError, match=f"(?s){message}"):
        policy(text)


TEXTS = st.text(max_size=12) | st.sampled_from(["auc >= 1", "owner", "2d", "k.pub", "better"])
SCALARS = TEXTS | st.booleans() | st.integers() | st.floats() | st.none()
KEYS = st.sampled_from(
    [
        "metrics", "compatibility", "signature", "golden", "bom", "card", "age", "labels",
        "approvals", "comparison", "outcome", "max_age", "margin", "alpha", "loss",
    ]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | KEYS, inner, max_size=3),
    max_leaves=8,
)


def toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return json.dumps(value) if isinstance(value, str) else str(value)


@given(st.dictionaries(KEYS | TEXTS, VALUES, max_size=4))
def test_whatever_a_policy_says_it_is_read_or_refused_by_name(table):
    text = "\n".join(f"{json.dumps(key)} = {toml(value)}" for key, value in table.items())
    try:
        found = Policy.parse(text.encode("utf-8", "surrogatepass"), FILE)
    except ConfigurationError as error:
        assert (
            "promotion.toml" in str(error) or "home of a user" in str(error) or "NUL" in str(error)
        )
    else:
        results = gates.decide(found.gates, evidence())
        assert len(results) == len(found.gates)
        assert all(one.passed or one.problems for one in results)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_policy_are_an_error_that_says_so(data):
    try:
        Policy.parse(data, FILE)
    except ConfigurationError as error:
        assert str(error)


@given(st.text(min_size=1, max_size=12))
def test_no_unknown_gate_is_ever_passed_over(key):
    known = ("format", "description", "metrics", "compatibility", "signature", "golden", "bom")
    if key not in (*known, "card", "age", "labels", "approvals"):
        with pytest.raises(ConfigurationError):
            Policy.parse(f"{json.dumps(key)} = false".encode("utf-8", "surrogatepass"), FILE)


# What gates say ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "passes"),
    [
        ("auc >= 0.87", True),
        ("auc > 0.87", False),
        ("auc < 0.9", True),
        ("rmse == 2", True),
        ("rmse <= 1.9", False),
        ("auc >= current", True),
        ("auc >= current + 0.05", False),
        ("auc>=current-0.01", True),
        ("rmse <= current * 1.05", True),
        ("rmse <= current * .5", False),
    ],
)
def test_a_metric_is_compared_with_a_number_or_with_what_is_served(condition, passes):
    newest = served("com.acme:churn:1.0.2", auc=0.86, rmse=2.0)
    result = decided(f"metrics = '{condition}'", newest=newest)
    assert result.passed is passes
    assert f"is {'0.87' if condition.startswith('auc') else '2'}" in result.evidence


def test_where_the_target_serves_nothing_a_comparison_passes_and_says_so():
    result = decided("metrics = 'auc >= current'")
    assert result.passed
    assert "'releases' serves no release yet" in result.evidence


def test_what_is_served_and_lacks_the_metric_cannot_be_compared():
    text = "metrics = 'auc >= current'"
    assert "no metric 'auc'" in refused(text, newest=served("com.acme:churn:1.0.2", rmse=1))
    foreign = Served(Coordinate.parse("com.acme:churn:1.0.2"), None, "it has no model card")
    assert "it has no model card" in refused(text, newest=foreign)


def test_a_metric_that_the_card_lacks_is_named_with_the_nearest():
    assert "Did you mean 'auc'?" in refused("metrics = 'aux >= 0.8'")


def test_a_metric_that_is_no_number_passes_nothing():
    card = replace(CARD, metrics={"auc": float("nan")})
    assert refused("metrics = 'auc >= 0'", card=card)


def columns(*names):
    listed = [{"name": one, "type": "double", "nullable": True} for one in names]
    return {"columns": listed, "unknown": [], "passes": False}


def test_a_release_that_needs_more_than_the_one_before_is_refused_with_every_reason():
    before = replace(CARD, inputs=columns("age"), outputs=columns("prediction"))
    card = replace(before, inputs=columns("age", "income", "city"))
    earlier = Served(Coordinate.parse("com.acme:churn:1.0.2"), before)
    text = refused("compatibility = true", card=card, before=earlier)
    assert "income" in text
    assert "city" in text
    assert decided("compatibility = true", card=before, before=earlier).passed
    assert "no earlier release" in decided("compatibility = true").evidence


def test_the_golden_sample_that_nobody_scored_is_refused():
    assert decided("golden = true").evidence == "not checked: needs Spark"
    asked = []

    def score(tolerance):
        asked.append(tolerance)
        return FINE

    assert decided("golden = {tolerance = 0.5}", golden=score).passed
    assert asked == [0.5]


@pytest.mark.parametrize("what", ["verified", "trust", "signature"])
def test_a_model_that_is_not_what_it_ought_to_be_is_never_run(what):
    def score(_):
        raise AssertionError("it was run")

    bad = Finding(False, "other bytes", ("other bytes",))
    more = {"verified": bad} if what == "verified" else {"signature": lambda _: bad}
    asked = policy("golden = true\nsignature = true\nmetrics = 'auc > 1'").gates
    standing = gates.STANDING if what != "signature" else ()
    results = gates.decide((*standing, *asked), evidence(golden=score, **more))
    (golden,) = [one for one in results if one.name == "golden"]
    assert "not scored, since that runs the model" in golden.problems[0]


def test_a_bill_of_materials_that_is_not_there_or_not_valid_is_refused():
    assert refused("bom = true", bom=Finding(None, "none")) == "there is no bill of materials"
    assert refused("bom = true", bom=Finding(False, "1 problem", ("another jar",))) == "another jar"


def test_fields_of_the_card_that_say_nothing_are_all_named():
    card = replace(CARD, intended_use="  ", fields={"reviewed": False})
    text = refused("card = ['owner', 'intended_use', 'limits', 'fields.reviewed']", card=card)
    assert text == "intended_use is empty limits is empty"


@pytest.mark.parametrize(
    ("age", "passes"), [("2d", True), ("48h", True), ("49h", False), ("1w", False)]
)
def test_a_release_must_have_been_there_for_so_long(age, passes):
    assert decided(f"age = '{age}'").passed is passes


def test_a_release_that_is_from_the_future_has_no_age():
    later = (NOW + timedelta(hours=1)).isoformat()
    assert "one of the clocks is off" in refused("age = '1m'", since=(later, "its card"))
    assert "no time" in refused("age = '1m'", since=("yesterday", "its card"))


def test_labels_are_compared_with_their_values():
    assert decided("labels = {team = ['risk', 'fraud']}").passed
    assert decided("labels = {team = true}").passed
    text = refused("labels = {team = 'fraud', stage = true}")
    assert text == "team is 'risk': expected 'fraud' there is no label 'stage'"


def approval(key, who="bob"):
    return Approval(NAME, "c" * 64, key * 64, who, "2026-06-09T00:00:00+00:00", "fine", 1)


TWO = "approvals = {required = 2, keys = ['a', 'b', 'c']}"
TRUSTED = tuple(one * 64 for one in "abc")


def test_approvals_count_once_a_key_and_never_for_the_signers_own():
    def of(*given):
        return Approvals(given, TRUSTED, ("record 4 is for another card",))

    assert decided(TWO, approvals=of(approval("b"), approval("c"))).passed
    twice = refused(TWO, approvals=of(approval("b"), approval("b")))
    assert twice.startswith("2 approvals are asked for, and 1 count")
    assert "record 4 is for another card" in twice
    own = refused(TWO, approvals=of(approval("a"), approval("b")))
    assert "has signed the release itself" in own
    other = refused(TWO, approvals=of(approval("b"), approval("d")))
    assert "is no key that the policy names" in other


def test_every_gate_reports_also_after_one_has_refused():
    found = policy("metrics = 'auc > 1'\nbom = true\ngolden = true\nage = '1d'")
    results = gates.decide((gates.Verified(), *found.gates), evidence())
    assert [one.passed for one in results] == [True, False, False, True, True]


# What is kept --------------------------------------------------------------------------------

KEPT = Decision(
    NAME,
    "c" * 64,
    "refused",
    Place("staging", "file:///staging/"),
    Place("releases", "file:///releases/"),
    (GateResult("bom", False, "none", ("there is none",)), GateResult("files", True, "5 files")),
    PolicyText("promotion.toml", "d" * 64, "bom = true"),
    (approval("b"),),
    "ann",
    "risk",
    "2026-06-10T12:00:00+00:00",
    "for May",
)


def test_a_decision_is_kept_as_json_and_read_back_the_same():
    assert Decision.from_json(json.loads(json.dumps(KEPT.to_json()))) == KEPT


def test_a_refusal_is_raised_with_every_reason():
    with pytest.raises(PromotionRefused, match=r"from 'staging' to 'releases':\n- bom: there is"):
        KEPT.check()
    assert replace(KEPT, outcome="promoted").check() is None


def test_a_long_policy_is_kept_in_part_and_known_by_its_digest():
    long = replace(KEPT, policy=replace(KEPT.policy, text="#" * 100_000))
    kept = long.to_json()["policy"]
    assert (len(kept["text"]), kept["sha256"]) == (decision.LONGEST_POLICY, "d" * 64)


def test_a_decision_of_a_later_format_says_so():
    with pytest.raises(IncompatibleModel, match="The decision has format 2"):
        Decision.from_json({**KEPT.to_json(), "format": 2})


@given(st.dictionaries(st.sampled_from(sorted(KEPT.to_json())), VALUES, max_size=3))
def test_a_damaged_decision_is_corrupt_and_breaks_nothing(damage):
    try:
        found = Decision.from_json({**KEPT.to_json(), **damage})
    except (CorruptRelease, IncompatibleModel):
        return
    assert Decision.from_json(found.to_json()) == found
