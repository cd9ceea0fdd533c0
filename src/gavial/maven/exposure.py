"""Where the secrets of a repository are seen by others than it."""

from __future__ import annotations

import ipaddress
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from gavial.maven.setting_values import RepositorySettings


def exposures(settings: RepositorySettings) -> tuple[str, ...]:
    """What exposes the password or token of a repository, and what to do about it."""
    if settings.is_folder or not (settings.password or settings.token):
        return ()
    return (*_plain(settings), *_readable(settings))


def _plain(settings: RepositorySettings) -> Iterator[str]:
    parts = urlsplit(settings.url.value)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield (
            f"Repository {settings.id!r} is reached over http://, so everybody on the way to "
            f"{parts.hostname} can read your password. Use https://."
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _readable(settings: RepositorySettings) -> Iterator[str]:
    for setting in (settings.password, settings.token):
        file = setting.file if setting else None
        if file is not None and others_read(file):
            yield f"{file} holds a password, and other users can read it: chmod 600 {file}"


def others_read(file: Path) -> bool:
    """Whether other users of this machine may read a file."""
    if os.name != "posix":
        return False
    try:
        return bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False
