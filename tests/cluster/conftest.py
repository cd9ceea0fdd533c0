"""One cluster for the run: a master, two workers, a driver, a store, YARN, each its own host.

`make test-cluster`, or `pytest tests/cluster` as root. Each job is one driver process that does
many steps and reports them; the tests read the reports.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

import gavial
from gavial.registry import spark_conf

sys.path.extend(str(Path(__file__).parents[1] / folder) for folder in ("clusters", "servers"))
import hdfs
import s3
import standalone
import yarn
from hosts import JVM, Host, NoHosts, check, until, up

JOBS = Path(__file__).with_name("jobs")
SOURCE = Path(__file__).parents[2] / "src"
SAVED = Path(__file__).parents[1] / "fixtures" / "saved_models" / "spark-4.3" / "churn"
_CONF = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
    "spark.cores.max": "2",  # one on each worker, so that two jobs run at once
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.network.timeout": "60s",
    "spark.driver.extraJavaOptions": " ".join(JVM),
    "spark.executor.extraJavaOptions": " ".join(JVM),
}


@dataclass(frozen=True)
class Cluster:
    """What runs, and the folder that all hosts share."""

    hosts: dict[str, Host]
    shared: Path
    logs: Path
    conf: dict[str, str]

    def submit(self, job: str, **conf: str) -> subprocess.Popen[bytes]:
        """Start a job on the driver's host. Its log is in `logs`."""
        driver = standalone.on_spark(self.hosts["driver"])
        settings = {**self.conf, **{name.replace("_", "."): conf[name] for name in conf}}
        return self.start(driver, job, settings, PYTHONPATH=str(SOURCE))

    def start(
        self, host: Host, job: str, conf: Mapping[str, str], **environment: str
    ) -> subprocess.Popen[bytes]:
        """Start a job on a host, with these settings alone."""
        flags = [f"--conf={name}={value}" for name, value in conf.items()]
        command = host.command(
            *(f"{host.variables['SPARK_HOME']}/bin/spark-submit", *flags),
            *(JOBS / f"{job}.py", self.shared),
            **environment,
        )
        with (self.logs / f"{job}.log").open("wb") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def report(self, job: str, process: subprocess.Popen[bytes]) -> dict:
        """Wait for a job's end, and give what it reported."""
        process.wait(timeout=600)
        log = (self.logs / f"{job}.log").read_text(errors="replace")
        assert process.returncode == 0, log[-8000:]
        return json.loads((self.shared / f"{job}.json").read_text())

    def told(self, name: str) -> bool:
        return (self.shared / "told" / name).exists()

    def tell(self, name: str) -> None:
        (self.shared / "told" / name).touch()


@pytest.fixture(scope="session")
def cluster_folder(tmp_path_factory):
    """A folder for the hosts, where there can be any: skipped elsewhere, and an error on CI."""
    try:
        check()
    except NoHosts as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="session")
def cluster(cluster_folder):
    folder = cluster_folder
    with ExitStack() as stack:
        hosts = stack.enter_context(up(folder, ("master", "w1", "w2", "driver", "store", "yarn")))
        uri = stack.enter_context(hdfs.start(hosts["store"], folder))
        storage = stack.enter_context(s3.start(hosts["store"], folder))
        workers = [hosts["w1"], hosts["w2"]]
        master = stack.enter_context(standalone.start(hosts["master"], workers, folder))
        until(lambda: standalone.alive(hosts["master"]) == {"w1", "w2"}, "two workers are alive")
        shared = folder / "shared"
        (shared / "told").mkdir()
        gavial.deploy(SAVED, "com.acme:churn:1.0", repository=shared / "models")
        conf = {**_CONF, **storage, "spark.master": master}
        cluster = Cluster(hosts, shared, folder, conf)
        assert uri == "hdfs://store:9000"
        yield cluster


@pytest.fixture(scope="session")
def crashed(cluster):
    """A job that was killed, JVM and all, while it saved one model and had another loaded."""
    process = cluster.submit("dies", spark_hadoop_fs_defaultFS="hdfs://store:9000")
    try:
        until(
            lambda: process.poll() is not None or cluster.told("saving-w1"),
            "the job saves",
            seconds=240,
        )
        assert process.poll() is None, (cluster.logs / "dies.log").read_text()[-8000:]
    finally:
        _kill(process)
    for mark in (cluster.shared / "told").iterdir():
        mark.unlink()


@pytest.fixture(scope="session")
def reports(cluster, crashed):
    """The reports of two jobs that ran at once, after the crash, until a worker's host died."""
    started = time.monotonic()
    first = cluster.submit("default_file_system", spark_hadoop_fs_defaultFS="hdfs://store:9000")
    second = cluster.submit("folders")
    try:
        until(
            lambda: (
                second.poll() is not None
                or (cluster.told("saving-w1") and cluster.told("saving-w2"))
            ),
            "both workers save",
            seconds=600,
        )
        reports = {"default_file_system": cluster.report("default_file_system", first)}
        cluster.hosts["w2"].kill()
        cluster.tell("go-on")
        reports["folders"] = cluster.report("folders", second)
    finally:
        _kill(first)
        _kill(second)
    for name, report in reports.items():
        print(f"{name}: {report['seconds']}")
    print(f"both: {time.monotonic() - started:.0f} s")
    return reports


@pytest.fixture(scope="session")
def by_default(reports):
    """The report of the job whose default file system was HDFS."""
    return reports["default_file_system"]


@pytest.fixture(scope="session")
def folders(reports):
    """The report of the job whose default file system was each host's own."""
    return reports["folders"]


@pytest.fixture(scope="session")
def here(cluster):
    """The report of the job with `local-cluster`."""
    master = "local-cluster[2,1,1024]"
    process = cluster.submit("local_cluster", spark_master=master)
    try:
        return cluster.report("local_cluster", process)
    finally:
        _kill(process)


@pytest.fixture(scope="session")
def on_yarn(cluster):
    """The report of a job in YARN's cluster mode, without Gavial but for what Ivy brings."""
    host = standalone.on_spark(cluster.hosts["yarn"])
    spark = host.variables["SPARK_HOME"]
    planned = spark_conf.plan(["com.acme:churn:latest.release"], cluster.shared / "models").conf
    settings = shutil.copy(planned["spark.jars.ivySettings"], cluster.logs)  # for all hosts to see
    conf = {
        **planned,
        "spark.jars.ivySettings": str(settings),
        "spark.master": "yarn",
        "spark.submit.deployMode": "cluster",
        "spark.jars.ivy": "/tmp/ivy",
        "spark.yarn.jars": f"local:{spark}/jars/*",
        "spark.driver.memory": "512m",
        "spark.executor.memory": "512m",
        "spark.executor.instances": "1",
        "spark.ui.enabled": "false",
        "spark.gavial.tests.shared": str(cluster.shared),
    }
    with yarn.start(host, cluster.logs, "hdfs://store:9000") as configured:
        process = cluster.start(host, "on_yarn", conf, HADOOP_CONF_DIR=str(configured))
        try:
            return cluster.report("on_yarn", process)
        finally:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a job with everything that it started on the driver's host."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
