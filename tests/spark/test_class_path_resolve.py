"""Models that are on the class path, as `--packages` puts them there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import gavial
from gavial.errors import ConfigurationError, InvalidSelector, ModelNotFound, ReleaseNotFound
from gavial.maven import layout

SAVED = Path(__file__).parent.parent / "fixtures" / "saved_models" / "spark-4.3" / "churn"


@pytest.fixture
def bring(spark, tmp_path, monkeypatch):
    """Release a model and put its jar on `sys.path` under the name that Spark gives it."""

    def bring(gav):
        release = gavial.deploy(SAVED, gav, tmp_path / "models")
        group, artifact, version = str(release.coordinate).split(":")
        jar = tmp_path / f"{group}_{artifact}-{version}.jar"
        shutil.copy(tmp_path / "models" / layout.jar_path(release.coordinate), jar)
        monkeypatch.syspath_prepend(str(jar))
        return release.coordinate

    return bring


@pytest.fixture
def records(spark):
    return spark.createDataFrame([("a", 1.0), ("b", 2.0)], ["city", "x"])


def test_a_model_is_resolved_by_its_name_alone(bring, records):
    coordinate = bring("com.acme:churn:1.0")
    model = gavial.resolve("churn")
    assert gavial.available() == (coordinate,)
    assert gavial.coordinate(model) == coordinate
    assert model.transform(records).first()["pipeline"] == "com.acme:churn:1.0.0"


def test_two_groups_with_one_name_are_told_apart_by_the_group(bring):
    ours, theirs = bring("com.acme:churn:1.0"), bring("org.other:churn:2.0")
    with pytest.raises(ConfigurationError, match=r"com\.acme:churn:1\.0\.0, org\.other:churn:2"):
        gavial.resolve("churn")
    assert gavial.coordinate(gavial.resolve("com.acme:churn")) == ours
    assert gavial.coordinate(gavial.resolve("org.other:churn:2.+")) == theirs


def test_a_name_that_is_not_there_lists_what_is(bring):
    bring("com.acme:churn:1.0")
    with pytest.raises(ModelNotFound, match=r"there is com\.acme:churn:1\.0\.0"):
        gavial.resolve("upsell")


def test_the_class_path_goes_before_the_repository_where_none_is_named(
    bring, tmp_path, monkeypatch
):
    brought = bring("com.acme:churn:1.0")
    newer = gavial.deploy(SAVED, "com.acme:churn:1.1", tmp_path / "models").coordinate
    monkeypatch.setenv("GAVIAL_REPOSITORY", str(tmp_path / "models"))
    assert gavial.coordinate(gavial.resolve("com.acme:churn")) == brought
    assert gavial.coordinate(gavial.resolve("com.acme:churn:1.1")) == newer
    assert gavial.coordinate(gavial.resolve("com.acme:churn", tmp_path / "models")) == newer


def test_packages_cannot_be_planned_once_a_jvm_runs(bring, tmp_path):
    bring("com.acme:churn:1.0")
    with pytest.raises(ConfigurationError, match="has a JVM already"):
        gavial.spark_conf("com.acme:churn", repository=tmp_path / "models")


def test_an_alias_on_the_class_path_is_what_arrived_or_an_error(bring, tmp_path, monkeypatch):
    brought = bring("com.acme:churn:1.0")
    models = gavial.repository(tmp_path / "models")
    gavial.deploy(SAVED, "com.acme:churn:1.0", tmp_path / "models")
    monkeypatch.setenv("GAVIAL_REPOSITORY", str(tmp_path / "models"))
    models.set_alias("com.acme:churn", "champion", "1.0.0")
    assert gavial.coordinate(gavial.resolve("com.acme:churn@champion")) == brought
    models.set_alias("com.acme:churn", "champion", "1.0.1")
    with pytest.raises(ReleaseNotFound, match=r"means com\.acme:churn:1\.0\.1 .* is com.*1\.0\.0"):
        gavial.resolve("com.acme:churn@champion")
    loaded = gavial.resolve("com.acme:churn@champion", tmp_path / "models")
    assert str(gavial.coordinate(loaded)) == "com.acme:churn:1.0.1"


def test_a_withdrawn_release_is_loaded_by_its_coordinate_with_the_reason(spark, tmp_path):
    for _ in range(2):
        gavial.deploy(SAVED, "com.acme:churn:1.0", tmp_path / "models")
    models = gavial.repository(tmp_path / "models")
    models.withdraw("com.acme:churn:1.0.1", why="Wrong month.")
    with pytest.warns(UserWarning, match=r"1\.0\.1 is withdrawn \(Wrong month\."):
        model = gavial.resolve("com.acme:churn:1.0.1", tmp_path / "models")
    assert str(gavial.coordinate(model)) == "com.acme:churn:1.0.1"
    latest = gavial.resolve("com.acme:churn", tmp_path / "models")
    assert str(gavial.coordinate(latest)) == "com.acme:churn:1.0.0"


def test_an_alias_without_a_group_says_what_is_missing(spark):
    with pytest.raises(InvalidSelector, match=r"com\.acme:churn@champion"):
        gavial.resolve("churn@champion")
