"""What people and promotions said of a release, from the signed records beside its model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gavial.errors import (
    CorruptRelease,
    IncompatibleModel,
    InvalidCoordinate,
    UntrustedRelease,
)
from gavial.maven.coordinate import Coordinate, Module
from gavial.maven.record import Head
from gavial.maven.repository import Repository
from gavial.model.decision import Approval, Decision
from gavial.registry import approve, decisions, policies, record_seals, records, trust
from gavial.registry.records import Record

if TYPE_CHECKING:
    from gavial.registry.keys import PublicKey


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
    policy = policies.configured()
    if policy is not None and policy.approvals is not None:
        found |= trust.public_keys(policy.approvals.keys, f"the policy {policy.text.source}")
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
        seal = _seal(store, one, keys)
        approved.append(Approved(approve.told(one, seal.key), seal))
    return Testimony(tuple(decided), tuple(approved), tuple(problems))


def _records(
    store: Repository,
    coordinate: Coordinate,
    module_of: Callable[[Module], Module],
    kind: str,
    most: int,
    problems: list[str],
) -> Iterator[Record]:
    try:
        module = module_of(coordinate.module)
    except InvalidCoordinate:  # too long a name: there can be none
        return
    for head in records.of_release(store, module, kind, coordinate, most):
        if not isinstance(head, Head):
            problems.append(str(head))
            continue
        try:
            yield records.read(store, head)
        except (CorruptRelease, IncompatibleModel) as error:
            problems.append(str(error))


def _seal(store: Repository, found: Record, keys: Mapping[str, PublicKey]) -> Seal:
    key = ""
    try:
        bundle = record_seals.bundle_of(store, found.head.entry)
        if bundle is None:
            return Seal()
        key = record_seals.fingerprint_of(bundle)
        if key not in keys:
            return Seal(key)
        record_seals.check(store, found, bundle, keys)
    except (UntrustedRelease, CorruptRelease, IncompatibleModel) as error:
        return Seal(key, False, str(error))
    return Seal(key, True)
