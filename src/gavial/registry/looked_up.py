"""What repositories say of a release, as one value: `Lookup`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gavial.maven.coordinate import Coordinate
from gavial.model.card import Card
from gavial.registry.tenure import Tenure
from gavial.registry.testimony import Approved, Decided
from gavial.registry.verdict import Verdict
from gavial.registry.withdraw import Withdrawal

FORMAT = 1
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
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
