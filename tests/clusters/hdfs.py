"""HDFS on a pretend host: a NameNode and a DataNode of Hadoop 3.5, in one process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fetch
import java
from hosts import JVM, Host
from process import running

JARS = fetch.locked(Path(__file__).with_name("hdfs.lock"))
PORT = 9000


@contextmanager
def start(host: Host, folder: Path) -> Iterator[str]:
    """HDFS whose files are in that host's `/tmp`; its URI."""
    libraries = fetch.jars(JARS)
    classes = java.compiled("Hdfs.java", libraries)
    ready = folder / "hdfs.ready"
    class_path = os.pathsep.join((str(classes), libraries))
    command = host.command(
        *(java.command(), *JVM, "-Xmx256m", "-classpath", class_path, "Hdfs"),
        *(host.name, str(PORT), "/tmp/hdfs", ready),
    )
    with running(command, folder / "hdfs.log", ready.exists, seconds=120):
        yield f"hdfs://{host.name}:{PORT}"
