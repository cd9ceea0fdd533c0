"""Small states for the tests of stores."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from gavial.monitoring import state
from gavial.monitoring.bins import Numeric
from gavial.monitoring.profile import UNLABELLED, Profile
from gavial.monitoring.state import Cell, Key, Slot, State
from gavial.monitoring.windows import Window

PROFILE = Profile(UNLABELLED, {"amount": Numeric((0.0, 1.0, 2.0))})
OTHER = Profile(UNLABELLED, {"amount": Numeric((0.0, 1.5, 2.0))})
MONDAY = datetime(2013, 1, 7, tzinfo=UTC)


def window(day: int) -> Window:
    return Window(MONDAY + timedelta(days=day), MONDAY + timedelta(days=day + 1))


def states(
    *records: int, module: str = "com.acme:churn", version: str = "1.0.0"
) -> dict[Slot, State]:
    """As many records in each of some days, and in a segment of it."""
    return {
        Slot(module, version, window(day), segment): State(
            {
                Key(state.RECORDS): Cell(n),
                Key(state.FEATURE, "amount", 1): Cell(n, 1.5, 0.25),
                Key(state.FEATURE, "amount", -1): Cell(1),
            }
        )
        for day, n in enumerate(records)
        for segment in ("", "plan=gold")
    }


def records(found: Mapping[Slot, State]) -> list[int]:
    """The records of each day, in order."""
    whole = sorted((slot.window, one.records) for slot, one in found.items() if not slot.segment)
    return [n for _, n in whole]
