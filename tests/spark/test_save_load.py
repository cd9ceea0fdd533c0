"""Saving and loading through the staging folder, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.feature import RegexTokenizer
from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame, SparkSession
from spark_parts import Doubler, Unwritable

from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.spark import save, staging
from gavial.spark.load import load
from gavial.spark.save import saved


@pytest.fixture
def staged(spark: SparkSession, tmp_path: Path) -> Iterator[Path]:
    """A session that copies through a staging folder, as on a cluster."""
    folder = tmp_path / "shared folder"
    spark.conf.set("spark.gavial.stagingDir", f"file:{folder}")
    yield folder
    spark.conf.unset("spark.gavial.stagingDir")


def _classes(folder: Path) -> list[str]:
    parts = sorted(folder.rglob("metadata/part-*"))
    return [json.loads(part.read_text())["class"] for part in parts]


def _same(one: DataFrame, other: DataFrame) -> bool:
    return bool(one.collect() == other.collect())


def test_a_saved_model_is_a_folder_that_is_gone_afterwards(stamped: PipelineModel) -> None:
    with saved(stamped) as folder:
        assert sorted(one.name for one in folder.iterdir()) == ["metadata", "stages"]
        assert len(list((folder / "stages").iterdir())) == 4
    assert not folder.exists()


def test_a_saved_folder_is_gone_after_a_failure_too(stamped: PipelineModel) -> None:
    with pytest.raises(ZeroDivisionError), saved(stamped) as folder:
        raise ZeroDivisionError
    assert not folder.exists()


def test_a_model_comes_back_as_it_was(
    stamped: PipelineModel, customers: DataFrame, tmp_path: Path
) -> None:
    with saved(stamped) as folder:
        folder.rename(tmp_path / "model")
    loaded = load(tmp_path / "model", _classes(tmp_path / "model"))
    assert type(loaded) is PipelineModel
    assert _same(loaded.transform(customers), stamped.transform(customers))


def test_a_python_written_stage_comes_back(customers: DataFrame) -> None:
    model = PipelineModel([Doubler.of("calls", "twice"), PipelineModel([])])
    with saved(model) as folder:
        assert "spark_parts.Doubler" in _classes(folder)
        loaded = load(folder, _classes(folder))
    assert type(loaded.stages[0]) is Doubler
    assert _same(loaded.transform(customers), model.transform(customers))


def test_a_model_that_reads_its_data_late_scores_from_its_folder(
    spark: SparkSession, tmp_path: Path
) -> None:
    ratings = spark.createDataFrame([(0, 0, 1.0), (1, 1, 2.0)], "user int, item int, rating float")
    model = PipelineModel([ALS(maxIter=1, rank=1).fit(ratings)])
    with saved(model) as folder:
        folder.rename(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.transform(ratings).count() == 2
    assert (tmp_path / "model").exists()


def test_a_model_goes_through_a_staging_folder_that_is_left_empty(
    staged: Path, stamped: PipelineModel, customers: DataFrame, tmp_path: Path
) -> None:
    with saved(stamped) as folder:
        assert staged not in folder.parents
        assert not list(folder.rglob("*.crc"))
        assert len(_classes(folder)) == 5
        folder.rename(tmp_path / "model")
    assert list(staged.iterdir()) == []

    loaded = load(tmp_path / "model")
    # Executors read it from there until the JVM ends, which takes it away.
    assert len(list(staged.glob("gavial-*/model/metadata/part-*"))) == 1
    assert _same(loaded.transform(customers), stamped.transform(customers))


def test_a_staging_folder_that_cannot_be_written_is_named(
    spark: SparkSession, stamped: PipelineModel, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    for place in (f"file:{tmp_path}/file", "nosuch://host/x"):
        spark.conf.set("spark.gavial.stagingDir", place)
        try:
            with pytest.raises(ConfigurationError, match="staging folder") as error, saved(stamped):
                pass
        finally:
            spark.conf.unset("spark.gavial.stagingDir")
        assert place in str(error.value)
        assert "spark.gavial.stagingDir" in str(error.value)


def test_the_setting_wins_then_this_host_then_a_shared_default() -> None:
    rule = staging.shared_folder
    assert rule("s3a://b/x/", "local[2]", "file:/home/me") == "s3a://b/x"
    assert rule("", "local-cluster[2,1,1024]", "file:/home/me") is None
    assert rule("", "local", "hdfs://nn/user/me") is None
    assert rule("", "local[*, 4]", "hdfs://nn/user/me") is None
    assert rule("", "yarn", "hdfs://nn/user/me") == "hdfs://nn/user/me/.gavial-staging"


def test_a_cluster_without_a_shared_folder_is_refused_with_the_setting() -> None:
    for master in ("spark://host:7077", "yarn", "k8s://https://host", "localhost"):
        with pytest.raises(ConfigurationError, match=r"--conf spark\.gavial\.stagingDir="):
            staging.shared_folder("", master, "file:/home/me")


def test_a_half_saved_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "part-00000").write_text("{}")
    (tmp_path / "stages" / "0_x" / "metadata").mkdir(parents=True)
    (tmp_path / "stages" / "0_x" / "metadata" / "_SUCCESS").touch()
    with pytest.raises(ConfigurationError, match="only a part of the model"):
        save.check_whole(tmp_path, "file:/tmp/x")


def test_a_stage_that_writes_nothing_is_named(stamped: PipelineModel) -> None:
    stage = Unwritable()
    for model in (PipelineModel([*stamped.stages, stage]), PipelineModel([PipelineModel([stage])])):
        with pytest.raises(IncompatibleModel, match=stage.uid) as error, saved(model):
            pass
        assert "spark_parts.Unwritable" in str(error.value)


def test_a_stage_that_fails_to_save_is_named_with_the_reason(stamped: PipelineModel) -> None:
    stage = Doubler.of("calls", "twice")
    stage._paramMap[stage.getParam("outputCol")] = {1, 2}  # JSON has no sets
    stages = list(stamped.stages)
    with (
        pytest.raises(IncompatibleModel, match=stage.uid) as error,
        saved(PipelineModel([*stages, stage])),
    ):
        pass
    assert "not JSON serializable" in str(error.value)
    assert stamped.stages == stages


def test_classes_that_are_nowhere_are_all_named_before_anything_loads(
    spark: SparkSession, tmp_path: Path
) -> None:
    known = ["org.apache.spark.ml.feature.SQLTransformer", "pyspark.ml.pipeline.PipelineModel"]
    absent = ["com.acme.Scaler", "acme_features.Cleaner", "__main__.Local"]
    with pytest.raises(IncompatibleModel) as error:
        load(tmp_path / "there-is-nothing-here", [*known, *absent, "spark_parts.Doubler"])
    assert ", ".join(absent) in str(error.value)
    assert known[0] not in str(error.value)
    assert "--packages" in str(error.value)
    assert spark.version


def test_a_model_that_spark_cannot_read_is_refused_with_its_reason(tmp_path: Path) -> None:
    model: Any = PipelineModel([RegexTokenizer(inputCol="plan", outputCol="words")])
    with saved(model) as folder:
        (part,) = folder.glob("stages/*/metadata/part-*")
        content = json.loads(part.read_text())
        content["paramMap"]["fromTheFuture"] = 1
        folder.rename(tmp_path / "model")
    part = tmp_path / "model" / part.relative_to(folder)
    part.write_text(json.dumps(content))
    part.with_name(f".{part.name}.crc").unlink(missing_ok=True)
    with pytest.raises(IncompatibleModel, match="fromTheFuture"):
        load(tmp_path / "model")
