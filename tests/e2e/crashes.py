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


def deploy(repository, module, when="after", step=0, **environment):
    return subprocess.run(
        [
            sys.executable,
            str(HERE / "dying_deploy.py"),
            str(SAVED),
            f"{module}:1.0",
            str(repository),
            when,
            str(step),
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def visible(repository, module):
    """The versions that clients see, each checked to be whole."""
    versions = repository.versions(module)
    for version in versions:
        repository.release(f"{module}:{version}").verify()
    return list(map(str, versions))


def kill_at_every_step(where, when, latest_by_ivy=None, stride=1):
    """Each step's kill, followed by a look as a reader, a deploy, and another look.

    Each on a module of its own with one release, so that every deploy has as many steps.
    `latest_by_ivy`, where given, tells the name of the jar that Ivy takes. `stride` leaves steps
    out.
    """
    repository = gavial.repository(where)
    kinds = set()
    for step in itertools.count(1, stride):
        module = f"com.acme:churn-{when}-{step}"
        artifact = module.partition(":")[2]
        first = deploy(where, module)
        assert first.returncode == 0, first.stderr
        killed = deploy(where, module, when, step)
        if killed.returncode == 0:  # it has no more steps than that
            break
        assert killed.returncode == -9, killed.stderr
        kinds.add(killed.stdout.strip())
        there = visible(repository, module)
        assert there[0] == "1.0.0"
        if latest_by_ivy and killed.stdout.startswith(("Write", "MakeFolder")):
            assert latest_by_ivy(module) in [f"{artifact}-1.0.0.jar", f"{artifact}-{there[-1]}.jar"]
        after = deploy(where, module)
        assert after.returncode == 0, f"{killed.stdout}{after.stderr}"
        # It finished what the dead one had released, or released: one more, either way.
        released = visible(repository, module)
        assert len(released) == 2, killed.stdout
        assert set(there) <= set(released)
        latest = repository.release(module).coordinate
        assert str(latest.version) == released[1]
        assert f"released {latest} " in after.stdout
        data = repository.store.read(layout.metadata_path(latest.module))
        assert data.count(b"<version>") == 2
    if stride == 1:
        names = {kind.split()[0] for kind in kinds}
        assert {"Pack", "Write", "WriteMetadata", "Read", "Exists"} <= names
        for ends in ("-metadata.xml", ".jar", "-card.json.md5", ".pom", ".pom.sha1", ".pom.md5"):
            assert [kind for kind in kinds if kind.endswith(ends)], ends
    assert step > 15
