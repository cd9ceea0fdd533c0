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
    assert git.describe(checkout).dirty is None
    assert not (checkout / "pwned").exists()


def test_a_change_to_a_tracked_file_is_told(checkout):
    (checkout / "notes.txt").write_text("not tracked")
    assert git.describe(checkout).dirty is False
    (checkout / "train.py").write_text("fit(1)")
    assert git.describe(checkout).dirty is True


def test_a_filter_that_another_file_of_the_project_brings_is_not_run(checkout):
    evil = checkout / "evil"
    evil.write_text(f'[filter "x"]\n\tclean = "touch {checkout / "pwned"}; cat"\n')
    subprocess.run(["git", "-C", str(checkout), "config", "include.path", str(evil)], check=True)
    (checkout / ".gitattributes").write_text("* filter=x\n")
    (checkout / "train.py").write_text("fit(1)")
    assert git.describe(checkout).dirty is None
    assert not (checkout / "pwned").exists()


def test_a_hook_of_the_project_is_not_run(checkout):
    hook = checkout / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {checkout / 'pwned'}\n")
    hook.chmod(0o755)
    (checkout / "train.py").touch()
    assert git.describe(checkout).dirty is False
    assert not (checkout / "pwned").exists()


def test_a_file_is_named_by_its_place_in_the_repository_or_by_its_name_alone(checkout, tmp_path):
    (checkout / "jobs").mkdir()
    assert git.place_in(checkout / "jobs", checkout / "jobs" / "fit.py") == "jobs/fit.py"
    assert git.place_in(checkout, tmp_path.parent / "fit.py") == "fit.py"


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
