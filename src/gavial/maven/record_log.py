"""How one more record comes to be. Apart from all I/O.

Records are claimed and published by the steps of `publish`. What comes on top is *compare and
set*: a writer says which record it took for the newest, and of several that took the same one for
it exactly one wins.

Numbers whose writer died are passed over, so two writers may hold two numbers at once. Each then
looks for the other after its own claim and before its own commit: who finds a claim above its
number gives up, and who finds a claim below lets a settle time pass and looks whether that was
committed. Should one have stood still for longer than that, both are committed; each looks once
more after its commit, so that no one wins without being told of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gavial.errors import Conflict, InvalidCoordinate, RepositoryUnavailable
from gavial.maven import layout, publish, record
from gavial.maven.coordinate import AnyCoordinate, Entry, Module, Number
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.protocol import Exists, Names, Read, Settle, Steps


@dataclass(frozen=True)
class RecordOrder(publish.Order):
    """An order for a record.

    `after_of` reads from a claim which record its writer took for the newest; `None` where it is
    no such claim, or its writer did not care.
    """

    after_of: Callable[[bytes], int | None] = lambda _: None


def append(
    order: RecordOrder, module: Module, model: Module, kind: str, after: int | None
) -> Steps[Entry]:
    """Publish one more record.

    Args:
        after: the number of the record that the writer took for the newest, 0 for none; `None`
            where it does not matter to it.

    Raises:
        Conflict: there is a newer one, or another writer was faster.
        InvalidCoordinate: the module is a model, or has records of something else.
        RepositoryError: the repository refuses for a reason of its own.
    """
    last = yield from _last(module, model, kind)
    if after is not None and after != last:
        raise Conflict(
            f"The newest record of {module} is {last}, and not {after} as expected: somebody else "
            "was faster. Look at what holds now, and decide again."
        )
    for number in range(last + 1, last + 1 + publish.MAX_CLAIMS):
        entry = Entry(module, Number(number))
        if after is None:
            packed = yield from publish.take(order, entry)
        else:
            packed = yield from publish.take(order, entry, lambda one: _last_look(one, after))
        if packed is not None:
            yield from publish.complete(entry, packed.pom, lists_itself=order.lists_itself)
            if after is not None:
                yield from _look_back(order, entry, after)
            return entry
        if after is not None and (yield Exists(layout.pom_path(entry))):
            raise _faster(entry)
    raise RepositoryUnavailable(
        f"{publish.MAX_CLAIMS} numbers of {module} are taken by claims: the repository hides what "
        "was written."
    )


def catch_up(
    module: Module, model: Module, kind: str, *, lists_itself: bool
) -> Steps[record.Head | None]:
    """The newest record, listed if a crash left it unlisted; `None` where there is none.

    Raises:
        InvalidCoordinate: the module is something else.
    """
    last = yield from _last(module, model, kind)
    if not last:
        return None
    entry = Entry(module, Number(last))
    data = yield Read(layout.metadata_path(module))
    if entry.version not in ModuleMetadata.parse(data, module).records:
        yield from publish.complete(entry, lists_itself=lists_itself)
    pom = yield Read(layout.pom_path(entry))
    if pom is None:
        raise RepositoryUnavailable(f"The POM of {entry} was there and is not shown.")
    return record.Head.parse(pom, entry)


def _last(module: Module, model: Module, kind: str) -> Steps[int]:
    """The number of the newest record, be it listed or not; 0 where there is none.

    Raises:
        InvalidCoordinate: the module is something else.
    """
    data = yield Read(layout.metadata_path(module))
    names = yield Names(layout.module_folder(module))
    listed = ModuleMetadata.parse(data, module)
    both = listed.including(names or ())
    if both.releases:
        raise InvalidCoordinate(
            f"{module} is a model, so its name is taken: {both.releases[-1]} is released there. "
            f"Choose another name than {module.artifact.removeprefix(f'{model.artifact}-')!r}."
        )
    last = 0
    for number in reversed(both.records):
        entry = Entry(module, number)
        pom = yield Read(layout.pom_path(entry))
        if pom is not None:
            _check_same(pom, entry, model, kind)
            last = number.value
            break
    entry = Entry(module, Number(last + 1))
    while (yield Exists(layout.claim_path(entry))):
        if (yield Exists(layout.pom_path(entry))):
            last = entry.number
        entry = entry.at(entry.number + 1)
    return last


def _check_same(pom: bytes, entry: Entry, model: Module, kind: str) -> None:
    if record.describe(pom) is None:
        raise InvalidCoordinate(
            f"{entry} is no record of Gavial's, so the name of {entry.module} is taken: choose "
            "another."
        )
    head = record.Head.parse(pom, entry)
    if (head.kind, head.model) != (kind, model):
        raise InvalidCoordinate(
            f"{entry.module} is {record.describe(pom)}, and cannot be the {kind} of {model} too: "
            "choose another name."
        )


def _last_look(entry: Entry, after: int) -> Steps[None]:
    """Give up where another writer has, or may get, a number before ours or beyond it."""
    if entry.number > after + 1:  # who claimed the numbers between may be about to commit
        yield Settle()
    yield from _look_below(entry, after)
    if (yield Exists(layout.claim_path(entry.at(entry.number + 1)))):
        raise Conflict(
            f"Another writer of {entry.module} was at work at the same time, and this one gave up: "
            "nothing was written. Look at what holds now, and decide again."
        )


def _look_below(entry: Entry, after: int) -> Steps[None]:
    for number in range(after + 1, entry.number):
        if (yield Exists(layout.pom_path(entry.at(number)))):
            raise _faster(entry.at(number))


def _look_back(order: RecordOrder, entry: Entry, after: int) -> Steps[None]:
    """Say so where another writer that did not know of this record committed one as well."""
    for number in range(after + 1, entry.number):
        if (yield Exists(layout.pom_path(entry.at(number)))):
            raise _both(entry.at(number), entry)
    above = entry.at(entry.number + 1)
    settled = False
    while (claim := (yield Read(layout.claim_path(above)))) is not None:
        if order.after_of(claim) == entry.number:
            return  # that writer knew of this record
        if not settled:
            yield Settle()
            settled = True
        if (yield Exists(layout.pom_path(above))):
            raise _both(entry, above)
        above = above.at(above.number + 1)


def _faster(entry: Entry) -> Conflict:
    return Conflict(
        f"Somebody else wrote {entry} meanwhile, and nothing else was written. Look at what holds "
        "now, and decide again."
    )


def _both(first: Entry, second: AnyCoordinate) -> Conflict:
    return Conflict(
        f"Two writers of {first.module} did not know of each other: {first} and {second} are both "
        f"there, and {second} holds. Look at what it says, and decide again."
    )
