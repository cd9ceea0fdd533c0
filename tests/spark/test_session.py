"""The session, its settings, its environment, and schemas as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import warnings
from datetime import date
from typing import Any

import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.linalg import VectorUDT
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.spark import environment, schema, session


def test_the_active_session_is_found_from_every_thread(spark: SparkSession) -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(session.current()))
    thread.start()
    thread.join()
    assert session.has_active()
    assert session.current() is spark
    assert found[0].sparkContext is spark.sparkContext
    assert not session.is_connect(spark)
    assert session.classic() is spark


def test_without_a_session_an_error_says_how_to_make_one() -> None:
    code = """
from gavial.spark import session
from gavial.errors import ConfigurationError
assert not session.has_active() and session.gavial_conf() == {}
try:
    session.current()
except ConfigurationError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "SparkSession.builder.getOrCreate()" in done.stdout


def test_settings_are_read_from_start_and_session_secrets_included(spark: SparkSession) -> None:
    spark.conf.set("spark.gavial.repositories.models.password", "s3cret")
    try:
        assert session.gavial_conf() == {
            "spark.gavial.owner": "the tests",
            "spark.gavial.repositories.models.password": "s3cret",
        }
    finally:
        spark.conf.unset("spark.gavial.repositories.models.password")


def test_the_environment_names_its_versions(spark: SparkSession) -> None:
    known = environment.describe(spark)
    assert known["spark"] == spark.version
    assert known["scala"].startswith("2.1")
    assert known["python"] == ".".join(map(str, sys.version_info[:3]))
    assert int(known["java"].partition(".")[0]) >= 8
    assert sorted(known) == ["java", "os", "python", "scala", "spark"]


def test_a_schema_comes_back_from_its_json(stamped: PipelineModel, customers: DataFrame) -> None:
    out = schema.output_schema(stamped, customers)
    again = StructType.fromJson(json.loads(json.dumps(out)))
    assert again == stamped.transform(customers).schema
    assert again["features"].dataType == VectorUDT()
    assert again.names[-1] == "pipeline"
    assert schema.of_dataframe(customers)["fields"][0]["name"] == "id"


def test_records_that_do_not_fit_the_model_are_refused_with_the_reason(
    stamped: PipelineModel, spark: SparkSession
) -> None:
    with pytest.raises(IncompatibleModel, match=r"\['id'\].*plan"):
        schema.output_schema(stamped, spark.range(1))


def test_sample_records_are_json_with_nulls_vectors_and_odd_names(
    stamped: PipelineModel, customers: DataFrame, spark: SparkSession
) -> None:
    scored = schema.rows(stamped.transform(customers), 2)
    assert [row["pipeline"] for row in scored] == ["unreleased"] * 2
    assert scored[0]["features"]["type"] in (0, 1)

    odd = spark.createDataFrame(
        [(None, date(2013, 1, 2), float("nan"), {"k": 1}, bytearray(b"x"))],
        "`a.b c` int, day date, n double, m map<string,int>, raw binary",
    )
    assert schema.rows(odd, 5) == [
        {"a.b c": None, "day": "2013-01-02", "n": "NaN", "m": {"k": 1}, "raw": "eA=="}
    ]
    assert json.dumps(scored)
    assert schema.rows(customers, 0) == []


def test_a_stream_or_a_doubled_column_is_no_example(spark: SparkSession) -> None:
    with pytest.raises(ConfigurationError, match="not a stream"):
        schema.rows(spark.readStream.format("rate").load(), 1)
    with pytest.raises(ConfigurationError, match="one name"):
        schema.rows(spark.range(1).selectExpr("id", "id AS id"), 1)


def test_a_forked_process_does_not_use_the_session_of_its_parent(spark: SparkSession) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads in the parent
        child = os.fork()
    if not child:
        os._exit(0 if not session.has_active() and session.gavial_conf() == {} else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert session.has_active()
