"""Which commit a model was made from."""

import subprocess

import pytest

from gavial.registry import git


@pytest.fixture
def checkout(tmp_path):
    def run(*arguments):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True)

    run("init")
    (tmp_path / "train.py").write_text("fit()")
    run("add", ".")
    run("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "Fit")
    run("remote", "add", "origin", "https://me:secret@git.example.com/churn.git")
    return tmp_path


def test_a_checkout_is_its_commit(checkout):
    assert len(git.describe(checkout).id) == 40


def test_nothing_that_the_project_configured_is_run(checkout):
    evil = f"touch {checkout / 'pwned'}; cat"
    for name, value in (("filter.x.clean", evil), ("core.fsmonitor", evil), ("core.pager", evil)):
        subprocess.run(["git", "-C", str(checkout), "config", name, value], check=True)
    (checkout / ".gitattributes").write_text("* filter=x\n")
    (checkout / "train.py").write_text("fit(1)")
    assert git.describe(checkout)
    assert not (checkout / "pwned").exists()


def test_the_remote_loses_its_password(checkout):
    assert git.describe(checkout).remote == "https://git.example.com/churn.git"


@pytest.mark.parametrize(
    ("remote", "safe"),
    [
        ("git@git.example.com:team/churn.git", "git@git.example.com:team/churn.git"),
        ("ssh://git@git.example.com/churn.git", "ssh://git.example.com/churn.git"),
        ("https://me:sec/ret@git.example.com/churn.git", "https://git.example.com/churn.git"),
        ("https://[x/y", "https://[x/y"),
        ("/srv/churn.git", "/srv/churn.git"),
        ("", ""),
    ],
)
def test_other_forms_of_a_remote_stay_readable(remote, safe):
    assert git.without_credentials(remote) == safe


def test_outside_a_repository_there_is_none(tmp_path):
    assert git.describe(tmp_path) is None
