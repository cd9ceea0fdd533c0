"""A release's example records scored again."""

from __future__ import annotations

import json

import pytest

import gavial
from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.maven import layout
from gavial.model.card import Card
from gavial.registry import verify


@pytest.fixture(scope="module")
def place(stamped, customers, tmp_path_factory):
    """A repository with a release that has a golden sample, 1.0.0, and one without, 1.0.1."""
    folder = tmp_path_factory.mktemp("models")
    gavial.deploy(stamped, "com.acme:churn:1.0", folder, input_example=customers.limit(5))
    gavial.deploy(stamped, "com.acme:churn:1.0", folder)
    return folder


def altered(folder, change):
    """The release 1.0.0 as `change` makes its card say, read as if it had been released so."""
    release = gavial.repository(folder).release("com.acme:churn:1.0.0")
    content = json.loads(release.card.to_json())
    change(content)
    card = Card.from_json(json.dumps(content).encode())
    return type(release)(release.coordinate, release.repository, card, release.files)


def another_prediction(content):
    row = content["golden"]["rows"][2]
    row["prediction"] = 1.0 - row["prediction"]


def test_a_model_that_does_what_it_did_is_handed_over(place, customers):
    model = gavial.resolve("com.acme:churn:1.0.0", place, verify="golden")
    assert model.transform(customers).count() == 20


def test_another_name_of_the_watermark_s_column_makes_no_difference(place, customers):
    model = gavial.resolve("com.acme:churn:1.0.0", place, verify="golden", watermark_col="by")
    assert "by" in model.transform(customers).columns


def test_verify_says_how_far_the_predictions_are_apart(place, spark):
    release = gavial.repository(place).release("com.acme:churn:1.0.0")
    last = release.verify(golden=True).checks[-1]
    assert (last.name, last.passed) == ("golden sample", True)
    assert last.detail == ("5 records, largest difference 0; made in an environment like this one")


def test_a_model_that_does_something_else_is_not_handed_over(place, spark):
    release = altered(place, another_prediction)
    with pytest.raises(IncompatibleModel, match=r"does not score its golden sample.*record 3"):
        release.load(verify="golden")


def test_what_differs_from_where_it_was_made_is_told(place, spark):
    release = altered(place, lambda content: content["environment"].update(spark="3.4.0"))
    (check,) = [one for one in verify.verify(release, golden=True).checks if "golden" in one.name]
    assert f"spark 3.4.0, here {spark.version}" in check.detail


def test_a_release_whose_files_are_not_what_they_were_is_not_run(place, spark, tmp_path):
    release = gavial.repository(place).release("com.acme:churn:1.0.0")
    folder = tmp_path / "models"
    for path in release.download(tmp_path / "files"):
        target = folder / layout.release_folder(release.coordinate) / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes() + b" " * path.name.endswith(".pom"))
    there = gavial.repository(folder).release("com.acme:churn:1.0.0")
    last = verify.verify(there, golden=True).checks[-1]
    assert last.passed is None
    assert "not scored, since the check of files" in last.detail


def test_a_release_without_a_sample_is_refused_and_says_how_to_make_one(place, spark):
    with pytest.raises(IncompatibleModel, match=r"no golden sample.*input_example=df"):
        gavial.resolve("com.acme:churn:1.0.1", place, verify="golden")


@pytest.mark.parametrize(
    ("what", "verify", "message"),
    [
        ("churn", "golden", "without its model card"),
        ("com.acme:churn", "silver", "expected 'golden'"),
    ],
)
def test_what_cannot_be_verified_so_is_said(spark, what, verify, message):
    with pytest.raises(ConfigurationError, match=message):
        gavial.resolve(what, verify=verify)


GATE = "golden = true\n"


def test_promotion_scores_the_golden_sample_where_its_policy_asks(place, spark, tmp_path):
    policy = tmp_path / "promotion.toml"
    policy.write_text(GATE)
    found = gavial.promote("com.acme:churn:1.0.0", place, tmp_path / "releases", policy=policy)
    (gate,) = [one for one in found.gates if one.name == "golden"]
    assert (found.outcome, gate.passed) == ("promoted", True)
    assert "5 records, largest difference 0" in gate.evidence


def test_promotion_refuses_a_release_without_a_golden_sample(place, spark, tmp_path):
    policy = tmp_path / "promotion.toml"
    policy.write_text(GATE)
    found = gavial.promote("com.acme:churn:1.0.1", place, tmp_path / "releases", policy=policy)
    assert found.reasons == ("golden: none in the card",)
