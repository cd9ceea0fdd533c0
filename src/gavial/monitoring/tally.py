"""What states hold of one challenger and its champion, and why that may not be enough."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Final

from gavial.errors import ConfigurationError
from gavial.monitoring import losses, sequence
from gavial.monitoring.comparison import Mode, SampleRatio
from gavial.monitoring.route import Arm, Route
from gavial.monitoring.sample_ratio import sample_ratio
from gavial.monitoring.sequence import Interval
from gavial.monitoring.state import Cell, Key, Slot, State
from gavial.monitoring.windows import Window

MINIMUM: Final = 100  # labelled records, before anything is said
# Of other classes than the commonest, and with a loss that differs. The intervals hold for many
# records: with fewer of those that matter, a variance that has not shown itself yet passes for
# certainty.
MINIMUM_RARE: Final = 30
LOST_SHARE: Final = 0.01  # of records that had to be left out, before no verdict is given
_STRATUM: Final = 10  # labelled records of each version of a split, in a stratum of time
_NOTHING: Final = Interval(0, 0.0, 0.0, -math.inf, math.inf)

ByWindow = Mapping[Window | None, Cell]


class Tally:
    """What states hold of one challenger of a route.

    Args:
        states: of any slots; those of other modules and segments are passed over.
        route: how the versions ran.
        challenger: a version of it.
        loss: what is compared.
        alpha, intended: of the intervals.
        segment: as a slot has it.

    Raises:
        ConfigurationError: the route has no such challenger.
    """

    def __init__(
        self,
        states: Mapping[Slot, State],
        route: Route,
        challenger: str,
        loss: str,
        alpha: float,
        intended: int,
        segment: str = "",
    ) -> None:
        self.route, self.loss, self.alpha, self.intended = route, loss, alpha, intended
        self.champion, self.challenger = route.champion, _arm(route, challenger)
        self.is_split = route.mode is Mode.SPLIT
        self.unit = "keys (each once a window)" if self.is_split else "records"
        module = str(route.module)
        self._of: dict[tuple[str, Window | None], State] = {}
        for slot, state in states.items():
            if slot.module == module and slot.segment == segment:
                place = slot.version, slot.window
                self._of[place] = self._of.get(place, State()) + state
        known = {window for _, window in self._of}
        self.windows = sorted(known, key=lambda one: (one is not None, one))

    # The intervals ------------------------------------------------------------------------

    @cached_property
    def intervals(self) -> tuple[tuple[Window | None, Interval], ...]:
        """As of the end of each window that has labelled records."""
        found = self._of_groups() if self.is_split else self._of_pairs()
        return tuple((window, one) for window, one in found if one.n)

    @property
    def last(self) -> Interval:
        return self.intervals[-1][1] if self.intervals else _NOTHING

    def _of_pairs(self) -> Iterator[tuple[Window | None, Interval]]:
        total = Cell(0)
        for window, cell in self._by_window(self.challenger, self._paired).items():
            total += cell
            yield window, sequence.mean(total, self.alpha, self.intended)

    def _of_groups(self) -> Iterator[tuple[Window | None, Interval]]:
        kind = losses.group(self.loss)
        first, second = (self._by_window(one, kind) for one in (self.champion, self.challenger))
        seen: list[tuple[Cell, Cell]] = []
        for window in self.windows:
            if window in first or window in second:
                seen.append((first.get(window, Cell(0)), second.get(window, Cell(0))))
                found = sequence.strata(seen, _STRATUM)
                yield window, sequence.difference(found, self.alpha, self.intended)

    # Counts -------------------------------------------------------------------------------

    @property
    def others(self) -> int | None:
        """Labels of other classes than the commonest, of a split those of the version that has
        fewer; `None` of losses that are not of classes."""
        if self.loss not in losses.OF_CLASSES:
            return None
        if not self.is_split:
            return _others(self._cells(self.challenger, self._paired))
        kind = losses.group(self.loss)
        return min(_others(self._cells(one, kind)) for one in (self.champion, self.challenger))

    @property
    def differing(self) -> int | None:
        """Records whose two losses differ; `None` of a split, where none is scored twice."""
        if self.is_split:
            return None
        cells = self._cells(self.challenger, self._paired)
        return sum(cell.n for _, key, cell in cells if key.bin)

    @cached_property
    def lost(self) -> Mapping[int, int]:
        """Records that count for nothing, by `losses.WHY_LOST`."""
        found: dict[int, int] = {}
        for arm in (self.champion, self.challenger) if self.is_split else (self.challenger,):
            for _, key, cell in self._cells(arm, losses.LOST):
                found[key.bin] = found.get(key.bin, 0) + cell.n
        return found

    @cached_property
    def ratio(self) -> SampleRatio | None:
        """Of a split: whether the versions got their shares of the keys.

        A key counts once a window, and may be in many: so each window is a test, and the worst of
        them is told, corrected for their number.
        """
        if not self.is_split:
            return None
        weights = [one.weight for one in self.route.arms]
        counts = [self._by_window(one, losses.ASSIGNED, losses.KEYS) for one in self.route.arms]
        found = [
            sample_ratio(weights, [one.get(window, Cell(0)).n for one in counts])
            for window in {window for one in counts for window in one}
        ]
        if not found:
            return None
        worst = min(found, key=lambda one: one.p)
        return replace(worst, p=min(1.0, worst.p * len(found)))

    # What is not enough -------------------------------------------------------------------

    @property
    def is_same(self) -> bool:
        """Whether no record of as many as were intended has another loss."""
        enough = self.last.n >= max(self.intended, MINIMUM)
        return enough and self.differing == 0 and not self.distrusted()

    def scarce(self) -> Iterator[str]:
        """What there is too little of, in words."""
        n = self.last.n
        if n < MINIMUM:
            yield f"There are {n} labelled {self.unit}, and {MINIMUM} are the least."
        others, differing = self.others, self.differing
        if n and others == 0:
            yield "All labels so far are of one class."
        elif n and others is not None and others < MINIMUM_RARE:
            yield (
                f"Of other classes than the commonest there are {others} labels, and "
                f"{MINIMUM_RARE} are the least."
            )
        if n and differing is not None and differing < MINIMUM_RARE:
            yield (
                f"The two differ on {differing} of {n} records, and {MINIMUM_RARE} are the least."
            )

    def distrusted(self) -> list[str]:
        """Why what there is cannot be trusted, in words."""
        found = []
        ratio = self.ratio
        if ratio is not None and not ratio.holds:
            found.append(
                f"The split did not give each version its share: {_shares(ratio)} (p = "
                f"{ratio.p:.2g}). Find out why first: what lost records may have chosen them."
            )
        n, left_out = self._records, sum(self.lost.get(why, 0) for why in losses.BIASING)
        if left_out > LOST_SHARE * (n + left_out):
            found.append(
                f"{left_out} of {n + left_out} records had to be left out, more than "
                f"{LOST_SHARE:.0%}: those may be the ones on which the versions differ. Mend that "
                "first; of a route that began later than the records, say since when."
            )
        return found

    def lacking(self) -> int | None:
        """Further labelled records until there are enough of every sort; `None`: nobody knows."""
        n, counts = self.last.n, (self.others, self.differing)
        if not n or 0 in counts:
            return None
        short = [
            math.ceil((MINIMUM_RARE - count) * n / count) for count in counts if count is not None
        ]
        return max(0, MINIMUM - n, *short)

    # Cells ----------------------------------------------------------------------------------

    @property
    def _paired(self) -> str:
        return losses.paired(self.loss)

    @property
    def _records(self) -> int:
        if not self.is_split:
            return self.last.n
        arms = (self.champion, self.challenger)
        found = (self._by_window(one, losses.ASSIGNED, losses.RECORDS) for one in arms)
        return sum(cell.n for one in found for cell in one.values())

    def _cells(self, arm: Arm, kind: str) -> Iterator[tuple[Window | None, Key, Cell]]:
        column = "" if self.is_split else self.champion.version
        for window in self.windows:
            for key, cell in self._of.get((arm.version, window), State()).of(kind, column):
                yield window, key, cell

    def _by_window(self, arm: Arm, kind: str, bin: int | None = None) -> ByWindow:
        found: dict[Window | None, Cell] = {}
        for window, key, cell in self._cells(arm, kind):
            if bin in (None, key.bin):
                found[window] = found.get(window, Cell(0)) + cell
        return found


def _others(cells: Iterator[tuple[Window | None, Key, Cell]]) -> int:
    found: dict[int, int] = {}
    for _, key, cell in cells:
        found[key.label] = found.get(key.label, 0) + cell.n
    return sum(found.values()) - max(found.values(), default=0)


def _arm(route: Route, version: str) -> Arm:
    found = next((one for one in route.challengers if one.version == version), None)
    if found is None:
        there = ", ".join(one.version for one in route.challengers)
        raise ConfigurationError(f"{version!r} is no challenger of the route: it has {there}.")
    return found


def _shares(ratio: SampleRatio) -> str:
    total = sum(ratio.observed) or 1
    pairs = zip(ratio.expected, ratio.observed, strict=True)
    return ", ".join(f"{count / total:.2%} where {wanted:.2%} was meant" for wanted, count in pairs)
