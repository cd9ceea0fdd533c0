"""Mend a module's `maven-metadata.xml` from what is there, and name what is not as it ought to be.

Nothing else is changed: claims and releases are only looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass

from gavial.errors import CorruptRelease, GavialError, ModelNotFound, ReleaseNotFound
from gavial.maven import catalog, layout, version_list
from gavial.maven.content import CHECKSUMS, Content
from gavial.maven.coordinate import AnyCoordinate, Coordinate, Entry, Line, Module, Number, Version
from gavial.maven.drive import Driver
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.repository import Repository
from gavial.registry.release import Release, Transferred

# So many numbers in a row that nobody claimed are taken for the end of a line.
_GAP = 1_000
# Lines that are asked for where nothing lists them.
_LINES = frozenset(Line(major, minor) for major in range(10) for minor in range(10))


@dataclass(frozen=True)
class Findings:
    """What is there of a module.

    Attributes:
        module: which one.
        releases: versions with a POM, lowest first.
        foreign: versions by others that have a POM.
        missing: releases, and records, that `maven-metadata.xml` does not list.
        phantom: versions that it lists and that have no POM.
        stale: it names another version than the highest as the newest, or its checksums are wrong.
        withdrawn: releases that are withdrawn, and so not listed.
        relisted: those of them that are listed all the same.
        claims: numbers with a claim and no POM: abandoned, or a deploy under way.
        corrupt: what is wrong with releases whose bytes do not match, by version.
        whole: the repository lists its folders, so no line can have been overlooked.
    """

    module: Module
    releases: tuple[Version, ...]
    foreign: tuple[str, ...]
    missing: tuple[str, ...]
    phantom: tuple[str, ...]
    stale: bool
    withdrawn: tuple[Version, ...]
    relisted: tuple[str, ...]
    claims: tuple[Version, ...]
    corrupt: tuple[tuple[str, str], ...]
    whole: bool

    @property
    def needs_repair(self) -> bool:
        """Whether `maven-metadata.xml` is not what it ought to be."""
        return bool(self.missing or self.phantom or self.relisted or self.stale)


def examine(store: Repository, module: Module, progress: Transferred | None = None) -> Findings:
    """Look at everything of a module; every byte of its releases is read.

    A repository that lists no folders is asked for each number up to the first one, beyond the
    highest that is listed, that nobody has claimed, and down until a thousand in a row were never
    claimed; of the lines that are listed, and of those from 0.0 to 9.9.

    Raises:
        ModelNotFound: nothing of that module is there.
        RepositoryUnavailable: the repository does not answer.
    """
    data = store.read(layout.metadata_path(module))
    listed, broken = _listed(data, module)
    names = store.names(layout.module_folder(module))
    versions = [v for v in names if _is_version(store, module, v)] if names else list(listed)
    versions += _unlisted_records(store, module)
    found = set(filter(None, map(Version.try_parse, (*versions, *listed))))
    numbers = sorted(found | set(_unlisted(store, module, found)))
    released, claims = [], []
    for version in numbers:
        coordinate = Coordinate(module, version)
        if store.exists(layout.pom_path(coordinate)):
            released.append(version)
        elif store.exists(layout.claim_path(coordinate)):
            claims.append(version)
    foreign = tuple(
        v
        for v in dict.fromkeys((*listed, *versions))
        if Version.try_parse(v) is None and _has_pom(store, module, v)
    )
    if not (released or claims or foreign or data):
        raise ModelNotFound(f"Nothing of {module} in repository {store.id!r} ({store.url}).")
    there = {*map(str, released), *foreign}
    out = catalog.withdrawn(store, module)
    records = [version for version in foreign if Number.try_parse(version)]
    visible = [version for version in released if version not in out]
    return Findings(
        module,
        tuple(released),
        foreign,
        missing=tuple(v for v in [*map(str, visible), *records] if v not in listed),
        phantom=tuple(v for v in listed if v not in there),
        stale=broken or _is_stale(store, module, data, [*map(str, visible), *foreign]),
        withdrawn=tuple(v for v in released if v in out),
        relisted=tuple(str(v) for v in released if v in out and str(v) in listed),
        claims=tuple(claims),
        corrupt=tuple(_corrupt(store, module, released, progress)),
        whole=names is not None,
    )


def repair(store: Repository, findings: Findings) -> None:
    """Write `maven-metadata.xml` and its checksums as they ought to be.

    Raises:
        RepositoryError: the repository does not let us.
    """
    releases = map(str, findings.releases)
    wanted = ModuleMetadata(findings.module, findings.foreign).including(releases)
    Driver(store).run(version_list.rebuild(wanted, lists_itself=store.lists_itself))


def _listed(data: bytes | None, module: Module) -> tuple[tuple[str, ...], bool]:
    """What the metadata lists; nothing where it cannot be read, which is then said."""
    try:
        return ModuleMetadata.parse(data, module).versions, False
    except CorruptRelease:
        return (), True


def _is_version(store: Repository, module: Module, name: str) -> bool:
    return Version.try_parse(name) is not None or _has_pom(store, module, name)


def _has_pom(store: Repository, module: Module, version: str) -> bool:
    folder = layout.version_folder(module, version)
    return store.exists(f"{folder}/{layout.file_name(module, version, 'pom')}")


def _unlisted(store: Repository, module: Module, known: Collection[Version]) -> Iterator[Version]:
    """Numbers that nothing lists, by asking for them."""
    if store.lists_itself:
        return
    highest = {version.line: version.build for version in sorted(known)}
    for line in sorted({*highest, *_LINES}):
        top = highest.get(line, -1)
        if top > 0:
            yield from _below(store, module, line.build(top), known)
        number = top + 1
        while _is_taken(store, Coordinate(module, line.build(number))):
            yield line.build(number)
            number += 1


def _unlisted_records(store: Repository, module: Module) -> Iterator[str]:
    """Numbers of records, such as an alias's, by asking for them."""
    entry = Entry(module, Number(1))
    while not store.lists_itself and _is_taken(store, entry):
        yield str(entry.version)
        entry = entry.at(entry.number + 1)


def _below(
    store: Repository, module: Module, highest: Version, known: Collection[Version]
) -> Iterator[Version]:
    """Taken numbers below one, until so many in a row were never taken."""
    missed = 0
    for number in range(highest.build - 1, -1, -1):
        version = highest.line.build(number)
        if version in known or _is_taken(store, Coordinate(module, version)):
            missed = 0
            yield version
        else:
            missed += 1
        if missed >= _GAP:
            return


def _is_taken(store: Repository, coordinate: AnyCoordinate) -> bool:
    return any(
        store.exists(path) for path in (layout.claim_path(coordinate), layout.pom_path(coordinate))
    )


def _is_stale(store: Repository, module: Module, data: bytes | None, there: list[str]) -> bool:
    if data is None:
        return bool(there)
    highest = ModuleMetadata(module, tuple(there)).highest
    if ModuleMetadata.newest(data, module) != (highest, highest):
        return True
    content = Content.of_bytes(data)
    path = layout.metadata_path(module)
    for algorithm in CHECKSUMS:
        beside = store.read(f"{path}.{algorithm}") or b""
        if beside.split()[:1] != [content.digests[algorithm].encode()]:
            return True
    return False


def _corrupt(
    store: Repository, module: Module, released: list[Version], progress: Transferred | None
) -> Iterator[tuple[str, str]]:
    for version in released:
        coordinate = Coordinate(module, version)
        try:
            with suppress(
                ReleaseNotFound
            ):  # not released by Gavial: nothing says what it ought to be
                Release.read(store, coordinate).compare(progress)
        except GavialError as error:
            yield str(version), str(error)
