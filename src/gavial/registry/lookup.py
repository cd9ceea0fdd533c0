"""From a watermark to who answers for it: `gavial.lookup("com.acme:churn:1.0.3")`.

What each repository says is read side by side, and nothing of it is believed for being said: what
does not agree is named.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
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
from gavial.model.card import Card
from gavial.registry import places, tenure, testimony, trust, verdict, withdraw
from gavial.registry.release import Release
from gavial.registry.tenure import Tenure
from gavial.registry.testimony import Approved, Decided, Testimony
from gavial.registry.verdict import Verdict
from gavial.registry.withdraw import Withdrawal

if TYPE_CHECKING:
    from gavial.registry.keys import PublicKey

FORMAT = 1
MOST_RECORDS = 200  # of one module of records
_THREADS = 8  # repositories at a time
_T = TypeVar("_T")
# Of a card, what an answer in short has.
_CARD = (
    *("description", "intended_use", "limits", "owner", "author", "created", "labels", "fields"),
    *("metrics", "metrics_on", "training_data", "git", "script", "environment", "libraries"),
    *("python_modules", "watermark", "replaces"),
)


@dataclass(frozen=True)
class Following:
    """The release that came after another one.

    Attributes:
        coordinate: which.
        created: when it was made, as its card says; empty where that could not be read.
        author: by whom, as its card says.
    """

    coordinate: Coordinate
    created: str = ""
    author: str = ""


@dataclass(frozen=True)
class Place:
    """What one repository says of a release.

    Attributes:
        id: of the repository.
        url: where it is, without credentials.
        released: whether the release is there.
        card: the model card, where it could be read.
        sha256: of the card. It names every other file with its own sha256.
        signature: by whom, and whether the trust policy accepts that.
        withdrawn: who took it out of what selectors see, when and why; `None` where it is in.
        withdrawals: every time that this happened or was taken back, newest first.
        tenures: when its aliases meant it, by alias, newest first.
        decisions: of promotions that brought it there, or were refused there; newest first.
        approvals: that were given there for a promotion, newest first.
        following: the next build there, or else the next release.
        newest: the highest release there.
        problems: what is not as it ought to be.
        unread: what could not be found out, and why.
    """

    id: str
    url: str
    released: bool = False
    card: Card | None = None
    sha256: str = ""
    signature: Verdict | None = None
    withdrawn: Withdrawal | None = None
    withdrawals: tuple[Withdrawal, ...] = ()
    tenures: tuple[Tenure, ...] = ()
    decisions: tuple[Decided, ...] = ()
    approvals: tuple[Approved, ...] = ()
    following: Following | None = None
    newest: Coordinate | None = None
    problems: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def cards(self) -> Iterator[tuple[int, str, str]]:
        """The sha256 of the card that each decision and approval is of, with its number."""
        for one in self.decisions:
            yield one.number, "the decision", one.decision.card
        for each in self.approvals:
            yield each.approval.number, "the approval", each.approval.card


@dataclass(frozen=True)
class Lookup:
    """What is known of the release that scored a record.

    Attributes:
        coordinate: the release.
        places: what each repository that answered says, in the order of the configuration.
        unavailable: why others gave no answer, by id.

    >>> Lookup(Coordinate.parse("com.acme:churn:1.0.3"), ()).alarms
    ()
    """

    coordinate: Coordinate
    places: tuple[Place, ...]
    unavailable: Mapping[str, str] = field(default_factory=dict)

    @property
    def holders(self) -> tuple[Place, ...]:
        """The repositories that have it."""
        return tuple(one for one in self.places if one.released)

    @property
    def source(self) -> Place | None:
        """Whose card is meant: of the first whose signature is accepted, else of the first."""
        with_card = [one for one in self.holders if one.card is not None]
        trusted = (one for one in with_card if one.signature and one.signature.accepted)
        return next(trusted, with_card[0] if with_card else None)

    @property
    def card(self) -> Card | None:
        """The model card of `source`."""
        return self.source.card if self.source else None

    @property
    def alarms(self) -> tuple[str, ...]:
        """What nobody who answers for the release may pass over."""
        found = [f"{one.id}: {problem}" for one in self.places for problem in one.problems]
        card = self.source.sha256 if self.source else ""
        for one in self.places:
            for number, what, said in one.cards():
                if card and said != card:
                    found.append(
                        f"{one.id}: {what} {number} is of a card with the sha256 {said:.64}, and "
                        f"the card of {self.coordinate} has {card}: it was for other bytes."
                    )
        cards: dict[str, list[str]] = {}
        for one in self.holders:
            if one.sha256:
                cards.setdefault(one.sha256, []).append(repr(one.id))
        if len(cards) > 1:
            told = "; ".join(f"{digest} in {', '.join(ids)}" for digest, ids in cards.items())
            found.insert(
                0,
                f"{self.coordinate} is not the same in every repository: the sha256 of its card is "
                f"{told}. A release never changes, so one of them was altered: 'gavial verify' "
                "each.",
            )
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """As JSON values: what docs/how-to/lookup.md describes."""
        card = None
        if self.card is not None:
            whole = {name: _plain(getattr(self.card, name)) for name in _CARD}
            classes = [str(one.get("class", "")) for one in self.card.pipeline]
            card = {**whole, "stages": classes}
        return {
            "format": FORMAT,
            "coordinate": str(self.coordinate),
            "found": bool(self.holders),
            "alarms": list(self.alarms),
            "source": self.source.id if self.source else None,
            "card": card,
            "repositories": [_place(one) for one in self.places],
            "unavailable": dict(self.unavailable),
        }


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
    for name in aliases:
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
        known = {*aliases, *(name for names in listed for name in names or ())}
        asked = [known if names is None else {*names, *aliases} for names in listed]
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
        found = self._tried("aliases", lambda: tenure.candidates(self.store, model), none)
        if found is None and self.place.released:
            self._unread.append(
                "its aliases: it lists nothing and has no search that is known here, so those were "
                "looked for that other repositories have or that you named (--alias)"
            )
        return found

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


def _place(one: Place) -> dict[str, Any]:
    signature = None if one.signature is None else vars(one.signature)
    return {
        "id": one.id,
        "url": one.url,
        "released": one.released,
        "sha256": one.sha256,
        "signature": _plain(signature),
        "withdrawn": None if one.withdrawn is None else _withdrawal(one.withdrawn),
        "withdrawals": [_withdrawal(each) for each in one.withdrawals],
        "aliases": [
            {
                "alias": each.alias,
                "number": each.number,
                "since": vars(each.since),
                "until": vars(each.until) if each.until else None,
                "then": str(each.then) if each.then else None,
            }
            for each in one.tenures
        ],
        "decisions": [
            {**each.decision.to_json(), "number": each.number, "seal": vars(each.seal)}
            for each in one.decisions
        ],
        "approvals": [
            {**each.approval.to_json(), "seal": vars(each.seal)} for each in one.approvals
        ],
        "following": None
        if one.following is None
        else {**vars(one.following), "coordinate": str(one.following.coordinate)},
        "newest": str(one.newest) if one.newest else None,
        "problems": list(one.problems),
        "unread": list(one.unread),
    }


def _withdrawal(one: Withdrawal) -> dict[str, Any]:
    return {**vars(one), "coordinate": str(one.coordinate)}


def _plain(value: Any) -> Any:
    """A value of a card as JSON holds it."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value
