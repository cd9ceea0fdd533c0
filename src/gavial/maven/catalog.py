"""Which modules and versions a repository holds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from gavial import limits
from gavial.errors import (
    CorruptRelease,
    InvalidCoordinate,
    ModelNotFound,
    ReleaseNotFound,
    RepositoryRefused,
)
from gavial.maven import layout
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.repository import Repository
from gavial.maven.selector import Request

_SHOWN = 8  # versions that a message lists


@dataclass(frozen=True)
class Versions:
    """The releases of a module, lowest first, and the versions by others that are not ours."""

    releases: tuple[Version, ...]
    foreign: tuple[str, ...] = ()


def versions(repository: Repository, module: Module) -> Versions:
    """The versions of a module. A module that is not there has none.

    A folder is listed itself; elsewhere `maven-metadata.xml` tells.
    """
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


def known_versions(repository: Repository, module: Module) -> Versions:
    """The versions of a module that is there.

    Raises:
        ModelNotFound: the repository has no release of that module.
    """
    there = versions(repository, module)
    if not there.releases:
        raise ModelNotFound(
            f"No release of {module} in repository {repository.id!r} ({repository.url})."
        )
    return there


def select(repository: Repository, request: Request) -> Coordinate:
    """The release that a request means there.

    Raises:
        ModelNotFound: the repository has no release of that module.
        ReleaseNotFound: none of its releases matches.
    """
    exact = request.selector.exact
    if exact is not None:
        coordinate = Coordinate(request.module, exact)
        if repository.exists(layout.pom_path(coordinate)):
            return coordinate
    if exact is None and repository.lists_itself:
        newest = _newest(repository, request)
        if newest is not None:
            return Coordinate(request.module, newest)
    there = known_versions(repository, request.module).releases
    selected = request.selector.select(there)
    if selected is not None and exact is None:
        return Coordinate(request.module, selected)
    raise ReleaseNotFound(
        f"No release of {request.module} in repository {repository.id!r} matches "
        f"{str(request.selector)!r}: it has {_shown(there)}."
    )


def _newest(repository: Repository, request: Request) -> Version | None:
    """The highest release that a request means in a folder, without a look at all the others."""
    names = repository.names(layout.module_folder(request.module)) or ()
    found = sorted(filter(None, map(Version.try_parse, names)), key=Version.key, reverse=True)
    return next(
        (
            version
            for version in filter(request.selector.matches, found)
            if repository.exists(layout.pom_path(Coordinate(request.module, version)))
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


def _shown(there: tuple[Version, ...]) -> str:
    shown = ", ".join(map(str, there[-_SHOWN:]))
    return shown if len(there) <= _SHOWN else f"… {shown} ({len(there)} in all)"
