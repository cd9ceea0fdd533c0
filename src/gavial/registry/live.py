"""What can be asked of releases and is no part of their cards: aliases, and who signed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from gavial.errors import CorruptRelease, IncompatibleModel
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.maven.repository import Repository
from gavial.registry import alias, trust

_THREADS = 8  # to one server at a time
_T = TypeVar("_T")


def aliases(
    store: Repository, module: Module, versions: Sequence[Version]
) -> Mapping[Version, list[str]]:
    """The aliases that mean each version now.

    Raises:
        RepositoryRefused: the repository has neither a listing nor a search.
        CorruptRelease: an alias is not what it was written as.
    """
    found: dict[Version, list[str]] = {version: [] for version in versions}
    for one in alias.all_of(store, module):
        if one.coordinate.version in found:
            found[one.coordinate.version].append(one.name)
    return found


def signers(
    store: Repository, module: Module, versions: Sequence[Version]
) -> Mapping[Version, str]:
    """Whom the signature of each version names, by one request each. Nobody has verified that.

    The fingerprint of a key, or the subject of a certificate.
    """
    return {
        version: signer
        for version, signer in each(store, versions, lambda at, one: _signer(at, module, one))
        if signer
    }


def each(
    store: Repository, versions: Sequence[Version], read: Callable[[Repository, Version], _T]
) -> Iterator[tuple[Version, _T]]:
    """Read something of each version, several at a time where the repository is a server."""
    if store.lists_itself or len(versions) < 2:  # a disk is not faster by threads
        yield from ((one, read(store, one)) for one in versions)
        return
    twins: list[Repository] = []
    of_thread = threading.local()

    def start() -> None:
        of_thread.store = store.twin()
        twins.append(of_thread.store)

    def one_of(version: Version) -> _T:
        return read(of_thread.store, version)

    with ThreadPoolExecutor(_THREADS, initializer=start) as threads:
        try:
            yield from zip(versions, threads.map(one_of, versions), strict=True)
        finally:
            threads.shutdown(cancel_futures=True)
            for twin in twins:
                twin.close()


def _signer(store: Repository, module: Module, version: Version) -> str:
    with suppress(CorruptRelease, IncompatibleModel):  # then it says nothing
        found = trust.read_of(store, Coordinate(module, version))
        if found is not None:
            return found.signer.partition(" ")[2]  # not `key …`
    return ""
