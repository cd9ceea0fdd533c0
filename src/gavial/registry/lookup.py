"""From a watermark to who answers for it: `gavial.lookup("com.acme:churn:1.0.3")`.

What each repository says is read side by side, and nothing of it is believed for being said: what
does not agree is named.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from gavial.errors import (
    CorruptRelease,
    GavialError,
    IncompatibleModel,
    InvalidCoordinate,
    NotFound,
    ReleaseNotFound,
    UntrustedRelease,
)
from gavial.maven import alias, catalog, layout
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.maven.repository import Repository
from gavial.maven.settings_signing import TrustRule
from gavial.model import scored
from gavial.registry import alias as alias_records
from gavial.registry import places, tenure, testimony, trust, verdict, withdraw
from gavial.registry.looked_up import Following, Lookup, Place
from gavial.registry.release import Release
from gavial.registry.tenure import Tenure
from gavial.registry.testimony import Testimony
from gavial.registry.withdraw import Withdrawal

if TYPE_CHECKING:
    from gavial.registry.keys import PublicKey

MOST_RECORDS = 200  # of one module of records
MOST_ALIASES = 200  # of one model, or what its name begins like
_THREADS = 8  # repositories at a time
_T = TypeVar("_T")


def lookup(
    watermark: str | Coordinate,
    repository: str | os.PathLike[str] | None = None,
    *,
    aliases: Iterable[str] = (),
) -> Lookup:
    """Find out all that repositories know of the release that a watermark names.

    Args:
        watermark: its value, such as `"com.acme:churn:1.0.3"`.
        repository: look there alone; `None` is every configured one, and the default.
        aliases: names to look for where a repository cannot list them.

    Raises:
        InvalidCoordinate: the text is not the coordinate of a release.
        ReleaseNotFound: no repository that answered has it.
        RepositoryError: none answered.
        ConfigurationError: a repository or a key of the trust policy cannot be used.

    >>> lookup("com.acme:churn:1.0.3", "build/models")
    Traceback (most recent call last):
        ...
    gavial.errors.ReleaseNotFound: com.acme:churn:1.0.3 is in none of the repositories: 'folder' ...
    """
    coordinate = watermark if isinstance(watermark, Coordinate) else _only(watermark)
    stores = places.open_all() if repository is None else (places.open_named(repository),)
    try:
        return look(stores, coordinate, aliases=aliases)
    finally:
        for store in stores:
            store.close()


def look(
    stores: Sequence[Repository], coordinate: Coordinate, *, aliases: Iterable[str] = ()
) -> Lookup:
    """The same in repositories that are open.

    Raises:
        ReleaseNotFound, RepositoryError, ConfigurationError: as `lookup`.
    """
    named = {aliases} if isinstance(aliases, str) else set(aliases)
    for name in named:
        alias.check_name(name)
    rules = trust.rules_of(coordinate.module)
    keys = testimony.known_keys(coordinate.module)
    looks = [_Look(store, coordinate, rules, keys) for store in stores]
    with ThreadPoolExecutor(max(1, min(_THREADS, len(looks)))) as threads:
        outcomes = list(zip(looks, threads.map(_Look.release_of, looks), strict=True))
        errors = {one.store.id: error for one, error in outcomes if error is not None}
        answered = [one for one, error in outcomes if error is None]
        if errors and not answered:
            raise next(iter(errors.values()))
        if not any(one.place.released for one in answered):
            raise _nowhere(coordinate, answered, errors)
        # Also of those that do not have it: what staging said of it may outlive it there. An alias
        # that is known from one repository is looked for where none can be listed.
        listed = list(threads.map(_Look.names, answered))
        known = named.union(*(names or () for names in listed))
        asked = [known if names is None else named.union(names) for names in listed]
        list(threads.map(_Look.records_of, answered, map(sorted, asked)))
    return Lookup(
        coordinate,
        tuple(one.place for one in answered),
        {name: str(error) for name, error in errors.items()},
    )


class _Look:
    """One repository, read by one thread at a time."""

    def __init__(
        self,
        store: Repository,
        coordinate: Coordinate,
        rules: Sequence[TrustRule],
        keys: Mapping[str, PublicKey],
    ) -> None:
        self.store, self.coordinate, self.rules, self.keys = store, coordinate, rules, keys
        self.place = Place(store.id, store.url)
        self._problems: list[str] = []
        self._unread: list[str] = []

    def release_of(self) -> GavialError | None:
        """Read the card and the signature. What it gives is why there is no answer."""
        try:
            found = Release.read(self.store, self.coordinate)
        except NotFound:
            return self._without_card()
        except (CorruptRelease, IncompatibleModel) as error:
            self._problems.append(str(error))
            self.place = replace(self.place, released=True)
            return None
        except GavialError as error:
            return error
        self.place = replace(
            self.place, released=True, card=found.card, sha256=found.files[-1].sha256
        )
        judged = self._tried("the signature", lambda: verdict.of(found, self.rules), None)
        if judged is not None and judged.accepted is False:
            self._problems.append(judged.detail)
        self.place = replace(self.place, signature=judged)
        return None

    def names(self) -> tuple[str, ...] | None:
        """What may be aliases of the model; `None` where the repository cannot tell."""
        model = self.coordinate.module
        none: tuple[str, ...] | None = ()
        found = self._tried("aliases", lambda: alias_records.candidates(self.store, model), none)
        if found is None and self.place.released:
            self._unread.append(
                "its aliases: it lists nothing and has no search that is known here, so those were "
                "looked for that other repositories have or that you named (--alias)"
            )
        if found is not None and len(found) > MOST_ALIASES:
            self._unread.append(
                f"its aliases: {len(found)} modules have a name that begins with {model}-, and the "
                f"first {MOST_ALIASES} were looked at, with those that you named (--alias)"
            )
        return found if found is None else found[:MOST_ALIASES]

    def records_of(self, aliases: Sequence[str]) -> None:
        """Read what the records beside the model say of the release, and what came after it."""
        module = self.coordinate.module
        none: tuple[Version, ...] = ()
        there = self._tried("versions", self._versions, none)
        later = [one for one in there if one > self.coordinate.version]
        self.place = replace(
            self.place,
            **self._withdrawn(),
            tenures=tuple(one for name in aliases for one in self._tenures(name)),
            **self._said(),
            following=self._following(later),
            newest=Coordinate(module, there[-1]) if there else None,
        )
        self.place = replace(
            self.place,
            problems=tuple(dict.fromkeys(self._problems)),
            unread=tuple(dict.fromkeys(self._unread)),
        )

    def _without_card(self) -> GavialError | None:
        try:
            if self.store.exists(layout.pom_path(self.coordinate)):
                self._unread.append("its card: it has none, since another tool released it")
                self.place = replace(self.place, released=True)
        except GavialError as error:
            return error
        return None

    def _versions(self) -> tuple[Version, ...]:
        return catalog.versions(self.store, self.coordinate.module).releases

    def _withdrawn(self) -> dict[str, Any]:
        """What holds now, and how it came to that: each is told where the other cannot be read."""
        none: tuple[Withdrawal, ...] = ()
        now = self._tried("withdrawals", self._ours(withdraw.all_of), none)
        past = self._tried("withdrawals of before", self._ours(_past), none)
        return {"withdrawn": now[0] if now else None, "withdrawals": past}

    def _ours(
        self, read: Callable[[Repository, Module], tuple[Withdrawal, ...]]
    ) -> Callable[[], tuple[Withdrawal, ...]]:
        def of_release() -> tuple[Withdrawal, ...]:
            try:
                found = read(self.store, self.coordinate.module)
            except InvalidCoordinate:  # too long a name: nothing can have been withdrawn
                return ()
            return tuple(one for one in found if one.coordinate == self.coordinate)

        return of_release

    def _said(self) -> dict[str, Any]:
        def read() -> Testimony:
            return testimony.of(self.store, self.coordinate, self.keys, MOST_RECORDS)

        found = self._tried("decisions and approvals", read, Testimony())
        self._problems += found.problems
        seals = [one.seal for one in found.decisions] + [one.seal for one in found.approvals]
        self._problems += (one.problem for one in seals if one.accepted is False)
        return {"decisions": found.decisions, "approvals": found.approvals}

    def _tenures(self, name: str) -> tuple[Tenure, ...]:
        def read() -> tenure.Tenures:
            try:
                return tenure.of(self.store, self.coordinate, name, MOST_RECORDS)
            except InvalidCoordinate:  # too long a name with the model's: there is no such alias
                return tenure.Tenures(())

        found = self._tried(f"the alias {name}", read, tenure.Tenures(()))
        if found.unread:
            self._unread.append(
                f"the alias {name}: of its records the newest {MOST_RECORDS} were read, and "
                f"{found.unread} older ones were not"
            )
        return found.tenures

    def _following(self, later: Sequence[Version]) -> Following | None:
        """The next build of the line, else the next release of another."""
        line = self.coordinate.version.line
        after = next((one for one in later if one.line == line), later[0] if later else None)
        if after is None:
            return None
        coordinate = Coordinate(self.coordinate.module, after)
        try:
            card = Release.read(self.store, coordinate).card
        except GavialError:  # that it is there is what matters
            return Following(coordinate)
        return Following(coordinate, card.created, card.author)

    def _tried(self, what: str, read: Callable[[], _T], otherwise: _T) -> _T:
        """What can be read; else it is noted, and the rest goes on."""
        try:
            return read()
        except (CorruptRelease, UntrustedRelease, IncompatibleModel) as error:
            self._problems.append(str(error))
        except GavialError as error:
            self._unread.append(f"{what}: {error}")
        return otherwise


def _past(store: Repository, module: Module) -> tuple[Withdrawal, ...]:
    return withdraw.history(store, module, MOST_RECORDS)


def _only(text: str) -> Coordinate:
    found = tuple(scored.read(text).versions)
    if len(found) != 1:
        raise InvalidCoordinate(
            f"{', '.join(map(str, found))}: expected the watermark of one release."
        )
    return found[0]


def _nowhere(
    coordinate: Coordinate, answered: Sequence[_Look], errors: Mapping[str, GavialError]
) -> ReleaseNotFound:
    where = ", ".join(f"{one.store.id!r} ({one.store.url})" for one in answered)
    away = "".join(f" Repository {name!r} gave no answer: {one}" for name, one in errors.items())
    return ReleaseNotFound(f"{coordinate} is in none of the repositories: {where}.{away}")
