"""Models that `--packages` brought: every place where Spark puts their jars."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from pyspark.files import SparkFiles
from pyspark.sql import SparkSession

from gavial.maven.coordinate import Coordinate
from gavial.spark import class_path
from gavial.spark.class_path import Found

CHURN = Coordinate.parse("com.acme:churn:1.0.3")


def _jar(
    path: Path, *artifacts: str, coordinate: Coordinate | None = None, manifest: bool = False
) -> Path:
    files = {f"pipelines/{name}/metadata/part-00000": "{}" for name in artifacts}
    files |= {f"pipelines/{name}/stages/0_x/metadata/part-00000": "{}" for name in artifacts}
    if coordinate:
        place = f"META-INF/maven/{coordinate.group}/{coordinate.artifact}/pom.properties"
        files[place] = (
            f"#made\nversion={coordinate.version}\ngroupId={coordinate.group}\n"
            f"artifactId={coordinate.artifact}\n"
        )
    if manifest:
        members = {name: {"size": len(text), "sha256": ""} for name, text in files.items()}
        files["META-INF/gavial/manifest.json"] = json.dumps(
            {
                "format": 1,
                "artifact": artifacts[0],
                "coordinate": str(coordinate),
                "members": members,
            }
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as jar:
        for name, text in files.items():
            jar.writestr(zipfile.ZipInfo(name), text)
    return path


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    """A model's jar under the name that Ivy gives it, in a folder that needs quoting."""
    return _jar(
        tmp_path / "a folder" / "com.acme_churn-1.0.3.jar",
        "churn",
        coordinate=CHURN,
        manifest=True,
    )


def test_a_session_without_packages_has_no_models(spark: SparkSession) -> None:
    assert class_path.find(spark) == ()


def test_a_jar_on_the_python_path_is_found(
    spark: SparkSession, jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(jar)
    assert class_path.find(spark) == (Found(CHURN, "churn", jar),)


def test_a_jar_of_the_session_s_configuration_is_found(spark: SparkSession, jar: Path) -> None:
    conf = spark.sparkContext._conf
    for name, place in (
        ("spark.jars", jar.as_uri()),
        ("spark.submit.pyFiles", f"hdfs://nn/other.jar,{jar}"),
        ("spark.files", f"local:{jar}"),
    ):
        conf.set(name, place)
        try:
            assert class_path.find(spark) == (Found(CHURN, "churn", jar),), name
        finally:
            conf.set(name, "")


def test_a_remote_jar_is_found_where_spark_fetched_it(spark: SparkSession, jar: Path) -> None:
    fetched = Path(SparkFiles.getRootDirectory()) / jar.name
    shutil.copy(jar, fetched)
    try:
        assert class_path.find(spark) == (Found(CHURN, "churn", fetched.resolve()),)
    finally:
        fetched.unlink()


def test_a_jar_that_the_jvm_alone_has_is_found(spark: SparkSession, jar: Path) -> None:
    jvm = spark.sparkContext._jvm
    thread = jvm.java.lang.Thread.currentThread()
    before = thread.getContextClassLoader()
    urls = spark.sparkContext._gateway.new_array(jvm.java.net.URL, 1)
    urls[0] = jvm.java.io.File(str(jar)).toURI().toURL()
    thread.setContextClassLoader(jvm.java.net.URLClassLoader(urls, before))
    try:
        assert class_path.find(spark) == (Found(CHURN, "churn", jar),)
    finally:
        thread.setContextClassLoader(before)


def test_copies_and_links_of_a_jar_are_one_model(
    spark: SparkSession, jar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, link = tmp_path / "copy.jar", tmp_path / "link.jar"
    shutil.copy(jar, copy)
    link.symlink_to(jar)
    for path in (link, copy, jar):
        monkeypatch.syspath_prepend(path)
    assert class_path.find(spark) == (Found(CHURN, "churn", jar),)


def test_two_groups_with_one_artifact_are_two_models(
    spark: SparkSession, jar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Coordinate.parse("org.example:churn:2.0.0")
    monkeypatch.syspath_prepend(jar)
    monkeypatch.syspath_prepend(
        _jar(tmp_path / "org.example_churn-2.0.0.jar", "churn", coordinate=other)
    )
    assert {one.coordinate for one in class_path.find(spark)} == {CHURN, other}


def test_a_jar_without_a_manifest_is_named_by_its_pom(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(_jar(tmp_path / "old.jar", "churn", "upsell", coordinate=CHURN))
    found = {one.artifact: one.coordinate for one in class_path.find(spark)}
    assert found == {"churn": CHURN, "upsell": None}


def test_a_jar_by_others_is_ignored(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(_jar(tmp_path / "library.jar", coordinate=CHURN))
    with zipfile.ZipFile(tmp_path / "flows.jar", "w") as jar:
        jar.writestr("conf/pipelines/readme.txt", "somebody else's pipelines")
    monkeypatch.syspath_prepend(tmp_path / "flows.jar")
    assert class_path.find(spark) == ()


@pytest.mark.parametrize("damage", ["cut", "rubbish", "empty"])
def test_a_broken_jar_is_left_out_with_a_warning(
    spark: SparkSession, jar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    data = jar.read_bytes()
    broken = tmp_path / f"{damage}.jar"
    broken.write_bytes(
        {"cut": data[: len(data) // 2], "rubbish": os.urandom(99), "empty": b""}[damage]
    )
    monkeypatch.syspath_prepend(broken)
    monkeypatch.syspath_prepend(jar)
    with pytest.warns(UserWarning, match=f"{damage}.jar"):
        assert class_path.find(spark) == (Found(CHURN, "churn", jar),)


def test_a_path_that_is_no_file_is_ignored(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder.jar").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "folder.jar")
    monkeypatch.syspath_prepend(tmp_path / "absent.jar")
    assert class_path.find(spark) == ()
