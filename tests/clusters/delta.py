"""Delta Lake, and the newest Spark that it runs on.

Its newest release, 4.4.0, is made for Spark 4.2. On 4.3 it fails at the second commit: a
constructor that it calls (`LogicalRDD`) has other arguments there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import fetch

JARS = fetch.locked(Path(__file__).with_name("delta.lock"))
_LOCK = Path(__file__).parents[2] / "requirements" / "spark-4.2.txt"
# As they are when this is imported: tests see a home of their own, without pip's settings.
_ENVIRONMENT = dict(os.environ)


def jars() -> tuple[str, ...]:
    """The jars with which Spark reads and writes Delta tables, without what Spark has itself."""
    return tuple(str(fetch.fetched(one)) for one in JARS)


def python() -> Path:
    """The interpreter of an environment with pyspark 4.2, made where it is not there yet."""
    digest = hashlib.sha256(_LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = fetch.cache() / f"spark-4.2-{digest}"
    place = folder / "env" / "bin" / "python"
    done = folder / "installed"
    if done.exists():
        return place
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run(
        [str(place), *install, "--require-hashes", "-r", str(_LOCK)],
        check=True,
        env=_ENVIRONMENT,
    )
    done.touch()
    return place
