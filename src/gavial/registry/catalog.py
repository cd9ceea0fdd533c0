"""What a repository holds: `gavial.repository("models")`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gavial.maven import catalog, layout
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.maven.repository import Repository
from gavial.maven.selector import Request
from gavial.registry import places
from gavial.registry.release import Release

if TYPE_CHECKING:
    from gavial.registry.find import Found


class ModelRepository:
    """The models of one Maven repository.

    >>> repo = repository("build/models")
    >>> repo.modules()
    ()
    """

    def __init__(self, store: Repository) -> None:
        self.store = store

    @property
    def id(self) -> str:
        """Its name in the configuration."""
        return self.store.id

    @property
    def url(self) -> str:
        """Where it is, without credentials."""
        return self.store.url

    def modules(self) -> tuple[Module, ...]:
        """Every model there, by name.

        Raises:
            RepositoryRefused: the repository lists nothing.
        """
        return tuple(filter(self._is_model, catalog.modules(self.store)))

    def versions(self, module: str | Module) -> tuple[Version, ...]:
        """The versions of a model, lowest first.

        Raises:
            InvalidCoordinate: `module` is not `group:artifact`.
            ModelNotFound: there is no such model.
        """
        return self.all_versions(module).releases

    def all_versions(self, module: str | Module) -> catalog.Versions:
        """The versions of a model, with those by others that no selector means."""
        return catalog.known_versions(self.store, _module(module))

    def release(self, gav: str) -> Release:
        """The release that `group:artifact[:selector]` means there.

        Raises:
            InvalidCoordinate, InvalidSelector: `gav` is malformed.
            ModelNotFound, ReleaseNotFound: nothing there matches.
        """
        return Release.read(self.store, catalog.select(self.store, Request.parse(gav)))

    def find(
        self,
        where: str | Iterable[str] = (),
        sort: str | Iterable[str] = (),
        *,
        limit: int | None = None,
    ) -> tuple[Found, ...]:
        """Releases whose cards meet conditions.

        Args:
            where: such as `metrics.auc>0.8 and labels.team=risk`, or several of those.
            sort: a field or several, such as `-metrics.auc`: the highest first. What does not
                say it comes last.
            limit: so many at most.

        Raises:
            InvalidSelector: a condition or a field is malformed; the message shows the place.
            RepositoryRefused: the repository lists nothing.

        >>> repository("build/models").find("metrics.auc>0.8", sort="-metrics.auc")
        ()
        """
        from gavial.registry import find

        return find.find([self.store], where, sort, limit=limit).found

    def _is_model(self, module: Module) -> bool:
        """Whether the newest release of a module has a model card."""
        there = catalog.versions(self.store, module).releases
        return bool(there) and self.store.exists(layout.card_path(Coordinate(module, there[-1])))

    def __repr__(self) -> str:
        return f"ModelRepository({self.id!r}, {self.url!r})"


def repository(
    what: str | os.PathLike[str] | None = None,
    *,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
) -> ModelRepository:
    """Open a repository: a configured id, a URL, or a folder.

    Args:
        what: `None` is the configured default; with nothing configured it is the folder
            `~/.gavial/repository`.
        username: with `password`, for Basic authentication, before any configured one.
        token: a bearer token instead.

    Raises:
        ConfigurationError: there is no such repository, or its settings contradict each other.

    >>> repository("build/models").modules()
    ()
    """
    return ModelRepository(
        places.open_named(what, username=username, password=password, token=token)
    )


def _module(module: str | Module) -> Module:
    return module if isinstance(module, Module) else Module.parse(module)
