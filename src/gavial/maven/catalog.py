"""Which modules and versions a repository holds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from gavial import limits
from gavial.errors import (
    AccessDenied,
    CorruptRelease,
    InvalidCoordinate,
    ModelNotFound,
    ReleaseNotFound,
    RepositoryRefused,
)
from gavial.maven import alias, layout, withdrawals
from gavial.maven.coordinate import Coordinate, Module, Number, Version
from gavial.maven.drive import Driver
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.repository import Repository
from gavial.maven.selector import Request

_SHOWN = 8  # versions that a message lists


@dataclass(frozen=True)
class Versions:
    """The versions of a module.

    Attributes:
        releases: what selectors mean, lowest first.
        foreign: versions by others that are not ours.
        withdrawn: releases that no selector means any more, lowest first.
    """

    releases: tuple[Version, ...]
    foreign: tuple[str, ...] = ()
    withdrawn: tuple[Version, ...] = ()


@dataclass(frozen=True)
class Choice:
    """The release that a request means, and whether it is withdrawn all the same."""

    coordinate: Coordinate
    is_withdrawn: bool = False


def versions(repository: Repository, module: Module) -> Versions:
    """The versions of a module. A module that is not there has none.

    A folder is listed itself; elsewhere `maven-metadata.xml` tells. What is withdrawn is taken
    out here too: the list may be one that another tool wrote.
    """
    there = _versions(repository, module)
    if not there.releases and any(map(Number.try_parse, there.foreign)):
        return there  # records, which are not withdrawn
    out = withdrawn(repository, module)
    left = tuple(version for version in there.releases if version not in out)
    return Versions(left, there.foreign, tuple(sorted(out)))


def withdrawn(repository: Repository, module: Module) -> frozenset[Version]:
    """The releases of a module that are withdrawn, by one look where none ever was."""
    try:
        texts = Driver(repository).run(withdrawals.in_force(module))
    except AccessDenied:  # who may read the model alone takes what its list has
        return frozenset()
    return frozenset(map(Version.parse, texts))


def _versions(repository: Repository, module: Module) -> Versions:
    if not repository.lists_itself:
        data = repository.read(layout.metadata_path(module))
        metadata = ModuleMetadata.parse(data, module)
        return Versions(metadata.releases, metadata.foreign)
    ours, foreign = [], []
    for name in repository.names(layout.module_folder(module)) or ():
        pom = f"{layout.version_folder(module, name)}/{layout.file_name(module, name, 'pom')}"
        if not repository.exists(pom):
            continue
        version = Version.try_parse(name)
        if version:
            ours.append(version)
        else:
            foreign.append(name)
    return Versions(tuple(sorted(ours)), tuple(foreign))


def numbers(repository: Repository, module: Module) -> list[Version]:
    """Every number that may be a release's, lowest first, without a look at each.

    Where folders are listed these are also the numbers that are withdrawn, or only claimed.
    """
    if not repository.lists_itself:
        return list(versions(repository, module).releases)
    names = repository.names(layout.module_folder(module)) or ()
    return sorted(filter(None, map(Version.try_parse, names)), key=Version.key)


def known_versions(repository: Repository, module: Module) -> Versions:
    """The versions of a module that is there.

    Raises:
        ModelNotFound: the repository has no release of that module.
    """
    there = versions(repository, module)
    if not there.releases and not there.withdrawn:
        raise ModelNotFound(
            f"No release of {module} in repository {repository.id!r} ({repository.url})."
        )
    return there


def select(repository: Repository, request: Request) -> Coordinate:
    """The release that a request means there.

    Raises:
        ModelNotFound: the repository has no release of that module.
        ReleaseNotFound: none of its releases matches, all that do are withdrawn, or there is no
            such alias.
    """
    return choose(repository, request).coordinate


def choose(repository: Repository, request: Request) -> Choice:
    """As `select`, and whether that release is withdrawn: an exact coordinate still means it."""
    if request.alias:
        meant = Driver(repository).run(alias.meaning(request.module, request.alias))
        if not repository.exists(layout.pom_path(meant)):
            raise ReleaseNotFound(
                f"{request} means {meant}, and repository {repository.id!r} ({repository.url}) has "
                "no such release: set the alias to another one."
            )
        return Choice(meant, meant.version in withdrawn(repository, request.module))
    exact = request.exact
    if exact is not None:
        coordinate = Coordinate(request.module, exact)
        if repository.exists(layout.pom_path(coordinate)):
            return Choice(coordinate, exact in withdrawn(repository, request.module))
    if exact is None and repository.lists_itself:
        newest = _newest(repository, request)
        if newest is not None:
            return Choice(Coordinate(request.module, newest))
    there = known_versions(repository, request.module)
    selected = request.selector.select(there.releases)
    if selected is not None and exact is None:
        return Choice(Coordinate(request.module, selected))
    raise ReleaseNotFound(
        f"No release of {request.module} in repository {repository.id!r} matches "
        f"{str(request.selector)!r}: {_there(there)}."
    )


def _newest(repository: Repository, request: Request) -> Version | None:
    """The highest release that a request means in a folder, without a look at all the others."""
    found = reversed(numbers(repository, request.module))
    out = withdrawn(repository, request.module)
    return next(
        (
            version
            for version in filter(request.selector.matches, found)
            if version not in out
            and repository.exists(layout.pom_path(Coordinate(request.module, version)))
        ),
        None,
    )


def modules(repository: Repository) -> tuple[Module, ...]:
    """Every module that may have a release, as the repository's own listing or search tells.

    Raises:
        RepositoryRefused: it has neither.
    """
    top = repository.names("")
    if top is None:
        return _indexed(repository)
    found: list[Module] = []
    for name in top:
        _walk(repository, (name,), found)
    return tuple(sorted(found))


def _indexed(repository: Repository) -> tuple[Module, ...]:
    names = repository.indexed()
    if names is None:
        raise RepositoryRefused(
            f"Repository {repository.id!r} ({repository.url}) lists nothing and has no search that "
            "is known here: name a model, as in 'gavial list com.acme:churn'."
        )
    found = set()
    for group, artifact in names:
        with suppress(InvalidCoordinate):  # not a name that Gavial gave
            found.add(Module.parse(f"{group}:{artifact}"))
    return tuple(sorted(found))


def _walk(repository: Repository, parts: tuple[str, ...], found: list[Module]) -> None:
    """Add the modules at and below a folder: `com.acme.churn:eu` lies below `com.acme:churn`."""
    if len(parts) > limits.WALK_DEPTH:  # a link to a folder above it, or a server's joke
        return
    names = repository.names("/".join(parts)) or ()
    versions: set[str] = set()
    if len(parts) > 1 and layout.METADATA in names:
        with suppress(InvalidCoordinate):
            module = Module(".".join(parts[:-1]), parts[-1])
            found.append(module)
            versions.update(_listed(repository, module))
    for name in names:
        is_version = name in versions or Version.try_parse(name) is not None
        if not is_version and not name.startswith(layout.METADATA):
            _walk(repository, (*parts, name), found)


def _listed(repository: Repository, module: Module) -> tuple[str, ...]:
    try:
        return ModuleMetadata.parse(repository.read(layout.metadata_path(module)), module).versions
    except CorruptRelease:  # of a group, which lists its plugins
        return ()


def _there(there: Versions) -> str:
    out = f"withdrawn are {_shown(there.withdrawn)}" if there.withdrawn else ""
    if not there.releases:
        return f"all of its releases are withdrawn ({_shown(there.withdrawn)})"
    return f"it has {_shown(there.releases)}{', and ' if out else ''}{out}"


def _shown(there: tuple[Version, ...]) -> str:
    shown = ", ".join(map(str, there[-_SHOWN:]))
    return shown if len(there) <= _SHOWN else f"… {shown} ({len(there)} in all)"
