"""Races and kills on real servers.

`GAVIAL_STRESS=8x20` sets processes and deploys of each, and kills at every step; without it, few
of both, so that CI ends.
"""

from __future__ import annotations

import os
import re

import pytest
from crashes import kill_at_every_step
from races import assert_all_there, deploy_from

import gavial

STRESS = os.environ.get("GAVIAL_STRESS", "")
PROCESSES, EACH = map(int, STRESS.split("x")) if STRESS else (4, 3)
SERVERS = ["nexus3", "nexus2", "nginx", "apache"]


@pytest.fixture
def models(server, monkeypatch):
    """The server's releases, configured in the environment as `models`."""
    monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_URL", server.url)
    monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_USERNAME", server.username)
    monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_PASSWORD", server.password)
    return gavial.repository("models")


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_processes_that_race_lose_and_double_nothing(models):
    told = deploy_from(PROCESSES, EACH, "models", "com.acme:raced")
    assert_all_there(told, models, PROCESSES * EACH, "com.acme:raced")
    listed = models.store.read("com/acme/raced/maven-metadata.xml")
    assert len(re.findall(rb"<version>", listed)) == len(told)


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_a_kill_leaves_whole_releases_and_the_next_deploy_works(models):
    assert models.id == "models"
    kill_at_every_step("models", "after", stride=1 if STRESS else 7)
