"""Every kind of repository that the contract suite runs over."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from gavial.maven.folder import FolderRepository
from gavial.maven.http import HttpRepository

sys.path.extend(map(str, (Path(__file__).parent, Path(__file__).parents[1] / "servers")))
from kinds import PASSWORD, SERVERS, USER
from maven_server import MavenServer


def no_sleep(_: float) -> None:
    """A pause in a test with one writer and a server that answers at once."""


@pytest.fixture
def serve(tmp_path):
    """Start servers that end with the test: `serve(**how)`."""
    with ExitStack() as stack:

        def start(**how):
            root = tmp_path / f"served-{len(list(tmp_path.iterdir()))}"
            return stack.enter_context(MavenServer(how.pop("root", root), **how))

        yield start


@pytest.fixture
def connect():
    """Open HTTP repositories that close with the test: `connect(url, **how)`."""
    with ExitStack() as stack:

        def open_(url, **how):
            repository = HttpRepository(url, "models", sleep=no_sleep, **how)
            stack.callback(repository.close)
            return repository

        yield open_


@pytest.fixture(params=["folder", *SERVERS])
def repository(request, tmp_path, serve, connect):
    if request.param == "folder":
        return FolderRepository(tmp_path / "repository")
    server = serve(username=USER, password=PASSWORD, **SERVERS[request.param])
    return connect(server.url, credentials=(USER, PASSWORD))
