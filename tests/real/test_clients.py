"""Real clients bring what we release: Apache Ivy, coursier and Maven, from every kind of place.

Spark's own Ivy is in tests/e2e. The first run downloads the clients, about 80 MB.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import clients
import pytest
from maven_server import NEXUS, MavenServer
from real_server import DEPLOYER

import gavial
from gavial.registry import runtime

SAVED = Path(__file__).parents[1] / "fixtures" / "saved_models" / "spark-4.3" / "churn"
CHURN = "com.acme:churn"
BUILDS = 11  # the last is 1.0.10, which a client that compares text takes for older than 1.0.9
# What interrupted deploys left, above the newest of a line and above all.
CLAIMED, HALF = ("1.0.11", "2.0.1"), ("1.0.12", "2.0.2")

# What is asked for, and what it means: the newest, a line's newest build, the highest of a range.
DYNAMIC = {
    "1.0.3": "1.0.3",
    "latest.release": "2.0.0",
    "1.0.+": "1.0.10",
    "[1.0,2.0)": "1.1.0",
}
GET = {"1.0.3": "1.0.3", "RELEASE": "2.0.0", "[1.0,2.0)": "1.1.0"}
PROJECT = {**GET, "LATEST": "2.0.0", "[1.0,1.1)": "1.0.10"}
CASES = {"ivy": DYNAMIC, "coursier": DYNAMIC, "maven-3.9.12": GET, "maven-3.8.9": GET}
MAVENS = [name for name in CASES if name.startswith("maven")]
PLACES = ("folder", "http", "password")


def where(client):
    """Where a client is tried. The older Maven: where it is hardest."""
    return PLACES[-1:] if client == "maven-3.8.9" else PLACES


def everywhere(names):
    """Each client, with each place where it is tried."""
    tried = [(place, client) for place in PLACES for client in names if place in where(client)]
    return pytest.mark.parametrize(("place", "client"), tried, indirect=["place"])


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A folder of releases; above the newest of a line lie a claim and a half release."""
    folder = tmp_path_factory.mktemp("released") / "models with spaces"
    for _ in range(BUILDS):
        gavial.deploy(SAVED, f"{CHURN}:1.0", repository=folder)
    for line in ("1.1", "2.0"):
        gavial.deploy(SAVED, f"{CHURN}:{line}", repository=folder)
    for version in CLAIMED:
        _leave(folder, version, lambda name: name.endswith("-metadata.xml"))
    for version in HALF:
        _leave(folder, version, lambda name: ".pom" not in name)
    return folder


def _leave(folder, version, wanted):
    """Leave what an interrupted deploy does: files of a release, not in the metadata."""
    module = folder / "com" / "acme" / "churn"
    (module / version).mkdir()
    for file in (module / "1.0.10").iterdir():
        if wanted(file.name):
            shutil.copy(file, module / version / file.name.replace("1.0.10", version))


@pytest.fixture(scope="module")
def place(request, released):
    """The same releases in a folder, from a server that lists, and from one with a password."""
    username, password = DEPLOYER
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "folder":
            patch.setenv("GAVIAL_REPOSITORIES_MODELS_URL", released.as_uri() + "/")
            yield clients.Place(released.as_uri() + "/")
        elif request.param == "http":
            with MavenServer(released, listing=True) as server:
                patch.setenv("GAVIAL_REPOSITORIES_MODELS_URL", server.url)
                yield clients.Place(server.url)
        else:
            with MavenServer(released, username=username, password=password) as server:
                patch.setenv("GAVIAL_REPOSITORIES_MODELS_URL", server.url)
                patch.setenv("GAVIAL_REPOSITORIES_MODELS_USERNAME", username)
                patch.setenv("GAVIAL_REPOSITORIES_MODELS_PASSWORD", password)
                yield clients.Place(server.url, NEXUS, username, password)


@pytest.fixture(scope="module")
def mavens(tmp_path_factory):
    return {
        f"maven-{version}": clients.Maven(version, tmp_path_factory.mktemp(version))
        for version in clients.MAVEN
    }


@pytest.fixture
def bring(mavens, place, tmp_path):
    """`bring(client, version)`: the jars that a client brings from that place."""

    def run(name, version, of=place):
        ask = {"ivy": clients.ivy, "coursier": clients.coursier}.get(name) or mavens[name].get
        return ask(of, CHURN, version, tmp_path)

    return run


def jars(released, version):
    """What has to come: the model's jar and the runtime's, with our bytes."""
    files = (
        released / "com" / "acme" / "churn" / version / f"churn-{version}.jar",
        *released.glob(f"io/gavial/gavial/{runtime.library().version}/*.jar"),
    )
    assert len(files) == 2
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.parametrize(
    ("place", "client", "version"),
    [
        (place, client, version)
        for client, cases in CASES.items()
        for place in where(client)
        for version in cases
    ],
    indirect=["place"],
)
def test_a_client_brings_the_release_that_it_is_asked_for_and_its_runtime(
    bring, released, client, version
):
    assert bring(client, version) == jars(released, CASES[client][version])


@everywhere(MAVENS)
def test_a_project_that_depends_on_a_release_gets_it_and_its_runtime(
    mavens, place, released, client, tmp_path
):
    brought = mavens[client].pom(place, CHURN, PROJECT, tmp_path)
    assert brought == {version: jars(released, wanted) for version, wanted in PROJECT.items()}


@everywhere(CASES)
def test_an_abandoned_claim_is_no_release_even_to_a_client_that_names_it(bring, client):
    with pytest.raises(clients.NotResolved):
        bring(client, CLAIMED[0])


@everywhere(["ivy", "coursier"])
def test_a_half_release_is_no_release_even_to_a_client_that_names_it(bring, client):
    with pytest.raises(clients.NotResolved):
        bring(client, HALF[0])


# It takes a POM for something that may be missing, and nothing in a repository can tell it.
@pytest.mark.parametrize("place", ["http"], indirect=True)
def test_maven_takes_the_jar_of_a_half_release_that_is_named_but_no_runtime(bring, place):
    assert list(bring("maven-3.9.12", HALF[0])) == [f"churn-{HALF[0]}.jar"]


@pytest.mark.parametrize("place", ["password"], indirect=True)
@pytest.mark.parametrize("client", CASES)
def test_a_wrong_password_brings_nothing_and_is_shown_nowhere(bring, place, client, tmp_path):
    wrong = replace(place, password="wr0ng & wr0ng")
    with pytest.raises(clients.NotResolved) as refused:
        bring(client, "1.0.3", wrong)
    assert wrong.password not in str(refused.value)
    assert not list(tmp_path.rglob("churn*.jar"))
