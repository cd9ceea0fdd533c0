"""Withdraw a release: out of what selectors and Ivy see, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gavial.errors import (
    ConfigurationError,
    Conflict,
    CorruptRelease,
    GavialError,
    ReleaseNotFound,
    RepositoryError,
    RepositoryRefused,
    RepositoryUnavailable,
)
from gavial.maven import behaviour, layout, version_list, withdrawals
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.maven.drive import Driver
from gavial.maven.record import Head
from gavial.maven.repository import Repository
from gavial.registry import alias, records
from gavial.registry.records import Author
from gavial.registry.warn import warn

# Several people may withdraw several releases at once: each needs all the others' in its record.
_ATTEMPTS = 20
_SET, _CHANGE = "withdrawn", "change"


@dataclass(frozen=True)
class Withdrawal:
    """A release that is withdrawn, or that no longer is.

    Attributes:
        coordinate: which release.
        is_withdrawn: `False` once it has been taken back.
        number: of the record that says so.
        who: the user.
        owner: who answers for that, where somebody else does.
        when: in UTC, as ISO 8601 has it.
        why: in the words of who did it.
    """

    coordinate: Coordinate
    is_withdrawn: bool
    number: int
    who: str
    owner: str
    when: str
    why: str


def withdraw(
    store: Repository,
    coordinate: Coordinate,
    author: Author,
    *,
    undo: bool = False,
    sign: records.Sign | None = None,
) -> Withdrawal:
    """Take a release out of what selectors and Ivy see, or with `undo` back in.

    Nothing else of it changes: its exact coordinate stays resolvable, with a warning, its number
    stays taken, and aliases stay where they are, with a warning that names them. To repeat it
    finishes one that was cut short.

    Raises:
        ReleaseNotFound: there is no such release.
        ConfigurationError: no reason is given.
        RepositoryRefused: the server keeps the list of versions itself; nothing was written.
        RepositoryError: it cannot be written there.
    """
    if not author.why.strip():
        raise ConfigurationError(
            f"No reason is given why {coordinate} is {'taken back' if undo else 'withdrawn'}: "
            "whoever uses it will be told. Say it in a sentence (--why)."
        )
    author.check()
    if not store.exists(layout.pom_path(coordinate)):
        raise ReleaseNotFound(
            f"{coordinate} is not released in repository {store.id!r} ({store.url})."
        )
    _check_list_is_ours(store, coordinate)
    done = _record(store, coordinate, author, undo=undo, sign=sign)
    steps = version_list.bring_up_to_date(coordinate, lists_itself=store.lists_itself)
    try:
        Driver(store).run(steps)
    except RepositoryError as error:
        state = "taken back" if undo else "withdrawn"
        raise type(error)(
            f"{coordinate} is {state} by record {done.number}, and maven-metadata.xml does not say "
            f"so yet: {error} Repeat it to finish."
        ) from error
    if not undo:
        _warn_of_aliases(store, coordinate)
    return done


def all_of(store: Repository, model: Module) -> tuple[Withdrawal, ...]:
    """What is withdrawn of a model, lowest version first.

    Raises:
        CorruptRelease: the record is not what it was written as.
    """
    head = Driver(store).run(withdrawals.newest(model))
    if head is None:
        return ()
    said = _said(store, head)
    return tuple(
        _withdrawal(Coordinate(model, version), head, said.get(str(version), {}))
        for version in withdrawals.versions_of(head)
    )


def history(store: Repository, model: Module, most: int | None = None) -> tuple[Withdrawal, ...]:
    """Every withdrawal of a model and every one that was taken back, newest first.

    Args:
        most: so many of the newest records alone.
    """

    def check(head: Head) -> None:
        withdrawals.check(head, model)

    found = []
    for one in records.history(store, withdrawals.module_of(model), check, most):
        changed = one.body.get(_CHANGE)
        version = Version.try_parse(changed) if isinstance(changed, str) else None
        if version is None:
            raise CorruptRelease(f"{one.head.entry} names no version that it changes.")
        found.append(
            Withdrawal(
                Coordinate(model, version),
                version in withdrawals.versions_of(one.head),
                one.number,
                one.author.who,
                one.author.owner,
                one.author.when,
                one.author.why,
            )
        )
    return tuple(found)


def warning(store: Repository, coordinate: Coordinate) -> str:
    """What whoever uses a withdrawn release is told."""
    why = ""
    try:
        (one,) = (w for w in all_of(store, coordinate.module) if w.coordinate == coordinate)
        why = f" ({one.why} {one.who}, {one.when})"
    except (GavialError, ValueError):  # the reason alone cannot be read: that it is so counts
        pass
    return f"{coordinate} is withdrawn{why}: use it no more."


def _record(
    store: Repository,
    coordinate: Coordinate,
    author: Author,
    *,
    undo: bool,
    sign: records.Sign | None,
) -> Withdrawal:
    model, version = coordinate.module, coordinate.version
    module = withdrawals.module_of(model)
    for _ in range(_ATTEMPTS):
        head = records.current(store, module, model, withdrawals.KIND)
        versions = set(withdrawals.versions_of(head)) if head else set()
        said = _said(store, head) if head else {}
        if (version in versions) != undo:
            # Nothing to write: it is as wanted, and only the list may be behind.
            found = _withdrawal(coordinate, head, said.get(str(version), {}))
            return replace(found, is_withdrawn=not undo)
        if undo:
            versions.discard(version)
            said = {name: one for name, one in said.items() if name != str(version)}
        else:
            versions.add(version)
            told = {"who": author.who, "owner": author.owner, "when": author.when}
            said = {**said, str(version): {**told, "why": author.why}}
        draft = records.Draft(
            module,
            model,
            withdrawals.KIND,
            author,
            f"{coordinate} is {'withdrawn no more' if undo else 'withdrawn'}. {author.why}",
            withdrawals.fact(versions),
            body={_CHANGE: str(version), _SET: said},
        )
        try:
            done = records.write(store, draft, after=head.entry.number if head else 0, sign=sign)
        except Conflict:
            continue  # somebody else changed another one, or this very one: look again
        return Withdrawal(
            coordinate,
            not undo,
            done.number,
            author.who,
            author.owner,
            author.when,
            author.why,
        )
    raise RepositoryUnavailable(
        f"Others write withdrawals of {model} all the time: nothing was written. Try again."
    )


def _said(store: Repository, head: Head) -> Mapping[str, Any]:
    said = records.read(store, head).body.get(_SET, {})
    if not isinstance(said, dict) or not all(isinstance(one, dict) for one in said.values()):
        raise CorruptRelease(f"{head.entry} does not say who withdrew what.")
    return said


def _withdrawal(coordinate: Coordinate, head: Head | None, said: Mapping[str, Any]) -> Withdrawal:
    who, owner, when, why = (str(said.get(name, "")) for name in ("who", "owner", "when", "why"))
    return Withdrawal(coordinate, True, head.entry.number if head else 0, who, owner, when, why)


def _check_list_is_ours(store: Repository, coordinate: Coordinate) -> None:
    if store.lists_itself or behaviour.keeps_list(store):
        return
    raise RepositoryRefused(
        f"Repository {store.id!r} ({store.url}) keeps maven-metadata.xml itself, so Ivy would "
        f"go on to see {coordinate}: nothing was written. There, release the next build first, so "
        f"that the number is not used again, and then delete {coordinate.version} in the server's "
        "own user interface. Or let jobs follow an alias: gavial alias set "
        f"{coordinate.module} champion VERSION"
    )


def _warn_of_aliases(store: Repository, coordinate: Coordinate) -> None:
    model = coordinate.module
    try:
        found = [one for one in alias.all_of(store, model) if one.coordinate == coordinate]
    except RepositoryRefused:
        warn(
            f"Repository {store.id!r} lists no modules, so no alias of {model} was looked for: "
            f"look at those that you know, as in 'gavial alias history {model} champion'."
        )
        return
    except CorruptRelease as error:
        warn(f"It is not known which aliases of {model} mean {coordinate.version}: {error}")
        return
    for one in found:
        warn(
            f"The alias {one} still means {coordinate}, and whoever follows it still gets it: "
            f"gavial alias set {model} {one.name} VERSION"
        )
