"""Kafka: one broker that is its own controller (KRaft), in one JVM, on the loopback interface."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import fetch
import java
from process import NotStarted, free_port, running

# kafka_2.13 4.4.0 and what it needs, as Maven resolves it.
BROKER = fetch.locked(Path(__file__).with_name("kafka.lock"))
# Spark's source and sink, without what Spark has itself.
SOURCE = fetch.locked(Path(__file__).with_name("kafka_source.lock"))


def source_jars() -> tuple[str, ...]:
    """The jars with which Spark reads and writes Kafka."""
    return tuple(str(fetch.fetched(one)) for one in SOURCE)


@contextmanager
def start(folder: Path, partitions: int = 2) -> Iterator[str]:
    """A broker with its data in `folder`, an empty one; topics are made when they are used.

    Yields:
        Its address, `host:port`.
    """
    port, controller = free_port(), free_port()
    settings = folder / "server.properties"
    settings.write_text(_settings(folder / "data", port, controller, partitions))
    command = [java.command(), "-Xmx256m", "-cp", fetch.jars(BROKER)]
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    format_ = ["kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c"]
    done = subprocess.run(
        [*command, *format_, str(settings)],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
    )
    if done.returncode != 0:
        raise NotStarted(f"Its storage cannot be formatted:\n{done.stdout[-4000:]}")
    with running(
        [*command, "kafka.Kafka", str(settings)],
        folder / "log",
        _listens(port),
        seconds=120,
        cwd=folder,
        environment={name: "" for name in os.environ if name.startswith("KAFKA_")},
    ):
        yield f"127.0.0.1:{port}"


def _listens(port: int) -> Callable[[], bool]:
    def ready() -> bool:
        with socket.socket() as some:
            return some.connect_ex(("127.0.0.1", port)) == 0

    return ready


def _settings(data: Path, port: int, controller: int, partitions: int) -> str:
    values = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": data,
        "num.partitions": partitions,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "auto.create.topics.enable": "true",
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())
