"""The example that all tests of reports look at."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
import watched_example


@pytest.fixture(scope="session")
def watched():
    """Two versions of a model, the first of which degrades."""
    return watched_example.watched()


@pytest.fixture(scope="session")
def compared():
    """A challenger that is better."""
    return watched_example.compared()
