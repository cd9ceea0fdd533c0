"""When an alias meant a release, from the alias's own records."""

from __future__ import annotations

from dataclasses import dataclass

from gavial.errors import CorruptRelease
from gavial.maven import alias, layout, record
from gavial.maven.coordinate import Coordinate, Entry
from gavial.maven.drive import Driver
from gavial.maven.record import Head
from gavial.maven.repository import Repository
from gavial.registry import records
from gavial.registry.records import Author


@dataclass(frozen=True)
class Tenure:
    """A time in which an alias meant a release.

    Attributes:
        alias: its name, such as `champion`.
        number: of the record that set it to the release.
        since: by whom it was set to the release, when and why.
        until: by whom it was set to another, when and why; `None` where it still means it.
        then: the release that it was set to.
    """

    alias: str
    number: int
    since: Author
    until: Author | None = None
    then: Coordinate | None = None


@dataclass(frozen=True)
class Tenures:
    """The tenures of a release under one alias, newest first.

    `unread` is the number of older records that were not looked at.
    """

    tenures: tuple[Tenure, ...]
    unread: int = 0


def of(store: Repository, coordinate: Coordinate, name: str, most: int) -> Tenures:
    """When an alias meant a release. What is no alias of its model has no tenures.

    Args:
        most: so many of the newest records are read, two requests each at the most.

    Raises:
        CorruptRelease: a record is not what it was written as.
        RepositoryError: the repository does not answer.
    """
    model = coordinate.module
    module = alias.module_of(model, name)
    try:
        numbers = Driver(store).run(record.numbers(module))
    except CorruptRelease:  # the list of a group, or what somebody else put there
        return Tenures(())
    found: list[Tenure] = []
    later: Head | None = None
    for number in numbers[: -most - 1 : -1]:
        entry = Entry(module, number)
        pom = store.read(layout.pom_path(entry))
        if pom is None:  # claimed, and no more
            continue
        if later is None and record.kind_of(pom) != (alias.KIND, str(model)):
            return Tenures(())
        head = Head.parse(pom, entry)
        alias.check(head, model, name)
        if head.target == coordinate:
            until = records.read(store, later).author if later else None
            then = later.target if later else None
            since = records.read(store, head).author
            found.append(Tenure(name, head.entry.number, since, until, then))
        later = head
    return Tenures(tuple(found), max(len(numbers) - most, 0))
