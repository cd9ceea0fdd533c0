"""What a person writes to say where a repository is: a URL or a folder. Pure but for `~`."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

from gavial.errors import ConfigurationError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?=/)|file:")


def is_location(text: str) -> bool:
    """Whether `text` is a URL or a path, rather than the id of a repository.

    >>> [is_location(text) for text in ("models", "./models", "~/models", "https://a.b/c")]
    [False, True, True, True]
    """
    return bool(_SCHEME.match(text)) or text[:1] in (".", "~") or "/" in text or "\\" in text


def as_url(text: str, folder: Path) -> str:
    """The URL of a location, ending in a slash; a path is meant from `folder`.

    Raises:
        ConfigurationError: it is of another scheme, has no host, holds credentials, or more
            than a path. What may be secret in it is not shown.
    """
    scheme = _SCHEME.match(text)
    if scheme is None:
        return (folder / expanded(text)).absolute().as_uri().rstrip("/") + "/"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:  # whose text may hold a part of a password
        raise ConfigurationError(
            "A repository's URL is malformed: expected one such as "
            "https://nexus.acme.com/repository/models/."
        ) from None
    safe = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    if parts.scheme == "file":
        return as_path(safe).as_uri().rstrip("/") + "/"
    if "@" in text:
        where = parts.hostname if "@" in parts.netloc and "@" not in parts.path else "a repository"
        raise ConfigurationError(
            f"The URL of {where} holds a user or a password, which would end up in logs: take it "
            "out, and set username and password beside it."
        )
    if parts.scheme not in ("http", "https"):
        raise ConfigurationError(
            f"{safe!r} is no URL of a repository: expected http://, https://, file: or a folder."
        )
    if parts.query or parts.fragment or not parts.hostname:
        what = "has no host" if not parts.hostname else "goes on after '?' or '#'"
        raise ConfigurationError(
            f"{safe!r} {what}: expected a URL such as https://nexus.acme.com/repository/models/."
        )
    netloc = parts.netloc.lower().removesuffix(":80" if parts.scheme == "http" else ":443")
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/") + "/", "", ""))


def check_no_password(uri: str) -> None:
    """Whether a URI may be shown and logged.

    Raises:
        ConfigurationError: it holds a password.

    >>> check_no_password("abfss://states@acme.dfs.core.windows.net/churn")
    """
    user, at, host = uri.partition("://")[2].partition("/")[0].rpartition("@")
    if at and ":" in user:
        raise ConfigurationError(
            f"The URI of a folder at {host!r} holds a password, which would end up in logs: take "
            "it out, and give it to the file system by its own settings, such as "
            "AWS_SECRET_ACCESS_KEY."
        )


def expanded(text: str) -> Path:
    """A path with its `~` replaced.

    Raises:
        ConfigurationError: there is no such user, or no system could have such a path.
    """
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigurationError(f"{text!r} names the home of a user who is not there.") from error
    if "\0" in text:
        raise ConfigurationError(f"{text!r} is no path: it has a NUL.")
    return path


def as_path(url: str) -> Path:
    """The folder that a `file:` URL means.

    Raises:
        ConfigurationError: it names another host, or no absolute path.
    """
    parts = urlsplit(url)
    path = Path(url2pathname(parts.path))
    if parts.netloc not in ("", "localhost") or not path.is_absolute() or "\0" in str(path):
        raise ConfigurationError(
            f"{url!r} is no folder of this machine: expected file:///path/to/folder."
        )
    return path
