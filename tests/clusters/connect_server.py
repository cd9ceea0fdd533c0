"""A Spark Connect server of the pyspark that is installed here, on loopback."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import process
import pyspark

# A first start on a loaded machine takes up to a minute.
_SECONDS = 240


@contextmanager
def start(
    folder: Path, conf: Mapping[str, str], *, home: Path | None = None, python: str = sys.executable
) -> Iterator[str]:
    """Run a server while the context lasts; its URL.

    Args:
        folder: where it works, and where its log goes.
        conf: settings over those that every test server has.
        home: the `SPARK_HOME`; else that of the pyspark which is imported here.
        python: what its workers run.
    """
    spark = home or Path(pyspark.__file__).parent
    port = process.free_port()
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": "1g",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        **conf,
    }
    command = [
        str(spark / "bin" / "spark-submit"),
        *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
        *(part for name, value in settings.items() for part in ("--conf", f"{name}={value}")),
        "spark-internal",
    ]
    environment = {
        "SPARK_HOME": str(spark),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_CONNECT_MODE": "0",  # else spark-submit would be a client itself
        "PYSPARK_PYTHON": python,
        "PYTHONPATH": "",
        "HOME": os.environ["HOME"],
    }
    with process.running(
        command,
        folder / "server.log",
        lambda: _listens(port),
        seconds=_SECONDS,
        cwd=folder,
        environment=environment,
    ):
        yield f"sc://127.0.0.1:{port}"


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
