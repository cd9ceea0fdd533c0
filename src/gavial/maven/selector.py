"""What a reader asks for: `1.0.3`, `1.0.+`, `latest.release`, `[1.0,2.0)`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gavial.errors import InvalidCoordinate, InvalidSelector
from gavial.maven import alias as aliases
from gavial.maven.coordinate import Module, Version, parse_numbers

LATEST = "latest.release"
_LATEST_WORDS = {LATEST, "latest.integration", "+"}
_LONGEST = 200
_FORMS = "1.0.3, 1.0.+, 1.+, +, latest.release, or a range such as [1.0,2.0)"
_INTERVAL = re.compile(r"([\[(])\s*([^\[\](),]*)(?:(,)\s*([^\[\](),]*))?\s*([\])])")


@dataclass(frozen=True)
class Interval:
    """Versions between two bounds; `None` is unbounded. Missing numbers of a bound are zeros."""

    low: Version | None
    high: Version | None
    low_included: bool = True
    high_included: bool = True

    def __contains__(self, version: Version) -> bool:
        above = self.low is None or (
            version >= self.low if self.low_included else version > self.low
        )
        below = self.high is None or (
            version <= self.high if self.high_included else version < self.high
        )
        return above and below


@dataclass(frozen=True)
class Selector:
    """A set of versions, of which a resolve takes the highest.

    `prefix` holds the numbers that must agree; `intervals`, where there are any, are a Maven
    range. `str()` gives the canonical form.

    >>> Selector.parse("1.0").select([Version(1, 0, 9), Version(1, 0, 10), Version(1, 1, 0)])
    Version('1.0.10')
    """

    prefix: tuple[int, ...] = ()
    intervals: tuple[Interval, ...] = ()
    text: str = LATEST

    @classmethod
    def parse(cls, text: str) -> Selector:
        """Read a selector. `1.0` means `1.0.+`, an empty one `latest.release`.

        Raises:
            InvalidSelector: it has none of the known forms.
        """
        wanted = text.strip()
        if not wanted or wanted in _LATEST_WORDS:
            return cls()
        if len(wanted) > _LONGEST:
            raise InvalidSelector(f"A selector of {len(wanted)} characters: expected {_FORMS}.")
        if wanted[0] in "[(":
            return _parse_range(wanted)
        if wanted.upper() in ("LATEST", "RELEASE"):
            raise InvalidSelector(f"{text!r} is Maven's word and unknown to Spark: write {LATEST}.")
        if wanted.upper().endswith("SNAPSHOT"):
            raise InvalidSelector(
                f"{text!r} names a snapshot, and a model has none: expected {_FORMS}."
            )
        numbers = wanted.removesuffix(".+")
        try:
            prefix = parse_numbers(numbers)
        except InvalidCoordinate as error:
            raise InvalidSelector(f"{text!r} selects no version: expected {_FORMS}.") from error
        if len(prefix) == 3 and wanted.endswith("+"):
            raise InvalidSelector(
                f"{text!r} goes on after the build: expected {numbers} or {prefix[0]}.{prefix[1]}.+"
            )
        return cls(prefix, (), numbers if len(prefix) == 3 else f"{numbers}.+")

    @property
    def exact(self) -> Version | None:
        """The one version that can match, where the selector names it in full."""
        if len(self.prefix) == 3:
            return Version(*self.prefix)
        if len(self.intervals) == 1:
            only = self.intervals[0]
            if only.low == only.high and only.low_included and only.high_included:
                return only.low
        return None

    @property
    def ivy(self) -> str | None:
        """The form that Spark's `--packages` understands; `None` for a range with a comma.

        Spark splits the list of packages at commas, so such a range never reaches Ivy.
        """
        if self.exact:
            return str(self.exact)
        return None if self.intervals else self.text

    def matches(self, version: Version) -> bool:
        if self.intervals:
            return any(version in interval for interval in self.intervals)
        numbers = (version.major, version.minor, version.build)
        return numbers[: len(self.prefix)] == self.prefix

    def select(self, versions: Iterable[Version]) -> Version | None:
        """The highest of `versions` that matches, or `None`."""
        return max(filter(self.matches, versions), default=None)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Request:
    """What a reader asks for: a module and a selector, or an alias in its place.

    >>> str(Request.parse("com.acme:churn"))
    'com.acme:churn:latest.release'
    >>> Request.parse("com.acme:churn@champion").alias
    'champion'
    """

    module: Module
    selector: Selector
    alias: str = ""

    @property
    def exact(self) -> Version | None:
        """The one version that can ever be meant; `None` where it may change."""
        return None if self.alias else self.selector.exact

    @classmethod
    def parse(cls, text: str) -> Request:
        """Read `group:artifact[:selector]` or `group:artifact@alias`.

        Raises:
            InvalidCoordinate: the module or the alias is malformed.
            InvalidSelector: the selector is, or there are both.
        """
        named, at, alias = text.partition("@")
        parts = named.split(":", 2)
        if len(parts) < 2:
            raise InvalidCoordinate(
                f"{text!r} names no group: expected group:artifact[:selector], such as "
                "com.acme:churn:1.0.+"
            )
        if at and len(parts) == 3:
            raise InvalidSelector(
                f"{text!r} has both a selector and an alias: expected one of them, as in "
                f"{parts[0]}:{parts[1]}@{alias}."
            )
        if at:
            aliases.check_name(alias)
        selector = Selector.parse(parts[2]) if len(parts) == 3 else Selector()
        return cls(Module(parts[0], parts[1]), selector, alias)

    def __str__(self) -> str:
        return f"{self.module}@{self.alias}" if self.alias else f"{self.module}:{self.selector}"


def _parse_range(text: str) -> Selector:
    """Maven's version ranges (https://maven.apache.org/pom.html#dependency-version-requirement)."""
    intervals: list[Interval] = []
    position = 0
    while position < len(text):
        found = _INTERVAL.match(text, position)
        if not found:
            raise InvalidSelector(f"{text!r} is not a range: expected one such as [1.0,2.0).")
        intervals.append(_interval(text, found))
        position = found.end()
        if position < len(text):
            separator = re.compile(r"\s*,\s*(?=[\[(])").match(text, position)
            if not separator:
                raise InvalidSelector(
                    f"{text!r} goes on after a range with {text[position:]!r}: expected a comma "
                    "and another range."
                )
            position = separator.end()
    return Selector((), tuple(intervals), text)


def _interval(text: str, found: re.Match[str]) -> Interval:
    opening, low, comma, high, closing = found.groups()
    low_included, high_included = opening == "[", closing == "]"
    first = _bound(text, low)
    if comma is None:
        if first is None or not (low_included and high_included):
            raise InvalidSelector(
                f"{text!r} is not a range: one version is written in square brackets, [1.0.3]."
            )
        return Interval(first, first)
    last = _bound(text, high)
    if (
        first
        and last
        and (first > last or (first == last and not (low_included and high_included)))
    ):
        raise InvalidSelector(f"{text!r} holds no version: its lower bound is not below its upper.")
    return Interval(first, last, low_included, high_included)


def _bound(text: str, bound: str) -> Version | None:
    if not bound.strip():
        return None
    try:
        numbers = parse_numbers(bound.strip())
    except InvalidCoordinate as error:
        raise InvalidSelector(
            f"{bound.strip()!r} in {text!r} is not a version: expected numbers, such as 1.0."
        ) from error
    return Version(*(*numbers, 0, 0)[:3])
