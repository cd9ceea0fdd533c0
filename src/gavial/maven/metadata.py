"""`maven-metadata.xml` of a module: the list of its versions, merged and never clobbered.

Source: https://maven.apache.org/ref/current/maven-repository-metadata/repository-metadata.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from xml.etree.ElementTree import Element

from gavial.errors import CorruptRelease
from gavial.maven import xml
from gavial.maven.coordinate import Module, Number, Version


@dataclass(frozen=True)
class ModuleMetadata:
    """What a `maven-metadata.xml` says: all versions, ours (`X.Y.N`) and others', in its order."""

    module: Module
    versions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: bytes | None, module: Module) -> ModuleMetadata:
        """Read the file; none at all is a module without versions.

        Raises:
            CorruptRelease: it is not such a file, or one of another module.
        """
        if data is None:
            return cls(module)
        root = _root(data, module)
        found = (e.text.strip() for e in root.iterfind("versioning/versions/version") if e.text)
        return cls(module, tuple(dict.fromkeys(v for v in found if v)))

    @staticmethod
    def newest(data: bytes, module: Module) -> tuple[str, str]:
        """What a file names as `<latest>` and `<release>`; both ought to be the highest release.

        Raises:
            CorruptRelease: as `parse`.
        """
        versioning = _root(data, module).find("versioning")
        if versioning is None:
            return "", ""
        return _text(versioning, "latest"), _text(versioning, "release")

    @property
    def releases(self) -> tuple[Version, ...]:
        """The versions that are ours, lowest first."""
        return self._parted[0]

    @property
    def foreign(self) -> tuple[str, ...]:
        """Versions that others wrote and no selector of ours means, such as `1.1.0-rc1`."""
        return self._parted[1]

    @property
    def records(self) -> tuple[Number, ...]:
        """The versions that are numbers of records, lowest first."""
        return tuple(sorted(filter(None, map(Number.try_parse, self.versions))))

    @property
    def highest(self) -> str:
        """The highest release, or record where there are no releases; empty where neither is."""
        found = self.releases or self.records
        return str(found[-1]) if found else ""

    @cached_property
    def _parted(self) -> tuple[tuple[Version, ...], tuple[str, ...]]:
        parsed = [(text, Version.try_parse(text)) for text in self.versions]
        ours = sorted((v for _, v in parsed if v is not None), key=Version.key)
        return tuple(ours), tuple(text for text, v in parsed if v is None)

    def including(self, versions: Iterable[str]) -> ModuleMetadata:
        """The union with `versions`: others' first, as they came, then ours by number."""
        union = ModuleMetadata(self.module, tuple(dict.fromkeys((*self.versions, *versions))))
        if not union.releases and (records := tuple(map(str, union.records))):
            others = (version for version in union.versions if version not in records)
            return ModuleMetadata(self.module, (*others, *records))
        return ModuleMetadata(self.module, (*union.foreign, *map(str, union.releases)))

    def without(self, versions: Collection[str]) -> ModuleMetadata:
        """What is left when `versions` are taken out."""
        if not versions:
            return self
        left = tuple(version for version in self.versions if version not in versions)
        return ModuleMetadata(self.module, left)

    def render(self, now: datetime) -> bytes:
        """The file. The *highest* release is `<release>` and `<latest>`, not the last deployed."""
        root = Element("metadata")
        xml.child(root, "groupId", self.module.group)
        xml.child(root, "artifactId", self.module.artifact)
        versioning = xml.child(root, "versioning")
        if self.highest:
            xml.child(versioning, "latest", self.highest)
            xml.child(versioning, "release", self.highest)
        versions = xml.child(versioning, "versions")
        for version in self.versions:
            xml.child(versions, "version", version)
        xml.child(versioning, "lastUpdated", now.astimezone(UTC).strftime("%Y%m%d%H%M%S"))
        return xml.render(root)


def _root(data: bytes, module: Module) -> Element:
    what = f"maven-metadata.xml of {module}"
    root = xml.parse(data, what)
    _strip_namespaces(root)
    if root.tag != "metadata":
        raise CorruptRelease(f"{what} has the root <{root.tag}>: expected <metadata>.")
    named = (_text(root, "groupId"), _text(root, "artifactId"))
    if any(part and part != ours for part, ours in zip(named, _names(module), strict=True)):
        raise CorruptRelease(f"{what} is of {named[0]}:{named[1]}.")
    return root


def _names(module: Module) -> tuple[str, str]:
    return (module.group, module.artifact)


def _text(root: Element, name: str) -> str:
    return (root.findtext(name) or "").strip()


def _strip_namespaces(root: Element) -> None:
    """Some tools write the metadata's namespace, most do not: the names are what counts."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
