"""The POM of a release, complete by the rules of Maven Central as far as things are known.

Source: https://central.sonatype.org/publish/requirements/
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from gavial.errors import CorruptRelease
from gavial.maven import xml
from gavial.maven.coordinate import AnyCoordinate, Module

_NAMESPACE = "http://maven.apache.org/POM/4.0.0"
_SCHEMA = "http://maven.apache.org/xsd/maven-4.0.0.xsd"


@dataclass(frozen=True)
class Pom:
    """What a POM says of a release."""

    coordinate: AnyCoordinate
    description: str
    dependencies: tuple[AnyCoordinate, ...] = ()
    url: str = ""
    licence: str = ""
    owner: str = ""
    scm: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    packaging: str = "jar"

    def render(self) -> bytes:
        """The file's bytes: the same values give the same bytes."""
        root = Element(
            "project",
            {
                "xmlns": _NAMESPACE,
                "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
                "xsi:schemaLocation": f"{_NAMESPACE} {_SCHEMA}",
            },
        )
        module = self.coordinate.module
        xml.child(root, "modelVersion", "4.0.0")
        _identify(root, module, str(self.coordinate.version))
        xml.child(root, "packaging", self.packaging)
        xml.child(root, "name", str(module))
        xml.child(root, "description", self.description)
        if self.url or self.scm:
            xml.child(root, "url", self.url or self.scm)
        if self.licence:
            xml.child(xml.child(xml.child(root, "licenses"), "license"), "name", self.licence)
        if self.owner:
            xml.child(xml.child(xml.child(root, "developers"), "developer"), "name", self.owner)
        if self.scm:
            xml.child(xml.child(root, "scm"), "url", self.scm)
        _properties(root, self.properties)
        _dependencies(root, self.dependencies)
        return xml.render(root)


@dataclass(frozen=True)
class Described:
    """What a POM says of itself, as it stands there: `group:artifact:version`."""

    coordinate: str
    dependencies: tuple[str, ...]


def read(data: bytes, what: str) -> Described:
    """Read what a POM is, and what it depends on.

    Raises:
        CorruptRelease: it is no POM.
    """
    root = xml.parse(data, what)
    if root.tag.rpartition("}")[2] != "project":
        raise CorruptRelease(f"{what} is no POM: it is a <{root.tag.rpartition('}')[2]:.40}>.")
    for one in root.iter():
        one.tag = str(one.tag).rpartition("}")[2]
    dependencies = root.findall("dependencies/dependency")
    return Described(_identity(root), tuple(map(_identity, dependencies)))


def _identity(element: Element) -> str:
    names = ("groupId", "artifactId", "version")
    return ":".join((element.findtext(name) or "").strip() for name in names)


def pom_properties(coordinate: AnyCoordinate) -> bytes:
    """`META-INF/maven/<group>/<artifact>/pom.properties`: which release a jar is.

    >>> from gavial.maven.coordinate import Library
    >>> pom_properties(Library.parse("a:b:1")).decode().split()
    ['artifactId=b', 'groupId=a', 'version=1']
    """
    module = coordinate.module
    return (
        f"artifactId={module.artifact}\ngroupId={module.group}\nversion={coordinate.version}\n"
    ).encode()


def _identify(parent: Element, module: Module, version: str) -> None:
    xml.child(parent, "groupId", module.group)
    xml.child(parent, "artifactId", module.artifact)
    xml.child(parent, "version", version)


def _properties(root: Element, properties: dict[str, str]) -> None:
    if properties:
        parent = xml.child(root, "properties")
        for name, value in sorted(properties.items()):
            xml.child(parent, name, value)


def _dependencies(root: Element, dependencies: Iterable[AnyCoordinate]) -> None:
    some = list(dependencies)
    if some:
        parent = xml.child(root, "dependencies")
        for one in some:
            _identify(xml.child(parent, "dependency"), one.module, str(one.version))
