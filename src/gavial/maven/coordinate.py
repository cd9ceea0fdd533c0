"""Names of modules and releases: `group:artifact` and `group:artifact:major.minor.build`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import total_ordering

from gavial.errors import InvalidCoordinate

# Maven allows these in an id (maven-model-validator, `ID_REGEX`); Ivy and every file system
# carry them. A group's dots become folders, so none of its parts may be empty.
_ALLOWED = re.compile(r"[A-Za-z0-9_.-]")
_MAX_NAME = 128  # `<artifact>-<version>-<classifier>.<extension>.sha1` must fit in 255 bytes
_MAX_DIGITS = 9  # a number must fit a signed 32-bit integer: Ivy compares with `Integer`
MAX_NUMBER = 10**_MAX_DIGITS - 1
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)}
_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+)*")
_NUMBER = re.compile(r"0|[1-9][0-9]*")
_BUILD = re.compile(rf"(0|[1-9][0-9]{{0,{_MAX_DIGITS - 1}}})")
_VERSION = re.compile(r"\.".join([_BUILD.pattern] * 3))
_RECORD = re.compile(rf"[1-9][0-9]{{0,{_MAX_DIGITS - 1}}}")
_ANY_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}")


@total_ordering
@dataclass(frozen=True)
class Version:
    """A release's version, `major.minor.build`, ordered by number and not by letter.

    >>> Version.parse("1.0.10") > Version.parse("1.0.9")
    True
    >>> str(Version(1, 0, 3)), str(Version(1, 0, 3).line)
    ('1.0.3', '1.0')
    """

    major: int
    minor: int
    build: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read `major.minor.build`.

        Raises:
            InvalidCoordinate: it is not three whole numbers without leading zeros.
        """
        numbers = parse_numbers(text)
        if len(numbers) != 3:
            raise InvalidCoordinate(
                f"{text!r} is not the version of a release: expected three numbers, "
                "major.minor.build, such as 1.0.3."
            )
        return cls(*numbers)

    @classmethod
    def try_parse(cls, text: str) -> Version | None:
        """Read a version, or `None` where it is not one of ours (`1.1.0-rc1`, `2024-05`)."""
        # Not by `parse`: a list of ten thousand versions is read at each deploy.
        found = _VERSION.fullmatch(text)
        return cls(*map(int, found.groups())) if found else None

    @property
    def line(self) -> Line:
        return Line(self.major, self.minor)

    def key(self) -> tuple[int, int, int]:
        """What versions are ordered by."""
        return (self.major, self.minor, self.build)

    def __lt__(self, other: Version) -> bool:
        return self.key() < other.key()

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}"

    def __repr__(self) -> str:
        return f"Version({str(self)!r})"


@dataclass(frozen=True, order=True)
class Line:
    """`major.minor`: what a deploy asks for. The registry allots the build."""

    major: int
    minor: int

    def builds(self, versions: Iterable[str]) -> Iterator[int]:
        """The builds of this line among versions, whoever wrote those.

        >>> list(Line(1, 0).builds(["1.0.7", "1.0.10", "1.0.07", "1.1.3", "1.0.1-rc1"]))
        [7, 10]
        """
        prefix = f"{self}."
        rest = (text[len(prefix) :] for text in versions if text.startswith(prefix))
        return (int(number) for number in rest if _BUILD.fullmatch(number))

    def build(self, number: int) -> Version:
        return Version(self.major, self.minor, number)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def __repr__(self) -> str:
        return f"Line({str(self)!r})"


@dataclass(frozen=True, order=True)
class Module:
    """A model's name, `group:artifact`.

    >>> Module.parse("com.acme:churn")
    Module('com.acme:churn')
    """

    group: str
    artifact: str

    def __post_init__(self) -> None:
        _check_name("group", self.group, str(self))
        _check_name("artifact", self.artifact, str(self))

    @classmethod
    def parse(cls, text: str) -> Module:
        """Read `group:artifact`.

        Raises:
            InvalidCoordinate: naming the part and the character that does not fit.
        """
        parts = text.split(":")
        if len(parts) != 2:
            raise InvalidCoordinate(
                f"{text!r} has {len(parts)} part(s) between colons: expected group:artifact, "
                "such as com.acme:churn."
            )
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}"

    def __repr__(self) -> str:
        return f"Module({str(self)!r})"


@dataclass(frozen=True, order=True)
class Coordinate:
    """One release: `group:artifact:major.minor.build`.

    >>> str(Coordinate.parse("com.acme:churn:1.0.3"))
    'com.acme:churn:1.0.3'
    """

    module: Module
    version: Version

    @classmethod
    def parse(cls, text: str) -> Coordinate:
        """Read an exact coordinate.

        Raises:
            InvalidCoordinate: naming the part that does not fit.
        """
        head, _, tail = text.rpartition(":")
        if ":" not in head:
            raise InvalidCoordinate(
                f"{text!r} is not the coordinate of a release: expected "
                "group:artifact:major.minor.build, such as com.acme:churn:1.0.3."
            )
        return cls(Module.parse(head), Version.parse(tail))

    @property
    def group(self) -> str:
        return self.module.group

    @property
    def artifact(self) -> str:
        return self.module.artifact

    @property
    def number(self) -> int:
        """What is counted up from one release of a line to the next."""
        return self.version.build

    def at(self, number: int) -> Coordinate:
        """The same line at another number."""
        return Coordinate(self.module, self.version.line.build(number))

    def __str__(self) -> str:
        return f"{self.module}:{self.version}"

    def __repr__(self) -> str:
        return f"Coordinate({str(self)!r})"


@dataclass(frozen=True, order=True)
class Number:
    """The version of a record beside a model: 1, 2, 3, …

    A model's versions have three numbers, so that neither is ever taken for the other.

    >>> Number.try_parse("12"), Number.try_parse("1.0.3"), Number.try_parse("0")
    (Number(value=12), None, None)
    """

    value: int

    @classmethod
    def try_parse(cls, text: str) -> Number | None:
        """Read a number, or `None` where it is not a record's."""
        return cls(int(text)) if _RECORD.fullmatch(text) else None

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, order=True)
class Entry:
    """One record of a module of records, `group:artifact:number`.

    >>> str(Entry(Module("com.acme", "churn-champion"), Number(3)))
    'com.acme:churn-champion:3'
    """

    module: Module
    version: Number

    @property
    def number(self) -> int:
        """What is counted up from one record to the next."""
        return self.version.value

    def at(self, number: int) -> Entry:
        """Another record of the same module."""
        return Entry(self.module, Number(number))

    def __str__(self) -> str:
        return f"{self.module}:{self.version}"

    def __repr__(self) -> str:
        return f"Entry({str(self)!r})"


@dataclass(frozen=True, order=True)
class Library:
    """One version of any Maven artifact, `group:artifact:version`.

    Such as a JVM library that a model needs: its version may be any that Maven knows.
    """

    module: Module
    version: str

    @classmethod
    def parse(cls, text: str) -> Library:
        """Read `group:artifact:version`.

        Raises:
            InvalidCoordinate: it is not one exact version of a library.
        """
        parts = text.split(":")
        if len(parts) != 3 or not _ANY_VERSION.fullmatch(parts[2]) or parts[2].endswith("+"):
            raise InvalidCoordinate(
                f"{text!r} does not name a library: expected group:artifact:version with an exact "
                "version, such as org.example:features_2.13:1.4.0."
            )
        return cls(Module(parts[0], parts[1]), parts[2])

    def __str__(self) -> str:
        return f"{self.module}:{self.version}"

    def __repr__(self) -> str:
        return f"Library({str(self)!r})"


AnyCoordinate = Coordinate | Library | Entry


@dataclass(frozen=True)
class Target:
    """What a deploy asks for: a module and, as far as the caller gave them, the numbers.

    >>> Target.parse("com.acme:churn:1.0")
    Target(module=Module('com.acme:churn'), numbers=(1, 0))
    """

    module: Module
    numbers: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read `group:artifact[:major[.minor[.build]]]`.

        Raises:
            InvalidCoordinate: naming the part that does not fit, with a suggestion.
        """
        parts = text.split(":")
        if len(parts) not in (2, 3):
            raise InvalidCoordinate(
                f"{text!r} has {len(parts)} part(s) between colons: expected "
                "group:artifact:major.minor, such as com.acme:churn:1.0."
            )
        _check_names(parts[0], parts[1], text)
        numbers = parse_numbers(parts[2]) if len(parts) == 3 else ()
        return cls(Module(parts[0], parts[1]), numbers)

    @property
    def line(self) -> Line | None:
        """The line asked for; `None` where the caller named none. `1` means `1.0`."""
        if not self.numbers:
            return None
        return Line(self.numbers[0], self.numbers[1] if len(self.numbers) > 1 else 0)

    @property
    def exact(self) -> Version | None:
        """The very version asked for, where all three numbers were given."""
        return Version(*self.numbers) if len(self.numbers) == 3 else None


def parse_numbers(text: str) -> tuple[int, ...]:
    """Read one to three whole numbers with dots between them.

    Raises:
        InvalidCoordinate: a part is no number, has a leading zero, or is too large.
    """
    parts = text.split(".")
    for part in parts:
        if not _NUMBER.fullmatch(part):
            hint = ""
            if part.isascii() and part.isdigit():
                hint = f" Write {int(part[:_MAX_DIGITS])}, without leading zeros."
            elif text.upper().endswith("-SNAPSHOT"):
                hint = " There are no snapshots of a model: each deploy is a release of its own."
            raise InvalidCoordinate(
                f"{part!r} in version {text!r} is not a number: expected major.minor or "
                f"major.minor.build, such as 1.0 or 1.0.3.{hint}"
            )
        if len(part) > _MAX_DIGITS:
            raise InvalidCoordinate(
                f"{part[:20]}… in a version has {len(part)} digits: at most {_MAX_DIGITS} are "
                "understood by every Maven client."
            )
    if len(parts) > 3:
        raise InvalidCoordinate(
            f"Version {text!r} has {len(parts)} numbers: expected at most three, major.minor.build."
        )
    return tuple(int(part) for part in parts)


def _check_names(group: str, artifact: str, whole: str) -> None:
    _check_name("group", group, whole)
    _check_name("artifact", artifact, whole)


def _check_name(part: str, text: str, whole: str) -> None:
    problem = _name_problem(part, text)
    if problem is None:
        return
    better = suggestion(text, dots=part == "group")
    hint = f" Did you mean {better!r}?" if better and better != text else ""
    raise InvalidCoordinate(f"{part} {text!r} of {whole!r} {problem}.{hint}")


def _name_problem(part: str, text: str) -> str | None:
    if not text:
        return "is empty: expected a name such as " + ("com.acme" if part == "group" else "churn")
    for place, character in enumerate(text, start=1):
        if not _ALLOWED.fullmatch(character):
            return (
                f"has {character!r} at place {place}: letters a-z, digits, '.', '-' and '_' "
                "are what Maven, Ivy and every file system can carry"
            )
    if len(text) > _MAX_NAME:
        return f"has {len(text)} characters: at most {_MAX_NAME} fit into every file system"
    if text.lower().startswith("maven-metadata"):
        return "is the name of Maven's own list of versions"
    if part == "artifact" and _NUMBERS.fullmatch(text):
        return "looks like a version: expected a name such as churn (group:artifact:version)"
    for piece in text.split("."):
        if not piece:
            return "has a dot at an end or two together"
        if piece.startswith("-"):
            return "has a part that begins with '-', which tools take for an option"
        if piece.lower() in _DEVICES:
            return f"has the part {piece!r}, a device name on Windows"
    return None


def suggestion(text: str, *, dots: bool = True) -> str:
    """A name near `text` that would be accepted, or an empty string.

    >>> suggestion("Churn Model")
    'churn-model'
    """
    words = re.sub(r"[^A-Za-z0-9_.]+" if dots else r"[^A-Za-z0-9_]+", "-", text).strip("-.")
    better = re.sub(r"\.[.-]*|-+\.", ".", words).lower()[:_MAX_NAME].strip("-.")
    return better if _name_problem("artifact", better) is None else ""
