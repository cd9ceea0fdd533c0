"""A standalone Spark cluster on pretend hosts, out of the installed pyspark."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from hosts import JVM, Host
from process import running

MASTER_PORT = 7077
PAGE_PORT = 8080


def on_spark(host: Host) -> Host:
    """The host with what Spark's processes there need in their environment."""
    found = importlib.util.find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    return replace(
        host,
        variables={
            "SPARK_HOME": str(Path(found.origin).parent),
            "SPARK_LOCAL_IP": host.name,
            "SPARK_LOCAL_HOSTNAME": host.name,
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": " ".join(JVM),
            "PYSPARK_PYTHON": sys.executable,
        },
    )


@contextmanager
def start(master: Host, workers: Sequence[Host], folder: Path) -> Iterator[str]:
    """A master and its workers, each of four cores and 4 GB at most; the URL of the master."""
    url = f"spark://{master.name}:{MASTER_PORT}"
    with ExitStack() as stack:
        _daemon(
            stack,
            on_spark(master),
            folder,
            lambda: master.listens(MASTER_PORT),
            "org.apache.spark.deploy.master.Master",
            *("--host", master.name, "--port", str(MASTER_PORT), "--webui-port", str(PAGE_PORT)),
        )
        for worker in workers:
            _daemon(
                stack,
                on_spark(worker),
                folder,
                lambda worker=worker: worker.listens(MASTER_PORT + 1),
                "org.apache.spark.deploy.worker.Worker",
                *("--host", worker.name, "--port", str(MASTER_PORT + 1)),
                *("--cores", "4", "--memory", "4g", "--work-dir", "/tmp/work", url),
            )
        yield url


def alive(master: Host) -> set[str]:
    """The names of the workers that the master counts as alive."""
    page = master.run(
        sys.executable,
        "-c",
        "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())",
        f"http://{master.name}:{PAGE_PORT}/json/",
    )
    return {one["host"] for one in json.loads(page)["workers"] if one["state"] == "ALIVE"}


def _daemon(stack: ExitStack, host: Host, folder: Path, ready, kind: str, *arguments: str) -> None:
    spark = host.variables["SPARK_HOME"]
    command = host.command(f"{spark}/bin/spark-class", kind, *arguments)
    stack.enter_context(running(command, folder / f"spark-{host.name}.log", ready, seconds=120))
