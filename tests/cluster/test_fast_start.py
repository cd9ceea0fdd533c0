"""The flags of a fast start: an archive of classes that is made once, and that the JVM takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import gavial
from gavial.registry import fast_start

SAVED = Path(__file__).parent.parent / "fixtures" / "saved_models" / "spark-4.3" / "churn"
_SCORE = """
import sys
import gavial
from pyspark.sql import SparkSession
conf = gavial.spark_conf("com.acme:churn:latest.release", repository=sys.argv[1], fast_start=True)
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
spark = builder.config(map=conf).getOrCreate()
rows = spark.createDataFrame([("a", 1.0), ("b", 2.0)], ["city", "x"])
print({row["pipeline"] for row in gavial.resolve("churn").transform(rows).collect()})
arguments = spark._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()
print("serial", "-XX:+UseSerialGC" in list(arguments))
"""
_JOB = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
arguments = spark._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()
print("took", "-Xshare:on" in list(arguments), spark.range(7).count())
"""


@pytest.fixture(scope="module")
def archive_and_options():
    with pytest.warns(UserWarning, match="once for this machine"):
        options = fast_start.java_options()
    (archive,) = fast_start._archive_place().parent.glob("*")
    return archive, options


def test_the_archive_is_made_once(archive_and_options):
    archive, options = archive_and_options
    changed = archive.stat().st_mtime_ns
    assert fast_start.java_options() == options
    assert archive.stat().st_mtime_ns == changed
    assert f"-XX:SharedArchiveFile={archive}" in options


def test_the_jvm_starts_from_the_archive(archive_and_options):
    # `on` in place of `auto`: a JVM that cannot use an archive does not start then.
    options = archive_and_options[1].replace("-Xshare:auto", "-Xshare:on")
    job = f"import os; os.environ['PYSPARK_SUBMIT_ARGS'] = {_arguments(options)!r}\n{_JOB}"
    assert "took True 7" in _printed(job)


@pytest.mark.usefixtures("archive_and_options")
def test_a_job_with_the_flags_scores_as_any_other(tmp_path):
    gavial.deploy(SAVED, "com.acme:churn:1.0", tmp_path)
    printed = _printed(_SCORE, str(tmp_path))
    assert "{'com.acme:churn:1.0.0'}" in printed
    assert "serial True" in printed


def _printed(job, *arguments):
    command = [sys.executable, "-c", job, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _arguments(options):
    return f"--conf '{fast_start.CONF}={options}' pyspark-shell"
