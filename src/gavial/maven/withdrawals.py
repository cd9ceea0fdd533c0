"""Which releases of a model are withdrawn: taken out of what selectors and Ivy see. Apart from I/O.

The records of `churn-withdrawals` say so. Each one names all versions that are withdrawn as of it,
so that one list and one POM tell what holds, and the list alone (which is not there) that nothing
is.
"""

from __future__ import annotations

from collections.abc import Iterable

from gavial.errors import CorruptRelease, InvalidCoordinate
from gavial.maven import record
from gavial.maven.coordinate import Module, Version
from gavial.maven.protocol import Steps
from gavial.maven.record import Head

KIND = "withdrawals"
FACT = "withdrawn"


def module_of(model: Module) -> Module:
    """The module of a model's withdrawals.

    Raises:
        InvalidCoordinate: the model's name is so long that there is none.

    >>> str(module_of(Module("com.acme", "churn")))
    'com.acme:churn-withdrawals'
    """
    return Module(model.group, f"{model.artifact}-{KIND}")


def in_force(model: Module) -> Steps[frozenset[str]]:
    """The versions of a model that are withdrawn now; where nothing ever was, one look tells.

    Raises:
        CorruptRelease: what stands there is no list of withdrawals, or that of another model.
    """
    head = yield from newest(model)
    return frozenset(map(str, versions_of(head))) if head else frozenset()


def newest(model: Module) -> Steps[Head | None]:
    """The record that holds; `None` where nothing was ever withdrawn."""
    try:
        module = module_of(model)
    except InvalidCoordinate:  # too long a name: nothing can have been withdrawn
        return None
    head = yield from record.newest(module)
    if head is None:
        return None
    check(head, model)
    return head


def check(head: Head, model: Module) -> None:
    """Refuse a record that is not one of this model's withdrawals.

    Raises:
        CorruptRelease: saying what it is.
    """
    record.check(head, KIND, model)


def versions_of(head: Head) -> tuple[Version, ...]:
    """The versions that a record says are withdrawn, lowest first.

    Raises:
        CorruptRelease: it says something else.
    """
    parsed = list(map(Version.try_parse, head.facts.get(FACT, "").split()))
    if None in parsed:
        raise CorruptRelease(
            f"{head.entry} withdraws {head.facts[FACT][:80]!r}: expected versions such as 1.0.3."
        )
    return tuple(sorted(filter(None, parsed)))


def fact(versions: Iterable[Version]) -> dict[str, str]:
    """How a record's POM says which versions are withdrawn."""
    return {FACT: " ".join(map(str, sorted(versions)))}
