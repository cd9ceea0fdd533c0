"""A released model reaches a driver that has pyspark alone, by Spark's own `--packages`."""

from __future__ import annotations

from pathlib import Path

import pytest

import gavial
from gavial.model import jar as jar_format
from gavial.registry import spark_conf

SAVED = Path(__file__).parent.parent / "fixtures" / "saved_models" / "spark-4.3" / "churn"

SCORE = """
import json, sys
import gavial

model = gavial.resolve("churn")
rows = spark.createDataFrame([("a", 1.0), ("b", 2.0)], ["city", "x"])
marks = {row["pipeline"] for row in model.transform(rows).collect()}

def origin(_):
    import gavial
    yield gavial.__file__

print("RESULT", json.dumps({
    "driver": gavial.__file__,
    "executors": spark.sparkContext.parallelize([1], 1).mapPartitions(origin).collect(),
    "coordinate": str(gavial.coordinate(model)),
    "available": [str(one) for one in gavial.available()],
    "marks": sorted(marks),
}))
"""
JOB = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n" + SCORE


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder repository with two builds of a model, and one of another."""
    folder = tmp_path_factory.mktemp("models")
    for gav in ("com.acme:churn:1.0", "com.acme:churn:1.0", "com.acme:upsell:2.1"):
        gavial.deploy(SAVED, gav, repository=folder)
    return folder


def conf(models, *gavs, ivy):
    return {**spark_conf.plan(gavs, models).conf, "spark.jars.ivy": str(ivy)}


def result(output):
    import json

    lines = [line.partition("RESULT ")[2] for line in output.splitlines() if "RESULT " in line]
    return json.loads(lines[-1])


def test_spark_submit_brings_the_latest_release_and_its_loader(models, driver, tmp_path):
    flags = conf(models, "com.acme:churn", "com.acme:upsell:2.+", ivy=tmp_path / "ivy")
    found = result(driver.submit(flags, JOB))
    assert found["coordinate"] == "com.acme:churn:1.0.1"
    assert found["marks"] == ["com.acme:churn:1.0.1"]
    assert found["available"] == ["com.acme:churn:1.0.1", "com.acme:upsell:2.1.0"]
    assert "io.gavial_gavial-" in found["driver"]
    assert "io.gavial_gavial-" in found["executors"][0]


def test_a_session_builder_brings_a_pinned_release(models, driver, tmp_path):
    flags = conf(models, "com.acme:churn:1.0.0", ivy=tmp_path / "ivy")
    job = (
        "from pyspark.sql import SparkSession\n"
        f"spark = SparkSession.builder.config(map={flags!r}).getOrCreate()\n"
    )
    found = result(driver.run(driver.python, script=job + SCORE))
    assert found["marks"] == ["com.acme:churn:1.0.0"]


def test_a_pyspark_shell_brings_a_range(models, driver, tmp_path):
    flags = conf(models, "com.acme:churn:[1.0,2.0)", ivy=tmp_path / "ivy")
    options = [f"--conf={name}={value}" for name, value in flags.items()]
    # An interactive shell wants an empty line after each block.
    typed = SCORE.replace("    yield gavial.__file__\n", "    yield gavial.__file__\n\n")
    # Without a terminal Python is only interactive where it is told so.
    shell = {"PYSPARK_DRIVER_PYTHON_OPTS": "-i"}
    found = result(driver.run(str(driver.bin / "pyspark"), *options, stdin=typed, **shell))
    assert found["coordinate"] == "com.acme:churn:1.0.1"


def test_a_repository_behind_a_password_serves_packages(server, driver, tmp_path):
    gavial.deploy(SAVED, "com.acme:churn:1.0", repository="models")
    plan = spark_conf.plan(["com.acme:churn:latest.release"], "models")
    flags = {**plan.conf, "spark.jars.ivy": str(tmp_path / "ivy")}
    found = result(driver.submit(flags, JOB, **plan.environment))
    assert found["marks"] == ["com.acme:churn:1.0.0"]
    assert {request.who for request in server.asked("GET", ".jar")} == {server.username}
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in written if server.password.encode() in path.read_bytes()]


def test_a_driver_with_pyspark_alone_resolves_from_a_folder(models, driver, tmp_path):
    flags = conf(models, "com.acme:upsell", ivy=tmp_path / "ivy")
    job = JOB.replace('resolve("churn")', f'resolve("com.acme:churn:1.0.0", {str(models)!r})')
    assert result(driver.submit(flags, job))["marks"] == ["com.acme:churn:1.0.0"]


def test_a_scala_job_loads_and_scores_with_a_released_model(models, driver, tmp_path):
    """It needs no class of ours: the watermark is one of Spark's own stages."""
    release = gavial.repository(models).release("com.acme:churn:1.0.0")
    (jar,) = (file for file in release.download(tmp_path / "files") if file.suffix == ".jar")
    model = jar_format.unpack(jar, "churn", tmp_path / "model")
    script = f"""
val model = org.apache.spark.ml.PipelineModel.load("{model.as_uri()}")
val records = Seq(("a", 1.0), ("b", 2.0)).toDF("city", "x")
println("RESULT " + model.transform(records).select("pipeline").as[String].distinct().first())
System.exit(0)
"""
    output = driver.run(str(driver.bin / "spark-shell"), stdin=script)
    assert "RESULT com.acme:churn:1.0.0" in output


def test_spark_follows_an_alias_by_packages_alone_and_resolve_checks_what_arrived(
    models, driver, tmp_path
):
    repository = gavial.repository(models)
    repository.set_alias("com.acme:churn", "champion", "1.0.0")
    flags = {
        **conf(models, "com.acme:churn", ivy=tmp_path / "ivy"),
        "spark.jars.packages": "com.acme:churn-champion:latest.release",
    }
    follows = JOB.replace('resolve("churn")', 'resolve("com.acme:churn@champion")')
    moved = """
gavial.repository().set_alias("com.acme:churn", "champion", "1.0.1")
try:
    gavial.resolve("com.acme:churn@champion")
except gavial.errors.ReleaseNotFound as error:
    print("REFUSED", error)
"""
    output = driver.submit(flags, follows + moved, GAVIAL_REPOSITORY=str(models))
    assert result(output)["marks"] == ["com.acme:churn:1.0.0"]
    assert "REFUSED com.acme:churn@champion means com.acme:churn:1.0.1" in output


WATCH = """
from pyspark.sql import functions
from gavial.spark.monitoring.reference import learn

scored = spark.range(600).selectExpr(
    "id", "id % 7 AS x", "double(id % 2) AS label", "double(id % 2) AS prediction",
    "0.2D + 0.5D * (id % 2) + 0.01D * (id % 11) AS score",
    "timestamp_seconds(1700000000 + id * 600) AS at", "'com.acme:churn:1.0.0' AS pipeline",
)
reference = learn(
    scored, features=["x"], label="label", prediction="prediction", score="score",
    version="1.0.0",
)
watched = gavial.monitor(
    scored, "com.acme:churn", models, time="at", states=states, reference=reference
)
other = functions.lit("com.acme:churn:1.0.1").alias("pipeline")
both = scored.unionByName(scored.drop("pipeline").select("*", other))
compared = gavial.compare(
    both, champion="com.acme:churn:1.0.0", challenger="com.acme:churn:1.0.1",
    id="id", score="score", margin=0.01, intended=100,
)
print("RESULT", json.dumps({
    "driver": gavial.__file__,
    "status": watched.status,
    "shown": "<table>" in watched._repr_html_() and "1.0.1" in compared._repr_html_(),
    "outcome": compared.outcome,
}))
"""


def test_a_driver_with_pyspark_alone_watches_and_compares(models, driver, tmp_path):
    """From the runtime jar: nothing that charts or channels are made with is there."""
    flags = conf(models, "com.acme:churn", ivy=tmp_path / "ivy")
    begin = JOB.partition("model = ")[0]
    named = f"models, states = {str(models)!r}, {str(tmp_path / 'states')!r}\n"
    found = result(driver.submit(flags, begin + named + WATCH))
    assert "io.gavial_gavial-" in found["driver"]
    assert found["status"] == "ok"
    assert found["shown"]
    assert found["outcome"] == "no difference worth having"
