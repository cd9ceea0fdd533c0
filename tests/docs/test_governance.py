"""The governance guide from its first command to its last, in one folder, as it is printed.

```toml title="policy.toml"   becomes a file of that name
```bash                       runs; every command of it must do what it says
```bash {.fails}              runs; its command must be refused
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from blocks import ROOT, blocks_of

PAGE = ROOT / "docs" / "how-to" / "governance.md"
SAVED = ROOT / "tests" / "fixtures" / "saved_models" / "spark-4.3" / "churn"
SHELL = 'set -e; gavial() { "$PYTHON" -m gavial "$@"; }\n'


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the guide's blocks printed, each with its code and what it ended with."""
    folder = tmp_path_factory.mktemp("governance")
    shutil.copytree(SAVED, folder / "saved" / "churn")
    signing = ""  # what one block exports holds for the next, as in one terminal
    found = []
    for block in blocks_of(PAGE.read_text("utf-8")):
        if 'title="' in block.options and block.language == "toml":
            name = block.options.partition('title="')[2].partition('"')[0]
            (folder / name).write_text(block.code, "utf-8")
        elif block.language == "bash":
            done = subprocess.run(
                ("bash", "-c", SHELL + signing + block.code),
                cwd=folder,
                env={**os.environ, "HOME": str(folder / "home"), "PYTHON": sys.executable},
                capture_output=True,
                text=True,
                check=False,
            )
            signing += "".join(
                f"{line}\n" for line in block.code.splitlines() if line.startswith("export ")
            )
            found.append((block, done))
    return folder, found


def test_each_command_of_the_guide_does_what_it_says(said):
    _, found = said
    assert len(found) > 8
    for block, done in found:
        where = f"{PAGE.name}:{block.line}\n{done.stdout}\n{done.stderr}"
        assert (done.returncode != 0) == ("fails" in block.options), where


def test_refusals_are_for_the_reasons_that_the_guide_gives(said):
    _, found = said
    unapproved, worse = (done.stderr for block, done in found if "fails" in block.options)
    assert "approvals: 1 approvals are asked for, and 0 count" in unapproved
    assert "auc is 0.71; asked for is >= 0.8" in worse


def test_the_audit_finds_who_released_approved_and_promoted(said):
    folder, found = said
    (audit,) = (done.stdout for block, done in found if "gavial lookup -" in block.code)
    for text in (
        "retention@acme.com",
        "reviewed with risk",
        "promoted, staging to releases",
        "refused, staging to releases",
        "the first in service",
        "for ann@acme.com",
        "s3://lake/customers",
    ):
        assert text in audit
    assert "What scored this?" in Path(folder / "audit.html").read_text("utf-8")
