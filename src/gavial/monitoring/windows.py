"""Windows of time: calendar hours, days, weeks, months, quarters or years of one time zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gavial.errors import ConfigurationError

_DAY: Final = timedelta(hours=22)  # clocks that go forward make one of 23
_DAYS: Final = timedelta(hours=26)  # and those that go back one of 25
_LAST: Final = datetime(9999, 1, 1, tzinfo=UTC)  # a window of any zone can be shown until then
PERIODS: Final = ("hour", "day", "week", "month", "quarter", "year")


class Window(NamedTuple):
    """From `start`, inclusive, to `end`, both in UTC.

    As a text, a day is that day of its own time zone, and what is longer is from day to day.

    >>> str(Windows("day", "America/New_York").of(datetime(2013, 7, 4, tzinfo=UTC)))
    '2013-07-03'
    >>> str(Windows("week", "America/New_York").of(datetime(2013, 7, 4, tzinfo=UTC)))
    '2013-07-01 to 2013-07-08'
    """

    start: datetime
    end: datetime

    @property
    def since(self) -> str:
        """When it begins, for people."""
        return _hour(self.start) if self._is_short else _day(self.start)

    @property
    def until(self) -> str:
        """When it ends, for people; of a day that very day."""
        if self._is_short:
            return _hour(self.end)
        return _day(self.start if self.end - self.start < _DAYS else self.end)

    @property
    def _is_short(self) -> bool:
        return self.end - self.start < _DAY

    def __str__(self) -> str:
        since, until = self.since, self.until
        return since if since == until else f"{since} to {until}"


def checked(start: datetime, end: datetime) -> Window:
    """A window that comes from outside.

    Raises:
        ValueError: it ends before it begins, or is of no year that can be shown.
    """
    if not start < end <= _LAST:
        raise ValueError(f"a window is from {start} to {end}")
    return Window(start, end)


@dataclass(frozen=True)
class Windows:
    """How time is cut.

    A day is a day of the zone's clocks, so that one of 23 or 25 hours is one window. An hour is
    one of elapsed time: the hour that clocks show twice is two windows.

    Args:
        period: one of `PERIODS`; a week begins on Monday.
        zone: an IANA time zone, such as `"America/New_York"`.

    Raises:
        ConfigurationError: there is no such period or zone.

    >>> Windows("day", "America/New_York").of(datetime(2013, 3, 10, 12, tzinfo=UTC))
    Window(start=datetime.datetime(2013, 3, 10, 5, 0, tzinfo=datetime.timezone.utc), \
end=datetime.datetime(2013, 3, 11, 4, 0, tzinfo=datetime.timezone.utc))
    """

    period: str = "day"
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.period not in PERIODS:
            raise ConfigurationError(f"A window is {self.period!r}: expected one of {PERIODS!r}.")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
            raise ConfigurationError(
                f"{self.zone!r} is no time zone that is known here: expected one such as "
                "'Europe/Paris'."
            ) from error

    def of(self, instant: datetime) -> Window:
        """The window of an instant, which knows its zone."""
        zone = ZoneInfo(self.zone)
        if self.period == "hour":
            offset = instant.astimezone(zone).utcoffset() or timedelta()
            local = instant.astimezone(UTC) + offset
            start = local.replace(minute=0, second=0, microsecond=0) - offset
            return Window(start, start + timedelta(hours=1))
        local = instant.astimezone(zone).replace(
            hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0
        )
        begin, end = _ends(local, self.period)
        return Window(_utc(begin, zone), _utc(end, zone))


def overlap(windows: Iterable[Window]) -> tuple[Window, Window] | None:
    """Two windows that share some time; `None` where no two of them do.

    Hours are passed over: where clocks go back by half an hour two share that, and no record.

    >>> days, week = Windows("day"), Windows("week")
    >>> monday = datetime(2026, 6, 1, tzinfo=UTC)
    >>> overlap([days.of(monday), days.of(monday + timedelta(days=1))])
    >>> print(*overlap([days.of(monday), week.of(monday)]), sep=", ")
    2026-06-01, 2026-06-01 to 2026-06-08
    """
    ordered = sorted(one for one in set(windows) if one.end - one.start > timedelta(hours=1))
    return next((pair for pair in pairwise(ordered) if pair[1].start < pair[0].end), None)


def _ends(day: datetime, period: str) -> tuple[datetime, datetime]:
    if period == "day":
        return day, day + timedelta(days=1)
    if period == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    first = (day.month - 1) // months * months
    begin = day.replace(day=1, month=first + 1)
    later = first + months
    return begin, begin.replace(year=begin.year + later // 12, month=later % 12 + 1)


def _utc(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


def _day(midnight: datetime) -> str:
    """The day that begins at a midnight of any zone from Hawaii to New Zealand in its summer."""
    return f"{midnight + timedelta(hours=13):%Y-%m-%d}"


def _hour(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%MZ}"
