"""A reference rolled up to the length of the windows that it is held against.

Weeks differ less from one another than days do. What a window may differ by is learned from parts
of the reference that are as long as itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import Final

from gavial.monitoring.profile import Reference
from gavial.monitoring.state import Slot, State, total
from gavial.monitoring.windows import Window

_LEAST: Final = 8  # parts: how much fewer differ says little
_SLACK: Final = 1.05  # a week in which clocks change has an hour more


def length_of(slots: Iterable[Slot]) -> timedelta | None:
    """How long the windows of slots are: the median; `None` where none has a window."""
    found = [(slot.window.end - slot.window.start).total_seconds() for slot in slots if slot.window]
    return timedelta(seconds=median(found)) if found else None


def rolled(reference: Reference, length: timedelta | None) -> Reference:
    """The reference with chunks that follow one another put together, up to a length of time.

    At least eight parts are left. Where a window is shorter than a chunk, or chunks are not cut by
    time, nothing changes.

    >>> from datetime import UTC, datetime
    >>> from gavial.monitoring.profile import Profile
    >>> begin = datetime(2013, 1, 1, tzinfo=UTC)
    >>> days = [begin + timedelta(days=n) for n in range(71)]
    >>> daily = Reference(
    ...     Profile("unlabelled"), "1.0.0", (State(),) * 70, tuple(map(Window, days, days[1:]))
    ... )
    >>> len(rolled(daily, timedelta(days=7)).chunks), len(rolled(daily, timedelta(days=30)).chunks)
    (10, 8)
    """
    if length is None or not reference.windows:
        return reference
    span = reference.windows[-1].end - reference.windows[0].start
    most = min(length, span / _LEAST) * _SLACK
    groups: list[tuple[Window, list[State]]] = []
    for window, chunk in zip(reference.windows, reference.chunks, strict=True):
        if groups and window.end - groups[-1][0].start <= most:
            groups[-1] = (Window(groups[-1][0].start, window.end), [*groups[-1][1], chunk])
        else:
            groups.append((window, [chunk]))
    return replace(
        reference,
        chunks=tuple(total(chunks) for _, chunks in groups),
        windows=tuple(window for window, _ in groups),
    )
