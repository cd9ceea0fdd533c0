"""Streams of files and of Spark's rate source, scored into folders and tables of Parquet."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.feature import SQLTransformer, VectorAssembler

import gavial
from gavial.errors import (
    ConfigurationError,
    IncompatibleModel,
    InvalidCoordinate,
    InvalidSelector,
    ModelNotFound,
    ReleaseNotFound,
)
from gavial.maven import layout
from gavial.streaming import score

CUSTOMERS = "id long, city string, x double"
NOW = {"availableNow": True}
LONG = 120  # seconds that nothing here takes


class Job:
    """A folder of records that arrive, releases, and the job that scores the ones by the others."""

    def __init__(self, spark, folder, saved):
        self.spark, self.folder, self.models, self.saved = spark, folder, folder / "models", saved
        self.arriving = folder / "in"
        self.arriving.mkdir()
        self.count = 0

    def release(self, model=None, to="com.acme:churn:1.0", allow=""):
        return gavial.deploy(model or self.saved, to, self.models, allow=allow)

    def arrive(self, files=1):
        """Files of one record each, which the stream takes one at a time."""
        for _ in range(files):
            self.count += 1
            record = {"id": self.count, "city": "Bern", "x": float(self.count)}
            hidden = self.arriving / f".{self.count}"
            hidden.write_text(json.dumps(record))
            hidden.rename(self.arriving / f"{self.count:04}.json")

    def stream(self, schema=CUSTOMERS):
        reader = self.spark.readStream.schema(schema).option("maxFilesPerTrigger", 1)
        return reader.json(str(self.arriving))

    def start(self, what="com.acme:churn", stream=None, **arguments):
        arguments.setdefault("checkpoint", self.folder / "checkpoint")
        if "table" not in arguments:
            arguments.setdefault("output", self.folder / "scored")
        arguments.setdefault("trigger", NOW)
        arguments.setdefault("repository", self.models)
        return score(stream or self.stream(), what, **arguments)

    def run(self, **arguments):
        scoring = self.start(**arguments)
        try:
            assert scoring.query.awaitTermination(LONG)
        finally:
            scoring.stop()
        return scoring

    def scored(self):
        """The build that scored each record, by id."""
        return builds(self.spark.read.parquet(str(self.folder / "scored")))

    def uncommit(self):
        """Make it look as if the process had died before the last batch was committed."""
        commits = self.folder / "checkpoint" / "commits"
        last = max((one for one in commits.iterdir() if one.name.isdecimal()), key=number)
        last.unlink()
        last.with_name(f".{last.name}.crc").unlink()


def number(path):
    return int(path.name)


def builds(df):
    rows = df.select("id", "pipeline").collect()
    assert len(rows) == len({row["id"] for row in rows}), "a record is there twice"
    return {row["id"]: int(row["pipeline"].rpartition(".")[2]) for row in rows}


def wait(condition):
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def fitted(spark):
    """The smallest model that a record can break: one of a null."""
    assemble = VectorAssembler(inputCols=["x"], outputCol="features")
    predict = SQLTransformer(statement="SELECT *, x * 2 AS prediction FROM __THIS__")
    example = spark.createDataFrame([], CUSTOMERS)
    return gavial.VersionedPipeline(stages=[assemble, predict]).fit(example)


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory):
    """Its folder, so that a release of it needs no Spark."""
    folder = tmp_path_factory.mktemp("saved") / "churn"
    fitted.write().save(str(folder))
    return folder


@pytest.fixture
def job(spark, tmp_path, saved):
    return Job(spark, tmp_path, saved)


def test_each_record_is_scored_once_and_names_the_version(job):
    job.release()
    job.arrive(2)
    scoring = job.run()
    assert job.scored() == {1: 0, 2: 0}
    assert str(scoring.version) == "com.acme:churn:1.0.0"
    assert scoring.problems == ()


def test_a_restart_takes_the_release_that_came_meanwhile_for_new_records_alone(job):
    job.release()
    job.arrive()
    job.run()
    job.release()
    job.arrive()
    job.run()
    assert job.scored() == {1: 0, 2: 1}


def test_a_newer_release_is_taken_between_two_batches_of_a_running_stream(job):
    job.release()
    job.arrive()
    scoring = job.start(trigger={"processingTime": "0 seconds"}, poll=0.1)
    try:
        scoring.query.processAllAvailable()
        job.release()
        end = time.monotonic() + LONG
        while scoring.version.version.build == 0:
            assert time.monotonic() < end
            job.arrive()
            scoring.query.processAllAvailable()
    finally:
        scoring.stop()
    used = [build for _, build in sorted(job.scored().items())]
    assert used == sorted(used)
    assert set(used) == {0, 1}
    assert len(used) == job.count


def test_a_stream_follows_an_alias_forward_and_back(job):
    for _ in range(2):
        job.release()
    models = gavial.repository(job.models)
    models.set_alias("com.acme:churn", "champion", "1.0.0")
    scoring = job.start(
        "com.acme:churn@champion", trigger={"processingTime": "0 seconds"}, poll=0.1
    )
    try:
        for version in ("1.0.1", "1.0.0"):
            models.set_alias("com.acme:churn", "champion", version)
            end = time.monotonic() + LONG
            while str(scoring.version.version) != version:
                assert time.monotonic() < end
                job.arrive()
                scoring.query.processAllAvailable()
    finally:
        scoring.stop()
    assert scoring.problems == ()
    used = [build for _, build in sorted(job.scored().items())]
    assert len(used) == job.count
    assert used[-1] == 0
    assert 1 in used


def test_a_replayed_batch_keeps_its_version_and_is_not_doubled(job):
    job.release()
    job.arrive(2)
    job.run()
    job.uncommit()
    job.release()
    job.arrive()
    job.run()
    assert job.scored() == {1: 0, 2: 0, 3: 1}


def test_a_replayed_batch_is_not_doubled_in_a_table_either(job):
    job.release()
    job.arrive(2)
    job.run(table="scored_customers")
    job.uncommit()
    job.release()
    job.arrive()
    job.run(table="scored_customers")
    assert builds(job.spark.table("scored_customers")) == {1: 0, 2: 0, 3: 1}


def test_the_rate_source_is_scored(job):
    stream = job.spark.readStream.format("rate").option("rowsPerSecond", 50).load()
    parity = SQLTransformer(statement="SELECT *, value % 2 AS parity FROM __THIS__")
    fitted = gavial.VersionedPipeline(stages=[parity]).fit(
        job.spark.createDataFrame([], stream.schema)
    )
    job.release(fitted)
    scoring = job.start(stream=stream, trigger={"processingTime": "0 seconds"})
    try:
        wait(lambda: any(one["numInputRows"] for one in scoring.query.recentProgress))
    finally:
        scoring.stop()
    rows = job.spark.read.parquet(str(job.folder / "scored")).collect()
    assert {row["parity"] for row in rows} == {0, 1}
    assert sorted(row["value"] for row in rows) == list(range(len(rows)))
    assert {row["pipeline"] for row in rows} == {"com.acme:churn:1.0.0"}


def test_a_release_with_other_bytes_leaves_the_current_one_in_service_and_is_told(job, caplog):
    job.release()
    job.arrive()
    job.run()
    spoiled = job.release()
    jar = job.models / layout.jar_path(spoiled.coordinate)
    jar.write_bytes(jar.read_bytes()[:-1] + b"?")
    job.arrive()
    scoring = job.run()
    assert job.scored() == {1: 0, 2: 0}
    (problem,) = scoring.problems
    assert "com.acme:churn:1.0.1 is newer and cannot be used" in problem.what
    assert problem.what in caplog.text


def test_a_release_that_writes_another_type_is_not_taken(job):
    job.release()
    job.arrive()
    scoring = job.start(trigger={"processingTime": "0 seconds"}, poll=0.1)
    try:
        text = SQLTransformer(statement="SELECT *, 'yes' AS prediction FROM __THIS__")
        example = job.spark.createDataFrame([], CUSTOMERS)
        fitted = gavial.VersionedPipeline(stages=[text]).fit(example)
        job.release(fitted, "com.acme:churn:1.1", allow="to see what a stream does")
        wait(lambda: scoring.problems)
        assert "'prediction' from double to string" in scoring.problems[0].what
        assert str(scoring.version) == "com.acme:churn:1.0.0"
    finally:
        scoring.stop()


def test_a_version_that_is_withdrawn_stays_in_service_while_the_stream_runs(job):
    release = job.release()
    scoring = job.start(trigger={"processingTime": "0 seconds"}, poll=0.1)
    try:
        shutil.rmtree(job.models / layout.release_folder(release.coordinate))
        wait(lambda: scoring.problems)
        job.arrive()
        scoring.query.processAllAvailable()
    finally:
        scoring.stop()
    assert "in the repository no more" in scoring.problems[0].what
    assert job.scored() == {1: 0}


def test_a_batch_that_fails_says_how_to_have_it_scored_by_another_version(job):
    job.release()
    job.arrive()
    (job.arriving / "0002.json").write_text('{"id": 2, "city": "Bern"}')
    scoring = job.start()
    with pytest.raises(Exception, match="null"):
        scoring.query.awaitTermination(LONG)
    (problem,) = scoring.problems
    place = problem.what.rpartition("delete ")[2].removesuffix(".")
    pin = Path(place.removeprefix("file:"))
    assert json.loads(pin.read_text())["coordinate"] == "com.acme:churn:1.0.0"
    assert pin.name == "1"


def test_a_model_without_a_watermark_writes_its_version_all_the_same(job, fitted):
    with pytest.warns(UserWarning, match="has no watermark"):
        job.release(PipelineModel(fitted.stages[:-1]))
    job.arrive()
    job.run()
    assert job.scored() == {1: 0}


def test_the_watermark_can_have_another_name(job):
    job.release()
    job.arrive()
    renamed = job.stream().withColumnRenamed("id", "pipeline")
    job.run(stream=renamed, watermark_col="model_version")
    row = job.spark.read.parquet(str(job.folder / "scored")).first()
    assert (row["pipeline"], row["model_version"]) == (1, "com.acme:churn:1.0.0")


def test_a_restart_writes_the_watermark_where_it_was(job):
    job.release()
    job.arrive()
    job.run(watermark_col="model_version")
    job.arrive()
    job.run()
    assert "pipeline" not in job.spark.read.parquet(str(job.folder / "scored")).columns


def test_a_restart_does_not_go_back_unless_it_is_allowed(job):
    job.release()
    last = job.release()
    job.arrive()
    job.run()
    shutil.rmtree(job.models / layout.release_folder(last.coordinate))
    job.arrive()
    with pytest.raises(ReleaseNotFound, match="allow_older=True"):
        job.run()
    job.run(allow_older=True)
    assert job.scored() == {1: 1, 2: 0}


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"what": "churn"}, InvalidCoordinate, "names no group"),
        ({"what": "com.acme:churn:@champion"}, InvalidSelector, "both a selector and an alias"),
        ({"what": "com.acme:nothing"}, ModelNotFound, "com.acme:nothing"),
        ({"what": "com.acme:churn:9.+"}, ReleaseNotFound, "9"),
        ({"format": "csv"}, ConfigurationError, "'parquet' or 'delta'"),
        ({"format": "delta"}, ConfigurationError, "Delta Lake is not on the class path"),
        ({"output": None}, ConfigurationError, "Name one place"),
        ({"table": "scored", "output": "scored"}, ConfigurationError, "Name one place"),
        ({"table": "scored; DROP TABLE scored"}, ConfigurationError, "not the name of a table"),
        ({"output": "/tmp/s", "checkpoint": "/tmp/s/"}, ConfigurationError, "the same folder"),
        ({"output": "/tmp/s", "checkpoint": "/tmp/s/c"}, ConfigurationError, "lies in the output"),
        ({"output": "/tmp/c/s", "checkpoint": "/tmp/c"}, ConfigurationError, "in the checkpoint"),
        ({"checkpoint": "nowhere://c"}, ConfigurationError, "nowhere"),
        ({"poll": 0}, ConfigurationError, "poll is 0"),
        ({"trigger": {"continuous": "1 second"}}, ConfigurationError, "micro-batches"),
        ({"trigger": {"processingTime": "soon"}}, ConfigurationError, "cannot start"),
        ({"watermark_col": "City"}, ConfigurationError, "'city' already"),
    ],
)
def test_an_argument_that_does_not_fit_is_refused_before_the_stream_starts(
    job, arguments, error, words
):
    job.release()
    with pytest.raises(error, match=words):
        job.start(**arguments)
    assert job.spark.streams.active == []


@pytest.mark.parametrize(
    ("schema", "error", "words"),
    [
        ("id long, city string", IncompatibleModel, "x"),
        (f"{CUSTOMERS}, PIPELINE string", ConfigurationError, "'PIPELINE' already"),
        (f"{CUSTOMERS}, _batch long", ConfigurationError, "'_batch'"),
    ],
)
def test_records_that_do_not_fit_are_refused_before_the_stream_starts(job, schema, error, words):
    job.release()
    with pytest.raises(error, match=words):
        job.start(stream=job.stream(schema))
    assert not (job.folder / "checkpoint").exists()


def test_what_is_no_stream_is_refused(job, customers):
    job.release()
    with pytest.raises(ConfigurationError, match="not a stream"):
        job.start(stream=customers)
    with pytest.raises(ConfigurationError, match="expected a streaming DataFrame"):
        job.start(stream="in/")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"output": "/tmp/elsewhere"}, "output"),
        ({"table": "elsewhere"}, "output"),
        ({"what": "com.acme:upsell"}, "model 'com.acme:churn' and not 'com.acme:upsell'"),
        ({"watermark_col": "version"}, "watermark 'pipeline' and not 'version'"),
    ],
)
def test_a_checkpoint_of_another_scoring_is_refused(job, arguments, words):
    job.release()
    job.release(to="com.acme:upsell:1.0")
    job.arrive()
    job.run()
    with pytest.raises(ConfigurationError, match=f"belongs to another query.*{words}"):
        job.start(**arguments)


def test_a_checkpoint_of_a_stream_that_is_not_ours_is_refused(job):
    job.release()
    job.arrive()
    other = job.stream().writeStream.format("noop")
    query = other.option("checkpointLocation", str(job.folder / "checkpoint")).trigger(**NOW)
    assert query.start().awaitTermination(LONG)
    with pytest.raises(ConfigurationError, match="did not start"):
        job.start()


def test_pins_of_a_newer_format_are_refused(job):
    job.release()
    job.arrive()
    job.run()
    (pin,) = (job.folder / "checkpoint" / "gavial" / "pins").rglob("0")
    pin.write_text(json.dumps(json.loads(pin.read_text()) | {"format_number": 2}))
    with pytest.raises(IncompatibleModel, match="newer Gavial"):
        job.start()
