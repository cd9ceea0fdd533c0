"""Every real server, one instance for a run, started when a test first asks for it.

`make test-servers`, or `pytest tests/real`. What is missing is fetched once: see
tests/servers/fetch.py.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from gavial.maven.open import open_repository
from gavial.maven.setting_values import RepositorySettings, Secret, Setting

sys.path.extend(str(Path(__file__).parents[1] / folder) for folder in ("real", "servers", "e2e"))
import apache
import artipie
import nexus2
import nexus3
import nginx
from real_server import RealServer
from releases import release


@contextmanager
def _folder(folder):
    """Not a server, but a repository as well."""
    places = [folder / name for name in ("releases", "promoted")]
    for place in places:
        place.mkdir()
    urls = [place.as_uri() + "/" for place in places]
    yield RealServer("folder", *urls, "", anonymous_reads=True)


START = {
    "nexus3": nexus3.start,
    "nexus2": nexus2.start,
    "nginx": nginx.start,
    "apache": apache.start,
    "artipie": artipie.start,
    "folder": _folder,
}


def connected(url, credentials=None):
    """The repository at a URL, as it is opened by whoever has configured it."""
    username, password = credentials or (None, None)
    return open_repository(
        RepositorySettings(
            "models",
            Setting(url, "test"),
            username and Setting(username, "test"),
            password and Setting(Secret(password), "test"),
        )
    )


@pytest.fixture
def connect():
    """Open repositories that close with the test: `connect(url, credentials)`."""
    with ExitStack() as stack:

        def open_(url, credentials=None):
            repository = connected(url, credentials)
            stack.callback(getattr(repository, "close", lambda: None))
            return repository

        yield open_


@pytest.fixture(scope="session")
def server(request, tmp_path_factory):
    """The server of that name: `parametrize("server", [...], indirect=True)`."""
    with START[request.param](tmp_path_factory.mktemp(request.param)) as server:
        yield server


@pytest.fixture
def closed(server, request, tmp_path):
    """A server of the same kind where nobody reads without credentials."""
    if server.set_anonymous is None:
        with START[server.name](tmp_path, anonymous=False) as other:
            yield other
        return
    server.set_anonymous(False)
    try:
        yield server
    finally:
        server.set_anonymous(True)


@pytest.fixture
def repository(server, connect):
    """The server's releases, as who may deploy."""
    return connect(server.url, (server.username, server.password))


@pytest.fixture
def reader(server, connect):
    """The server's releases, as who may read them."""
    return connect(server.url, server.reader)


@pytest.fixture(scope="session")
def released(server):
    """What three deploys to a server released, for tests that change nothing."""
    repository = connected(server.url, (server.username, server.password))
    targets = ("com.acme:released", "com.acme:released:1.0", "com.acme:released:2")
    made = [release(repository, target) for target in targets]
    getattr(repository, "close", lambda: None)()
    return made
