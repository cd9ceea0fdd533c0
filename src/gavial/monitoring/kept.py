"""States that were kept, with the profiles whose bins they are counted in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from gavial.errors import CorruptRelease, IncompatibleModel
from gavial.model import json_values
from gavial.monitoring import places, state
from gavial.monitoring.profile import Profile
from gavial.monitoring.state import Slot, State

# A row that is no count: `column_name` is a query, and `n` the number of its batches that are in
# the states of a window, which is one more than the last one's id.
SOURCE: Final = "source"


@dataclass(frozen=True)
class Kept:
    """What a store holds.

    Attributes:
        by_profile: states by the digest of the profile that they are counted by. States of two
            digests never add up.
        profiles: the profiles by digest.
    """

    by_profile: Mapping[str, Mapping[Slot, State]] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)

    @cached_property
    def states(self) -> Mapping[Slot, State]:
        """All states; of a slot that two profiles counted, the one with more records."""
        found: dict[Slot, State] = {}
        for digest in sorted(self.by_profile):
            for slot, one in self.by_profile[digest].items():
                if slot not in found or one.records > found[slot].records:
                    found[slot] = one
        return found

    @classmethod
    def of_files(
        cls,
        files: Iterable[tuple[str, Iterable[Mapping[str, Any]]]],
        profiles: Mapping[str, Profile],
    ) -> Kept:
        """Out of stored files: the path of each, and its rows as `of` takes them.

        Raises:
            IncompatibleModel: a row is of a later format.
            CorruptRelease: a row has a value that no state has, or is of a window that is kept
                elsewhere, so that it would count twice.
        """
        found: dict[str, dict[Slot, State]] = {}
        for path, rows in files:
            try:
                one = cls.of(rows, {})
            except (CorruptRelease, IncompatibleModel) as error:
                raise type(error)(f"{path}: {error}") from error
            for digest, slots in one.by_profile.items():
                for slot in slots:
                    _check_place(slot, path)
                found.setdefault(digest, {}).update(slots)
        return cls(found, dict(profiles))

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], profiles: Mapping[str, Profile]) -> Kept:
        """Out of stored rows, by the names of `state.COLUMNS`.

        Raises:
            IncompatibleModel: a row is of a later format.
            CorruptRelease: a row has a value that no state has.
        """
        found = {
            digest: {slot: one for slot, all_ in slots.items() if (one := _counted(all_))}
            for digest, slots in state.from_rows(rows).items()
        }
        return cls({digest: slots for digest, slots in found.items() if slots}, dict(profiles))


def profile_of(data: bytes, name: str) -> Profile:
    """A profile out of its file.

    Raises:
        CorruptRelease: it is none, or another than its name says.
        IncompatibleModel: it is of a later format.
    """
    try:
        found = Profile.from_json(json_values.loads(data))
    except ValueError as error:
        raise CorruptRelease(f"The profile {name} is no JSON: {error!s:.200}.") from error
    except (CorruptRelease, IncompatibleModel) as error:
        raise type(error)(f"The profile {name}: {error}") from error
    if name != f"{found.digest}.json":
        raise CorruptRelease(
            f"The profile {name} was changed: its bins are those of {found.digest}, and states "
            "were counted in others. Put it back as it was, or count the records again into a new "
            "folder."
        )
    return found


def _check_place(slot: Slot, path: str) -> None:
    place = str(places.of(slot))
    if not path.endswith(place):
        raise CorruptRelease(
            f"{path} has states that belong in {place}: somebody moved or copied it. Remove it, "
            "and count its window again."
        )


def _counted(found: State) -> State:
    """A state without the rows that say where it is from."""
    return State({key: cell for key, cell in found.items() if key.kind != SOURCE})
