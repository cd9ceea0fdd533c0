"""Which commit a model was made from, where git can tell."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 5
# Settings that name programs, or let a look at a file's content call one; `core.bare` is there
# in every repository, so that an empty answer means that git was not understood.
_PROGRAMS = r"^(filter\..*|extensions\.partialclone|remote\..*\.promisor|core\.(worktree|bare))$"


@dataclass(frozen=True)
class Commit:
    """A commit. `remote` has no credentials in it.

    `dirty` says whether tracked files differ from it; `None` where that was not asked.
    """

    id: str
    remote: str
    dirty: bool | None = None


def describe(folder: Path) -> Commit | None:
    """The commit that `folder` is at, or `None` where it is in no git repository."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    remote = _git(folder, "remote", "get-url", "origin") or ""
    return Commit(commit, without_credentials(remote), _dirty(folder))


def without_credentials(remote: str) -> str:
    """A remote's URL without user and password.

    >>> without_credentials("https://me:sec/ret@git.example.com/team/churn.git")
    'https://git.example.com/team/churn.git'
    """
    scheme, separator, rest = remote.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if separator else remote


def place_in(folder: Path, file: Path) -> str:
    """A file's path in the repository that `folder` is in; its name alone where it is elsewhere."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    try:
        return file.resolve().relative_to(Path(top or "/nowhere").resolve()).as_posix()
    except ValueError:
        return file.name


def _dirty(folder: Path) -> bool | None:
    """Whether tracked files differ, asked in a way that runs nothing which the project names.

    `git status` runs filters, and fetches what a partial clone lacks with a program. Both stand
    in the configuration: where that of the project itself has any, the question is left open.
    """
    programs = _git(folder, "config", "--show-scope", "--includes", "--get-regexp", _PROGRAMS)
    lines = [line for line in (programs or "").splitlines() if "\tcore.bare " not in line]
    if programs is None or any(line.startswith(("local", "worktree")) for line in lines):
        return None
    found = _git(
        folder,
        *("-c", f"core.hooksPath={os.devnull}"),
        *("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"),
        "--no-renames",
    )
    return None if found is None else bool(found)


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
