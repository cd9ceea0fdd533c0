"""With which release another is compared, and what is refused before a number is taken."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import gavial
from gavial.errors import IncompatibleModel, InvalidCoordinate, ReleaseExists
from gavial.maven import layout
from gavial.maven.coordinate import Coordinate, Target
from gavial.registry.succession import Succession

SAVED = Path(__file__).parents[2] / "fixtures" / "saved_models" / "spark-4.3" / "churn"
MODULE = "com.acme:churn"


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def wider(tmp_path):
    """The same model with one column more."""
    place = shutil.copytree(SAVED, tmp_path / "wider")
    (part,) = place.glob("stages/*VectorAssembler*/metadata/part-*")
    text = part.read_text().replace('["city_index","x"]', '["city_index","x","y"]')
    part.write_text(text)
    return place


def deploy(models, line, saved=SAVED, **arguments):
    return gavial.deploy(saved, f"{MODULE}:{line}", models, **arguments)


def versions(models):
    return {path.name for path in (models / "com/acme/churn").iterdir() if path.is_dir()}


def test_the_first_release_comes_after_none(models):
    assert deploy(models, "1.0").card.replaces is None


def test_a_build_comes_after_the_one_before_it_and_nothing_changed(models):
    deploy(models, "1.0")
    assert deploy(models, "1.0").card.replaces == {
        "coordinate": "com.acme:churn:1.0.0",
        "compared": True,
        "stages": [],
        "parameters": [],
        "schema": [],
        "unknown": [],
    }


def test_a_refused_build_takes_no_number(models, wider):
    deploy(models, "1.0")
    with pytest.raises(IncompatibleModel, match=r"may not be a build after com.acme:churn:1.0.0:"):
        deploy(models, "1.0", wider)
    assert versions(models) == {"1.0.0"}
    assert str(deploy(models, "1.0").coordinate) == "com.acme:churn:1.0.1"


def test_a_minor_is_compared_with_the_newest_of_the_minors_before_it(models, wider):
    deploy(models, "1.0", wider)
    deploy(models, "1.1")
    deploy(models, "3.0", wider)
    with pytest.raises(IncompatibleModel, match=r"may not be a minor after com.acme:churn:1.1.0:"):
        deploy(models, "1.2", wider)
    assert str(deploy(models, "1.0", wider).card.replaces["coordinate"]) == "com.acme:churn:1.0.0"


def test_a_refusal_names_a_line_that_takes_the_model(models, wider):
    deploy(models, "1.0")
    deploy(models, "2.0")
    with pytest.raises(IncompatibleModel, match=r"may be released as com.acme:churn:3.0\."):
        deploy(models, "1.0", wider)
    assert deploy(models, "3.0", wider).card.replaces["coordinate"] == "com.acme:churn:2.0.0"


def test_an_exact_version_is_compared_with_the_highest_below_it(models, wider):
    deploy(models, "1.0.3")
    deploy(models, "1.0.9", wider, allow="a test")
    assert deploy(models, "1.0.5").card.replaces["coordinate"] == "com.acme:churn:1.0.3"
    with pytest.raises(IncompatibleModel, match=r"after com.acme:churn:1.0.5"):
        deploy(models, "1.0.6", wider)


def test_an_exact_version_that_is_released_is_refused_as_that(models, wider):
    deploy(models, "1.0.3")
    deploy(models, "1.0.4")
    with pytest.raises(ReleaseExists):
        deploy(models, "1.0.4", wider)


def test_a_line_that_is_not_named_is_still_asked_for(models):
    deploy(models, "2.0")
    with pytest.raises(InvalidCoordinate, match="names no line"):
        gavial.deploy(SAVED, MODULE, models)


def test_an_abandoned_claim_is_no_release_to_compare_with(models):
    deploy(models, "1.0")
    deploy(models, "1.0")
    (models / layout.pom_path(Coordinate.parse("com.acme:churn:1.0.1"))).unlink()
    assert deploy(models, "1.0").card.replaces["coordinate"] == "com.acme:churn:1.0.0"


def test_a_release_of_another_tool_is_not_compared_and_the_card_says_so(models, wider):
    release = deploy(models, "1.0")
    (models / layout.card_path(release.coordinate)).unlink()
    assert deploy(models, "1.0", wider).card.replaces == {
        "coordinate": "com.acme:churn:1.0.0",
        "compared": False,
        "why": "it has no model card: another tool released it",
    }


@pytest.mark.parametrize(("format", "why"), [(1, "cannot be read: "), (99, "has format 99")])
def test_a_card_that_cannot_be_read_is_said_to_be_so(models, wider, format, why):
    release = deploy(models, "1.0")
    card = models / layout.card_path(release.coordinate)
    card.write_text(json.dumps({"format": format}))
    replaces = deploy(models, "1.0", wider).card.replaces
    assert not replaces["compared"]
    assert why in replaces["why"]


def test_a_build_that_was_released_meanwhile_counts(models, wider):
    first = deploy(models, "1.0", wider)
    succession = Succession(first.repository)
    target = Target.parse(f"{MODULE}:1.0")
    assert succession.of(target, first.card)["coordinate"] == "com.acme:churn:1.0.0"
    narrower = deploy(models, "1.0")
    with pytest.raises(IncompatibleModel, match=r"after com.acme:churn:1.0.1"):
        succession.of(Target.parse(f"{MODULE}:1.0.2"), first.card)
    assert succession.of(Target.parse(f"{MODULE}:1.0.2"), narrower.card)["compared"]


def test_a_parameter_that_is_frozen_is_named_with_the_next_minor(models):
    card = deploy(models, "1.0").card
    stages = [dict(stage) for stage in card.pipeline]
    stages[2] = {**stages[2], "parameters": {"maxIter": 9, "regParam": 0.01}}
    other = replace(card, pipeline=tuple(stages))
    store = gavial.repository(models).store
    frozen = Succession(store, freeze=("*.maxIter",))
    with pytest.raises(IncompatibleModel, match=r"which is frozen\n.*churn:1.1 or com.acme"):
        frozen.of(Target.parse(f"{MODULE}:1.0"), other)
    told = Succession(store).of(Target.parse(f"{MODULE}:1.0"), other)
    assert told["parameters"] == ["stage 3, LogisticRegressionModel.maxIter: 9, was 3"]
