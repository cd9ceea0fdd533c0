"""Our settings join what a command line of Spark's says already."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.cli import spark_command
from gavial.cli.launch import prepared
from gavial.errors import ConfigurationError

CONF = {"spark.jars.packages": "com.a:b:1.+", "spark.jars.ivySettings": "/x y/ivy.xml"}
OURS = ["--conf", "spark.jars.ivySettings=/x y/ivy.xml"]


@pytest.mark.parametrize(
    "theirs",
    [
        ["--packages", "org.c:d:2,org.e:f:3"],
        ["--packages=org.c:d:2,org.e:f:3"],
        ["--packages", "org.c:d:2", "--packages", "org.e:f:3"],
        ["--conf", "spark.jars.packages=org.c:d:2,org.e:f:3"],
        ["--conf=spark.jars.packages=org.c:d:2,org.e:f:3"],
        ["-c", "spark.jars.packages=org.c:d:2,org.e:f:3"],
        ["--packages", "org.c:d:2, com.a:b:1.+,org.e:f:3"],
    ],
)
def test_packages_of_either_spelling_become_one_list(theirs):
    made = spark_command.with_conf(["-v", *theirs, "--master", "yarn", "job.py"], CONF)
    packages = ["--packages", "com.a:b:1.+,org.c:d:2,org.e:f:3"]
    assert made == [*packages, *OURS, "-v", "--master", "yarn", "job.py"]


def test_what_follows_the_application_is_its_own():
    job = ["--driver-memory", "2g", "job.py", "--packages", "not:for:spark", "-v"]
    made = spark_command.with_conf(job, CONF)
    assert made == ["--packages", "com.a:b:1.+", *OURS, *job]


def test_a_value_that_looks_like_an_option_is_a_value():
    options = ["--driver-java-options", "--packages", "job.py", "--packages", "x"]
    made = spark_command.with_conf(options, CONF)
    assert made == ["--packages", "com.a:b:1.+", *OURS, *options]


def test_an_option_without_its_value_is_left_for_spark_to_refuse():
    assert spark_command.with_conf(["--master"], {}) == ["--master"]


def test_two_versions_of_one_module_are_refused():
    with pytest.raises(ConfigurationError, match=r"both com\.a:b:1\.\+ and com\.a:b:2\.0\.0"):
        spark_command.with_conf(["--packages", "com.a:b:2.0.0"], CONF)


@pytest.mark.parametrize(
    ("command", "spark"),
    [
        ("pyspark", True),
        ("/opt/spark/bin/spark-submit", True),
        ("./spark-sql", True),
        ("spark3-shell", True),
        ("pyspark.cmd", True),
        ("python", False),
        ("my-pyspark", False),
        ("spark-submit-all", False),
    ],
)
def test_commands_of_spark_are_known_by_their_names(command, spark):
    assert spark_command.is_spark(command) is spark


@given(st.lists(st.text(min_size=1).filter(lambda text: not text.startswith("-"))))
def test_what_the_shell_reads_is_what_was_meant(values):
    conf = {f"spark.k{at}": value for at, value in enumerate(values)}
    expected = [part for name, value in conf.items() for part in ("--conf", f"{name}={value}")]
    assert shlex.split(spark_command.flags(conf)) == expected


def test_another_command_is_left_alone_and_told_by_the_environment():
    environ = {"PYSPARK_SUBMIT_ARGS": "--master 'local[2]' --packages org.c:d:2 pyspark-shell"}
    started = prepared(["python", "job.py", "--packages", "x"], CONF, {"SECRET": "s"}, environ)
    assert started.arguments == ("python", "job.py", "--packages", "x")
    assert shlex.split(started.environment["PYSPARK_SUBMIT_ARGS"]) == [
        "--packages",
        "com.a:b:1.+,org.c:d:2",
        *OURS,
        "--master",
        "local[2]",
        "pyspark-shell",
    ]
    assert started.environment["SECRET"] == "s"
    assert environ.keys() == {"PYSPARK_SUBMIT_ARGS"}


def test_without_anything_in_it_the_variable_names_the_shell():
    started = prepared(["python"], {"spark.a": "b"}, {}, {})
    assert started.environment["PYSPARK_SUBMIT_ARGS"] == "--conf spark.a=b pyspark-shell"


def test_a_variable_that_no_shell_reads_is_refused():
    with pytest.raises(ConfigurationError, match="PYSPARK_SUBMIT_ARGS"):
        prepared(["python"], CONF, {}, {"PYSPARK_SUBMIT_ARGS": "--conf 'a"})


def test_settings_of_the_command_itself_win_and_are_named():
    theirs = ["--conf", "spark.jars.ivySettings=mine.xml", "job.py"]
    started = prepared(["spark-submit", *theirs], CONF, {}, {})
    assert started.arguments == ("spark-submit", "--packages", "com.a:b:1.+", *theirs)
    assert started.overruled == ("spark.jars.ivySettings",)


def test_the_environment_is_not_shown_where_a_launch_is():
    assert "hunter2" not in repr(prepared(["python"], CONF, {"PASSWORD": "hunter2"}, {}))
