"""Pages in headless Chromium, as a reader has them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from chromium import Reader, started


@pytest.fixture(scope="session")
def reader():
    """A reader, who has a browser and no network."""
    with started() as browser:
        yield Reader(browser)
