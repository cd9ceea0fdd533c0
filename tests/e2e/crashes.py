"""Deploys that are killed at each step of the protocol, and what is seen then."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import gavial
from gavial.maven import layout

HERE = Path(__file__).parent
SAVED = HERE.parent / "fixtures" / "saved_models" / "spark-4.3" / "churn"


def deploy(repository, when="after", step=0, **environment):
    return subprocess.run(
        [
            sys.executable,
            str(HERE / "dying_deploy.py"),
            str(SAVED),
            "com.acme:churn:1.0",
            str(repository),
            when,
            str(step),
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def visible(repository):
    """The versions that clients see, each checked to be whole."""
    versions = repository.versions("com.acme:churn")
    for version in versions:
        repository.release(f"com.acme:churn:{version}").verify()
    return list(map(str, versions))


def kill_at_every_step(where, when, latest_by_ivy=None, stride=1):
    """Each step's kill, followed by a look as a reader, a deploy, and another look.

    `latest_by_ivy`, where given, tells the name of the jar that Ivy takes. `stride` leaves steps
    out.
    """
    repository = gavial.repository(where)
    first = deploy(where)
    assert first.returncode == 0, first.stderr
    released = visible(repository)
    kinds = set()
    for step in itertools.count(1, stride):
        killed = deploy(where, when, step)
        if killed.returncode == 0:  # it has no more steps than that
            break
        assert killed.returncode == -9, killed.stderr
        kinds.add(killed.stdout.strip())
        there = visible(repository)
        assert there[: len(released)] == released
        if latest_by_ivy and killed.stdout.startswith(("Write", "MakeFolder")):
            jars = [f"churn-{version}.jar" for version in (released[-1], there[-1])]
            assert latest_by_ivy() in jars
        after = deploy(where)
        assert after.returncode == 0, f"{killed.stdout}{after.stderr}"
        # It finished what the dead one had released, or released: one more, either way.
        before, released = released, visible(repository)
        assert len(released) == len(before) + 1, killed.stdout
        assert set(there) <= set(released)
        latest = repository.release("com.acme:churn").coordinate
        assert str(latest.version) not in before
        assert f"released {latest} " in after.stdout
        data = repository.store.read(layout.metadata_path(latest.module))
        assert data.count(b"<version>") == len(released)
    if stride == 1:
        names = {kind.split()[0] for kind in kinds}
        assert {"Pack", "Write", "WriteMetadata", "Read", "Exists"} <= names
        for ends in ("-metadata.xml", ".jar", "-card.json.md5", ".pom", ".pom.sha1", ".pom.md5"):
            assert [kind for kind in kinds if kind.endswith(ends)], ends
    assert step > 15 // stride
