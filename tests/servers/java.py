"""Java for the servers that need it: the command, and our own few classes for them, compiled."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from fetch import cache

SOURCES = Path(__file__).parent / "java_sources"


class NoJava(Exception):
    """A command of the JDK is not there; the message says what to install."""


def command(name: str = "java") -> str:
    """The path of a command of the JDK.

    Raises:
        NoJava: it is not installed.
    """
    home = os.environ.get("JAVA_HOME")
    place = os.pathsep.join(filter(None, (home and f"{home}/bin", os.environ.get("PATH"))))
    found = shutil.which(name, path=place)
    if found is None:
        raise NoJava(f"{name} is not installed: a JDK 17 or newer is needed (openjdk-17-jdk).")
    return found


def compiled(source: str, class_path: str = "") -> Path:
    """The folder of the classes of one of our own sources, compiled once for each text of it."""
    file = SOURCES / source
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    folder = cache() / "classes" / f"{file.stem}-{digest[:16]}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        subprocess.run(
            [
                *(command("javac"), "-nowarn", "-Xlint:-options", "--release", "11"),
                *("-classpath", class_path, "-d", str(made), str(file)),
            ],
            check=True,
            stdin=subprocess.DEVNULL,
        )
        with suppress(OSError):  # another test run was faster
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder
