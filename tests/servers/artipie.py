"""Artipie: its Maven repository on its HTTP server, started by a main class of ours.

It hides every file until its own `maven-metadata.xml` is there, and overwrites: a claim
protects nothing. It has one user, and anybody may not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fetch
import java
from process import answers, free_port, running
from real_server import DEPLOYER, RealServer

# maven-adapter 0.9.12, vertx-server 1.0.0 and what they need, as Maven resolves it, less what
# no request comes to.
JARS = fetch.locked(Path(__file__).with_name("artipie.lock"))
REALM = "artipie"


@contextmanager
def start(folder: Path) -> Iterator[RealServer]:
    """Artipie over `folder`."""
    libraries = fetch.jars(JARS)
    classes = java.compiled("ArtipieMaven.java", libraries)
    storage = folder / "storage"
    storage.mkdir()
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    command = [
        *(java.command(), "-Xmx256m", f"-Dvertx.cacheDirBase={folder / 'vertx'}"),
        *("-classpath", os.pathsep.join((str(classes), libraries))),
        *("ArtipieMaven", str(port), str(storage), DEPLOYER[0]),
    ]
    with running(
        command,
        folder / "log",
        answers(url, 200, 401, 404),
        seconds=90,
        environment={"ARTIPIE_PASSWORD": DEPLOYER[1]},
    ):
        yield RealServer(
            "artipie",
            url,
            "",
            f'Basic realm="{REALM}"',
            anonymous_reads=False,
            reader=DEPLOYER,
        )
