"""What a repository holds: `gavial.repository("models")`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gavial.maven import catalog, layout
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.maven.repository import Repository
from gavial.maven.selector import Request
from gavial.registry import alias as aliases
from gavial.registry import chosen, places
from gavial.registry import route as routes
from gavial.registry import withdraw as withdrawn
from gavial.registry.alias import Alias
from gavial.registry.records import Author
from gavial.registry.release import Release
from gavial.registry.route import Kept as KeptRoute
from gavial.registry.withdraw import Withdrawal

if TYPE_CHECKING:
    from gavial.model.decision import Decision
    from gavial.monitoring.route import Route
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
        """The release that `group:artifact[:selector]` or `group:artifact@alias` means there.

        It warns where that release is withdrawn.

        Raises:
            InvalidCoordinate, InvalidSelector: `gav` is malformed.
            ModelNotFound, ReleaseNotFound: nothing there matches.
        """
        return Release.read(self.store, chosen.choose(self.store, Request.parse(gav)))

    def alias(self, module: str | Module, name: str) -> Alias:
        """What an alias of a model means now.

        Raises:
            ReleaseNotFound: there is no such alias.

        >>> repository("build/models").alias("com.acme:churn", "champion")  # doctest: +SKIP
        """
        return aliases.read(self.store, _module(module), name)

    def aliases(self, module: str | Module) -> tuple[Alias, ...]:
        """Every alias of a model, by name.

        Raises:
            RepositoryRefused: the repository lists nothing.
        """
        return aliases.all_of(self.store, _module(module))

    def alias_history(self, module: str | Module, name: str) -> tuple[Alias, ...]:
        """What an alias has meant, newest first.

        Raises:
            ReleaseNotFound: there is no such alias.
        """
        return aliases.history(self.store, _module(module), name)

    def set_alias(
        self,
        module: str | Module,
        name: str,
        version: str | Version,
        *,
        why: str = "",
        owner: str | None = None,
        expected: int | None = None,
    ) -> Alias:
        """Let an alias mean a release; to roll back is the same.

        Args:
            module: `group:artifact` of the model.
            name: small letters, digits, `-` and `_`, such as `"champion"`.
            version: all three numbers of a release that is there.
            why: in a sentence.
            owner: who answers for it; else what `GAVIAL_OWNER` says.
            expected: the `number` of the alias that the caller saw, 0 where there was none: where
                another is the newest, nothing is written.

        Raises:
            Conflict: another is the newest, or somebody else was faster.
            ReleaseNotFound: there is no such release, or it is withdrawn.
            InvalidCoordinate: a name is malformed, or taken by a model.
        """
        wanted = version if isinstance(version, Version) else Version.parse(version)
        author = Author.of(why, owner)
        return aliases.set_(self.store, _module(module), name, wanted, author, expected=expected)

    def set_route(
        self,
        module: str | Module,
        name: str,
        route: Route | None,
        *,
        why: str = "",
        owner: str | None = None,
        expected: int | None = None,
    ) -> KeptRoute:
        """Let a route hold beside an alias from now on; `None` ends the one that does.

        Args:
            module: `group:artifact` of the model.
            name: the alias, which means the route's champion.
            route: which versions run side by side, and how.
            why: in a sentence.
            owner: who answers for it; else what `GAVIAL_OWNER` says.
            expected: the `number` of the record that the caller saw, 0 where there was none.

        Raises:
            ReleaseNotFound: there is no such alias, or a version is not there or is withdrawn.
            ConfigurationError: the route has another champion than the alias means.
            Conflict: another record is the newest, or somebody else was faster.
        """
        author = Author.of(why, owner)
        return routes.set_(self.store, _module(module), name, route, author, expected=expected)

    def route(self, module: str | Module, name: str) -> KeptRoute:
        """The route that holds beside an alias.

        Raises:
            ReleaseNotFound: there is none.
        """
        return routes.current(self.store, _module(module), name)

    def route_history(self, module: str | Module, name: str) -> tuple[KeptRoute, ...]:
        """What the route of an alias was, newest first.

        Raises:
            ReleaseNotFound: there is none.
        """
        return routes.history(self.store, _module(module), name)

    def withdraw(self, gav: str | Coordinate, *, why: str, owner: str | None = None) -> Withdrawal:
        """Take a release out of what selectors and Ivy see. Its exact coordinate still resolves.

        Args:
            gav: the exact coordinate.
            why: in a sentence: whoever uses it is told.
            owner: who answers for it; else what `GAVIAL_OWNER` says.

        Raises:
            ReleaseNotFound: there is no such release.
            RepositoryRefused: the server keeps the list of versions itself.
        """
        return withdrawn.withdraw(self.store, _coordinate(gav), Author.of(why, owner))

    def reinstate(self, gav: str | Coordinate, *, why: str, owner: str | None = None) -> Withdrawal:
        """Take a withdrawal back.

        Raises:
            ReleaseNotFound, RepositoryRefused: as `withdraw`.
        """
        return withdrawn.withdraw(self.store, _coordinate(gav), Author.of(why, owner), undo=True)

    def withdrawals(self, module: str | Module) -> tuple[Withdrawal, ...]:
        """What is withdrawn of a model, lowest version first."""
        return withdrawn.all_of(self.store, _module(module))

    def promotions(self, module: str | Module) -> tuple[Decision, ...]:
        """What was decided of promotions of a model, newest first.

        Those that passed are kept where the release went to, those that were refused where it
        stayed.

        Raises:
            CorruptRelease: a record is not what it was written as.
        """
        from gavial.registry import decisions

        found = decisions.all_of(self.store, _module(module))
        return tuple(one.decision for one in found)

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


def _coordinate(gav: str | Coordinate) -> Coordinate:
    return gav if isinstance(gav, Coordinate) else Coordinate.parse(gav)


def _module(module: str | Module) -> Module:
    return module if isinstance(module, Module) else Module.parse(module)
