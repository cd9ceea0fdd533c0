"""Credentials and mirrors that people keep for Maven, in `~/.m2/settings.xml`.

Source: https://maven.apache.org/settings.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from gavial.errors import ConfigurationError, CorruptRelease
from gavial.maven import xml
from gavial.maven.locations import expanded
from gavial.maven.setting_values import Secret

_VARIABLE = re.compile(r"\$\{env\.([^}]+)\}")


@dataclass(frozen=True)
class Server:
    """A `<server>`: who we are at the repository with that id; `password` as it is written."""

    id: str
    username: str
    password: Secret


@dataclass(frozen=True)
class Mirror:
    """A `<mirror>`: where to ask instead of the repositories that `of` names."""

    id: str
    url: str
    of: str

    def covers(self, repository_id: str) -> bool:
        """Whether it stands for a repository elsewhere with that id.

        >>> Mirror("m", "https://m.test/", "*,!central").covers("central")
        False
        """
        patterns = [pattern.strip() for pattern in self.of.split(",")]
        if f"!{repository_id}" in patterns:
            return False
        return bool({repository_id, "*", "external:*"} & set(patterns))


@dataclass(frozen=True)
class MavenSettings:
    """What a `settings.xml` says that concerns us; `urls` are of all repositories it names."""

    file: Path
    servers: Mapping[str, Server]
    mirrors: tuple[Mirror, ...] = ()
    urls: tuple[str, ...] = ()

    @classmethod
    def load(cls, home: Path | None, environ: Mapping[str, str]) -> MavenSettings:
        """Read `~/.m2/settings.xml`, or nothing where there is none.

        Raises:
            ConfigurationError: it cannot be read; the message names the line.
        """
        file = (home or Path("/")) / ".m2" / "settings.xml"
        if home is None or not file.is_file():
            return cls(file, {})
        root = _read(file)
        servers = (_server(element, environ) for element in root.iterfind("servers/server"))
        mirrors = tuple(
            Mirror(_text(m, "id"), _expand(_text(m, "url"), environ), _text(m, "mirrorOf"))
            for m in root.iterfind("mirrors/mirror")
        )
        named = (_text(r, "url") for r in root.iterfind("profiles/profile/repositories/repository"))
        urls = (*(m.url for m in mirrors), *(_expand(url, environ) for url in named))
        return cls(file, {server.id: server for server in servers}, mirrors, urls)

    def password(self, server: Server) -> Secret:
        """The password of a server in clear.

        Raises:
            ConfigurationError: it cannot be decrypted, or names a variable that is not set.
        """
        written = server.password.reveal()
        missing = _VARIABLE.search(written)
        if missing:
            raise ConfigurationError(
                f"The password of server {server.id!r} in {self.file} is that of the environment "
                f"variable {missing[1]}, which is not set."
            )
        if not _braced(written):
            return server.password
        from gavial.maven import maven_cipher

        what = f"the password of server {server.id!r} in {self.file}"
        master = self._master(self.file.parent / "settings-security.xml", what)
        return Secret(maven_cipher.decrypt(written, master, what))

    def _master(self, file: Path, what: str) -> str:
        from gavial.maven import maven_cipher

        for _ in range(3):  # a file that only says where the real one is
            if not file.is_file():
                raise ConfigurationError(
                    f"Cannot decrypt {what}: the master password ought to be in {file}, and "
                    "there is no such file."
                )
            root = _read(file)
            moved = _text(root, "relocation")
            if not moved:
                master = _text(root, "master")
                key = maven_cipher.KEY_OF_MASTER
                return maven_cipher.decrypt(master, key, f"the master password in {file}")
            file = expanded(moved)
        raise ConfigurationError(f"Cannot decrypt {what}: {file} is relocated again and again.")


def _read(file: Path) -> Element:
    try:
        root = xml.parse(file.read_bytes(), str(file))
    except CorruptRelease as error:
        raise ConfigurationError(str(error)) from error
    except OSError as error:
        raise ConfigurationError(f"Cannot read {file}: {error.strerror}.") from error
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]  # with or without a namespace
    return root


def _server(element: Element, environ: Mapping[str, str]) -> Server:
    return Server(
        _text(element, "id"),
        _expand(_text(element, "username"), environ),
        Secret(_expand(_text(element, "password"), environ)),
    )


def _expand(text: str, environ: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: environ.get(found[1], found[0]), text)


def _braced(text: str) -> bool:
    r"""Whether a password is an encrypted one: `{…}` with no backslash before the brace."""
    return re.search(r"(?<!\\)\{.+(?<!\\)\}", text, re.DOTALL) is not None


def _text(parent: Element, name: str) -> str:
    return (parent.findtext(name) or "").strip()
