"""What a setting is: a value, where it came from, and whether it may be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

# What can be set of a repository.
PARTS = ("url", "username", "password", "token", "ca_file", "client_cert")
SECRETS = frozenset({"password", "token"})


class Secret:
    """A password or token, which only `reveal` shows.

    >>> Secret("hunter2"), str(Secret("hunter2"))
    (Secret(***), '***')
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __deepcopy__(self, _: object) -> Secret:
        return self  # it never changes

    def __reduce__(self) -> str:
        raise TypeError("A Secret is not written anywhere: pass on what reveal() gives.")


@dataclass(frozen=True)
class Setting(Generic[T]):
    """A value and its source, as a message names it: a file, or an environment variable.

    `own` is false where it came from a file of the working folder, which somebody else may
    have written, and nothing of the user's own says the same. `file` is the file that holds the
    value itself, if one does.
    """

    value: T
    source: str
    own: bool = True
    file: Path | None = None


@dataclass(frozen=True)
class RepositorySettings:
    """One repository: where it is and who we are there.

    `problem`, where there is one, says why it must not be used as it is configured.
    """

    id: str
    url: Setting[str]
    username: Setting[str] | None = None
    password: Setting[Secret] | None = None
    token: Setting[Secret] | None = None
    ca_file: Setting[str] | None = None
    client_cert: Setting[str] | None = None
    problem: str = ""

    @property
    def is_folder(self) -> bool:
        return urlsplit(self.url.value).scheme == "file"


def environment_name(repository_id: str, part: str) -> str:
    """The environment variable for one part of a repository's settings.

    >>> environment_name("ml-releases", "password")
    'GAVIAL_REPOSITORIES_ML_RELEASES_PASSWORD'
    """
    return f"GAVIAL_REPOSITORIES_{environment_key(repository_id)}_{part.upper()}"


def environment_key(repository_id: str) -> str:
    """An id as it stands in the name of an environment variable."""
    return re.sub(r"[^A-Z0-9]", "_", repository_id.upper())


def origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port of a URL: who gets what is sent there. `None` without a host.

    >>> origin("https://Nexus.acme.com/repository/models/")
    ('https', 'nexus.acme.com', 443)
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
