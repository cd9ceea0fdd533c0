"""One Spark Connect server for the run, and clients of it that have no JVM."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import gavial
from gavial.registry import spark_conf

sys.path.extend(str(Path(__file__).parents[2] / folder) for folder in ("servers", "clusters"))
import connect_client
import connect_server

TESTS = Path(__file__).parents[2]
SAVED = TESTS / "fixtures" / "saved_models" / "spark-4.3" / "churn"
CONNECT_PARTS = Path(__file__).parent / "parts"


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder repository with three builds of a model."""
    folder = tmp_path_factory.mktemp("models")
    for _ in range(3):
        gavial.deploy(SAVED, "com.acme:churn:1.0", repository=folder)
    return folder


@pytest.fixture(scope="session")
def staging(tmp_path_factory):
    """The folder of the Connect server where clients' models lie."""
    return tmp_path_factory.mktemp("staging")


@pytest.fixture(scope="session")
def connect_url(tmp_path_factory, models, staging):
    """A Spark Connect server that was started with `--packages com.acme:churn:latest.release`."""
    folder = tmp_path_factory.mktemp("connect")
    conf = {
        **spark_conf.plan(("com.acme:churn:latest.release",), models).conf,
        "spark.jars.ivy": str(folder / "ivy"),
        "spark.sql.artifact.copyFromLocalToFs.allowDestLocal": "true",
        "spark.gavial.stagingDir": str(staging),
    }
    with connect_server.start(folder, conf) as url:
        yield url


@pytest.fixture(scope="session")
def client(connect_url, models, tmp_path_factory):
    """A client whose configured repository is `models`, with the modules of `parts`."""
    folder = tmp_path_factory.mktemp("client")
    with connect_client.start(
        connect_url, folder, path=(CONNECT_PARTS,), GAVIAL_REPOSITORY=str(models)
    ) as client:
        yield client


@pytest.fixture
def another_client(connect_url, models, tmp_path):
    """A client of a process of its own, with no module but Gavial's."""
    folder = tmp_path / "client"
    with connect_client.start(connect_url, folder, GAVIAL_REPOSITORY=str(models)) as client:
        yield client
