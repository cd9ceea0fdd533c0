"""`ivysettings.xml`: how Ivy, and so Spark's `--packages`, finds our releases. Pure.

Secrets stay out of the file: it names environment variables of the JVM. Source:
https://ant.apache.org/ivy/history/2.5.3/settings.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from gavial.errors import ConfigurationError
from gavial.maven import xml
from gavial.maven.coordinate import Module

_CHAIN = "gavial-chain"
# Of a scheme's challenge in `WWW-Authenticate`: perhaps its name, then one parameter.
_PARAMETER = re.compile(
    r"(?:(?P<scheme>[\w!#$%&'*+.^`|~-]+)\s+)?"
    r"(?P<name>[\w-]+)\s*=\s*(?P<value>\"(?:[^\"\\]|\\.)*\"|[^\s,\"]+)"
)


@dataclass(frozen=True)
class Login:
    """The realm that a server names, and the environment variables that hold who we are there."""

    realm: str
    username: str
    password: str


@dataclass(frozen=True)
class Resolver:
    """A repository as Ivy asks it: a name, a URL, and a login where it wants one."""

    name: str
    url: str
    login: Login | None = None


def ivysettings(
    ours: Resolver,
    others: Sequence[Resolver],
    groups: Iterable[str],
    verified: tuple[Resolver, Iterable[Module]] | None = None,
) -> bytes:
    """The file's bytes.

    Args:
        ours: the repository of the models. It is asked before any other.
        others: where JVM libraries come from, in their order.
        groups: the groups that no repository but ours may answer for: a model's name that
            somebody takes on Central must never become the newest release.
        verified: a folder, and the modules that nothing else may answer for.
    """
    root = Element("ivysettings")
    _element(root, "properties", environment="env")
    # A newest release is asked for anew each time; Ivy would remember the last for ten seconds.
    _element(root, "property", name="ivy.cache.ttl.default", value="0s")
    for kind in ("sources", "javadoc"):
        _element(root, "property", name=f"ivy.maven.lookup.{kind}", value="false")
    _element(root, "settings", defaultResolver=_CHAIN)
    asked = [*([verified[0]] if verified else []), ours, *others]
    names = _names(asked)
    logins = [(one, one.login) for one in asked if one.login]
    if logins:
        parent = xml.child(root, "credentials")
        for one, login in logins:
            _credentials(parent, one, login)
    resolvers = xml.child(root, "resolvers")
    for one, name in zip(asked, names, strict=True):
        # What has no POM is no release: Ivy would take its jar alone.
        descriptor = "optional" if one in others else "required"
        about = {"name": name, "root": one.url, "descriptor": descriptor}
        _element(resolvers, "ibiblio", m2compatible="true", **about)
    chain = _element(resolvers, "chain", name=_CHAIN, returnFirst="true")
    for name in names:
        _element(chain, "resolver", ref=name)
    rules = xml.child(root, "modules")  # the first that fits counts
    for module in sorted(verified[1]) if verified else ():
        named = {"organisation": module.group, "name": module.artifact}
        _element(rules, "module", **named, matcher="exact", resolver=names[0])
    for group in sorted(set(groups)):
        ours_name = names[asked.index(ours)]
        _element(rules, "module", organisation=group, matcher="exact", resolver=ours_name)
    return xml.render(root)


def _names(resolvers: Iterable[Resolver]) -> list[str]:
    """A name for each, its own where no other has it: a mirror may have our repository's id."""
    names: list[str] = []
    for one in resolvers:
        name, number = one.name, 1
        while name in (*names, _CHAIN):
            number += 1
            name = f"{one.name}-{number}"
        names.append(name)
    return names


def realm_of(challenge: str | None) -> str | None:
    """The realm of the Basic challenge in a `WWW-Authenticate` header, if it has one.

    Ivy gives a password only to exactly that realm. Source: RFC 9110, 11.6.1.

    >>> realm_of('Bearer realm="t", BASIC realm="Sonatype Nexus Repository Manager"')
    'Sonatype Nexus Repository Manager'
    """
    scheme = ""
    for found in _PARAMETER.finditer(challenge or ""):
        scheme = (found["scheme"] or scheme).lower()
        if scheme == "basic" and found["name"].lower() == "realm":
            value = found["value"]
            return re.sub(r"\\(.)", r"\1", value[1:-1]) if value[0] == '"' else value
    return None


def check_secret(value: str, what: str) -> None:
    """Check that Ivy can pass a user's name or password on as it is.

    Raises:
        ConfigurationError: Ivy would expand a part of it.
    """
    if "${" in value:
        raise ConfigurationError(
            f"The {what} holds '${{', which Ivy takes for a variable, so Spark's --packages cannot "
            "log in with it. Choose another; or let Gavial fetch the model, by verified=True "
            "(--verified), or by gavial.resolve with a repository."
        )


def _credentials(parent: Element, one: Resolver, login: Login) -> None:
    host = urlsplit(one.url).netloc
    _element(
        parent,
        "credentials",
        host=re.sub(r":\d+$", "", host),  # Ivy finds no login for a host with a port
        realm=login.realm,
        username=f"${{env.{login.username}}}",
        passwd=f"${{env.{login.password}}}",
    )


def _element(parent: Element, tag: str, /, **attributes: str) -> Element:
    made = xml.child(parent, tag)
    for attribute, value in attributes.items():
        made.set(attribute, value)
    return made
