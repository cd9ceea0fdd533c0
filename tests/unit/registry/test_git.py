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


def test_a_clean_checkout_is_its_commit(checkout):
    commit = git.describe(checkout)
    assert len(commit.id) == 40
    assert not commit.dirty


def test_a_changed_file_makes_it_dirty(checkout):
    (checkout / "train.py").write_text("fit(1)")
    assert git.describe(checkout).dirty


def test_the_remote_loses_its_password(checkout):
    assert git.describe(checkout).remote == "https://git.example.com/churn.git"


@pytest.mark.parametrize(
    ("remote", "safe"),
    [
        ("git@git.example.com:team/churn.git", "git@git.example.com:team/churn.git"),
        ("ssh://git@git.example.com/churn.git", "ssh://git.example.com/churn.git"),
        ("/srv/churn.git", "/srv/churn.git"),
        ("", ""),
    ],
)
def test_other_forms_of_a_remote_stay_readable(remote, safe):
    assert git.without_credentials(remote) == safe


def test_outside_a_repository_there_is_none(tmp_path):
    assert git.describe(tmp_path) is None
