"""Where kept states lie below a folder: one file for each module, version and window.

Names are those of Hive's partitions, so that SQL engines read the folder as one table.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from gavial.monitoring.state import Slot
from gavial.monitoring.windows import Window

FILE: Final = "state.parquet"
PROFILES: Final = "_profiles"  # readers of tables skip what begins with `_`
WRITING: Final = "_writing"
_NONE: Final = "none"
_PLACE = re.compile(
    r"group=([^/=]+)/artifact=([^/=]+)/version=([^/=]+)/window=([0-9TZ_]+|none)/state\.parquet"
)


class Place(NamedTuple):
    """What the states of one file are of."""

    module: str
    version: str
    window: Window | None

    def __str__(self) -> str:
        """Its path below the store's folder.

        >>> day = Window(datetime(2013, 1, 7, tzinfo=UTC), datetime(2013, 1, 14, tzinfo=UTC))
        >>> str(Place("com.acme:churn", "1.0.3", day))
        'group=com.acme/artifact=churn/version=1.0.3/window=20130107T000000Z_20130114T000000Z/\
state.parquet'
        """
        group, _, artifact = self.module.partition(":")
        window = "_".join(_text(one) for one in self.window) if self.window else _NONE
        return f"group={group}/artifact={artifact}/version={self.version}/window={window}/{FILE}"


def of(slot: Slot) -> Place:
    """Where the states of a slot lie, with those of its other segments."""
    return Place(slot.module, slot.version, slot.window)


def module_of(path: str) -> str | None:
    """The module of a file by its path below the store; `None` where it is no file of states.

    >>> module_of("group=a/artifact=b/version=1.0.0/window=none/state.parquet")
    'a:b'
    >>> module_of("backup/group=a/artifact=b/version=1.0.0/window=none/state.parquet")
    """
    found = _PLACE.fullmatch(path)
    return f"{found[1]}:{found[2]}" if found else None


def _text(instant: datetime) -> str:
    utc = instant.astimezone(UTC)
    # Not by `strftime`, which leaves out the zeros of a year before 1000 on some systems.
    return f"{utc.year:04}" + utc.strftime("%m%dT%H%M%SZ")
