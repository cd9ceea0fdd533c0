"""What happened to the versions of a model while they were watched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime

from gavial.errors import GavialError
from gavial.maven.coordinate import Module
from gavial.maven.repository import Repository
from gavial.model.decision import REFUSED
from gavial.monitoring.verdict import Mark
from gavial.registry import alias, decisions, withdraw
from gavial.registry.references import References

_MOST = 200  # records of one kind


def marks_of(
    store: Repository, releases: References, versions: Collection[str]
) -> tuple[tuple[Mark, ...], tuple[str, ...]]:
    """Releases, promotions, aliases and withdrawals, in the order of time.

    What cannot be read is a problem in words: they explain records, and are none.

    Args:
        store: where they are on record.
        releases: those of the module.
        versions: of which.
    """
    found = list(_released(releases, versions))
    problems = []
    for what, read in _READERS.items():
        try:
            found += [one for one in read(store, releases.module) if one.version in versions]
        except GavialError as error:
            problems.append(f"It is not known when versions were {what}: {error}")
    return tuple(sorted(found, key=lambda one: one.when)), tuple(problems)


def _released(releases: References, versions: Collection[str]) -> Iterator[Mark]:
    for version in sorted(versions):
        try:
            created = releases.release(version).card.created
        except GavialError:  # records of what is not there, or was not made by us
            continue
        yield from _mark(created, "released", version)


def _promoted(store: Repository, module: Module) -> Iterator[Mark]:
    for at, kept in enumerate(decisions.all_of(store, module)):
        if at == _MOST:
            return
        one = kept.decision
        if one.outcome != REFUSED:
            yield from _mark(
                one.when, f"promoted to {one.target.id}", one.coordinate.rpartition(":")[2]
            )


def _named(store: Repository, module: Module) -> Iterator[Mark]:
    # Of a repository that lists nothing none is known: `gavial lookup --alias` asks for a name.
    for name in alias.names(store, module) or ():
        for one in alias.history(store, module, name)[:_MOST]:
            yield from _mark(one.when, f"became {one.name}", str(one.coordinate.version))


def _withdrawn(store: Repository, module: Module) -> Iterator[Mark]:
    for one in withdraw.history(store, module, _MOST):
        what = "withdrawn" if one.is_withdrawn else "taken back in"
        yield from _mark(one.when, what, str(one.coordinate.version))


def _mark(when: str, what: str, version: str) -> Iterator[Mark]:
    """A mark, where its time is one."""
    try:
        instant = datetime.fromisoformat(when)
    except ValueError:
        return
    known = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    yield Mark(known, what, version)


_READERS: dict[str, Callable[[Repository, Module], Iterator[Mark]]] = {
    "promoted": _promoted,
    "given an alias": _named,
    "withdrawn": _withdrawn,
}
