"""YARN on a pretend host: a ResourceManager and a NodeManager of Hadoop 3.5, in one process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fetch
import java
from hosts import JVM, Host
from process import running

JARS = fetch.locked(Path(__file__).with_name("yarn.lock"))


@contextmanager
def start(host: Host, folder: Path, file_system: str) -> Iterator[Path]:
    """YARN, whose clients are on the same host; the folder of their configuration."""
    libraries = fetch.jars(JARS)
    classes = java.compiled("Yarn.java", libraries)
    conf, ready = folder / "yarn-conf", folder / "resource-manager.ready"
    host.run("mkdir", "-p", "/tmp/yarn")
    class_path = os.pathsep.join((str(classes), libraries))
    command = host.command(
        *("env", "--chdir=/tmp/yarn"),  # where it makes its `target`
        *(java.command(), *JVM, "-Xmx384m", "-classpath", class_path, "Yarn"),
        *(conf, file_system, ready),
        USER="root",
    )
    with running(command, folder / "resource-manager.log", ready.exists, seconds=180):
        yield conf
