"""Models that other tools released, in the layout that Gavial reads."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

import gavial
from gavial.errors import CorruptRelease, IncompatibleModel, ReleaseNotFound, UnsafeModel

SAVED = Path(__file__).parent.parent / "fixtures" / "saved_models" / "spark-4.3" / "churn"
WATERMARK = "com.aamend.spark.ml.Watermark"


@pytest.fixture
def records(spark):
    return spark.createDataFrame([("a", 1.0), ("b", 2.0)], ["city", "x"])


@pytest.fixture
def saved(tmp_path):
    """The fixture's model with the last stage as the Scala library wrote it, its `.crc` stale."""
    folder = tmp_path / "saved"
    shutil.copytree(SAVED, folder)
    metadata = next((folder / "stages").glob("3_*/metadata/part-*"))
    stage = json.loads(metadata.read_text()) | {
        "class": WATERMARK,
        "uid": "Watermark_6a1d2f3e4b5c",
        "paramMap": {"watermark": "com.acme:churn:1.0.4", "watermarkCol": "model version"},
    }
    metadata.write_text(json.dumps(stage))
    old = metadata.parents[1]
    old.rename(old.with_name("3_Watermark_6a1d2f3e4b5c"))
    root = next((folder / "metadata").glob("part-*"))
    content = json.loads(root.read_text())
    content["paramMap"]["stageUids"][-1] = "Watermark_6a1d2f3e4b5c"
    root.write_text(json.dumps(content))
    return folder


@pytest.fixture
def release(saved, tmp_path):
    """Put a jar and a POM into a repository, as `mvn deploy:deploy-file` does."""

    def put(version="1.0.4", model=saved, checksum=None):
        folder = tmp_path / "models" / "com" / "acme" / "churn" / version
        folder.mkdir(parents=True)
        jar = folder / f"churn-{version}.jar"
        with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
            for path in sorted(model.rglob("*")):
                archive.write(path, f"pipelines/churn/{path.relative_to(model)}")
        digest = hashlib.sha1(jar.read_bytes(), usedforsecurity=False).hexdigest()
        if checksum != "none":
            (folder / f"{jar.name}.sha1").write_text(checksum or f"{digest}  {jar.name}\n")
        (folder / f"churn-{version}.pom").write_text(
            "<project><groupId>com.acme</groupId><artifactId>churn</artifactId>"
            f"<version>{version}</version><dependencies><dependency><groupId>com.aamend.spark"
            "</groupId><artifactId>ml-registry</artifactId><version>1.0</version></dependency>"
            "</dependencies></project>"
        )
        return tmp_path / "models"

    return put


def test_a_model_of_the_scala_library_is_loaded_with_its_watermark_as_ours(release, records):
    models = release()
    with pytest.warns(UserWarning, match="not released by Gavial"):
        model = gavial.resolve("com.acme:churn:1.+", models)
    assert str(gavial.coordinate(model)) == "com.acme:churn:1.0.4"
    assert model.transform(records).first()["model version"] == "com.acme:churn:1.0.4"


def test_its_records_name_the_release_that_was_loaded(release, records):
    models = release("2.0.0")
    with pytest.warns(UserWarning, match="not released by Gavial"):
        model = gavial.resolve("com.acme:churn", models, watermark_col="version")
    assert model.transform(records).first()["version"] == "com.acme:churn:2.0.0"


def test_it_is_loaded_from_the_class_path(release, records, monkeypatch):
    jar = next(release().rglob("*.jar"))
    monkeypatch.syspath_prepend(str(jar))
    model = gavial.resolve("churn")
    assert model.transform(records).first()["model version"] == "com.acme:churn:1.0.4"


def test_it_can_be_released_again_by_gavial(release, records, tmp_path):
    models = release()
    with pytest.warns(UserWarning, match="not released by Gavial"):
        model = gavial.resolve("com.acme:churn", models)
    release = gavial.deploy(model, "com.acme:churn:1.0", models)
    assert str(release.coordinate) == "com.acme:churn:1.0.5"
    assert gavial.coordinate(gavial.resolve("com.acme:churn", models)) == release.coordinate


def test_a_checksum_is_not_demanded(release):
    with pytest.warns(UserWarning, match="not released by Gavial"):
        assert gavial.resolve("com.acme:churn", release(checksum="none"))


@pytest.mark.filterwarnings("ignore:.*not released by Gavial")
@pytest.mark.parametrize("checksum", ["0" * 40, "junk", "", "<html>"])
def test_a_checksum_that_differs_is_refused(release, checksum):
    with pytest.raises(CorruptRelease, match="sha1"):
        gavial.resolve("com.acme:churn", release(checksum=checksum or "\n"))


@pytest.mark.filterwarnings("ignore:.*not released by Gavial")
def test_its_classes_are_checked_as_those_of_any_model(release, saved):
    metadata = next((saved / "stages").glob("0_*/metadata/part-*"))
    metadata.write_text(metadata.read_text().replace("org.apache.spark.ml", "org.evil"))
    with pytest.raises((UnsafeModel, IncompatibleModel), match="evil"):
        gavial.resolve("com.acme:churn", release())


@pytest.mark.filterwarnings("ignore:.*not released by Gavial")
def test_a_watermark_that_sql_cannot_hold_is_refused(release, saved):
    metadata = next((saved / "stages").glob("3_*/metadata/part-*"))
    stage = json.loads(metadata.read_text())
    stage["paramMap"]["watermarkCol"] = "${spark.app.name}"
    metadata.write_text(json.dumps(stage))
    with pytest.raises(IncompatibleModel, match="Watermark_6a1d2f3e4b5c"):
        gavial.resolve("com.acme:churn", release())


@pytest.mark.filterwarnings("ignore:.*not released by Gavial")
def test_a_pom_without_a_jar_is_no_model(release):
    models = release()
    next(models.rglob("*.jar")).unlink()
    with pytest.raises(ReleaseNotFound, match="neither a model card nor a jar"):
        gavial.resolve("com.acme:churn", models)
