"""Releases that are verified before Spark's Ivy sees them."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import gavial
from gavial.errors import CorruptRelease, ReleaseNotFound
from gavial.maven import layout
from gavial.maven.content import Content
from gavial.registry import runtime
from gavial.registry.spark_conf import plan

SAVED = Path(__file__).parents[2] / "fixtures" / "saved_models" / "spark-4.3" / "churn"


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    for _ in range(2):
        gavial.deploy(SAVED, "com.acme:churn:1.0", folder)
    return folder


def change(file):
    """Other bytes and their sha1, as somebody with the right to write could do it."""
    file.chmod(0o644)
    file.write_bytes(file.read_bytes() + b"\n")
    digest = Content.of_file(file).digests["sha1"]
    file.with_name(f"{file.name}.sha1").write_text(digest)


def source(made):
    """The folder that the settings for Ivy point to."""
    text = Path(made.conf["spark.jars.ivySettings"]).read_text()
    (url,) = re.findall(r'root="(file:[^"]*)"', text)
    return Path(urlsplit(url).path)


def test_ivy_is_shown_a_folder_with_what_was_verified(models):
    made = plan(["com.acme:churn:1.+"], models, verified=True)
    folder = source(made)
    assert folder != models
    assert made.conf["spark.jars.packages"] == "com.acme:churn:1.0.1"
    release = gavial.repository(models).release("com.acme:churn")
    for path in (layout.jar_path(release.coordinate), layout.pom_path(release.coordinate)):
        assert (folder / path).read_bytes() == (models / path).read_bytes()
    runtime_jar = layout.jar_path(runtime.library())
    assert (folder / runtime_jar).read_bytes() == (models / runtime_jar).read_bytes()
    assert (folder / layout.pom_path(runtime.library())).is_file()
    assert made.environment == {}


@pytest.mark.parametrize("name", ["jar", "pom"])
def test_a_file_that_was_changed_with_its_checksum_is_refused(models, name):
    change(models / f"com/acme/churn/1.0.1/churn-1.0.1.{name}")
    plan(["com.acme:churn"], models)  # Ivy would take it
    with pytest.raises(CorruptRelease, match=rf"churn-1\.0\.1\.{name}"):
        plan(["com.acme:churn"], models, verified=True)


def test_another_runtime_than_the_model_was_released_with_is_refused(models):
    change(models / layout.jar_path(runtime.library()))
    with pytest.raises(CorruptRelease, match=r"not what it was when com\.acme:churn:1\.0\.1"):
        plan(["com.acme:churn"], models, verified=True)


def test_a_runtime_that_is_missing_is_said(models):
    (models / layout.jar_path(runtime.library())).unlink()
    with pytest.raises(CorruptRelease, match="missing when"):
        plan(["com.acme:churn"], models, verified=True)


def test_what_lies_in_the_cache_is_compared_again(models):
    folder = source(plan(["com.acme:churn"], models, verified=True))
    jar = folder / "com/acme/churn/1.0.1/churn-1.0.1.jar"
    whole = jar.read_bytes()
    jar.write_bytes(b"something else")
    plan(["com.acme:churn"], models, verified=True)
    assert jar.read_bytes() == whole


def test_a_release_without_a_card_cannot_be_verified(models):
    folder = models / "com/acme/other/1.0.0"
    folder.mkdir(parents=True)
    (folder / "other-1.0.0.pom").write_text("<project/>")
    with pytest.raises(ReleaseNotFound, match="no model card"):
        plan(["com.acme:other"], models, verified=True)
