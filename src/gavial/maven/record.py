"""Records beside a model: what an alias means, what is withdrawn, what was decided. Apart from I/O.

A record is a version `1`, `2`, … of a module of its own, such as `churn-champion`: a POM without
a jar, which says all that a resolver needs, and a small JSON file that says who, when and why. It
is claimed and published like a release, and like one it never changes: the versions are the
history, the highest is what holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from gavial import limits
from gavial.errors import CorruptRelease, IncompatibleModel, InvalidCoordinate
from gavial.maven import layout, xml
from gavial.maven.coordinate import MAX_NUMBER, Coordinate, Entry, Module, Number
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.pom import Pom
from gavial.maven.protocol import Read, Steps
from gavial.version import __version__

FORMAT = 1
_KIND, _FORMAT, _MODEL = "gavial.record", "gavial.format", "gavial.model"
_DETAILS, _FACT = "gavial.details.sha256", "gavial."
# The highest number that a record can have.
HIGHEST = Number(MAX_NUMBER)
# A server that keeps the list itself may name numbers that are claimed and no more.
MAX_UNCOMMITTED = 100
_OURS = (_KIND, _FORMAT, _MODEL, _DETAILS)


@dataclass(frozen=True)
class Head:
    """What the POM of a record says.

    Attributes:
        entry: which record this is.
        kind: what it is about, such as `alias`.
        model: the model that it stands beside.
        details: sha256 of the JSON file.
        facts: what a resolver must know, by name.
        target: the release that it points at; in the POM it is the one dependency.
    """

    entry: Entry
    kind: str
    model: Module
    details: str
    facts: Mapping[str, str] = field(default_factory=dict)
    target: Coordinate | None = None

    def render(self, description: str) -> bytes:
        """The POM: the same values give the same bytes."""
        properties = {
            _KIND: self.kind,
            _FORMAT: str(FORMAT),
            _MODEL: str(self.model),
            _DETAILS: self.details,
            **{f"{_FACT}{name}": value for name, value in self.facts.items()},
        }
        return Pom(
            self.entry,
            description,
            dependencies=(self.target,) if self.target else (),
            properties=properties,
            packaging="pom",
        ).render()

    @classmethod
    def parse(cls, data: bytes, entry: Entry) -> Head:
        """Read the POM of a record.

        Raises:
            CorruptRelease: it is none, is too large, or is that of another record.
            IncompatibleModel: a later Gavial wrote it.
        """
        what = f"The POM of {entry}"
        root = _root(data, what)
        properties = _properties(root)
        kind = properties.get(_KIND, "")
        if not kind:
            raise CorruptRelease(f"{what} is not that of a record: it has no {_KIND}.")
        _check_format(properties.get(_FORMAT, ""), what)
        named = ":".join(_text(root, name) for name in ("groupId", "artifactId", "version"))
        if named != str(entry):
            raise CorruptRelease(f"{what} is that of {named}.")
        if _text(root, "packaging") != "pom":
            raise CorruptRelease(f"{what} has a packaging other than pom.")
        try:
            model = Module.parse(properties.get(_MODEL, ""))
            target = _target(root)
        except InvalidCoordinate as error:
            raise CorruptRelease(f"{what} names no model or release: {error}") from error
        facts = {
            name.removeprefix(_FACT): value
            for name, value in properties.items()
            if name.startswith(_FACT) and name not in _OURS
        }
        return cls(entry, kind, model, properties.get(_DETAILS, ""), facts, target)


@dataclass(frozen=True)
class Claim:
    """Who has claimed the number of a record.

    `after` is the number of the record that its writer took for the newest; `None` where it does
    not matter to it.
    """

    token: str
    after: int | None

    def render(self, entry: Entry) -> bytes:
        root = Element("metadata")
        ours = xml.child(root, "gavial")
        ours.set("format", str(FORMAT))
        xml.child(ours, "token", self.token)
        xml.child(ours, "coordinate", str(entry))
        if self.after is not None:
            xml.child(ours, "after", str(self.after))
        return xml.render(root)

    @classmethod
    def parse(cls, data: bytes) -> Claim | None:
        """The claim, or `None` for anything that is not one of a record."""
        try:
            root = _root(data, "A claim", "metadata")
        except CorruptRelease:
            return None
        token, after = _text(root, "gavial/token"), _text(root, "gavial/after")
        if not token:
            return None
        number = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else None
        return cls(token, number)


def newest(module: Module) -> Steps[Head | None]:
    """The record that holds, as the module's list tells; `None` where there is none.

    Raises:
        CorruptRelease: what is listed there are no records.
        IncompatibleModel: a later Gavial wrote it.
    """
    data = yield Read(layout.metadata_path(module))
    for number in ModuleMetadata.parse(data, module).records[: -MAX_UNCOMMITTED - 1 : -1]:
        entry = Entry(module, number)
        pom = yield Read(layout.pom_path(entry))
        if pom is not None:
            return Head.parse(pom, entry)
    return None


def numbers(module: Module) -> Steps[tuple[Number, ...]]:
    """The numbers of all records, as the list tells, lowest first."""
    data = yield Read(layout.metadata_path(module))
    return ModuleMetadata.parse(data, module).records


def check(head: Head, kind: str, model: Module) -> None:
    """Refuse a record of another kind or model.

    Raises:
        CorruptRelease: saying what it is.
    """
    if (head.kind, head.model) != (kind, model):
        raise CorruptRelease(
            f"{head.entry} is of the kind {head.kind[:40]!r} and of {head.model}: expected "
            f"{kind!r} of {model}."
        )


def kind_of(data: bytes) -> tuple[str, str] | None:
    """Kind and model of the record that a POM is of; `None` where it is no record's."""
    try:
        properties = _properties(_root(data, "A POM"))
    except CorruptRelease:
        return None
    kind = properties.get(_KIND, "")
    return (kind, properties.get(_MODEL, "")) if kind else None


def describe(data: bytes) -> str | None:
    """What a POM is a record of, in words; `None` where it is no record's.

    >>> describe(b"<project/>") is None
    True
    """
    if kind_of(data) is None:
        return None
    properties = _properties(_root(data, "A POM"))
    kind, model = properties[_KIND], properties.get(_MODEL, "a model")
    if kind == "alias":
        return f"the alias {properties.get('gavial.alias', '')!r} of {model}"
    return f"the {kind} of {model}"


def _root(data: bytes, what: str, tag: str = "project") -> Element:
    if len(data) > limits.RECORD:
        raise CorruptRelease(
            f"{what} has {len(data)} bytes: one of a record has {limits.RECORD} at most."
        )
    root = xml.parse(data, what)
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    if root.tag != tag:
        raise CorruptRelease(f"{what} has the root <{root.tag}>: expected <{tag}>.")
    return root


def _properties(root: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in root.iterfind("properties/*"):
        if one.tag in found:
            raise CorruptRelease(f"A POM has the property {one.tag} twice.")
        found[one.tag] = (one.text or "").strip()
    return found


def _check_format(text: str, what: str) -> None:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise CorruptRelease(f"{what} has the format {text[:20]!r}: expected a whole number.")
    if int(text) > FORMAT:
        raise IncompatibleModel(
            f"{what} has format {int(text)}, and Gavial {__version__} reads {FORMAT} and older: "
            "install the newest."
        )


def _target(root: Element) -> Coordinate | None:
    dependencies = root.findall("dependencies/dependency")
    if not dependencies:
        return None
    if len(dependencies) > 1:
        raise InvalidCoordinate(f"it has {len(dependencies)} dependencies, and a record has one.")
    (one,) = dependencies
    return Coordinate.parse(
        ":".join(_text(one, name) for name in ("groupId", "artifactId", "version"))
    )


def _text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()
