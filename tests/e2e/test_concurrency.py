"""Many processes that deploy one module at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import gavial
from gavial.maven import layout
from gavial.maven.coordinate import Module

SAVED = Path(__file__).parent.parent / "fixtures" / "saved_models" / "spark-4.3" / "churn"
CHURN = "com.acme:churn"
DEPLOY_MANY = """
import sys, gavial
for _ in range(int(sys.argv[3])):
    print(gavial.deploy(sys.argv[1], "com.acme:churn:1.0", repository=sys.argv[2]).coordinate)
"""


def deploy_from(processes, each, repository, **environment):
    """Each process deploys `each` times; all coordinates that they were told."""
    command = [sys.executable, "-c", DEPLOY_MANY, str(SAVED), str(repository), str(each)]
    running = [
        subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    told = []
    for process in running:
        out, err = process.communicate()
        assert process.returncode == 0, err
        told += out.split()
    return told


def assert_all_there(told, repository, count):
    assert len(set(told)) == len(told) == count
    assert {f"{CHURN}:{version}" for version in repository.versions(CHURN)} == set(told)
    for coordinate in told:
        release = repository.release(coordinate)
        assert str(release.coordinate) == coordinate
        release.verify()


def test_eight_processes_deploy_ten_times_each_into_one_folder(tmp_path):
    told = deploy_from(8, 10, tmp_path)
    assert_all_there(told, gavial.repository(tmp_path), 80)
    metadata = tmp_path / layout.metadata_path(Module.parse(CHURN))
    assert metadata.read_text().count("<version>") == 80


def test_eight_processes_deploy_ten_times_each_over_http(server):
    told = deploy_from(8, 10, "models")
    assert_all_there(told, gavial.repository("models"), 80)
    assert len([put for put in server.requests if put.status == 400]) > 0  # they did collide
