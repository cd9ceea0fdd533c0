"""Which commit a model was made from, where git can tell."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_SECONDS = 5


@dataclass(frozen=True)
class Commit:
    """A commit; `dirty` where files differed from it. `remote` has no credentials in it."""

    id: str
    dirty: bool
    remote: str


def describe(folder: Path) -> Commit | None:
    """The commit that `folder` is at, or `None` where it is in no git repository."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    remote = _git(folder, "remote", "get-url", "origin") or ""
    return Commit(commit, bool(changed), without_credentials(remote))


def without_credentials(remote: str) -> str:
    """A remote's URL without user and password.

    >>> without_credentials("https://me:secret@git.example.com/team/churn.git")
    'https://git.example.com/team/churn.git'
    """
    parts = urlsplit(remote)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            # No prompts, and no monitor, which is a program that the project's own .git configures.
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
