"""A promotion that goes by a comparison, from files to the record of the decision."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import gavial
from gavial.errors import ConfigurationError, CorruptRelease
from gavial.maven import drive
from gavial.monitoring.comparison import Comparison, Look, Mode, Outcome
from gavial.registry.catalog import repository

SAVED = Path(__file__).parents[2] / "fixtures" / "saved_models" / "spark-4.3" / "churn"
BETTER = Comparison(
    "com.acme:churn", "1.0.0", "1.0.1", Mode.SHADOW, "log_loss", 0.0, 0.05, Outcome.BETTER,
    (Look(None, 5000, -0.03, -0.04, -0.02),), reasons=("1.0.1 is better than 1.0.0.",),
)  # fmt: skip


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Staging with two builds, of which releases has the first; and a policy."""
    monkeypatch.setattr(drive, "SETTLE_SECONDS", 0.0)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    staging, releases = tmp_path / "staging", tmp_path / "releases"
    for _ in range(2):
        gavial.deploy(SAVED, "com.acme:churn:1.0", staging)
    (tmp_path / "policy.toml").write_text("comparison = true")
    policy = tmp_path / "policy.toml"
    first = gavial.promote("com.acme:churn:1.0.0", staging, releases, policy=policy)
    assert first.outcome == "promoted"
    return staging, releases, policy


def promote(folders, comparison):
    staging, releases, policy = folders
    return gavial.promote(
        "com.acme:churn:1.0.1", staging, releases, policy=policy, comparison=comparison
    )


def test_a_release_is_promoted_by_a_comparison_which_the_record_keeps(folders, tmp_path):
    file = tmp_path / "comparison.json"
    file.write_text(json.dumps(BETTER.to_json()))
    assert promote(folders, file).outcome == "promoted"
    kept = repository(folders[1]).promotions("com.acme:churn")[0]
    assert Comparison.from_json(kept.comparison) == BETTER


def test_of_a_file_with_several_the_one_of_the_release_and_all_records_counts(folders, tmp_path):
    file = tmp_path / "comparisons.json"
    others = (replace(BETTER, challenger="1.0.7"), replace(BETTER, segment="shop=x"))
    several = [one.to_json() for one in (*others, BETTER)]
    file.write_text(json.dumps({"format": 1, "comparisons": several[:2]}))
    assert promote(folders, file).reasons[0].startswith("comparison: it is of com.acme:churn:1.0.7")
    file.write_text(json.dumps({"format": 1, "comparisons": several}))
    assert promote(folders, file).outcome == "promoted"


def test_a_comparison_that_is_no_verdict_refuses_and_is_kept_in_the_source(folders):
    found = promote(folders, replace(BETTER, outcome=Outcome.KEEP_GOING))
    assert found.outcome == "refused"
    assert found.reasons == ("comparison: its verdict is 'keep going': asked for is better",)
    (kept,) = repository(folders[0]).promotions("com.acme:churn")
    assert kept.comparison["outcome"] == "keep going"


@pytest.mark.parametrize(
    ("content", "error"),
    [(None, ConfigurationError), (b"{", CorruptRelease), (b"{}", CorruptRelease)],
)
def test_a_file_that_holds_no_comparison_is_refused_before_anything_else(
    folders, tmp_path, content, error
):
    file = tmp_path / "comparison.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(error):
        promote(folders, file)
    assert repository(folders[0]).promotions("com.acme:churn") == ()
