import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import gavial
from gavial.errors import IncompatibleModel, InvalidCoordinate, ReleaseNotFound

FIXTURES = Path(__file__).parents[2] / "fixtures" / "saved_models" / "spark-4.3"
FIRST, SECOND = (FIXTURES / f"many-stages-{number}" for number in (1, 2))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two builds of one model, in a folder each."""
    folder = tmp_path_factory.mktemp("models")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("staging", "releases"):
            gavial.deploy(FIRST, "com.acme:many:1.0", folder / name, metrics={"auc": 0.8})
        gavial.deploy(SECOND, "com.acme:many:1.0", folder / "staging", metrics={"auc": 0.9})
    return folder


@pytest.fixture(scope="module")
def found(models):
    return gavial.diff("com.acme:many:1.0.0", "com.acme:many:latest.release", models / "staging")


def test_two_builds_differ_in_their_metrics(found):
    assert (found.before, found.after) == ("com.acme:many:1.0.0", "com.acme:many:1.0.1")
    assert [(one.before, one.after) for one in found.sections["metrics"]] == [(0.8, 0.9)]
    assert found.differs


def test_every_stage_of_a_retrained_pipeline_has_its_partner(found):
    assert {one.status for one in found.stages} == {"changed", "same"}
    assert [one.place_before for one in found.stages] == [one.place_after for one in found.stages]


def test_a_coefficient_of_a_feature_that_is_new_was_added(found):
    (stage,) = [one for one in found.stages if one.name == "LinearRegressionModel"]
    (part,) = [one for one in stage.learned.parts if one.name == "coefficients"]
    status = {one.name: one.status for one in part.values}
    assert status["colour_index=black"] == "added"
    assert status["colour_index=teal"] == "removed"
    assert status["age2"] == "changed"


def test_a_bucketizer_differs_by_its_splits(found):
    stage = next(one for one in found.stages if one.name == "Bucketizer")
    assert [one.name for one in stage.parameters if one.differs] == ["splits"]
    assert stage.learned is None


def test_one_release_in_two_repositories_does_not_differ(models):
    name = "com.acme:many:1.0.0"
    assert not gavial.diff(
        name, name, models / "staging", to_repository=models / "releases"
    ).differs


def test_a_release_and_the_folder_that_it_was_made_from_do_not_differ(models):
    found = gavial.diff("com.acme:many:1.0.0", FIRST, models / "staging")
    assert not found.differs
    assert found.after == str(FIRST)


def test_releases_themselves_can_be_compared(models):
    store = gavial.repository(models / "staging")
    one, other = (store.release(f"com.acme:many:1.0.{number}") for number in (0, 1))
    assert gavial.diff(one, other).differs


def test_two_versions_of_spark_read_alike():
    old = FIXTURES.parent / "spark-3.5" / "churn"
    found = gavial.diff(old, FIXTURES / "churn")
    changed = [one for one in found.stages if one.status != "same"]
    assert [one.name for one in changed] == ["LogisticRegressionModel"]
    (part,) = [one for one in changed[0].learned.parts if one.status != "same"]
    assert all(abs(one.after - one.before) < 1e-9 for one in part.values)


def test_what_is_compared_must_be_there(models):
    with pytest.raises(ReleaseNotFound):
        gavial.diff("com.acme:many:9.9.9", FIRST, models / "staging")
    with pytest.raises(IncompatibleModel, match="does not exist"):
        gavial.diff("saved/nothing", FIRST)
    with pytest.raises(InvalidCoordinate):
        gavial.diff("com.acme:many models", FIRST, models / "staging")


def test_without_pyarrow_all_else_is_compared_and_the_line_that_brings_it_is_told(tmp_path):
    """A Python in which pyarrow cannot be imported."""
    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import gavial\n"
        "found = gavial.diff(*sys.argv[1:])\n"
        "stage = next(one for one in found.stages if one.name == 'KMeansModel')\n"
        "print([one.name for one in stage.parameters if one.differs], stage.learned.unread)\n"
        "print([one.name for one in found.stages if one.learned and one.learned.status == 'same'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, FIRST, SECOND],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    first, second = done.stdout.strip().split("\n")
    assert first.startswith("['k'] ")
    assert 'pip install "gavial[diff]"' in first
    assert "OneHotEncoderModel" in second
