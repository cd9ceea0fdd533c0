"""No test sees this machine's own configuration, cache or credentials."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SPARK = {"docs", "spark"}  # the folders whose tests share one session


def pytest_collection_modifyitems(items):
    """Where tests run in several processes, those of one Spark session stay together, first."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in SPARK:
            item.add_marker(pytest.mark.xdist_group("spark"))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


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
