"""Releases that somebody signed, and the means to tamper with them. Nothing here needs Java."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import gavial
from gavial.registry import keys

sys.path.extend(str(Path(__file__).parents[1] / folder) for folder in ("signing", "servers"))
from tampered import SAVED, Version


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """A folder with the keys of Alice, who may sign, and of Mallory, who may not."""
    folder = tmp_path_factory.mktemp("people")
    for name in ("alice", "mallory"):
        keys.generate(folder / f"{name}.pem")
    return folder


@pytest.fixture(scope="session")
def signed(tmp_path_factory, people):
    """A repository with 1.0.0 and 1.0.1 by Alice, 1.0.2 by Mallory, and 1.0.3 by nobody."""
    folder = tmp_path_factory.mktemp("signed")
    for signer in ("alice", "alice", "mallory", None):
        key = people / f"{signer}.pem" if signer else None
        gavial.deploy(SAVED, "com.acme:churn:1.0", folder, sign=key, metrics={"auc": 0.9})
    return folder


@pytest.fixture
def repository(tmp_path, signed):
    """A copy of that repository, to tamper with."""
    folder = tmp_path / "repository"
    shutil.copytree(signed, folder)
    for file in folder.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)
    return folder


@pytest.fixture
def policy(tmp_path, people, monkeypatch):
    """Writes the user's own trust policy: where nothing else is said, Alice signs for com.acme."""

    def write(text=None):
        shutil.copy(people / "alice.pub", tmp_path / "alice.pub")
        file = tmp_path / "trust.toml"
        file.write_text(text or '[[trust]]\ngroups = ["com.acme"]\nkeys = ["alice.pub"]\n')
        monkeypatch.setenv("GAVIAL_TRUST", str(file))
        return file

    return write


@pytest.fixture
def version(repository):
    return lambda number: Version(repository, number)


@pytest.fixture
def released(repository):
    """The release of a version, as a reader finds it."""
    return lambda number: gavial.repository(repository).release(f"com.acme:churn:{number}")
