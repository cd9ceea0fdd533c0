"""A deploy that is killed, at every step of the protocol, in a folder and over HTTP."""

from __future__ import annotations

import pytest
from crashes import kill_at_every_step

from gavial.registry import spark_conf


def latest(where, ivy):
    """What Ivy takes for the newest release."""

    def look(module):
        settings, environment = spark_conf.ivysettings(where, ["com.acme"])
        return ivy(settings, module, **environment)[0]

    return look


# Before a step is after the one before it, but for the first: a few show that it is so.
MOMENTS = pytest.mark.parametrize(("when", "stride"), [("before", 5), ("after", 1)])


@MOMENTS
def test_a_kill_at_any_step_in_a_folder_leaves_whole_releases_and_the_next_deploy_works(
    tmp_path, when, stride, ivy
):
    models = tmp_path / "models"
    kill_at_every_step(models, when, latest(models, ivy) if when == "after" else None, stride)


@pytest.mark.usefixtures("server")
@MOMENTS
def test_a_kill_at_any_step_over_http_leaves_whole_releases_and_the_next_deploy_works(
    when, stride, ivy
):
    kill_at_every_step("models", when, latest("models", ivy) if when == "after" else None, stride)
