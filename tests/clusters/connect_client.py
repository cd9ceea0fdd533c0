"""A process with `pyspark-client` alone: no pyspark with a JVM, no py4j, no Java.

Its packages are those of requirements/connect.txt, installed once into the tests' cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from fetch import cache

from gavial import errors

ROOT = Path(__file__).parents[2]
_LOCK = ROOT / "requirements" / "connect.txt"
_WORKER = Path(__file__).with_name("connect_worker.py")
# As they are when this is imported: tests see a home of their own, without pip's settings.
_ENVIRONMENT = dict(os.environ)


class Failed(Exception):
    """What a client ran ended with an error that is none of Gavial's."""


def python() -> Path:
    """The interpreter of the environment with `pyspark-client`, made where it is not there yet."""
    digest = hashlib.sha256(_LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = cache() / f"connect-{digest}"
    place = folder / "env" / "bin" / "python"
    done = folder / "installed"
    if done.exists():
        return place
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    subprocess.run(
        [
            *(str(place), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "-r", str(_LOCK)),
        ],
        check=True,
        env=_ENVIRONMENT,
    )
    done.touch()
    return place


class Client:
    """A process with a Connect session, which runs what it is given."""

    def __init__(self, running: subprocess.Popen[str], log: Path) -> None:
        self._running = running
        self._log = log

    def run(self, code: str, **values: object) -> object:
        """Run code there; the value that it gives to `answer`.

        The code sees `spark`, `gavial` and the values, which travel as JSON. What it raises of
        Gavial is raised here.
        """
        assert self._running.stdin is not None
        assert self._running.stdout is not None
        order = {"code": textwrap.dedent(code), "values": values}
        self._running.stdin.write(json.dumps(order) + "\n")
        self._running.stdin.flush()
        line = self._running.stdout.readline()
        if not line:
            raise Failed(f"The client is gone:\n{self._log.read_text()[-4000:]}")
        came = json.loads(line)
        if "error" not in came:
            return came["answer"]
        ours = getattr(errors, came["error"], None)
        raise ours(came["message"]) if ours else Failed(came["trace"])


@contextmanager
def start(
    url: str, folder: Path, *, path: tuple[Path, ...] = (), **environment: str
) -> Iterator[Client]:
    """A client of a server while the context lasts.

    Args:
        url: the server's, `sc://…`.
        folder: where it works, with a home of its own.
        path: folders with further modules.
        environment: variables beside the few that it has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    interpreter = python()
    log = folder / "client.log"
    with log.open("w") as output, tempfile.TemporaryDirectory() as empty:
        running = subprocess.Popen(
            [str(interpreter), str(_WORKER), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=folder,
            text=True,
            env=_variables(folder, empty, path, environment),
        )
        try:
            yield Client(running, log)
        finally:
            assert running.stdin is not None
            with suppress(BrokenPipeError):
                running.stdin.close()
            running.wait(60)
            assert running.stdout is not None
            running.stdout.close()


def _variables(
    folder: Path, empty: str, path: tuple[Path, ...], more: Mapping[str, str]
) -> dict[str, str]:
    return {
        "PATH": empty,  # with no Java on it
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "src", *path))),
        "LANG": "C.UTF-8",
        **more,
    }
