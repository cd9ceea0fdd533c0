"""What is decided of a Spark Connect server from what it says of itself; no server is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gavial.errors import ConfigurationError
from gavial.spark.connect import check_versions, started_with
from gavial.spark.connect_files import Server, folder_to_save, folder_to_send

LAPTOP = Server("", "local[4]", "file:///", "ann", False)
CLUSTER = Server("", "yarn", "hdfs://nn:8020", "ann", False)
ON_DISKS = Server("", "spark://m:7077", "file:///", "ann", False)
BUCKET = replace(CLUSTER, file_system="s3a://models")


@pytest.mark.parametrize(
    ("server", "folder"),
    [
        (CLUSTER, "/user/ann/.gavial-staging"),
        (BUCKET, "/user/ann/.gavial-staging"),
        (replace(LAPTOP, takes_local=True), "/tmp/gavial-staging-ann"),
        (replace(CLUSTER, configured="/tmp/g/"), "/tmp/g"),
        (replace(CLUSTER, configured="hdfs:///tmp/g"), "/tmp/g"),
        (replace(CLUSTER, configured="hdfs://nn:8020/tmp/g"), "/tmp/g"),
        (replace(ON_DISKS, configured="file:/mnt/g", takes_local=True), "/mnt/g"),
        (replace(ON_DISKS, configured="/mnt/g", takes_local=True), "/mnt/g"),
        (replace(CLUSTER, configured="hdfs://nn:8020"), "/"),
    ],
)
def test_models_are_sent_to_a_path_of_the_default_file_system(server: Server, folder: str) -> None:
    assert folder_to_send(server) == folder


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (LAPTOP, r"copyFromLocalToFs\.allowDestLocal=true"),
        (replace(LAPTOP, configured="/mnt/g"), r"copyFromLocalToFs\.allowDestLocal=true"),
        (ON_DISKS, "fs.defaultFS"),
        (replace(ON_DISKS, takes_local=True), "in pieces"),
        (replace(CLUSTER, configured="s3a://models/g"), "'hdfs://nn:8020'"),
        (replace(CLUSTER, configured="hdfs://other:8020/g"), "'hdfs://nn:8020'"),
        (replace(CLUSTER, configured="file:/mnt/g"), "'hdfs://nn:8020'"),
    ],
)
def test_a_server_that_takes_no_files_there_is_refused_with_what_to_set(
    server: Server, why: str
) -> None:
    with pytest.raises(ConfigurationError, match=why):
        folder_to_send(server)


@pytest.mark.parametrize(
    ("server", "folder"),
    [
        (LAPTOP, "/tmp/gavial-staging-ann"),
        (CLUSTER, "/user/ann/.gavial-staging"),
        (replace(CLUSTER, configured="s3a://models/g/"), "s3a://models/g"),
    ],
)
def test_a_server_saves_wherever_all_its_hosts_reach(server: Server, folder: str) -> None:
    assert folder_to_save(server) == folder


def test_a_server_on_several_hosts_saves_to_no_disk_of_its_own() -> None:
    with pytest.raises(ConfigurationError, match=r"spark\.gavial\.stagingDir"):
        folder_to_save(ON_DISKS)


@pytest.mark.parametrize(
    ("packages", "jars", "coordinates"),
    [
        (["com.acme:churn:1.0.3"], [], ["com.acme:churn:1.0.3"]),
        (
            ["com.acme:churn:latest.release"],
            ["spark://h:1/jars/com.acme_churn-1.0.3.jar"],
            ["com.acme:churn:1.0.3"],
        ),
        (["a_b:c_d:1.+"], ["/ivy/jars/a_b_c_d-1.2.10.jar"], ["a_b:c_d:1.2.10"]),
        (
            ["com.acme:churn:1.+"],
            ["/ivy/com.acme_churn-tree-1.0.3.jar"],
            ["None", "com.acme:churn-tree:1.0.3"],
        ),
        (
            ["com.acme:churn-champion:latest.release"],
            ["/ivy/com.acme_churn-1.0.3.jar"],
            ["None", "com.acme:churn:1.0.3"],
        ),
        (["com.acme:churn:latest.release"], [], ["None"]),
        ([], ["local:///opt/app.jar", "com.acme_churn-1.1.0-rc1.jar"], []),
    ],
)
def test_what_a_server_was_started_with_is_named_as_far_as_its_jars_tell(
    packages: list[str], jars: list[str], coordinates: list[str]
) -> None:
    assert [str(one.coordinate) for one in started_with(packages, jars)] == coordinates


@pytest.mark.parametrize(
    ("client", "server"), [("3.5.9", "4.3.0"), ("4.2.0", "3.5.9"), ("3.5.9", "3.5.9")]
)
def test_a_side_older_than_spark_ml_over_connect_is_named(client: str, server: str) -> None:
    with pytest.raises(ConfigurationError, match=r"since 4\.0.* 3\.5\.9"):
        check_versions(client, server)


@pytest.mark.parametrize(("client", "server"), [("4.2.0", "4.3.0"), ("4.3.0", "4.0.1")])
def test_sides_of_other_versions_may_try(client: str, server: str) -> None:
    check_versions(client, server)
