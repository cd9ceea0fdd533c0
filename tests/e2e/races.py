"""Many processes that deploy one module at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SAVED = Path(__file__).parent.parent / "fixtures" / "saved_models" / "spark-4.3" / "churn"
CHURN = "com.acme:churn"
DEPLOY_MANY = """
import sys, gavial
for _ in range(int(sys.argv[3])):
    print(gavial.deploy(sys.argv[1], f"{sys.argv[4]}:1.0", repository=sys.argv[2]).coordinate)
"""


def deploy_from(processes, each, repository, module=CHURN, **environment):
    """Each process deploys `each` times; all coordinates that they were told."""
    command = [sys.executable, "-c", DEPLOY_MANY, str(SAVED), str(repository), str(each), module]
    running = [
        subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    ended = [(process, *process.communicate()) for process in running]
    for process, _, err in ended:
        assert process.returncode == 0, err
    return [coordinate for _, out, _ in ended for coordinate in out.split()]


def assert_all_there(told, repository, count, module=CHURN):
    assert len(set(told)) == len(told) == count
    assert {f"{module}:{version}" for version in repository.versions(module)} == set(told)
    for coordinate in told:
        release = repository.release(coordinate)
        assert str(release.coordinate) == coordinate
        release.verify()
