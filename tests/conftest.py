"""No test sees this machine's own configuration, cache or credentials."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says nothing of the code on a machine that others use too.
settings.register_profile("gavial", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gavial")


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """A home folder of the tests' own, and no settings in the environment."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        for name in list(os.environ):
            if name.startswith(("GAVIAL_", "XDG_")) or name == "PYSPARK_SUBMIT_ARGS":
                patch.delenv(name)
        yield folder
