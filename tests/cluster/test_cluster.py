"""Deploy and resolve on several hosts: what each job reported of its steps.

See conftest.py for the hosts and the order, and jobs/ for the steps.
"""

from __future__ import annotations

import os
import zipfile

import fetch
import hdfs
import java
import pytest

import gavial

SETTING = "spark.gavial.stagingDir"


def went_well(trip, module, rows=80):
    assert trip.get("message") is None, trip["message"]
    value = trip["value"]
    assert value["released"].startswith(f"{module}:1.0.")
    return value["marks"] == [value["released"]] and value["rows"] == rows


def listed(cluster, uri):
    """The files below a URI, as Hadoop's own shell lists them."""
    conf = cluster.logs / "conf"
    conf.mkdir(exist_ok=True)
    (conf / "core-site.xml").write_text("<configuration/>")
    class_path = os.pathsep.join((str(conf), fetch.jars(hdfs.JARS)))
    command = (java.command(), "-classpath", class_path, "org.apache.hadoop.fs.FsShell")
    return cluster.hosts["store"].run(*command, "-ls", "-R", uri)


def test_through_a_default_file_system_that_all_hosts_reach(by_default):
    assert went_well(by_default["unset"], "com.acme:by-hdfs")


def test_through_hdfs_where_the_setting_names_it(by_default):
    assert went_well(by_default["set"], "com.acme:by-hdfs")


def test_through_s3(folders):
    assert went_well(folders["s3"], "com.acme:by-s3")


def one_writer_each(pins):
    assert pins.get("message") is None, pins["message"]
    return list(pins["value"].values()) == [[True]] * 5


def test_of_several_that_pin_a_batch_on_hdfs_one_does(by_default):
    assert one_writer_each(by_default["pins"])


def test_of_several_that_pin_a_batch_on_s3_one_does(folders):
    assert one_writer_each(folders["s3 pins"])


def test_through_a_folder_that_all_hosts_mount(folders):
    assert went_well(folders["mounted"], "com.acme:by-folder")


def test_executors_as_processes_of_the_driver_s_host(here):
    assert here["master"] == "local-cluster[2,1,1024]"
    assert went_well(here["trip"], "com.acme:here")


def test_in_cluster_mode_of_yarn_what_packages_brought_is_found(on_yarn):
    assert on_yarn["mode"] == "cluster"
    assert "io.gavial_gavial-" in on_yarn["gavial"]
    assert on_yarn["available"] == ["com.acme:churn:1.0.0"]
    assert on_yarn["marks"] == ["com.acme:churn:1.0.0"]


def test_in_cluster_mode_of_yarn_a_release_of_a_repository_goes_through_the_default_file_system(
    on_yarn,
):
    assert on_yarn["repository"] == "com.acme:churn:1.0.0"


def test_without_a_shared_folder_no_spark_job_runs(folders):
    assert folders["jobs without staging"] == 0


@pytest.mark.parametrize("verb", ["deploy", "resolve"])
@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("without staging", "each host's own"),
        ("not shared", "2 do not see what the driver wrote there"),
        ("read-only", "read-only/staging' cannot be used"),
        ("gone", "hdfs://store:9001/tmp/staging' cannot be used"),
        ("full", "No space left on device"),
    ],
)
def test_a_folder_that_is_no_good_is_an_error_that_names_the_setting(folders, case, verb, says):
    found = folders[case][verb]
    assert found["error"] == "ConfigurationError"
    assert says in found["message"]
    assert SETTING in found["message"]


@pytest.mark.parametrize("case", ["without staging", "not shared", "read-only", "gone", "full"])
def test_a_folder_that_is_no_good_leaves_the_repository_as_it_was(folders, case):
    assert folders[case]["released"] == []


def test_a_folder_that_fills_up_while_saving_is_blamed_and_left_empty(folders):
    assert folders["too small"]["error"] == "ConfigurationError"
    assert SETTING in folders["too small"]["message"]
    assert folders["too small, released"] == []
    assert folders["too small, left"] == []


def test_an_unshared_folder_leaves_nothing_on_the_workers(cluster, folders):
    assert folders["not shared"]["deploy"]["error"] == "ConfigurationError"
    assert cluster.hosts["w1"].run("bash", "-c", "ls -A /tmp/private 2>/dev/null || true") == ""


def test_a_folder_that_was_removed_is_made_and_tried_again(folders):
    assert folders["made again"]["value"] == "com.acme:by-folder:1.0.1"


def test_two_jobs_that_deploy_one_model_at_once_get_two_builds(by_default, folders):
    twins = {by_default["twin"]["value"], folders["twin"]["value"]}
    assert twins == {"com.acme:twin:1.0.0", "com.acme:twin:1.0.1"}


def test_what_a_killed_job_left_is_there_until_the_next_run(by_default):
    # The model that it had loaded, and the one that it saved.
    assert len(by_default["left by the crash"]) == 2


def test_the_next_run_sweeps_what_a_killed_job_left(by_default):
    left = set(by_default["left by the crash"])
    assert left.isdisjoint(by_default["left after a deploy"])


def test_nothing_of_the_killed_job_was_released(cluster, reports):
    assert not (cluster.shared / "models" / "com" / "acme" / "dead").exists()


def test_after_the_jobs_their_staging_folders_are_empty(cluster, by_default):
    for folder in ("/user/root/.gavial-staging", "/tmp/staging"):
        assert listed(cluster, f"hdfs://store:9000{folder}") == ""


def test_a_host_that_dies_while_saving_does_not_harm_the_release(cluster, folders):
    assert folders["killed"].get("message") is None, folders["killed"]["message"]
    release = gavial.repository(cluster.shared / "models").release(folders["killed"]["value"])
    names = "\n".join(name for name in _members(release, cluster))
    for part in range(4):
        assert f"data/part-0000{part}" in names


def test_a_release_that_outlived_a_host_is_resolved_on_the_other(folders):
    assert folders["after the kill"]["value"] == 3


@pytest.mark.parametrize("verb", ["deploy", "resolve"])
@pytest.mark.parametrize("when", ["after stop", "after its end"])
def test_a_session_that_was_stopped_is_an_error_that_says_so(by_default, verb, when):
    found = by_default[f"{verb} {when}"]
    assert found["error"] == "ConfigurationError"
    assert "session" in found["message"]


def test_every_release_is_whole(cluster, reports, here):
    repository = gavial.repository(cluster.shared / "models")
    modules = {str(module) for module in repository.modules()}
    assert {"com.acme:twin", "com.acme:by-s3", "com.acme:by-hdfs", "com.acme:slow"} <= modules
    for module in modules - {"io.gavial:gavial"}:
        for version in repository.versions(module):
            repository.release(f"{module}:{version}").verify()


def _members(release, cluster):
    folder = cluster.logs / "downloaded"
    (jar,) = (file for file in release.download(folder) if file.suffix == ".jar")
    with zipfile.ZipFile(jar) as opened:
        return opened.namelist()
