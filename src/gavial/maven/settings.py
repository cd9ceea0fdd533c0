"""Which repositories there are and who we are there: every source, the first one wins.

explicit argument → environment → Spark session → gavial.toml or pyproject.toml
→ application.conf → the user's config.toml; credentials also from Maven's settings.xml
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from gavial.errors import ConfigurationError
from gavial.maven import settings_sources as sources
from gavial.maven.locations import as_url, is_location
from gavial.maven.setting_values import (
    RepositorySettings,
    Secret,
    Setting,
    environment_key,
    environment_name,
)
from gavial.maven.settings_merge import Merger
from gavial.maven.settings_monitor import MonitorSettings
from gavial.maven.settings_monitor import merged as merged_monitor
from gavial.maven.settings_signing import Signing, TrustRule, merged
from gavial.maven.settings_xml import MavenSettings

__all__ = ["RepositorySettings", "Secret", "Setting", "Settings", "environment_name"]

LOCAL = "local"  # the id of the folder that serves where nothing is configured
CENTRAL = "https://repo1.maven.org/maven2/"
_ARGUMENT = "argument"
_BUILT_IN = "built in"


@dataclass(frozen=True)
class Settings:
    """The repositories by id, and the one that is meant where none is named.

    `default` is an id or a URL, with its source; `None` where nothing says so. `trust` has the
    rules of every source: none of them takes away what another asks for. `policy` is the file of
    the promotion policy, `monitor` who is told of verdicts.
    """

    repositories: Mapping[str, RepositorySettings]
    default: Setting[str] | None
    folder: Path
    without_url: Mapping[str, str] = field(default_factory=dict)
    _merger: Merger | None = None
    signing: Signing = field(default_factory=Signing)
    trust: tuple[TrustRule, ...] = ()
    policy: Setting[Path] | None = None
    monitor: MonitorSettings = field(default_factory=MonitorSettings)

    @classmethod
    def load(
        cls,
        *,
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
        home: Path | None = None,
        session_conf: Mapping[str, str] | None = None,
    ) -> Settings:
        """Read every source.

        Args:
            environ: the environment; the process's own where not given.
            folder: the working folder.
            home: the user's folder.
            session_conf: settings of the Spark session, `spark.gavial.…`.

        Raises:
            ConfigurationError: a source cannot be read, holds an unknown key or contradicts
                itself; the message names it, and the line where there is one.
        """
        environ = os.environ if environ is None else environ
        folder = _working_folder() if folder is None else folder.absolute()
        home = _home() if home is None else home
        layers = _with_ids(
            sources.from_environment(environ, folder),
            sources.from_session(session_conf or {}, folder),
            sources.from_working_folder(folder),
            sources.from_hocon(environ, folder),
            sources.from_user_file(environ, home),
            _built_in(home),
        )
        merger = Merger(layers, cache(partial(MavenSettings.load, home, environ)))
        found = {name: merger.repository(name) for name in merger.ids}
        return cls(
            {name: one for name, one in found.items() if one is not None},
            next((layer.default for layer in layers if layer.default), None),
            folder,
            {name: merger.sources(name) for name, one in found.items() if one is None},
            merger,
            merged(layer.signing for layer in layers),
            tuple(rule for layer in layers for rule in layer.trust),
            next((layer.policy for layer in layers if layer.policy), None),
            merged_monitor(layer.monitor for layer in layers),
        )

    def find(
        self,
        what: str | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
    ) -> RepositorySettings:
        """The repository that an id, a URL or a folder names; `None` is the default.

        A URL or folder that is configured under an id is that repository.

        Raises:
            ConfigurationError: there is none of that id, its settings contradict each other, or
                one file of the working folder would decide who gets a password of the user's.
        """
        found = self._default() if what is None else self._named(what, _ARGUMENT)
        given = _with_credentials(found, username, password, token)
        # A caller who writes the URL as well has said who gets them; one who names an id has not.
        by_url = what is not None and is_location(what)
        if given is not found and not by_url and self._merger is not None:
            given = self._merger.completed(given)
        found = given
        if found.problem:
            raise ConfigurationError(found.problem)
        return found

    def central(self) -> RepositorySettings:
        """Maven Central, or the mirror that the user's settings.xml puts in its place."""
        central = RepositorySettings("central", Setting(CENTRAL, _BUILT_IN))
        if self._merger is None:
            return central
        maven = self._merger.maven()
        mirror = next((mirror for mirror in maven.mirrors if mirror.covers("central")), None)
        if mirror is None:
            return central
        url = Setting(as_url(mirror.url, self.folder), str(maven.file))
        return self._merger.completed(RepositorySettings(mirror.id, url))

    def _default(self) -> RepositorySettings:
        if self.default is not None:
            return self._named(self.default.value, self.default.source)
        configured = [
            name for name, one in self.repositories.items() if one.url.source != _BUILT_IN
        ]
        if len(configured) == 1:
            return self.repositories[configured[0]]
        if configured:
            raise ConfigurationError(
                f"No repository was named and none is the default. {self._known()} Name one, or "
                f"set {sources.DEFAULT_VARIABLE}, or default in gavial.toml."
            )
        if LOCAL not in self.repositories:
            raise ConfigurationError(
                f"No repository is configured, and there is no home folder to make one in: set "
                f"{sources.DEFAULT_VARIABLE} to a URL or a folder."
            )
        return self.repositories[LOCAL]

    def _named(self, what: str, source: str) -> RepositorySettings:
        if what in self.repositories:
            return self.repositories[what]
        if is_location(what) or _is_folder(self.folder / what):
            return self._located(as_url(what, self.folder), source)
        if what in self.without_url:
            raise ConfigurationError(
                f"Repository {what!r} has no URL, only {self.without_url[what]}: set "
                f"{environment_name(what, 'url')}, or url in [repositories.{what}] of gavial.toml."
            )
        for name, one in self.repositories.items():  # from the environment alone: `ml_releases`
            if environment_key(name) == environment_key(what) and name.islower():
                return one
        raise ConfigurationError(
            f"There is no repository {what!r} (from: {source}). {self._known()} A URL or a folder "
            "such as ./releases will do as well."
        )

    def _located(self, url: str, source: str) -> RepositorySettings:
        same = [one for one in self.repositories.values() if one.url.value == url]
        if same:
            default = self.default.value if self.default else None
            return next((one for one in same if one.id == default), same[0])
        kind = "folder" if url.startswith("file:") else "url"
        return RepositorySettings(kind, Setting(url, source))

    def _known(self) -> str:
        return f"Configured: {', '.join(sorted(self.repositories)) or 'none'}."


def _with_credentials(
    found: RepositorySettings, username: str | None, password: str | None, token: str | None
) -> RepositorySettings:
    """Credentials that the caller gives go before any other, all of them together."""
    if username is None and password is None and token is None:
        return found
    if token is not None and username is None and password is None:
        return replace(
            found,
            username=None,
            password=None,
            token=Setting(Secret(token), _ARGUMENT),
            problem="",
        )
    if username is None or password is None or token is not None:
        raise ConfigurationError(
            "Give username and password, or a token alone: other combinations mean nothing."
        )
    return replace(
        found,
        username=Setting(username, _ARGUMENT),
        password=Setting(Secret(password), _ARGUMENT),
        token=None,
        problem="",
    )


def _with_ids(environment: sources.Layer, *rest: sources.Layer) -> tuple[sources.Layer, ...]:
    """The layers, with the environment's repositories under the ids of the other layers.

    Raises:
        ConfigurationError: two ids have the same name in the environment.
    """
    ids: dict[str, str] = {}
    for layer in rest:
        for name in layer.repositories:
            other = ids.setdefault(environment_key(name), name)
            if other != name:
                raise ConfigurationError(
                    f"The repositories {other!r} and {name!r} are the same to the environment, "
                    f"where both are {environment_name(name, 'URL')}: rename one."
                )
    named = {ids.get(key, key.lower()): parts for key, parts in environment.repositories.items()}
    return (replace(environment, repositories=named), *rest)


def _built_in(home: Path | None) -> sources.Layer:
    if home is None:
        return sources.Layer()
    url = as_url(str(home.absolute() / ".gavial" / "repository"), home)
    return sources.Layer(None, {LOCAL: {"url": Setting(url, _BUILT_IN)}})


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # no path that this system could have
        return False


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was removed: then nothing is configured there
        return Path("/")


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None
