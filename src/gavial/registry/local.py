"""This user's own folders: the cache of releases and the state of deploys under way."""

from __future__ import annotations

import getpass
import os
import secrets
import stat
import tempfile
from pathlib import Path

from gavial.errors import ConfigurationError


def cache_folder() -> Path:
    """Where releases are kept: `$XDG_CACHE_HOME/gavial`, usually `~/.cache/gavial`.

    Source: https://specifications.freedesktop.org/basedir-spec/latest/
    """
    return _folder("XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """Where deploys under way are noted: `$XDG_STATE_HOME/gavial`."""
    return _folder("XDG_STATE_HOME", ".local/state")


def user_name() -> str:
    """Who runs this process, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def write_whole(place: Path, data: bytes) -> None:
    """Write a file that other processes may read: it appears whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(data)
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)


def first_bytes(place: Path, most: int, what: str) -> bytes:
    """The bytes of a file that somebody named; of a larger one a byte more than `most`.

    Args:
        what: it is, for messages: `The rules 'churn.toml'`.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        with place.open("rb") as opened:
            return opened.read(most + 1)
    except OSError as error:
        raise ConfigurationError(f"{what} cannot be read: {error.strerror or error}.") from error


def _folder(variable: str, below_home: str) -> Path:
    configured = os.environ.get(variable, "")
    home = Path(configured) if configured.startswith("/") else Path("~").expanduser() / below_home
    folder = home / "gavial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return _private_folder() / below_home.strip(".").replace("/", "-")


def _private_folder() -> Path:
    """A folder that is ours alone, for a service account without a home that it can write.

    What lies in it is loaded, so nobody else may have made it.
    """
    folder = Path(tempfile.gettempdir()) / f"gavial-{user_name()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    found = folder.lstat()
    ours = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    if ours and stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o022:
        return folder
    return Path(tempfile.mkdtemp(prefix="gavial-"))
