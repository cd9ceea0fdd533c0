"""Limits that a user can raise."""

import os
import subprocess
import sys

import pytest


def limit(**variables):
    return subprocess.run(
        (sys.executable, "-c", "from gavial import limits; print(limits.JAR_ENTRIES)"),
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_variable_raises_a_limit():
    assert limit().stdout == "1000000\n"
    assert limit(GAVIAL_LIMIT_JAR_ENTRIES="5000000").stdout == "5000000\n"


@pytest.mark.parametrize("text", ["", "many", "-1", "1e9"])
def test_a_limit_that_is_no_number_is_refused(text):
    done = limit(GAVIAL_LIMIT_JAR_ENTRIES=text)
    assert done.returncode == 1
    assert "ConfigurationError: GAVIAL_LIMIT_JAR_ENTRIES" in done.stderr
