"""Which commit a model was made from, where git can tell."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 5


@dataclass(frozen=True)
class Commit:
    """A commit. `remote` has no credentials in it."""

    id: str
    remote: str


def describe(folder: Path) -> Commit | None:
    """The commit that `folder` is at, or `None` where it is in no git repository.

    Whether files differ from it is not asked: `git status` runs the filters that a project's own
    `.git/config` names, which are programs.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    remote = _git(folder, "remote", "get-url", "origin") or ""
    return Commit(commit, without_credentials(remote))


def without_credentials(remote: str) -> str:
    """A remote's URL without user and password.

    >>> without_credentials("https://me:sec/ret@git.example.com/team/churn.git")
    'https://git.example.com/team/churn.git'
    """
    scheme, separator, rest = remote.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if separator else remote


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            # No prompts, and no program that the project's own .git configures.
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
