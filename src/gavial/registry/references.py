"""The references of a model's releases, each read once and when it is needed."""

from __future__ import annotations

from collections.abc import Iterable

from gavial.errors import CorruptRelease, IncompatibleModel, NotFound
from gavial.maven import catalog
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.maven.repository import Repository
from gavial.monitoring.profile import Reference
from gavial.registry import reference
from gavial.registry.release import Release

_MOST = 50  # releases of one major that are looked at for a reference


class References:
    """What the releases of a module looked like when they were released.

    Args:
        given: the reference of releases that have none of their own, and no neighbour with one.

    Attributes:
        module: whose.
        versions: every release, also the withdrawn: they may have scored records.
        problems: what could not be read, in words.
    """

    def __init__(self, store: Repository, module: Module, given: Reference | None = None) -> None:
        self._store, self.module, self.given = store, module, given
        there = catalog.known_versions(store, module)
        self.versions = tuple(sorted((*there.releases, *there.withdrawn)))
        self._releases: dict[str, Release] = {}
        self._known: dict[str, Reference | None] = {}
        self.problems: list[str] = []

    def release(self, version: str) -> Release:
        """One of them, read once.

        Raises:
            GavialError: there is none, or it cannot be read.
        """
        if version not in self._releases:
            coordinate = Coordinate.parse(f"{self.module}:{version}")
            self._releases[version] = Release.read(self._store, coordinate)
        return self._releases[version]

    def of(self, version: str) -> Reference | None:
        """The reference of one release; `None` where it has none or there is no such release."""
        if version not in self._known:
            self._known[version] = self._read(version)
        return self._known[version]

    def of_major(self, major: int) -> Reference | None:
        """That of the newest release of a major that has one: versions of one major share bins."""
        ours = [one for one in reversed(self.versions) if one.major == major]
        found = (self.of(str(one)) for one in ours[:_MOST])
        return next((one for one in found if one is not None), None)

    def newest(self) -> Reference | None:
        """That of the newest release that has one, else the given one."""
        majors = sorted({one.major for one in self.versions}, reverse=True)
        found = (self.of_major(one) for one in majors)
        return next((one for one in found if one is not None), self.given)

    def for_version(self, version: str) -> Reference | None:
        """What a version is counted by: its own, that of its major, else the newest."""
        own = self.of(version)
        if own is not None:
            return own
        number = Version.try_parse(version)
        near = self.of_major(number.major) if number else None
        return near or self.newest()

    def by_version(self, versions: Iterable[str]) -> dict[str, Reference]:
        """The references of versions, and of those beside which versions without one are judged."""
        found: dict[str, Reference] = {}
        for version in versions:
            own = self.of(version)
            near = own or self.for_version(version)
            if near is not None:
                found[version if own else near.version] = near
        return found

    def _read(self, version: str) -> Reference | None:
        try:
            return reference.reference_of(self.release(version))
        except NotFound:
            return None
        except (CorruptRelease, IncompatibleModel) as error:
            self.problems.append(str(error))
            return None
