"""A route: which versions score records, side by side, and in which roles. A plain value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from gavial.errors import (
    ConfigurationError,
    CorruptRelease,
    InvalidCoordinate,
)
from gavial.maven.coordinate import Coordinate, Module
from gavial.model import json_values
from gavial.model.manifest import check_format
from gavial.monitoring.comparison import Mode

FORMAT: Final = 1
BUCKETS: Final = 10_000  # that the keys of a split fall into
_MOST: Final = 20  # versions of a route
_LONGEST: Final = 500  # characters of a salt or a column's name


class Role(StrEnum):
    """What a version is in a route."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


@dataclass(frozen=True)
class Arm:
    """One version of a route.

    Attributes:
        coordinate: the release.
        role: the first of a route is the champion.
        buckets: how many of `BUCKETS` it has in a split; 0 in every other mode.
    """

    coordinate: Coordinate
    role: Role
    buckets: int = 0

    @property
    def weight(self) -> float:
        """Its share of a split's keys."""
        return self.buckets / BUCKETS

    @property
    def version(self) -> str:
        return str(self.coordinate.version)


@dataclass(frozen=True)
class Route:
    """Which versions of a model score records, and how: made by `shadow`, `split` or `replay`.

    In a shadow every version scores every record, and what the champion says is served. In a split
    each key belongs to one version, which serves it. In a replay a challenger scores stored
    records, which the champion served.

    Attributes:
        mode: how they run.
        arms: the versions, the champion first.
        key: of a split, the columns whose value decides.
        salt: of a split: another salt is another draw.
        since: from when on, in UTC; records before do not count. `None` says nothing.

    Raises:
        ConfigurationError: fewer than two versions, one of them twice, several modules, weights
            that do not add up to 1, or what a mode does not take.

    >>> route = Route.split({"com.acme:churn:1.0.3": 0.9, "com.acme:churn:1.0.4": 0.1},
    ...     key="customer", salt="may")
    >>> route.champion.version, [str(route.arm_of(bucket).role) for bucket in (0, 999, 1000)]
    ('1.0.3', ['challenger', 'challenger', 'champion'])
    """

    mode: Mode
    arms: tuple[Arm, ...]
    key: tuple[str, ...] = ()
    salt: str = ""
    since: datetime | None = None

    def __post_init__(self) -> None:
        _check_arms(self.arms)
        if self.since is not None and self.since.tzinfo is None:
            raise ConfigurationError(
                f"since={self.since!r} has no time zone: expected one such as "
                "datetime(2026, 5, 1, tzinfo=UTC)."
            )
        if self.mode is Mode.SPLIT:
            _check_split(self.arms, self.key, self.salt)
        elif self.key or self.salt or any(one.buckets for one in self.arms):
            raise ConfigurationError(
                f"A {self.mode} has no key, no salt and no weights: those are of a split."
            )

    @classmethod
    def shadow(cls, champion: str, *challengers: str, since: datetime | None = None) -> Route:
        """Every version scores every record; the champion's word is served.

        Args:
            champion: an exact coordinate, such as `"com.acme:churn:1.0.3"`.
            challengers: those of the others, of the same module.
            since: from when on.

        Raises:
            ConfigurationError, InvalidCoordinate: as the class says.

        >>> str(Route.shadow("com.acme:churn:1.0.3", "com.acme:churn:1.0.4").module)
        'com.acme:churn'
        """
        return cls(Mode.SHADOW, _arms((champion, *challengers)), since=since)

    @classmethod
    def replay(cls, champion: str, *challengers: str, since: datetime | None = None) -> Route:
        """Challengers score stored records, which carry the champion's predictions already.

        >>> Route.replay("com.acme:churn:1.0.3", "com.acme:churn:1.0.4").mode
        <Mode.REPLAY: 'replay'>
        """
        return cls(Mode.REPLAY, _arms((champion, *challengers)), since=since)

    @classmethod
    def split(
        cls,
        weights: Mapping[str, float],
        *,
        key: str | Sequence[str],
        salt: str,
        since: datetime | None = None,
    ) -> Route:
        """Each key belongs to one version, which alone scores its records.

        Under one salt, a challenger that gets more takes keys of the champion alone. That holds
        for one champion and two challengers, and cannot for more; to end with a challenger leave
        it in, with a weight of 0.

        Args:
            weights: the share of each coordinate in steps of 0.0001, 1 together; the first is the
                champion's.
            key: the column, or columns, that say who or what is treated alike.
            salt: names this draw: with another the keys fall anew.
            since: from when on.

        Raises:
            ConfigurationError, InvalidCoordinate: as the class says.
        """
        keys = (key,) if isinstance(key, str) else tuple(key)
        found = _arms(weights, [_buckets(name, one) for name, one in weights.items()])
        return cls(Mode.SPLIT, found, keys, salt, since)

    @property
    def module(self) -> Module:
        return self.champion.coordinate.module

    @property
    def champion(self) -> Arm:
        return self.arms[0]

    @property
    def challengers(self) -> tuple[Arm, ...]:
        return self.arms[1:]

    def at(self, since: datetime) -> Route:
        """The same route, from a time on."""
        return replace(self, since=since)

    def ranges(self) -> tuple[tuple[Arm, int, int], ...]:
        """The buckets of each version of a split, from the second number to before the third.

        Challengers grow from the two ends, and the champion has what lies between: so a threshold
        that is moved gives or takes keys of the champion alone.
        """
        low, high = 0, BUCKETS
        first, *others = self.challengers
        found = [(first, 0, first.buckets)]
        low = first.buckets
        for one in others:
            found.append((one, high - one.buckets, high))
            high -= one.buckets
        return ((self.champion, low, high), *found)

    def arm_of(self, bucket: int) -> Arm:
        """The version that a bucket of a split belongs to."""
        return next(arm for arm, low, high in self.ranges() if low <= bucket < high)

    def __str__(self) -> str:
        def told(one: Arm) -> str:
            share = f" ({one.weight:.2%})" if self.mode is Mode.SPLIT else ""
            return f"{one.version}{share}"

        others = ", ".join(map(told, self.challengers))
        return f"{self.mode} of {self.module}: {told(self.champion)} against {others}"

    def to_json(self) -> dict[str, Any]:
        """As JSON values; `from_json` reads them."""
        split = self.mode is Mode.SPLIT
        return {
            "format": FORMAT,
            "mode": str(self.mode),
            "versions": [
                {
                    "coordinate": str(one.coordinate),
                    "role": str(one.role),
                    **({"buckets": one.buckets} if split else {}),
                }
                for one in self.arms
            ],
            "key": list(self.key),
            "salt": self.salt,
            "since": self.since.astimezone(UTC).isoformat() if self.since else None,
        }

    @classmethod
    def from_json(cls, found: Any) -> Route:
        """Read what `to_json` made; further members are ignored.

        Raises:
            CorruptRelease: it is no route.
            IncompatibleModel: a later Gavial wrote it.
        """
        try:
            check_format(found["format"], FORMAT, "The route")
            arms = tuple(
                Arm(
                    Coordinate.parse(json_values.text(one["coordinate"])),
                    Role(one["role"]),
                    json_values.whole(one.get("buckets", 0)),
                )
                for one in found["versions"]
            )
            since = found["since"]
            return cls(
                Mode(found["mode"]),
                arms,
                tuple(map(json_values.text, found["key"])),
                json_values.text(found["salt"]),
                None if since is None else json_values.instant(since),
            )
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            ConfigurationError,
            InvalidCoordinate,
        ) as error:
            raise CorruptRelease(f"A route is damaged: {error!s:.300}") from error


def _arms(names: Iterable[str], buckets: Sequence[int] = ()) -> tuple[Arm, ...]:
    found = tuple(map(Coordinate.parse, names))
    return tuple(
        Arm(one, Role.CHALLENGER if at else Role.CHAMPION, buckets[at] if buckets else 0)
        for at, one in enumerate(found)
    )


def _buckets(name: str, weight: float) -> int:
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
        raise ConfigurationError(f"The weight of {name} is {weight!r}: expected 0 to 1.")
    found = round(weight * BUCKETS)
    if abs(found / BUCKETS - weight) > 1e-9:
        raise ConfigurationError(
            f"The weight of {name} is {weight!r}: expected steps of {1 / BUCKETS:.4f}."
        )
    return found


def _check_arms(arms: Sequence[Arm]) -> None:
    names = [str(one.coordinate) for one in arms]
    if len(arms) < 2 or len(arms) > _MOST:
        raise ConfigurationError(
            f"A route has {len(arms)} version(s) ({', '.join(names)}): expected a champion and a "
            f"challenger, and {_MOST} at most."
        )
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise ConfigurationError(f"A route has {twice[0]} twice: name each version once.")
    modules = sorted({str(one.coordinate.module) for one in arms})
    if len(modules) > 1:
        raise ConfigurationError(
            f"A route has versions of {' and '.join(modules)}: expected versions of one module. "
            "Release them under one name to compare them."
        )
    roles = [one.role for one in arms]
    if roles != [Role.CHAMPION] + [Role.CHALLENGER] * (len(arms) - 1):
        raise ConfigurationError("A route has one champion, which comes first.")


def _check_split(arms: Sequence[Arm], key: Sequence[str], salt: str) -> None:
    if not key or any(not one or len(one) > _LONGEST for one in key):
        raise ConfigurationError("A split needs key=, the column that says who is treated alike.")
    if not salt or len(salt) > _LONGEST:
        raise ConfigurationError(
            "A split needs salt=, a text that names this draw, such as 'churn-may': two splits "
            "with one salt would give the same keys to their challengers."
        )
    if any(one.buckets < 0 for one in arms) or sum(one.buckets for one in arms) != BUCKETS:
        told = ", ".join(f"{one.version}: {one.weight:g}" for one in arms)
        raise ConfigurationError(f"The weights of a split add up to 1; given is {told}.")
    if len(arms) > 3:
        raise ConfigurationError(
            f"A split has {len(arms) - 1} challengers: expected 2 at most, so that one that gets "
            "more takes keys of the champion alone. Compare more of them in a shadow."
        )
