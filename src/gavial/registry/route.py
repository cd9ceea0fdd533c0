"""Routes kept beside an alias: set, ended and looked back on, so that what was served when can be
proven.

The route of the alias `champion` of `com.acme:churn` is the module `com.acme:churn-champion-route`.
Each of its records holds a whole route and depends on the champion; the alias stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gavial.errors import (
    ConfigurationError,
    Conflict,
    CorruptRelease,
    InvalidSelector,
    ReleaseNotFound,
)
from gavial.maven import alias, catalog, layout, record
from gavial.maven.coordinate import Module
from gavial.maven.record import Head
from gavial.maven.repository import Repository
from gavial.maven.selector import Request
from gavial.monitoring.route import Arm, Route
from gavial.registry import alias as aliases
from gavial.registry import places, record_seals, records, signer
from gavial.registry.records import Author, Record

KIND: Final = "route"
_ALIAS, _MODE, _BODY = "alias", "mode", "route"
_ENDED = "ended"


@dataclass(frozen=True)
class Kept:
    """What a route was from one of its records on.

    Attributes:
        model: whose it is.
        alias: beside which it is kept.
        route: `None` from where it was ended: then the alias alone says what is served.
        number: of the record; the highest holds.
        who: the user that set it.
        owner: who answers for that, where somebody else does.
        when: in UTC, as ISO 8601 has it.
        why: in the words of who set it.
    """

    model: Module
    alias: str
    route: Route | None
    number: int
    who: str
    owner: str
    when: str
    why: str

    def __str__(self) -> str:
        return f"{self.model}@{self.alias}"


def module_of(model: Module, name: str) -> Module:
    """The module of the route of an alias.

    Raises:
        InvalidCoordinate: the name cannot be that of an alias.

    >>> str(module_of(Module("com.acme", "churn"), "champion"))
    'com.acme:churn-champion-route'
    """
    beside = alias.module_of(model, name)
    return Module(beside.group, f"{beside.artifact}-{KIND}")


def set_(
    store: Repository,
    model: Module,
    name: str,
    route: Route | None,
    author: Author,
    *,
    expected: int | None = None,
) -> Kept:
    """Let a route hold beside an alias from now on; `None` ends the one that does.

    Where that very route holds already, nothing is written. A route that names no time is one
    from now on; ramped up under its salt it is another, from now on.

    Args:
        expected: the number of the record that the caller saw, 0 for none; `None` is whatever is
            there now.

    Raises:
        ReleaseNotFound: there is no such alias, or a version is not there or withdrawn.
        ConfigurationError: the route is of another model, or of another champion than the alias.
        Conflict: another record is the newest, or somebody else was faster.
        InvalidCoordinate: the module's name is taken.
    """
    module = module_of(model, name)
    author.check()
    if route is not None:
        _check(store, model, name, route)
    head = records.current(store, module, model, KIND)
    last = head.entry.number if head else 0
    if expected is not None and expected != last:
        raise Conflict(
            f"The route of {model}@{name} is at record {last}, and not {expected} as expected. "
            "Somebody else was faster: look at it, and decide again."
        )
    now = _told(records.read(store, head), name) if head else None
    if _is_same(now, route):
        if now is None:
            raise ReleaseNotFound(f"{model}@{name} has no route to end in {store.id!r}.")
        return now
    if route is not None and route.since is None:
        route = route.at(datetime.now(UTC).replace(microsecond=0))
    draft = records.Draft(
        module,
        model,
        KIND,
        author,
        f"{route or f'No route of {model}@{name}'}. {author.why}".strip(),
        {_ALIAS: name, _MODE: str(route.mode) if route else _ENDED},
        route.champion.coordinate if route else None,
        {_BODY: route.to_json() if route else None},
    )
    sealing = signer.of(places.settings().signing)
    sign = record_seals.signing(module, sealing) if sealing else None
    return _told(records.write(store, draft, after=last, sign=sign), name)


def history(store: Repository, model: Module, name: str) -> tuple[Kept, ...]:
    """What the route of an alias was, newest first.

    Raises:
        ReleaseNotFound: there is none.
        CorruptRelease: a record is not what it was written as.
    """

    def check(head: Head) -> None:
        record.check(head, KIND, model)

    found = records.history(store, module_of(model, name), check)
    told = tuple(_told(one, name) for one in found)
    if not told:
        raise _unknown(store, model, name)
    return told


def current(store: Repository, model: Module, name: str) -> Kept:
    """The route that holds beside an alias.

    Raises:
        ReleaseNotFound: there is none.
        CorruptRelease: what stands there is none.
    """
    found = next(records.history(store, module_of(model, name), most=record.MAX_UNCOMMITTED), None)
    if found is None:
        raise _unknown(store, model, name)
    record.check(found.head, KIND, model)
    return _told(found, name)


def named(store: Repository, what: str) -> Route:
    """The route of `group:artifact@alias`, for somebody who is about to run it.

    Raises:
        InvalidSelector: no alias is named.
        ReleaseNotFound: there is none, or it was ended.
        Conflict: the alias means another version than the route's champion by now.
    """
    request = Request.parse(what)
    if not request.alias:
        raise InvalidSelector(
            f"{what!r} names no alias: a route is kept beside one, as in com.acme:churn@champion."
        )
    kept = current(store, request.module, request.alias)
    if kept.route is None:
        raise ReleaseNotFound(
            f"The route of {kept} was ended by record {kept.number} ({kept.when}). What the alias "
            f"means alone: gavial.resolve({what!r})."
        )
    meant = aliases.read(store, request.module, request.alias).coordinate
    if meant != kept.route.champion.coordinate:
        raise Conflict(
            f"{kept} means {meant} now, and its route has {kept.route.champion.coordinate} for "
            f"champion: set another, or end it: gavial compare route end {kept}"
        )
    return kept.route


def check_in_force(store: Repository, arm: Arm) -> None:
    """Refuse a version that is not there or is withdrawn.

    Raises:
        ReleaseNotFound: saying which.
    """
    coordinate = arm.coordinate
    if not store.exists(layout.pom_path(coordinate)):
        raise ReleaseNotFound(
            f"The {arm.role} {coordinate} is not released in repository {store.id!r} ({store.url})."
        )
    if coordinate.version in catalog.withdrawn(store, coordinate.module):
        raise ReleaseNotFound(
            f"The {arm.role} {coordinate} is withdrawn, so no route runs it. Choose another "
            f"version, or take the withdrawal back: gavial withdraw {coordinate} --undo --why TEXT"
        )


def _check(store: Repository, model: Module, name: str, route: Route) -> None:
    if route.module != model:
        raise ConfigurationError(f"The route is of {route.module}, and {model}@{name} is not.")
    meant = aliases.read(store, model, name).coordinate
    if meant != route.champion.coordinate:
        raise ConfigurationError(
            f"The champion of the route is {route.champion.coordinate}, and {model}@{name} means "
            f"{meant}: what an alias means is what its route serves. Set the alias first: gavial "
            f"alias set {model} {name} {route.champion.version}"
        )
    for arm in route.arms:
        check_in_force(store, arm)


def _is_same(now: Kept | None, route: Route | None) -> bool:
    held = now.route if now else None
    if held is None or route is None:
        return held is route
    return held == (route.at(held.since) if route.since is None and held.since else route)


def _unknown(store: Repository, model: Module, name: str) -> ReleaseNotFound:
    return ReleaseNotFound(
        f"{model}@{name} has no route in repository {store.id!r} ({store.url}). To make one: "
        f"gavial compare route set {model}@{name} --challenger VERSION"
    )


def _told(found: Record, name: str) -> Kept:
    said = found.head.facts.get(_ALIAS, "")
    body = found.body.get(_BODY)
    route = None if body is None else Route.from_json(body)
    if said != name or (route is not None and route.module != found.head.model):
        raise CorruptRelease(
            f"{found.head.entry} is the route of {said[:80]!r}: expected that of {name!r}."
        )
    author = found.author
    return Kept(
        found.head.model,
        name,
        route,
        found.number,
        author.who,
        author.owner,
        author.when,
        author.why,
    )
