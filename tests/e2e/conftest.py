"""Processes of their own, as users start them: with pyspark and nothing else."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.extend(map(str, (Path(__file__).parent, Path(__file__).parents[1] / "servers")))
from maven_server import MavenServer

USER, PASSWORD = "deployer", "p$$ w%rd<&'>"
# What Spark ML imports, and nothing of ours.
PYSPARK = ("pyspark", "py4j", "numpy")


@dataclass(frozen=True)
class Driver:
    """A Python that has pyspark alone, in a home of its own."""

    python: str
    bin: Path
    folder: Path
    environment: dict[str, str]

    def run(self, *command, script=None, stdin=None, **environment):
        """Run a command there and return its standard output; both streams are shown on failure.

        A `script` is written to a file and becomes the last argument.
        """
        if script is not None:
            file = self.folder / "job.py"
            file.write_text(script)
            command = (*command, str(file))
        done = subprocess.run(
            command,
            input=stdin,
            env={**self.environment, **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def submit(self, conf, script, **environment):
        flags = [f"--conf={name}={value}" for name, value in conf.items()]
        return self.run(str(self.bin / "spark-submit"), *flags, script=script, **environment)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A repository behind HTTP and a password, which the environment names as `models`.

    It refuses to overwrite, by a check that is not atomic, as most do.
    """
    with MavenServer(tmp_path / "served", username=USER, password=PASSWORD) as server:
        monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_URL", server.url)
        monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_USERNAME", USER)
        monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_PASSWORD", PASSWORD)
        yield server


@pytest.fixture(scope="session")
def only_pyspark(tmp_path_factory):
    """A folder for PYTHONPATH with links to pyspark and what it needs."""
    folder = tmp_path_factory.mktemp("only-pyspark")
    for name in PYSPARK:
        place = Path(importlib.util.find_spec(name).origin).parent
        (folder / name).symlink_to(place)
        libraries = place.with_name(f"{name}.libs")
        if libraries.is_dir():
            (folder / libraries.name).symlink_to(libraries)
    return folder


@pytest.fixture
def driver(only_pyspark, tmp_path):
    python = getattr(sys, "_base_executable", sys.executable)
    home = tmp_path / "home"
    home.mkdir()
    (home / "spark").mkdir()
    (home / "spark" / "spark-defaults.conf").write_text(
        "spark.master local[2]\nspark.ui.enabled false\nspark.driver.bindAddress 127.0.0.1\n"
    )
    environment = {
        name: os.environ[name] for name in ("PATH", "JAVA_HOME", "LANG") if name in os.environ
    }
    environment |= {
        "HOME": str(home),
        "PYTHONPATH": str(only_pyspark),
        "PYTHONNOUSERSITE": "1",
        "PYSPARK_PYTHON": python,
        "SPARK_CONF_DIR": str(home / "spark"),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    return Driver(python, only_pyspark / "pyspark" / "bin", tmp_path, environment)


@pytest.fixture
def ivy(tmp_path):
    """Ivy itself, as Spark has it: `ivy(settings, module, revision)` gives the jars it brings."""
    import pyspark

    (jar,) = Path(pyspark.__file__).parent.glob("jars/ivy-*.jar")

    def run(settings, module, revision="latest.release", **environment):
        file = tmp_path / "ivysettings.xml"
        file.write_bytes(settings)
        out = tmp_path / "brought"
        shutil.rmtree(out, ignore_errors=True)
        done = subprocess.run(
            [
                "java",
                *("-jar", str(jar), "-settings", str(file), "-cache", str(tmp_path / "cache")),
                *("-dependency", *module.split(":"), revision, "-confs", "default"),
                *("-retrieve", f"{out}/[artifact]-[revision].[ext]"),
            ],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "UNRESOLVED" not in done.stdout, done.stdout
        assert PASSWORD not in done.stdout + done.stderr
        return sorted(path.name for path in out.glob("*.jar"))

    return run
