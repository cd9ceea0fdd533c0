"""Every kind of repository that the contract suite runs over."""

from __future__ import annotations

import pytest

from gavial.maven.folder import FolderRepository


@pytest.fixture
def repository(tmp_path):
    return FolderRepository(tmp_path / "repository")
