"""Many processes that deploy one module at once."""

from __future__ import annotations

from races import CHURN, assert_all_there, deploy_from

import gavial
from gavial.maven import layout
from gavial.maven.coordinate import Module


def test_eight_processes_deploy_ten_times_each_into_one_folder(tmp_path):
    told = deploy_from(8, 10, tmp_path)
    assert_all_there(told, gavial.repository(tmp_path), 80)
    metadata = tmp_path / layout.metadata_path(Module.parse(CHURN))
    assert metadata.read_text().count("<version>") == 80


def test_eight_processes_deploy_ten_times_each_over_http(server):
    told = deploy_from(8, 10, "models")
    assert_all_there(told, gavial.repository("models"), 80)
    assert len([put for put in server.requests if put.status == 400]) > 0  # they did collide
