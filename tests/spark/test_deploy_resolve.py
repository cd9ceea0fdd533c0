"""From a live model to a release and back, in a folder repository."""

from __future__ import annotations

import sys
import warnings
import zipfile
from pathlib import Path

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import SQLTransformer, VectorAssembler
from pyspark.ml.recommendation import ALS
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder

import gavial
from gavial.errors import (
    ConfigurationError,
    CorruptRelease,
    IncompatibleModel,
    InvalidSelector,
    ModelNotFound,
    ReleaseExists,
    ReleaseNotFound,
    UnsafeModel,
)
from gavial.maven import layout
from gavial.maven.drive import Driver
from gavial.registry.catalog import ModelRepository

SAVED = Path(__file__).parent.parent / "fixtures" / "saved_models"


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def released(models, stamped, customers):
    return gavial.deploy(
        stamped,
        "com.acme:churn:1.0",
        models,
        metrics={"auc": 0.87},
        input_example=customers.drop("label"),
        description="Will a customer leave?",
        owner="growth",
        labels={"ticket": "ML-7"},
    )


def place_of(release, path):
    return Path(release.repository.folder, path)


def test_a_released_model_predicts_as_the_fitted_one_and_names_its_version(
    released, models, stamped, customers
):
    model = gavial.resolve("com.acme:churn:1.+", repository=models)
    before = stamped.transform(customers).select("id", "prediction", "probability").collect()
    after = model.transform(customers).select("id", "prediction", "probability").collect()
    assert sorted(before) == sorted(after)
    marks = {row["pipeline"] for row in model.transform(customers).collect()}
    assert marks == {"com.acme:churn:1.0.0"}
    assert gavial.coordinate(model) == released.coordinate


def test_the_callers_model_stays_unreleased(released, stamped, customers):
    assert stamped.transform(customers).first()["pipeline"] == "unreleased"
    assert gavial.coordinate(stamped) is None


def test_the_card_says_what_is_known_of_the_model(released):
    card = released.card
    assert (card.description, card.owner, card.labels) == (
        "Will a customer leave?",
        "growth",
        {"ticket": "ML-7"},
    )
    assert card.metrics == {"auc": 0.87}
    assert card.watermark == "pipeline"
    assert {"spark", "scala", "python", "java", "gavial", "os"} <= set(card.environment)
    assert [field["name"] for field in card.input_schema["fields"]] == ["id", "plan", "calls"]
    assert card.output_schema["fields"][-1]["name"] == "pipeline"
    assert len(card.input_example) == 20
    assert card.pipeline[-1]["parameters"]["statement"].count("com.acme:churn:1.0.0") == 1


def test_every_deploy_is_the_next_build(released, models, stamped):
    second = gavial.deploy(stamped, "com.acme:churn", models)
    assert str(second.coordinate) == "com.acme:churn:1.0.1"
    repo = gavial.repository(models)
    assert list(map(str, repo.versions("com.acme:churn"))) == ["1.0.0", "1.0.1"]
    assert list(map(str, repo.modules())) == ["com.acme:churn"]
    assert repo.release("com.acme:churn:1.0.0").card.metrics == {"auc": 0.87}


def test_an_exact_version_is_refused_once_it_is_released(released, models, stamped):
    with pytest.raises(ReleaseExists, match="a release never changes"):
        gavial.deploy(stamped, "com.acme:churn:1.0.0", models)


def test_a_saved_directory_is_released_without_a_session_and_stays_as_it_is(models):
    saved = SAVED / "spark-3.5" / "churn"
    before = {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()}
    release = gavial.deploy(saved, "com.acme:churn:2.0", models)
    assert release.card.environment["spark"].startswith("3.5")
    assert {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()} == before


def test_a_model_without_a_watermark_is_released_with_a_warning(models, plain):
    with pytest.warns(UserWarning, match="has no watermark") as caught:
        release = gavial.deploy(plain, "com.acme:churn:1.0", models)
    assert caught[0].filename == __file__
    assert release.card.watermark is None


def test_a_watermark_is_added_where_its_column_is_named(models, plain, customers):
    gavial.deploy(plain, "com.acme:churn:1.0", models, watermark_col="model version")
    model = gavial.resolve("com.acme:churn", models)
    assert model.transform(customers).first()["model version"] == "com.acme:churn:1.0.0"


def test_the_watermark_of_a_resolved_model_can_have_another_name(released, models, customers):
    model = gavial.resolve("com.acme:churn", models, watermark_col="upsell_version")
    row = model.transform(customers).first()
    assert row["upsell_version"] == "com.acme:churn:1.0.0"
    assert "pipeline" not in row.asDict()


@pytest.mark.filterwarnings("ignore:unclosed running multiprocessing pool")  # pyspark's own
def test_of_a_cross_validated_model_the_best_is_released_with_its_metric(models, customers):
    assembler = VectorAssembler(inputCols=["calls"], outputCol="features")
    regression = LogisticRegression()
    tuned = CrossValidator(
        estimator=gavial.VersionedPipeline(stages=[assembler, regression]),
        estimatorParamMaps=ParamGridBuilder().addGrid(regression.maxIter, [1]).build(),
        evaluator=BinaryClassificationEvaluator(),
        numFolds=2,
        seed=1,
    ).fit(customers)
    release = gavial.deploy(tuned, "com.acme:churn:1.0", models)
    assert release.card.metrics == {"areaUnderROC": pytest.approx(tuned.avgMetrics[0])}


def test_a_model_that_reads_its_data_late_is_whole_after_resolve(spark, models):
    ratings = spark.createDataFrame(
        [(u, i, float(u == i)) for u in range(5) for i in range(5)],
        "user int, item int, rating float",
    )
    fitted = ALS(rank=2, maxIter=1, seed=1).fit(ratings)
    gavial.deploy(fitted, "com.acme:films:1.0", models, watermark_col="pipeline")
    model = gavial.resolve("com.acme:films", models)
    assert model.transform(ratings).count() == 25


def test_a_python_stage_travels_with_its_module(models, customers, tmp_path, monkeypatch):
    (tmp_path / "acme_calls.py").write_text(
        "from pyspark.ml import Transformer\n"
        "from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable\n"
        "class Twice(Transformer, DefaultParamsReadable, DefaultParamsWritable):\n"
        "    def _transform(self, df):\n"
        "        return df.withColumn('twice', df['calls'] * 2)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from acme_calls import Twice

    fitted = gavial.VersionedPipeline(stages=[Twice()]).fit(customers)
    with pytest.raises(UnsafeModel, match=r'python_modules=\["acme_calls"\]'):
        gavial.deploy(fitted, "com.acme:calls:1.0", models)
    release = gavial.deploy(fitted, "com.acme:calls:1.0", models, python_modules=["acme_calls"])
    assert release.card.python_modules == ("acme_calls",)
    # As on another machine: the module is nowhere but in the release.
    (tmp_path / "acme_calls.py").unlink()
    monkeypatch.delitem(sys.modules, "acme_calls")
    model = gavial.resolve("com.acme:calls", models)
    row = model.transform(customers.where("calls = 3")).first()
    assert (row["twice"], row["pipeline"]) == (6.0, "com.acme:calls:1.0.0")


def test_a_jvm_library_that_is_not_here_is_named_before_anything_loads(released, models, tmp_path):
    saved = tmp_path / "saved"
    gavial.resolve("com.acme:churn", models).write().save(str(saved))
    for part in saved.rglob("stages/*/metadata/part-*"):
        text = part.read_text()
        if "LogisticRegressionModel" in text:
            part.write_text(text.replace("org.apache.spark.ml.classification", "com.acme.boost"))
            (part.parent / f".{part.name}.crc").unlink()
    with pytest.raises(UnsafeModel, match="requires="):
        gavial.deploy(saved, "com.acme:boosted:1.0", models)
    gavial.deploy(saved, "com.acme:boosted:1.0", models, requires=["com.acme:boost_2.13:1.4.0"])
    with pytest.raises(IncompatibleModel, match=r"com\.acme\.boost\.LogisticRegressionModel"):
        gavial.resolve("com.acme:boosted", models)


def test_sql_that_does_more_than_select_is_told_and_refused_until_it_is_allowed(
    spark, models, customers
):
    spark.createDataFrame([("basic",)], ["name"]).createOrReplaceTempView("plans")
    join = SQLTransformer(statement="SELECT t.* FROM __THIS__ t JOIN plans p ON t.plan = p.name")
    with pytest.warns(UserWarning, match="allow_sql=True"):
        gavial.deploy(
            Pipeline(stages=[join]).fit(customers),
            "com.acme:joined:1.0",
            models,
            watermark_col="pipeline",
        )
    with pytest.raises(UnsafeModel, match="allow_sql=True"):
        gavial.resolve("com.acme:joined", models)
    assert (
        gavial.resolve("com.acme:joined", models, allow_sql=True).transform(customers).count() == 13
    )


def test_a_jar_with_other_bytes_is_never_loaded(released, models, home):
    jar = place_of(released, layout.jar_path(released.coordinate))
    with zipfile.ZipFile(jar, "a") as archive:
        archive.writestr("evil.py", "raise SystemExit")
    with pytest.raises(CorruptRelease):
        gavial.resolve("com.acme:churn:1.0.0", models)
    with pytest.raises(CorruptRelease):
        released.verify()


def test_a_spoiled_cache_is_fetched_again(released, models, home, customers):
    gavial.resolve("com.acme:churn", models)
    (cached,) = (home / ".cache/gavial/releases").rglob(f"{hash_of(released)}*/**/churn-1.0.0.jar")
    cached.write_bytes(b"spoiled")
    assert gavial.resolve("com.acme:churn", models).transform(customers).count() == 20


def hash_of(release):
    import hashlib

    return hashlib.sha256(release.repository.url.encode()).hexdigest()[:16]


def test_a_download_is_the_very_files_of_the_release(released, tmp_path):
    files = released.download(tmp_path / "out")
    assert {file.name for file in files} == {
        "churn-1.0.0.jar",
        "churn-1.0.0.pom",
        "churn-1.0.0-metadata.xml",
        "churn-1.0.0-card.json",
        "churn-1.0.0-cyclonedx.json",
    }
    for file in files:
        there = place_of(released, f"{layout.release_folder(released.coordinate)}/{file.name}")
        assert file.read_bytes() == there.read_bytes()


@pytest.mark.parametrize(
    ("what", "error", "words"),
    [
        ("com.acme:nothing", ModelNotFound, "No release of com.acme:nothing"),
        ("com.acme:churn:3.+", ReleaseNotFound, r"it has 1\.0\.0"),
        ("com.acme:churn:latest", InvalidSelector, "latest"),
        ("churn", InvalidSelector, "names no group"),
    ],
)
def test_what_cannot_be_resolved_is_said(released, models, what, error, words):
    with pytest.raises(error, match=words):
        gavial.resolve(what, models)


def test_a_bare_name_that_nothing_brought_says_how_to_bring_it(spark):
    with pytest.raises(ModelNotFound, match="--packages"):
        gavial.resolve("churn")
    assert gavial.available() == ()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"metrics": {"auc": "high"}}, ConfigurationError, "expected numbers by name"),
        ({"metrics": {"auc": float("nan")}}, ConfigurationError, "finite"),
        ({"requires": ["acme"]}, gavial.errors.InvalidCoordinate, "group:artifact:version"),
        ({"python_modules": ["no_such_module"]}, IncompatibleModel, "no_such_module"),
        ({"watermark_col": "plan"}, IncompatibleModel, "plan"),
    ],
)
def test_an_argument_that_does_not_fit_is_refused_before_anything_is_written(
    models, stamped, arguments, error, words
):
    with pytest.raises(error, match=words):
        gavial.deploy(stamped, "com.acme:churn:1.0", models, **arguments)
    assert not models.exists()


def test_an_unfitted_pipeline_is_not_a_model(models):
    with pytest.raises(IncompatibleModel, match="fit it first"):
        gavial.deploy(Pipeline(stages=[]), "com.acme:churn:1.0", models)


def test_a_repeated_deploy_of_one_model_after_a_crash_is_finished(models, stamped, monkeypatch):
    class Killed(BaseException):
        pass

    class Dying(Driver):
        def _write_metadata(self, metadata):
            if metadata.module.group == "com.acme":
                raise Killed
            return super()._write_metadata(metadata)

    with monkeypatch.context() as patch:
        patch.setattr("gavial.registry.deploy.Driver", Dying)
        with pytest.raises(Killed):
            gavial.deploy(stamped, "com.acme:churn:1.0", models)
    release = gavial.deploy(stamped, "com.acme:churn:1.0", models)
    assert str(release.coordinate) == "com.acme:churn:1.0.0"


def test_nothing_is_warned_of_where_nothing_is_wrong(models, stamped):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gavial.deploy(stamped, "com.acme:churn:1.0", models)


def test_a_repository_object_is_a_repository_name(released):
    assert isinstance(gavial.repository(released.repository.url), ModelRepository)


def test_a_model_that_was_resolved_is_released_again_under_a_number_of_its_own(released, models):
    model = gavial.resolve("com.acme:churn", models)
    again = gavial.deploy(model, "com.acme:churn:1.1", models)
    assert str(again.coordinate) == "com.acme:churn:1.1.0"
    assert str(gavial.coordinate(gavial.resolve("com.acme:churn", models))) == str(again.coordinate)
    assert isinstance(model, PipelineModel)
