"""Decisions of promotions, kept as records beside the model.

`churn-promotions` has them: those that passed in the target, those that were refused in the source.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gavial import limits
from gavial.errors import CorruptRelease
from gavial.maven import record
from gavial.maven.coordinate import Coordinate, Module
from gavial.maven.record import Head
from gavial.maven.repository import Repository
from gavial.model.decision import REFUSED, Decision
from gavial.registry import record_seals, records
from gavial.registry.records import Author, Record
from gavial.registry.signer import Signer

KIND = "promotions"
_SHORT = 60  # characters of a text in a record that would be too large
_OUTCOME = "outcome"


@dataclass(frozen=True)
class Kept:
    """A decision as it was read back, and its record: who signed that, `record_seals` tells."""

    record: Record
    decision: Decision

    @property
    def number(self) -> int:
        """Of the record."""
        return self.record.number


def module_of(model: Module) -> Module:
    """The module of a model's decisions.

    >>> str(module_of(Module("com.acme", "churn")))
    'com.acme:churn-promotions'
    """
    return Module(model.group, f"{model.artifact}-{KIND}")


def keep(store: Repository, decision: Decision, author: Author, signer: Signer | None) -> None:
    """Write a decision into a repository, signed where there is a signer.

    Raises:
        RepositoryError: it cannot be written there.
    """
    coordinate = Coordinate.parse(decision.coordinate)
    module = module_of(coordinate.module)
    draft = records.Draft(
        module,
        coordinate.module,
        KIND,
        author,
        f"{coordinate}, from {decision.source.id} to {decision.target.id}: {decision.outcome}.",
        {records.RELEASE: str(coordinate), _OUTCOME: decision.outcome},
        body=decision.to_json(),
    )
    sign = record_seals.signing(module, signer) if signer else None
    if len(json.dumps(draft.body)) > limits.RECORD // 2:  # of very many gates: shorter, yet all
        draft = replace(draft, body=decision.to_json(_SHORT))
    records.write(store, draft, sign=sign)


def catch_up(store: Repository, model: Module) -> None:
    """List a record that was written and, after a crash, not listed.

    Raises:
        InvalidCoordinate: the module's name is taken by something else.
        RepositoryError: the repository does not let us write.
    """
    records.current(store, module_of(model), model, KIND)


def all_of(
    store: Repository, model: Module, coordinate: Coordinate | None = None
) -> Iterator[Kept]:
    """The decisions that a repository has of a model, or of one release, newest first.

    Raises:
        CorruptRelease: a record is not what it was written as.
        IncompatibleModel: a later Gavial wrote it.
    """
    for head in records.heads(store, module_of(model)):
        if not isinstance(head, Head):
            raise head
        record.check(head, KIND, model)
        if coordinate is not None and head.facts.get(records.RELEASE) != str(coordinate):
            continue
        one = records.read(store, head)
        found = Decision.from_json(one.body)
        if found.coordinate != head.facts.get(records.RELEASE):
            raise CorruptRelease(f"{head.entry} is of another release than its POM says.")
        yield Kept(one, found)


def arrived(store: Repository, coordinate: Coordinate) -> Kept | None:
    """The first decision that brought a release there; `None` where none did."""
    found = [
        one
        for one in all_of(store, coordinate.module, coordinate)
        if one.decision.outcome != REFUSED
    ]
    return found[-1] if found else None
