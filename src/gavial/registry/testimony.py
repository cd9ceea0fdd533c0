"""What people and promotions said of a release, from the signed records beside its model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gavial import limits
from gavial.errors import (
    ConfigurationError,
    CorruptRelease,
    IncompatibleModel,
    InvalidCoordinate,
    UntrustedRelease,
)
from gavial.maven import layout, record
from gavial.maven.coordinate import Coordinate, Module
from gavial.maven.record import Head
from gavial.maven.repository import Repository
from gavial.model.decision import Approval, Decision
from gavial.model.policy import Policy
from gavial.model.signature import Bundle
from gavial.registry import approve, decisions, places, record_seals, records, trust
from gavial.registry.records import Record

if TYPE_CHECKING:
    from gavial.registry.keys import PublicKey

_RELEASE, _CARD = "release", "card"


@dataclass(frozen=True)
class Seal:
    """Who signed a record.

    Attributes:
        key: the fingerprint that its signature names, empty where it is unsigned.
        accepted: whether it is that key's signature over this very record; `None` where it is
            unsigned, or no policy here names that key.
        problem: what is wrong with it.
    """

    key: str = ""
    accepted: bool | None = None
    problem: str = ""


@dataclass(frozen=True)
class Decided:
    """A decision of a promotion, the number of its record, and who signed that."""

    number: int
    decision: Decision
    seal: Seal


@dataclass(frozen=True)
class Approved:
    """Somebody's word for a release, and whether it is signed as it says."""

    approval: Approval
    seal: Seal


@dataclass(frozen=True)
class Testimony:
    """All of a release in one repository, newest first.

    Attributes:
        decisions: of promotions that brought it there, or were refused.
        approvals: for a promotion.
        problems: why others cannot be read, or are not for this release.
    """

    decisions: tuple[Decided, ...] = ()
    approvals: tuple[Approved, ...] = ()
    problems: tuple[str, ...] = ()


def known_keys(module: Module) -> dict[str, PublicKey]:
    """The keys that this user's trust policy and promotion policy name, by fingerprint.

    Raises:
        ConfigurationError: one of the files cannot be read.
    """
    found: dict[str, PublicKey] = {}
    for rule in trust.rules_of(module):
        found |= trust.public_keys(rule.keys, rule.source)
    policy = places.settings().policy
    if policy is not None:
        try:
            with policy.value.open("rb") as file:
                asked = Policy.parse(file.read(limits.SETTINGS + 1), policy.value).approvals
        except OSError as error:
            raise ConfigurationError(
                f"The promotion policy {str(policy.value)!r} cannot be read: {error}."
            ) from error
        if asked is not None:
            found |= trust.public_keys(asked.keys, f"the policy {policy.value}")
    return found


def of(
    store: Repository, coordinate: Coordinate, keys: Mapping[str, PublicKey], most: int
) -> Testimony:
    """Read it, from so many of the newest records of each kind.

    Raises:
        RepositoryError: the repository does not answer.
    """
    problems: list[str] = []
    decided = []
    kind = decisions.KIND
    for one in _records(store, coordinate, decisions.module_of, kind, most, problems):
        try:
            found = Decision.from_json(one.body)
            if found.coordinate != str(coordinate):
                raise CorruptRelease(f"{one.head.entry} is of another release than its POM says.")
        except (CorruptRelease, IncompatibleModel) as error:
            problems.append(str(error))
            continue
        decided.append(Decided(one.number, found, _seal(store, one, keys)))
    approved = []
    for one in _records(store, coordinate, approve.module_of, approve.KIND, most, problems):
        seal, author = _seal(store, one, keys), one.author
        card = one.head.facts.get(_CARD, "")
        said = (str(coordinate), card, seal.key, author.who, author.when, author.why, one.number)
        approved.append(Approved(Approval(*said), seal))
    return Testimony(tuple(decided), tuple(approved), tuple(problems))


def _records(
    store: Repository,
    coordinate: Coordinate,
    module_of: Callable[[Module], Module],
    kind: str,
    most: int,
    problems: list[str],
) -> Iterator[Record]:
    model = coordinate.module
    try:
        module = module_of(model)
    except InvalidCoordinate:  # too long a name: there can be none
        return
    for head in records.heads(store, module, most):
        if not isinstance(head, Head):
            problems.append(str(head))
            continue
        if head.facts.get(_RELEASE) != str(coordinate):
            continue
        try:
            record.check(head, kind, model)
            yield records.read(store, head)
        except (CorruptRelease, IncompatibleModel) as error:
            problems.append(str(error))


def _seal(store: Repository, found: Record, keys: Mapping[str, PublicKey]) -> Seal:
    entry, key = found.head.entry, ""
    data = store.read(layout.signature_path(entry))
    if data is None:
        return Seal()
    try:
        key = record_seals.fingerprint_of(Bundle.parse(data, f"The signature of {entry}"))
        if key not in keys:
            return Seal(key)
        record_seals.signer_of(store, found, keys)
    except (UntrustedRelease, CorruptRelease, IncompatibleModel) as error:
        return Seal(key, False, str(error))
    return Seal(key, True)
