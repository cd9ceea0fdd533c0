"""From what a caller names to an open repository."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from gavial.errors import ConfigurationError
from gavial.maven.exposure import exposures
from gavial.maven.open import open_repository
from gavial.maven.repository import Repository
from gavial.maven.settings import Settings
from gavial.registry.warn import warn


def settings() -> Settings:
    """The configuration as it stands now, the Spark session's settings included."""
    return Settings.load(session_conf=_session_conf())


def open_named(
    what: str | os.PathLike[str] | None,
    *,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
) -> Repository:
    """The repository that an id, a URL or a folder names; `None` is the configured default.

    Raises:
        ConfigurationError: there is no such repository, or its settings contradict each other.
    """
    named = as_text(what)
    found = settings().find(named, username=username, password=password, token=token)
    for problem in exposures(found):
        warn(problem)
    return open_repository(found)


def open_all() -> tuple[Repository, ...]:
    """Every configured repository and the default, each once.

    Raises:
        ConfigurationError: one of them must not be used; the message names it.
    """
    known = settings()
    chosen = {one.url.value: one for one in known.repositories.values()}
    with suppress(ConfigurationError):  # several, and none of them is the default
        default = known.find()
        chosen.setdefault(default.url.value, default)
    for one in chosen.values():
        for problem in exposures(one):
            warn(problem)
    return tuple(map(open_repository, chosen.values()))


def as_text(what: str | os.PathLike[str] | None) -> str | None:
    """What a caller named, as settings read it: a path object is always a folder."""
    return (
        what if what is None or isinstance(what, str) else str(Path(what).expanduser().absolute())
    )


def _session_conf() -> dict[str, str]:
    if "pyspark.sql" not in sys.modules:
        return {}  # and without Spark there is no session to ask
    from gavial.spark import session

    return session.gavial_conf()
