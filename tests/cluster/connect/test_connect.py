"""Models over Spark Connect: a client with `pyspark-client` alone against a real server."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
import zipfile
from pathlib import Path

import pytest

from gavial.errors import ConfigurationError, IncompatibleModel, ReleaseNotFound, UnsafeModel

SAVED = Path(__file__).parents[2] / "fixtures" / "saved_models" / "spark-4.3" / "churn"
ROWS = 'rows = spark.createDataFrame([("a", 1.0), ("b", 2.0)], "city string, x double")\n'
FIT = """
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import StringIndexer, VectorAssembler
people = spark.createDataFrame(
    [(n, "basic" if n % 3 else "gold", float(n % 7), float(n >= 10)) for n in range(20)],
    "id long, plan string, calls double, label double",
)
stages = [
    StringIndexer(inputCol="plan", outputCol="plan_index"),
    VectorAssembler(inputCols=["plan_index", "calls"], outputCol="features"),
    LogisticRegression(maxIter=2),
]
"""


@pytest.fixture(scope="module")
def fitted(client, models):
    """A release of a model that was fitted over Connect; its predictions, and what deploy said."""
    return client.run(
        FIT
        + """
model = gavial.VersionedPipeline(stages=stages).setWatermarkCol("made_by").fit(people)
scored = model.transform(people).orderBy("id").collect()
release = gavial.deploy(
    model, "com.acme:fitted:1.0", input_example=people.limit(3), metrics={"auc": 0.9}
)
answer = {
    "before": [[row.made_by, row.prediction, list(row.probability)] for row in scored],
    "coordinate": str(release.coordinate),
    "watermark": release.card.watermark,
    "environment": release.card.environment,
    "example": len(release.card.input_example),
    "outputs": [field["name"] for field in release.card.output_schema["fields"]],
}
"""
    )


def test_the_client_has_no_java_and_another_version_than_the_server(client):
    found = client.run(
        """
        import importlib.util, shutil
        import pyspark
        answer = [
            importlib.util.find_spec("py4j"), shutil.which("java"), pyspark.__version__,
            spark.version,
        ]
        """
    )
    assert found[:2] == [None, None]
    assert found[2] == "4.2.0"
    assert found[3] == "4.3.0"


def test_a_release_of_a_repository_scores_under_its_own_name(client, models):
    answer = client.run(
        ROWS
        + """
model = gavial.resolve("com.acme:churn:1.0.1", repository=models)
scored = model.transform(rows).collect()
answer = [str(gavial.coordinate(model)), sorted({row.pipeline for row in scored}), len(scored)]
""",
        models=str(models),
    )
    assert answer == ["com.acme:churn:1.0.1", ["com.acme:churn:1.0.1"], 2]


def test_a_release_is_sent_to_the_server_once(client, models, staging):
    load = 'gavial.resolve("com.acme:churn:1.0.2", repository=models)'
    client.run(load, models=str(models))
    before = _files(staging)
    client.run(load, models=str(models))
    assert _files(staging) == before


def test_a_copy_with_other_bytes_is_not_loaded(client, models, staging):
    known = set(staging.iterdir())
    resolve = (
        ROWS
        + 'model = gavial.resolve("com.acme:churn:1.0.0", repository=models)\n'
        + "answer = [row.pipeline for row in model.transform(rows).collect()]\n"
    )
    client.run(resolve, models=str(models))
    (place,) = set(staging.iterdir()) - known
    (copy,) = place.iterdir()
    mark = next(copy.glob("stages/3_*/metadata/part-*"))
    mark.write_text(mark.read_text().replace("com.acme:churn:1.0.0", "com.evil:churn:6.6.6"))
    mark.with_name(f".{mark.name}.crc").unlink(missing_ok=True)
    assert client.run(resolve, models=str(models)) == ["com.acme:churn:1.0.0"] * 2


def test_a_copy_that_was_never_finished_is_deleted_a_day_later(client, staging, tmp_path):
    known = set(staging.iterdir())
    assembler = "org.apache.spark.ml.feature.VectorAssembler"
    saved = _saved(tmp_path, assembler, {"inputCols": ["x"], "outputCol": "y"})
    client.run(
        'gavial.deploy(saved, "com.acme:cut:1.0"); gavial.resolve("com.acme:cut")', saved=str(saved)
    )
    (place,) = set(staging.iterdir()) - known
    (cut,) = place.iterdir()
    shutil.rmtree(cut / "stages")
    two_days_ago = time.time() - 2 * 24 * 3600
    for path in (cut / "metadata").iterdir():
        os.utime(path, (two_days_ago, two_days_ago))
    client.run('gavial.resolve("com.acme:cut")')
    (whole,) = place.iterdir()
    assert whole != cut
    assert (whole / "stages").is_dir()


def test_the_watermark_goes_into_a_column_of_another_name(client, models):
    answer = client.run(
        ROWS
        + """
model = gavial.resolve("com.acme:churn:1.0.1", repository=models, watermark_col="version")
scored = model.transform(rows)
answer = [scored.columns[-1], "pipeline" in scored.columns, scored.first()["version"]]
""",
        models=str(models),
    )
    assert answer == ["version", False, "com.acme:churn:1.0.1"]


def test_a_name_means_the_version_that_the_server_was_started_with(client):
    answer = client.run(
        """
        model = gavial.resolve("churn")
        answer = [str(gavial.coordinate(model)), [str(one) for one in gavial.available()]]
        """
    )
    assert answer == ["com.acme:churn:1.0.2", ["com.acme:churn:1.0.2"]]


def test_a_selector_without_a_repository_means_what_the_server_was_started_with(client):
    assert (
        client.run('answer = str(gavial.coordinate(gavial.resolve("com.acme:churn:1.+")))')
        == "com.acme:churn:1.0.2"
    )


def test_a_repository_that_lacks_what_the_server_was_started_with_is_named(client, tmp_path):
    with pytest.raises(ReleaseNotFound, match=r"started with com\.acme:churn:1\.0\.2, and repos"):
        client.run(
            """
            import os
            before = os.environ["GAVIAL_REPOSITORY"]
            os.environ["GAVIAL_REPOSITORY"] = other
            try:
                gavial.resolve("churn")
            finally:
                os.environ["GAVIAL_REPOSITORY"] = before
            """,
            other=str(tmp_path),
        )


def test_a_model_fitted_over_connect_is_unreleased_until_it_is_deployed(fitted):
    assert {mark for mark, _, _ in fitted["before"]} == {"unreleased"}
    assert fitted["coordinate"] == "com.acme:fitted:1.0.0"
    assert fitted["watermark"] == "made_by"


def test_the_card_has_schemas_and_leaves_out_what_connect_cannot_tell(fitted):
    assert fitted["environment"]["spark"] == "4.3.0"
    assert {"java", "scala"}.isdisjoint(fitted["environment"])
    assert fitted["example"] == 3
    assert fitted["outputs"][-1] == "made_by"


def test_a_released_model_predicts_what_it_predicted_when_it_was_fitted(client, fitted):
    after = client.run(
        FIT
        + """
scored = gavial.resolve("com.acme:fitted:1.+").transform(people).orderBy("id").collect()
answer = [[row.made_by, row.prediction, list(row.probability)] for row in scored]
"""
    )
    assert [one[1:] for one in after] == [one[1:] for one in fitted["before"]]
    assert {one[0] for one in after} == {"com.acme:fitted:1.0.0"}


def test_a_pipeline_fitted_over_connect_is_released_as_the_jvm_writes_it(fitted, models):
    jar = models / "com/acme/fitted/1.0.0/fitted-1.0.0.jar"
    with zipfile.ZipFile(jar) as opened:
        (root,) = (
            name for name in opened.namelist() if name.startswith("pipelines/fitted/metadata/part-")
        )
        metadata = json.loads(opened.read(root))
    assert metadata["class"] == "org.apache.spark.ml.PipelineModel"
    assert "language" not in metadata["paramMap"]


def test_files_come_back_byte_for_byte_however_large(client, staging, tmp_path):
    place = staging / "gavial-large"
    (place / "data").mkdir(parents=True)
    sizes = {"small": 1, "exact": 8 << 20, "data/more": (9 << 20) + 1}
    for name, size in sizes.items():
        (place / name).write_bytes(random.Random(name).randbytes(size))
    client.run(
        """
        from pathlib import Path
        from gavial.spark import connect_files
        connect_files.fetch(spark, place, Path(to))
        """,
        place=str(place),
        to=str(tmp_path),
    )
    came = {name: (tmp_path / name).read_bytes() for name in sizes}
    sent = {name: (place / name).read_bytes() for name in sizes}
    shutil.rmtree(place)
    assert came == sent


def test_an_empty_file_in_a_release_is_no_obstacle(client, tmp_path):
    saved = tmp_path / "saved"
    shutil.copytree(SAVED, saved)
    (saved / "stages" / "1_VectorAssembler_7799340c0bdd" / "notes").touch()
    answer = client.run(
        """
        gavial.deploy(saved, "com.acme:noted:1.0")
        answer = str(gavial.coordinate(gavial.resolve("com.acme:noted")))
        """,
        saved=str(saved),
    )
    assert answer == "com.acme:noted:1.0.0"


def test_a_deploy_leaves_nothing_on_the_server(fitted, staging):
    assert fitted
    assert not list(staging.glob("gavial-*"))


def test_the_best_of_a_tuned_model_is_released_with_what_was_measured(client):
    answer = client.run(
        FIT
        + """
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.tuning import ParamGridBuilder, TrainValidationSplit
tuned = TrainValidationSplit(
    estimator=gavial.VersionedPipeline(stages=stages),
    estimatorParamMaps=ParamGridBuilder().addGrid(stages[2].maxIter, [1, 2]).build(),
    evaluator=BinaryClassificationEvaluator(),
    seed=1,
).fit(people)
release = gavial.deploy(tuned, "com.acme:tuned:1.0")
answer = [release.card.watermark, sorted(release.card.metrics)]
"""
    )
    assert answer == ["pipeline", ["areaUnderROC"]]


def test_a_stream_is_scored_under_the_name_of_the_release(client, tmp_path):
    answer = client.run(
        FIT
        + """
people.write.parquet(f"{place}/in")
stream = spark.readStream.schema(people.schema).parquet(f"{place}/in")
model = gavial.resolve("com.acme:churn:1.0.1")
scored = model.transform(stream.selectExpr("id", "plan AS city", "calls AS x"))
query = (
    scored.select("id", "pipeline", "prediction").writeStream.format("parquet")
    .option("checkpointLocation", f"{place}/checkpoint")
    .trigger(availableNow=True).start(f"{place}/out")
)
assert query.awaitTermination(120)
out = spark.read.parquet(f"{place}/out")
answer = [out.count(), [row.pipeline for row in out.select("pipeline").distinct().collect()]]
""",
        place=str(tmp_path),
    )
    assert answer == [20, ["com.acme:churn:1.0.1"]]


def test_python_modules_of_a_release_reach_a_client_and_the_server_s_workers(
    client, another_client
):
    client.run(
        ROWS
        + """
from connect_parts import Shouter
model = gavial.VersionedPipeline(stages=[Shouter.of("city", "loud")]).fit(rows)
gavial.deploy(model, "com.acme:shouting:1.0", python_modules=["connect_parts"])
"""
    )
    answer = another_client.run(
        ROWS
        + """
import importlib.util
before = importlib.util.find_spec("connect_parts")
for _ in range(2):
    model = gavial.resolve("com.acme:shouting")
answer = [before, sorted(row.loud for row in model.transform(rows).collect())]
"""
    )
    assert answer == [None, ["A!", "B!"]]


def test_a_thread_of_its_own_resolves_a_model(client):
    answer = client.run(
        """
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(1) as pool:
            model = pool.submit(gavial.resolve, "com.acme:churn:1.0.1").result()
        answer = str(gavial.coordinate(model))
        """
    )
    assert answer == "com.acme:churn:1.0.1"


def test_a_class_of_a_jvm_library_is_refused_with_what_to_do(client, models, tmp_path):
    with pytest.raises(IncompatibleModel, match=r"(?s)com\.acme\.Scaler.*spark-submit --packages"):
        client.run(
            """
            gavial.deploy(saved, "com.acme:scaled:1.0", requires=["com.acme:scaler_2.13:1.0.0"])
            gavial.resolve("com.acme:scaled")
            """,
            saved=str(_saved(tmp_path, "com.acme.Scaler", {})),
        )


def test_a_class_of_spark_that_the_client_lacks_names_the_server_s_version(client, tmp_path):
    with pytest.raises(IncompatibleModel, match=r"feature\.Imaginary.*4\.3\.0"):
        client.run(
            'gavial.deploy(saved, "com.acme:new:1.0"); gavial.resolve("com.acme:new")',
            saved=str(_saved(tmp_path, "org.apache.spark.ml.feature.Imaginary", {})),
        )


def test_sql_is_refused_before_anything_is_sent(client, tmp_path, staging):
    before = _files(staging)
    saved = _saved(
        tmp_path, "org.apache.spark.ml.feature.SQLTransformer", {"statement": "DROP TABLE t"}
    )
    with pytest.raises(UnsafeModel, match="DROP TABLE"):
        client.run(
            'gavial.deploy(saved, "com.acme:dropping:1.0"); gavial.resolve("com.acme:dropping")',
            saved=str(saved),
        )
    assert _files(staging) == before


@pytest.mark.parametrize(
    ("stage", "why"), [("Unwritable", "its class writes nothing"), ("Stubborn", "not today")]
)
def test_a_stage_that_cannot_be_saved_is_named(client, staging, stage, why):
    with pytest.raises(IncompatibleModel, match=rf"(?s){stage}_\w+ .*{why}"):
        client.run(
            ROWS
            + """
import connect_parts
model = gavial.VersionedPipeline(stages=[getattr(connect_parts, stage)()]).fit(rows)
gavial.deploy(model, "com.acme:unsaved:1.0", python_modules=["connect_parts"])
""",
            stage=stage,
        )
    assert not list(staging.glob("gavial-*"))


@pytest.mark.parametrize(
    ("folder", "why"),
    [("s3a://models/tmp", "default file system, 'file:///'"), ("/proc/gavial", "/proc/gavial")],
)
def test_a_folder_that_takes_no_files_is_named(client, folder, why):
    with pytest.raises(ConfigurationError, match=why) as error:
        client.run(
            """
            before = spark.conf.get("spark.gavial.stagingDir")
            spark.conf.set("spark.gavial.stagingDir", folder)
            try:
                gavial.resolve("com.acme:churn:1.0.1")
            finally:
                spark.conf.set("spark.gavial.stagingDir", before)
            """,
            folder=folder,
        )
    assert "spark.gavial.stagingDir" in str(error.value)


def test_a_session_that_was_stopped_is_no_session(another_client):
    with pytest.raises(ConfigurationError, match="no active Spark session"):
        another_client.run('spark.stop(); gavial.resolve("com.acme:churn:1.0.1")')


def _files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _saved(folder, class_name, parameters):
    """A saved pipeline of one stage."""
    for place, name, uid, values in (
        ("", "org.apache.spark.ml.PipelineModel", "PipelineModel_1", {"stageUids": ["Stage_1"]}),
        ("stages/0_Stage_1", class_name, "Stage_1", parameters),
    ):
        metadata = folder / "saved" / place / "metadata"
        metadata.mkdir(parents=True)
        content = {
            "class": name,
            "timestamp": 0,
            "sparkVersion": "4.3.0",
            "uid": uid,
            "paramMap": values,
            "defaultParamMap": {},
        }
        (metadata / "part-00000").write_text(json.dumps(content) + "\n")
    return folder / "saved"
