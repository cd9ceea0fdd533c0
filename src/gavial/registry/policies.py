"""The promotion policy that a caller or the configuration names, read."""

from __future__ import annotations

import os
from pathlib import Path

from gavial import limits
from gavial.model.policy import Policy
from gavial.registry import local, places


def named(file: str | os.PathLike[str]) -> Policy:
    """The policy in a file.

    Raises:
        ConfigurationError: it cannot be read, or is none.
    """
    return _read(Path(file).expanduser().absolute(), "policy")


def configured() -> Policy | None:
    """The policy that the configuration names, if any.

    Raises:
        ConfigurationError: it cannot be read, or is none.
    """
    found = places.settings().policy
    return None if found is None else _read(found.value, found.source)


def _read(file: Path, source: str) -> Policy:
    what = f"The promotion policy {str(file)!r} (from: {source})"
    return Policy.parse(local.first_bytes(file, limits.SETTINGS, what), file)
