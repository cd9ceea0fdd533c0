"""A module's `maven-metadata.xml`, brought up to date by several writers at once. Apart from I/O.

"Read, add ours, write" would lose the other of two writers. So each writer, before its write and
again one settle time after it, adds every release that it can find.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gavial.errors import CorruptRelease, RepositoryError, RepositoryUnavailable
from gavial.maven import layout, withdrawals
from gavial.maven.content import CHECKSUMS, Content
from gavial.maven.coordinate import MAX_NUMBER, AnyCoordinate, Coordinate, Entry, Library, Module
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.protocol import (
    Exists,
    Names,
    Read,
    Settle,
    Steps,
    WriteChecksums,
    WriteMetadata,
)

# Each round of the metadata either ends it or was overtaken by another writer.
MAX_METADATA_ROUNDS = 100
# Two lists written at once may leave the checksums of the other one. A server that makes them by
# itself is not fought with.
MAX_CHECKSUM_ROUNDS = 5
# So many numbers in a row that were claimed and abandoned are taken for the end of a line.
MAX_GAP = 100


def list_release(coordinate: AnyCoordinate, *, lists_itself: bool) -> Steps[None]:
    """Bring the module's `maven-metadata.xml` up to date with what is released.

    "Read, add ours, write" would lose the other of two writers. So each writer, before its
    write and again one settle time after it, adds every release that it can find, and only
    ends when nothing is missing: the last to write repairs the others.
    """
    try:
        yield from bring_up_to_date(coordinate, lists_itself=lists_itself)
    except RepositoryError as error:
        raise not_listed(coordinate, str(error)) from error


def bring_up_to_date(coordinate: AnyCoordinate, *, lists_itself: bool) -> Steps[None]:
    """As `list_release`, for a release that may be withdrawn: what is so is taken out.

    What is withdrawn is asked for in each round, before the list: whoever wrote a list without
    knowing of a withdrawal finds out in its next round, and whoever withdraws looks again one
    settle time after its write.
    """
    for number in range(MAX_METADATA_ROUNDS):
        withdrawn = yield from _withdrawn(coordinate)
        data = yield Read(layout.metadata_path(coordinate.module))
        listed, wanted = yield from _metadata(
            coordinate, data, withdrawn, lists_itself=lists_itself
        )
        if listed.versions != wanted.versions:
            refusal = yield WriteMetadata(wanted)
        elif number >= MAX_CHECKSUM_ROUNDS or (yield from _checksums_fit(coordinate.module, data)):
            return
        else:
            refusal = yield WriteChecksums(coordinate.module, Content.of_bytes(data or b""))
        if refusal is not None:
            raise refusal
        if not lists_itself:
            yield Settle()
    if str(coordinate.version) not in {*listed.versions, *withdrawn}:
        raise RepositoryUnavailable("its maven-metadata.xml does not keep what is written.")


def rebuild(metadata: ModuleMetadata, *, lists_itself: bool) -> Steps[None]:
    """Write a module's list as `metadata` says, with what was released since that was found out."""
    module = metadata.module
    for number in range(MAX_METADATA_ROUNDS):
        withdrawn = yield from withdrawals.in_force(module)
        data = yield Read(layout.metadata_path(module))
        try:
            listed = ModuleMetadata.parse(data, module)
        except CorruptRelease:
            listed = ModuleMetadata(module)
        others = [version for version in listed.versions if version not in metadata.versions]
        wanted = metadata.including((yield from _released(module, others))).without(withdrawn)
        if number == 0 or listed.versions != wanted.versions:
            refusal = yield WriteMetadata(wanted)
        elif number > MAX_CHECKSUM_ROUNDS or (yield from _checksums_fit(module, data)):
            return
        else:
            refusal = yield WriteChecksums(module, Content.of_bytes(data or b""))
        if refusal is not None:
            raise refusal
        if not lists_itself:
            yield Settle()
    raise RepositoryUnavailable(f"The list of {module} does not keep what is written.")


def _checksums_fit(module: Module, data: bytes | None) -> Steps[bool]:
    digests = Content.of_bytes(data or b"").digests
    for algorithm in CHECKSUMS:
        beside = yield Read(f"{layout.metadata_path(module)}.{algorithm}")
        if (beside or b"").split()[:1] != [digests[algorithm].encode()]:
            return False
    return True


def _withdrawn(coordinate: AnyCoordinate) -> Steps[frozenset[str]]:
    if not isinstance(coordinate, Coordinate):  # records and libraries are not withdrawn
        return frozenset()
    return (yield from withdrawals.in_force(coordinate.module))


def _metadata(
    coordinate: AnyCoordinate,
    data: bytes | None,
    withdrawn: Collection[str],
    *,
    lists_itself: bool,
) -> Steps[tuple[ModuleMetadata, ModuleMetadata]]:
    """What the metadata lists, and what it ought to."""
    module = coordinate.module
    listed = ModuleMetadata.parse(data, module)
    if lists_itself:
        names = yield Names(layout.module_folder(module))
        known = {*listed.versions, *withdrawn}
        # What is listed and still there was released, and stays so: its POM is not asked for again.
        released = [name for name in names or () if name in known]
        released += yield from _released(module, [n for n in names or () if n not in known])
        wanted = ModuleMetadata(module, listed.foreign).including(released)
        return listed, wanted.without(withdrawn)
    found: list[str] = []
    if not isinstance(coordinate, Library):
        known = {*listed.versions, *withdrawn}
        found = yield from _released_below(coordinate, known)
        found += yield from _released_above(coordinate, known)
    return listed, listed.including([*found, str(coordinate.version)]).without(withdrawn)


def _released_above(coordinate: Coordinate | Entry, known: Collection[str]) -> Steps[list[str]]:
    """Releases of the line just above a number that are not listed.

    A writer that stood still writes a list that lacks what was released meanwhile.
    """
    found = []
    for number in range(coordinate.number + 1, MAX_NUMBER + 1):
        above = coordinate.at(number)
        if str(above.version) in known:
            continue
        if not (yield Exists(layout.claim_path(above))):
            break
        if (yield Exists(layout.pom_path(above))):
            found.append(str(above.version))
    return found


def _released_below(coordinate: Coordinate | Entry, known: Collection[str]) -> Steps[list[str]]:
    """Releases of the line below a number that are not listed.

    Numbers are allotted one by one, so the search ends where so many in a row are neither listed
    nor released: below an exact number, such as a date, there may be millions that never were.
    """
    found, missed = [], 0
    lowest = 1 if isinstance(coordinate, Entry) else 0
    for number in range(coordinate.number - 1, lowest - 1, -1):
        below = coordinate.at(number)
        if str(below.version) in known:
            missed = 0
        elif (yield Exists(layout.pom_path(below))):
            found.append(str(below.version))
            missed = 0
        else:
            missed += 1
        if missed >= MAX_GAP:
            break
    return found


def _released(module: Module, versions: Iterable[str]) -> Steps[list[str]]:
    found = []
    for version in versions:
        pom = f"{layout.version_folder(module, version)}/{layout.file_name(module, version, 'pom')}"
        if (yield Exists(pom)):
            found.append(version)
    return found


def not_listed(coordinate: AnyCoordinate, why: str) -> RepositoryError:
    return RepositoryUnavailable(
        f"{coordinate} is released but not listed: {why} Repeat the deploy to finish it."
    )
