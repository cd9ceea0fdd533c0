"""Lays sources over each other, and decides which credentials may go to which URL.

A URL from a file of the working folder gets credentials from that same file only, or for a
server that the user's own configuration names: a cloned project must not be able to send a
password to its author.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gavial.errors import ConfigurationError
from gavial.maven.locations import is_location
from gavial.maven.setting_values import (
    SECRETS,
    RepositorySettings,
    Setting,
    environment_name,
    origin,
)
from gavial.maven.settings_sources import Layer
from gavial.maven.settings_xml import MavenSettings


@dataclass(frozen=True)
class Merger:
    """The layers, the first one wins, and how to get at Maven's settings when they matter."""

    layers: Sequence[Layer]
    maven: Callable[[], MavenSettings]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for layer in self.layers for name in layer.repositories))

    def sources(self, repository_id: str) -> str:
        """What there is of a repository, as a message names it."""
        parts = self._parts(repository_id)
        return ", ".join(f"{part} ({setting.source})" for part, setting in parts.items())

    def repository(self, repository_id: str) -> RepositorySettings | None:
        """The settings of one repository; `None` where nothing says its URL."""
        parts = self._parts(repository_id)
        if "url" not in parts:
            return None
        found = RepositorySettings(
            repository_id,
            parts["url"],
            username=parts.get("username"),
            password=parts.get("password"),
            token=parts.get("token"),
            ca_file=parts.get("ca_file"),
            client_cert=parts.get("client_cert"),
        )
        return self.completed(found)

    def completed(self, found: RepositorySettings) -> RepositorySettings:
        """With the credentials of Maven's settings, and the problem that they make, if any."""
        if found.is_folder:
            return found
        try:
            found = self._with_server(found)
        except ConfigurationError as error:
            return replace(found, problem=str(error))
        return replace(found, problem=_incomplete(found) or self._unsafe(found))

    def _parts(self, repository_id: str) -> dict[str, Setting[Any]]:
        parts: dict[str, Setting[Any]] = {}
        for layer in self.layers:
            ours = layer.repositories.get(repository_id, {})
            if ours.keys() >= SECRETS:
                raise ConfigurationError(
                    f"Repository {repository_id!r} has both a password ({ours['password'].source}) "
                    f"and a token ({ours['token'].source}): take one out."
                )
            secret = SECRETS & parts.keys()
            for part, setting in ours.items():
                if not (secret and part in SECRETS):
                    parts.setdefault(part, setting)
        if "token" in parts:
            parts.pop("username", None)
        return parts

    def _with_server(self, found: RepositorySettings) -> RepositorySettings:
        if found.password or found.token:
            return found
        server = self.maven().servers.get(found.id)
        if server is None or not server.username:
            return found
        if found.username and found.username.value != server.username:
            return found
        source = f"server {server.id!r} in {self.maven().file}"
        return replace(
            found,
            username=found.username or Setting(server.username, source),
            password=Setting(self.maven().password(server), source, file=self.maven().file),
        )

    def _unsafe(self, found: RepositorySettings) -> str:
        """Why the credentials of a repository must not go to its URL, or nothing."""
        credentials = {
            "username": found.username,
            "password": found.password,
            "token": found.token,
            "client_cert": found.client_cert,
        }
        given = [(part, setting) for part, setting in credentials.items() if setting]
        for part, setting in given:
            if not found.url.own and setting.source != found.url.source and not self._ours(found):
                return (
                    f"The URL of repository {found.id!r}, {found.url.value}, comes from "
                    f"{found.url.source}, and its {part} from {setting.source}: a file of the "
                    "working folder may be somebody else's, and gets no credentials of yours. If "
                    f"you know that server, name it yourself: set "
                    f"{environment_name(found.id, 'url')}, or the URL in "
                    "~/.config/gavial/config.toml."
                )
            authority = found.ca_file
            if authority and not authority.own and setting.source != authority.source:
                return (
                    f"The ca_file of repository {found.id!r} comes from {authority.source}, and "
                    f"its {part} from {setting.source}: a file of the working folder may be "
                    "somebody else's, and does not decide whom your credentials are shown to. "
                    f"Set {environment_name(found.id, 'ca_file')}."
                )
        return ""

    def _ours(self, found: RepositorySettings) -> bool:
        """Whether the user's own configuration names the server of that URL."""
        urls = [
            parts["url"].value
            for layer in self.layers
            for parts in layer.repositories.values()
            if "url" in parts and parts["url"].own
        ]
        defaults = (layer.default for layer in self.layers if layer.default)
        urls += [one.value for one in defaults if one.own and is_location(one.value)]
        urls += self.maven().urls
        return origin(found.url.value) in {origin(url) for url in urls}


def _incomplete(found: RepositorySettings) -> str:
    if found.username and not found.password and not found.token:
        return (
            f"Repository {found.id!r} has a username ({found.username.source}) and no password: "
            f"set {environment_name(found.id, 'password')}."
        )
    if found.password and not found.username:
        return (
            f"Repository {found.id!r} has a password ({found.password.source}) and no username: "
            f"set {environment_name(found.id, 'username')}."
        )
    return ""
