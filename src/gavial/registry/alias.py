"""Aliases of a model: set, listed, and their history."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from gavial.errors import (
    Conflict,
    CorruptRelease,
    InvalidCoordinate,
    ModelNotFound,
    ReleaseNotFound,
    RepositoryRefused,
)
from gavial.maven import alias, catalog, layout, record
from gavial.maven.coordinate import Coordinate, Entry, Module, Version
from gavial.maven.drive import Driver
from gavial.maven.record import Head
from gavial.maven.repository import Repository
from gavial.registry import records
from gavial.registry.records import Author, Record
from gavial.registry.warn import warn


@dataclass(frozen=True)
class Alias:
    """What an alias meant from one of its records on.

    Attributes:
        model: whose alias.
        name: such as `champion`.
        coordinate: the release that it means.
        number: of the record; the highest holds. What `expected` compares with.
        who: the user that set it.
        owner: who answers for that, where somebody else does.
        when: in UTC, as ISO 8601 has it.
        why: in the words of who set it.
    """

    model: Module
    name: str
    coordinate: Coordinate
    number: int
    who: str
    owner: str
    when: str
    why: str

    def __str__(self) -> str:
        return f"{self.model}@{self.name}"


def read(store: Repository, model: Module, name: str) -> Alias:
    """What an alias means now.

    Raises:
        ReleaseNotFound: there is no such alias.
        CorruptRelease: what stands there is none.
    """
    head = Driver(store).run(alias.newest(model, name))
    if head is None:
        raise _unknown(store, model, name)
    return _told(records.read(store, head), name)


def history(store: Repository, model: Module, name: str) -> tuple[Alias, ...]:
    """What an alias meant, newest first.

    Raises:
        ReleaseNotFound: there is no such alias.
        CorruptRelease: a record is not what it was written as.
    """

    def check(head: Head) -> None:
        alias.check(head, model, name)

    found = records.history(store, alias.module_of(model, name), check)
    told = tuple(_told(one, name) for one in found)
    if not told:
        raise _unknown(store, model, name)
    return told


def all_of(store: Repository, model: Module) -> tuple[Alias, ...]:
    """Every alias of a model, by name.

    Raises:
        RepositoryRefused: the repository has neither a listing nor a search.
        CorruptRelease: an alias is not what it was written as.
    """
    found = names(store, model)
    if found is None:
        raise RepositoryRefused(
            f"Repository {store.id!r} ({store.url}) lists nothing and has no search that is known "
            f"here: name the alias, as in 'gavial alias history {model} champion'."
        )
    return tuple(read(store, model, name) for name in found)


def names(store: Repository, model: Module) -> tuple[str, ...] | None:
    """The names of the aliases of a model; `None` where the repository cannot tell.

    Raises:
        RepositoryError: it does not answer.
    """
    found = candidates(store, model)
    if found is None:
        return None
    return tuple(one for one in found if _is_alias(store, alias.module_of(model, one), model))


def candidates(store: Repository, model: Module) -> tuple[str, ...] | None:
    """What may be names of aliases of a model; `None` where the repository cannot tell.

    Raises:
        RepositoryError: it does not answer.
    """
    modules = records.beside(store, model)
    if modules is None:
        return None
    found = []
    for one in modules:
        name = one.artifact.removeprefix(f"{model.artifact}-")
        with suppress(InvalidCoordinate):  # a module of another kind
            alias.check_name(name)
            found.append(name)
    return tuple(found)


def set_(
    store: Repository,
    model: Module,
    name: str,
    version: Version,
    author: Author,
    *,
    expected: int | None = None,
    sign: records.Sign | None = None,
) -> Alias:
    """Let an alias mean another release. Where it means that one already, nothing is written.

    Args:
        expected: the number of the record that the caller saw, 0 for no such alias; `None` is
            whatever is there now.

    Raises:
        Conflict: another record is the newest, or somebody else was faster.
        ReleaseNotFound: there is no such release, or it is withdrawn.
        InvalidCoordinate: the name cannot be that of an alias, or is taken by a model.
    """
    module, target = alias.module_of(model, name), Coordinate(model, version)
    author.check()
    _check_target(store, target)
    head = records.current(store, module, model, alias.KIND)
    if head is not None:
        _check_name(head, model, name)
    last = head.entry.number if head else 0
    if expected is not None and expected != last:
        raise Conflict(
            f"{model}@{name} is at record {last}, and not {expected} as expected"
            f"{f': it means {head.target} now' if head else ''}. Somebody else was faster: look at "
            "it, and decide again."
        )
    if head is not None and head.target == target:
        return _told(records.read(store, head), name)
    draft = records.Draft(
        module,
        model,
        alias.KIND,
        author,
        f"{model}@{name} means {version}. {author.why}".strip(),
        {alias.FACT: name},
        target,
    )
    written = _told(records.write(store, draft, after=last, sign=sign), name)
    if version in catalog.withdrawn(store, model):
        warn(f"{target} was withdrawn meanwhile, and {written} means it: set it to another.")
    return written


def _check_target(store: Repository, target: Coordinate) -> None:
    if not store.exists(layout.pom_path(target)):
        there = catalog.versions(store, target.module).releases
        newest = f"the newest there is {there[-1]}" if there else "no release is there"
        raise ReleaseNotFound(
            f"{target} is not released in repository {store.id!r} ({store.url}): {newest}."
        )
    if target.version in catalog.withdrawn(store, target.module):
        raise ReleaseNotFound(
            f"{target} is withdrawn, so no alias is set to it. Choose another version, or take the "
            f"withdrawal back: gavial withdraw {target} --undo --why TEXT"
        )


def _check_name(head: Head, model: Module, name: str) -> None:
    """`eu` of `churn-x` and `x-eu` of `churn` would be one module."""
    try:
        alias.check(head, model, name)
    except CorruptRelease as error:
        raise InvalidCoordinate(f"{error} Choose another name.") from error


def _is_alias(store: Repository, module: Module, model: Module) -> bool:
    """Whether a module is an alias of this model, and not a model, a library or another's alias."""
    try:
        numbers = Driver(store).run(record.numbers(module))
    except CorruptRelease:  # the list of a group, or what somebody else put there
        return False
    poms = (store.read(layout.pom_path(Entry(module, number))) for number in reversed(numbers))
    newest = next((pom for pom in poms if pom is not None), None)
    return newest is not None and record.kind_of(newest) == (alias.KIND, str(model))


def _unknown(store: Repository, model: Module, name: str) -> ReleaseNotFound | ModelNotFound:
    there = catalog.known_versions(store, model)  # or it is the model that is not there
    newest = (*there.withdrawn, *there.releases)[-1]
    return ReleaseNotFound(
        f"{model} has no alias {name!r} in repository {store.id!r} ({store.url}). To make it: "
        f"gavial alias set {model} {name} {newest}"
    )


def _told(found: Record, name: str) -> Alias:
    author = found.author
    return Alias(
        found.head.model,
        name,
        alias.target_of(found.head),
        found.number,
        author.who,
        author.owner,
        author.when,
        author.why,
    )
