"""The reference of a release as rows of a table, and states that become a reference later.

The rows have the columns of a stored state and one more, `text`. A chunk is the segment `chunk=0`,
`chunk=1`, …; its window says when its records were, where they were cut by time. One row of the
kind `profile` has the profile as JSON in `text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from gavial.errors import ConfigurationError, CorruptRelease
from gavial.model import json_values
from gavial.model.manifest import check_format
from gavial.monitoring import state
from gavial.monitoring.profile import Profile, Reference
from gavial.monitoring.state import COLUMNS, Slot, State
from gavial.monitoring.windows import Window

PROFILE: Final = "profile"
TEXT: Final = "text"
_CHUNK = re.compile(r"chunk=([0-9]{1,6})")


def rows(reference: Reference, module: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a reference, in a fixed order: the fields of `state.COLUMNS`, and `text`.

    Args:
        module: whose it is: `group:artifact`.
    """
    profile = reference.profile
    about = {
        "format": state.FORMAT,
        "module": module,
        "version": reference.version,
        "segment": "",
        "profile": profile.digest,
        "kind": PROFILE,
        "column_name": "",
        "bin": 0,
        "label": 0,
        "n": 0,
        "mean": 0.0,
        "m2": 0.0,
    }
    yield (*(about.get(name) for name in COLUMNS), profile.text)
    windows: Sequence[Window | None] = reference.windows or [None] * len(reference.chunks)
    for at, (chunk, window) in enumerate(zip(reference.chunks, windows, strict=True)):
        slot = Slot(module, reference.version, window, f"chunk={at}")
        for row in state.rows({slot: chunk}, profile.digest):
            yield (*row, None)


def from_rows(found: Iterable[Mapping[str, Any]], module: str, version: str) -> Reference:
    """Read what `rows` made.

    Raises:
        IncompatibleModel: it is of a later format.
        CorruptRelease: it is no reference, or another release's.
    """
    texts: list[str] = []
    counted = []
    for row in found:
        if row.get("kind") == PROFILE:
            _check_format(row)
            texts.append(str(row.get(TEXT)))
        else:
            counted.append(row)
    if len(texts) != 1:
        raise CorruptRelease(f"A monitoring reference has {len(texts)} profiles: expected one.")
    try:
        profile = Profile.from_json(json_values.loads(texts[0]))
    except ValueError as error:
        raise CorruptRelease(f"A monitoring profile is no JSON: {error!s:.200}.") from error
    chunks = _chunks(state.from_rows(counted), profile, module, version)
    numbers = sorted(chunks)
    windows = tuple(one for at in numbers if (one := chunks[at][0].window) is not None)
    return Reference(
        profile,
        version,
        tuple(chunks[at][1] for at in numbers),
        windows if len(windows) == len(numbers) else (),
    )


def as_reference(
    states: Mapping[Slot, State], profile: Profile, version: str, windows: Iterable[Window]
) -> Reference:
    """A reference out of a version's first windows, for a release that came without one.

    Args:
        states: counted by `profile`.
        profile: what is counted, and in which bins.
        version: `major.minor.build`.
        windows: those whose records are the reference: each is a chunk.

    Raises:
        ConfigurationError: the version has no records there.

    >>> from datetime import UTC, datetime
    >>> from gavial.monitoring.state import Cell, Key
    >>> day = Window(datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC))
    >>> states = {Slot("com.acme:churn", "1.0.0", day): State({Key(state.RECORDS): Cell(5)})}
    >>> as_reference(states, Profile("unlabelled"), "1.0.0", [day]).total.records
    5
    """
    wanted = set(windows)
    found = {
        slot.window: one
        for slot, one in states.items()
        if slot.version == version and not slot.segment and slot.window in wanted and slot.window
    }
    if not found:
        there = sorted({str(slot.window) for slot in states if slot.version == version})
        raise ConfigurationError(
            f"The version {version} has no records in the windows that are to be its reference: "
            f"there are {', '.join(there[:5]) or 'none'}."
        )
    order = sorted(found)
    return Reference(profile, version, tuple(found[one] for one in order), tuple(order))


def _chunks(
    found: Mapping[str, Mapping[Slot, State]], profile: Profile, module: str, version: str
) -> dict[int, tuple[Slot, State]]:
    chunks: dict[int, tuple[Slot, State]] = {}
    for digest, slots in found.items():
        for slot, one in slots.items():
            number = _CHUNK.fullmatch(slot.segment)
            if (slot.module, slot.version, digest) != (module, version, profile.digest):
                raise CorruptRelease(
                    f"The monitoring reference of {module}:{version} has states of "
                    f"{slot.module!s:.100}:{slot.version!s:.50}, profile {digest!s:.50}."
                )
            if number is None or int(number[1]) in chunks:
                raise CorruptRelease(
                    f"A monitoring reference has the chunk {slot.segment!r:.50}: expected chunk=0, "
                    "chunk=1, …, each once."
                )
            chunks[int(number[1])] = (slot, one)
    return chunks


def _check_format(row: Mapping[str, Any]) -> None:
    try:
        check_format(row.get("format"), state.FORMAT, "The monitoring reference")
    except ValueError as error:
        raise CorruptRelease(f"A monitoring reference is damaged: {error}.") from error
