"""Aliases: names such as `champion` that point at a release of a model. Apart from I/O.

The alias `champion` of `com.acme:churn` is the module `com.acme:churn-champion`. Each of its
records depends on the release that it means, so Maven, Ivy and Spark follow it like any POM.
"""

from __future__ import annotations

import re

from gavial.errors import CorruptRelease, InvalidCoordinate, ReleaseNotFound
from gavial.maven import record
from gavial.maven.coordinate import Coordinate, Module
from gavial.maven.protocol import Steps
from gavial.maven.record import Head

KIND = "alias"
FACT = "alias"
# Modules beside a model that are no aliases, and Maven's own words.
RESERVED = frozenset(
    ("approvals", "decisions", "latest", "metadata", "promotions", "release", "withdrawals")
)
_NAME = re.compile(r"[a-z](?:[a-z0-9_-]*[a-z0-9])?")
_LONGEST = 60


def check_name(name: str) -> None:
    """Refuse a name that Maven, Ivy and every file system do not carry alike.

    Raises:
        InvalidCoordinate: saying what is wrong.

    >>> check_name("champion")
    """
    if name in RESERVED:
        raise InvalidCoordinate(
            f"The alias {name!r} is a word of Maven's or a module of Gavial's own: choose another."
        )
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        better = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-_0123456789")[:_LONGEST]
        hint = f" Did you mean {better!r}?" if _NAME.fullmatch(better) and better != name else ""
        raise InvalidCoordinate(
            f"The alias {name[:80]!r} is no name of an alias: expected a small letter and then up "
            f"to {_LONGEST - 1} small letters, digits, '-' and '_', such as champion.{hint}"
        )


def module_of(model: Module, name: str) -> Module:
    """The module of an alias.

    Raises:
        InvalidCoordinate: the name cannot be that of an alias.

    >>> str(module_of(Module("com.acme", "churn"), "champion"))
    'com.acme:churn-champion'
    """
    check_name(name)
    return Module(model.group, f"{model.artifact}-{name}")


def newest(model: Module, name: str) -> Steps[Head | None]:
    """The record that holds; `None` where there is no such alias.

    Raises:
        CorruptRelease: what stands there is no such alias.
    """
    head = yield from record.newest(module_of(model, name))
    if head is not None:
        check(head, model, name)
    return head


def meaning(model: Module, name: str) -> Steps[Coordinate]:
    """The release that an alias means now.

    Raises:
        ReleaseNotFound: there is no such alias.
        CorruptRelease: as `newest`.
    """
    head = yield from newest(model, name)
    if head is None:
        raise ReleaseNotFound(
            f"{model} has no alias {name!r}. What there is: gavial alias list {model}. To make it: "
            f"gavial alias set {model} {name} VERSION"
        )
    return target_of(head)


def target_of(head: Head) -> Coordinate:
    """The release that a record of an alias points at."""
    assert head.target is not None  # `check` has seen it
    return head.target


def check(head: Head, model: Module, name: str) -> None:
    """Refuse a record that is not one of this alias.

    Raises:
        CorruptRelease: saying what it is.
    """
    record.check(head, KIND, model)
    said = head.facts.get(FACT, "")
    if said != name:
        raise CorruptRelease(
            f"{head.entry} says that it is the alias {said[:80]!r}: expected {name!r}."
        )
    if head.target is None or head.target.module != model:
        pointed = f"points at {head.target}" if head.target else "points at nothing"
        raise CorruptRelease(f"{head.entry} {pointed}: expected a release of {model}.")
