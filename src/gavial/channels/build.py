"""From settings to channels that are ready to deliver."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from gavial.channels.channel import Channel, Meter
from gavial.channels.message import Event
from gavial.errors import ConfigurationError
from gavial.maven import settings_monitor as settings
from gavial.maven.exposure import is_loopback, others_read
from gavial.maven.settings_monitor import ChannelSettings

_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def built(found: ChannelSettings, environ: Mapping[str, str]) -> Channel | Meter:
    """The channel that settings describe. Nothing is asked of the other side yet.

    Args:
        environ: the environment, which may hold its secrets.

    Raises:
        ConfigurationError: it must not be used, a variable is missing, or a library is.
    """
    if found.problem:
        raise ConfigurationError(found.problem)
    make = _MAKERS[found.kind]
    return make(_Values(found, environ))


def exposures(found: ChannelSettings) -> tuple[str, ...]:
    """What shows the secrets of a channel to others, and what to do about it."""
    secret = {"url", "token", "password", "headers"} & found.values.keys()
    if secret and found.file is not None and others_read(found.file):
        which = ", ".join(sorted(secret))
        return (
            f"{found.file} holds the {which} of channel {found.name!r}, and other users can read "
            f"it: chmod 600 {found.file}",
        )
    return ()


class _Values:
    """The values of a channel, with what the environment holds of them."""

    def __init__(self, found: ChannelSettings, environ: Mapping[str, str]) -> None:
        self._found, self._environ = found, environ
        self.name = found.name

    def get(self, key: str, usual: Any = None) -> Any:
        return self._found.values.get(key, usual)

    def secret(self, key: str) -> str:
        """The secret of a key, or what the variable holds that `…_env` names; "" where neither is.

        Raises:
            ConfigurationError: there is no such variable.
        """
        said = self.get(key)
        if said is not None:
            return str(said.reveal())
        variable = self.get(f"{key}_env")
        if variable is None:
            return ""
        value = self._environ.get(variable, "").strip()
        if not value:
            raise ConfigurationError(
                f"{key}_env of channel {self.name!r} names the environment variable {variable}, "
                f"which is not set (from: {self._found.source})."
            )
        return value

    @property
    def url(self) -> str:
        """Where to post.

        Raises:
            ConfigurationError: it is no URL, or would send a secret without encryption.
        """
        url = self.secret("url")
        _check_url(url, "the URL", self.name)
        return url

    @property
    def ca_file(self) -> str | None:
        file = self.get("ca_file")
        return None if file is None else str(file)

    @property
    def events(self) -> frozenset[Event] | None:
        said = self.get("on")
        return None if said is None else frozenset(map(Event, said))


def _check_url(url: str, what: str, name: str) -> None:
    """Refuse what is no URL, without a word of it: it may be a secret."""
    try:
        parts = urlsplit(url)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_one = urlsplit(""), False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_one:
        raise ConfigurationError(
            f"Channel {name!r}: {what} is none that begins with https:// or http://."
        )
    if "@" in parts.netloc or re.search(r"\s|[\x00-\x1f]", url):
        raise ConfigurationError(
            f"Channel {name!r}: {what} holds a user, a password or a space: take it out, and set "
            "username and password, or token."
        )


def _webhook(found: _Values) -> Channel:
    from gavial.channels.post import Post
    from gavial.channels.webhook import Webhook

    credentials: tuple[str, str] | str | None = None
    if token := found.secret("token"):
        credentials = token
    elif found.get("username"):
        credentials = (found.get("username"), found.secret("password"))
    url = found.url
    if credentials and _is_open(url):
        raise ConfigurationError(
            f"Channel {found.name!r} would send its password or token over http://, where "
            "everybody on the way reads it. Use https://."
        )
    return Webhook(found.name, Post(url, credentials, found.ca_file), found.events)


def _chat(found: _Values) -> Channel:
    from gavial.channels.chat import Chat
    from gavial.channels.post import Post

    post = Post(found.url, None, found.ca_file)
    return Chat(found.name, post, found.get("format", "slack"), found.events)


def _email(found: _Values) -> Channel:
    from gavial.channels.mail import Mail, Server

    security = found.get("security", "starttls")
    password = found.secret("password")
    host = found.get("host")
    if password and security == "none" and not is_loopback(host):
        raise ConfigurationError(
            f"Channel {found.name!r} would send its password in the clear: set security to "
            "'starttls' or 'tls'."
        )
    server = Server(
        host,
        int(found.get("port", _PORTS[security])),
        security,
        found.get("username", ""),
        password,
        found.ca_file,
    )
    return Mail(found.name, server, found.get("from"), found.get("to"), found.events)


def _command(found: _Values) -> Channel:
    from gavial.channels.command import SECONDS, Command

    seconds = float(found.get("timeout", SECONDS))
    return Command(found.name, found.get("command"), seconds, found.events)


def _prometheus(found: _Values) -> Meter:
    from gavial.channels.prometheus import Prometheus

    return Prometheus(found.name, found.get("folder"))


def _otel(found: _Values) -> Meter:
    from gavial.channels.otel import Otel

    endpoint = found.get("endpoint", "")
    if endpoint:
        _check_url(endpoint, "endpoint", found.name)
    headers = _headers(found.secret("headers"), found.name)
    if headers and _is_open(endpoint):
        raise ConfigurationError(
            f"Channel {found.name!r} would send its headers over http://, where everybody on the "
            "way reads them. Use https://."
        )
    return Otel(found.name, endpoint, headers, found.ca_file)


def _headers(text: str, name: str) -> dict[str, str]:
    """`name=value,…`, percent-encoded, as `OTEL_EXPORTER_OTLP_HEADERS` has it."""
    from urllib.parse import unquote

    found = {}
    for one in filter(None, map(str.strip, text.split(","))):
        key, equals, value = one.partition("=")
        if not equals or not key.strip():
            raise ConfigurationError(
                f"Channel {name!r}: its headers are not of the form name=value,name=value."
            )
        found[unquote(key.strip())] = unquote(value.strip())
    return found


def _is_open(url: str) -> bool:
    """Whether everybody on the way reads what is sent there."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


_MAKERS: Mapping[str, Callable[[_Values], Channel | Meter]] = {
    settings.WEBHOOK: _webhook,
    settings.CHAT: _chat,
    settings.EMAIL: _email,
    settings.COMMAND: _command,
    settings.PROMETHEUS: _prometheus,
    settings.OTEL: _otel,
}
