"""Time as microseconds in UTC, and the windows they lie in, whatever the session's time zone.

Spark's own `date_trunc` and its casts go by the session's zone, so none of them is used here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from pyspark.sql import Column, functions
from pyspark.sql import types as kinds

from gavial.monitoring.windows import Window, Windows

_DAY: Final = 86_400_000_000
_HOUR: Final = 3_600_000_000
_EPOCH: Final = "1970-01-01"
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What Python's datetime can hold, with room for a zone and a year-long window.
_FIRST, _LAST = -62_000_000_000_000_000, 253_000_000_000_000_000
_WITH_ZONE: Final = (
    r":\d\d(?:[.,]\d+)?\s*(?:Z|UTC|GMT|UT|[+-]\d\d?(?::?\d\d){0,2}|[A-Za-z]+/\S+)\s*$"
)


def is_time(kind: kinds.DataType) -> bool:
    """Whether a column of a type can say when."""
    return isinstance(
        kind, kinds.TimestampType | kinds.TimestampNTZType | kinds.DateType | kinds.StringType
    )


def micros(name: str, kind: kinds.DataType, zone: str) -> Column:
    """Microseconds in UTC since 1970; null where there is no time, or one beyond all calendars.

    Args:
        name: the column, which has no special character in its name.
        kind: its type. What has no zone of its own is a time of the clocks of `zone`; a date is
            its midnight.
    """
    value = functions.col(name)
    if isinstance(kind, kinds.TimestampType):
        found = functions.unix_micros(value)
    elif isinstance(kind, kinds.TimestampNTZType):
        found = _of_local(_local(value), zone)
    elif isinstance(kind, kinds.DateType):
        found = _of_local(_days(value) * functions.lit(_DAY), zone)
    else:
        instant = functions.unix_micros(functions.expr(f"try_cast(`{name}` AS timestamp)"))
        local = _local(functions.expr(f"try_cast(`{name}` AS timestamp_ntz)"))
        found = functions.when(value.rlike(_WITH_ZONE), instant).otherwise(_of_local(local, zone))
    return functions.when(found.between(_FIRST, _LAST), found)


def start(at: Column, windows: Windows) -> Column:
    """Where the window of an instant begins, as `Windows.of` has it; both in microseconds."""
    local = functions.unix_micros(
        functions.from_utc_timestamp(functions.timestamp_micros(at), windows.zone)
    )
    if windows.period == "hour":
        return at - functions.pmod(local, functions.lit(_HOUR))
    midnight = local - functions.pmod(local, functions.lit(_DAY))
    if windows.period != "day":
        days = (midnight / functions.lit(_DAY)).cast("int")
        date = functions.date_add(functions.lit(_EPOCH).cast("date"), days)
        midnight = _days(functions.trunc(date, windows.period)) * functions.lit(_DAY)
    return _of_local(midnight, windows.zone)


def window(begin: int, windows: Windows) -> Window:
    """The window that begins there, out of what `start` gives."""
    instant = instant_of(begin)
    if windows.period == "hour":  # where clocks move by half an hour, it has a part of another
        return Window(instant, instant + timedelta(hours=1))
    return windows.of(instant)


def instant_of(at: int) -> datetime:
    """Microseconds since 1970 as Python's own."""
    return _START + timedelta(microseconds=at)


def micros_of(instant: datetime) -> int:
    """The other way round."""
    return (instant - _START) // timedelta.resolution


def _of_local(local: Column, zone: str) -> Column:
    """From microseconds of a zone's clocks; where clocks show a time twice, the first."""
    return functions.unix_micros(
        functions.to_utc_timestamp(functions.timestamp_micros(local), zone)
    )


def _local(value: Column) -> Column:
    """Microseconds of a timestamp without a zone."""
    seconds = functions.hour(value) * 3600 + functions.minute(value) * 60
    of_second = (functions.date_part(functions.lit("SECOND"), value) * 1_000_000).cast("bigint")
    whole = _days(value.cast("date")) * functions.lit(_DAY)
    return whole + seconds.cast("bigint") * functions.lit(1_000_000) + of_second


def _days(date: Column) -> Column:
    return functions.datediff(date, functions.lit(_EPOCH).cast("date")).cast("bigint")
