"""From states to the verdict on a challenger. Pure.

It may be asked for as often as one likes: the intervals hold at all looks at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from gavial.errors import ConfigurationError
from gavial.monitoring import losses, sequence
from gavial.monitoring.comparison import Comparison, Look, Mode, Outcome, SampleRatio
from gavial.monitoring.route import Arm, Route
from gavial.monitoring.sample_ratio import sample_ratio
from gavial.monitoring.sequence import Interval
from gavial.monitoring.state import Cell, Key, Slot, State
from gavial.monitoring.windows import Window

INTENDED: Final = 10_000
MINIMUM: Final = 100  # labelled records, before anything is said
# Of the rarest class, and with a loss that differs. The intervals hold for many records: with fewer
# of those that matter, a variance that has not shown itself yet passes for certainty.
MINIMUM_RARE: Final = 30
LOST_SHARE: Final = 0.01  # of records that one version cannot score, before no verdict is given
_STRATUM: Final = 10  # labelled records of each version of a split, in a stratum of time


@dataclass(frozen=True)
class Terms:
    """What is asked of a comparison.

    Attributes:
        loss: one of `losses.LOSSES`; less is better.
        margin: the difference of mean losses that is not worth having; 0 asks for a difference.
        alpha: how often a verdict may be false, over all looks together.
        intended: the labelled records after which the interval is to be narrowest, against others
            of its kind. It holds for any number; within a factor of ten it hardly matters.

    Raises:
        ConfigurationError: a value is out of its range.
    """

    loss: str = losses.LOG_LOSS
    margin: float = 0.0
    alpha: float = 0.05
    intended: int = INTENDED

    def __post_init__(self) -> None:
        losses.check(self.loss)
        if not (_is_number(self.margin) and 0 <= self.margin < math.inf):
            raise ConfigurationError(f"margin={self.margin!r}: expected a number from 0.")
        if not (_is_number(self.alpha) and 0 < self.alpha < 1):
            raise ConfigurationError(f"alpha={self.alpha!r}: expected a number between 0 and 1.")
        if not (_is_number(self.intended) and self.intended >= 1):
            raise ConfigurationError(f"intended={self.intended!r}: expected records, 1 or more.")


def judge(
    states: Mapping[Slot, State],
    route: Route,
    challenger: str,
    terms: Terms,
    segment: str = "",
    when: str = "",
) -> Comparison:
    """What states say of one challenger of a route.

    Args:
        states: as `gavial.spark.comparing` makes them, or sums of such.
        route: how the versions ran; its challengers share `terms.alpha` (Bonferroni).
        challenger: a version of it, such as `"1.0.4"`.
        segment: as a slot has it.
        when: the time, for the record.
    """
    found = _Found(states, route, challenger, terms, segment)
    looks = tuple(found.looks())
    last = looks[-1] if looks else None
    ratio = found.ratio() if route.mode is Mode.SPLIT else None
    doubts = found.doubts(ratio)
    outcome = Outcome.KEEP_GOING
    if last is not None and not doubts:
        outcome = decide(last.low, last.high, terms.margin)
    if found.is_same:
        outcome = Outcome.NO_DIFFERENCE
    reasons = [found.told(outcome, last), *doubts, *found.losses_told(), found.alpha_told()]
    return Comparison(
        module=str(route.module),
        champion=route.champion.version,
        challenger=challenger,
        mode=route.mode,
        loss=terms.loss,
        margin=float(terms.margin),
        alpha=found.alpha,
        outcome=outcome,
        looks=looks,
        needed=found.needed() if outcome is Outcome.KEEP_GOING else None,
        ratio=ratio,
        reasons=tuple(filter(None, reasons)),
        segment=segment,
        when=when,
    )


def decide(low: float, high: float, margin: float) -> Outcome:
    """The verdict of an interval of challenger less champion.

    >>> str(decide(-0.03, -0.01, 0.02)), str(decide(-0.01, 0.01, 0.02))
    ('better', 'no difference worth having')
    """
    if -margin < low and high < margin:
        return Outcome.NO_DIFFERENCE
    if high < 0:
        return Outcome.BETTER
    return Outcome.WORSE if low > 0 else Outcome.KEEP_GOING


class _Found:
    """What states hold of one challenger."""

    def __init__(
        self,
        states: Mapping[Slot, State],
        route: Route,
        challenger: str,
        terms: Terms,
        segment: str,
    ) -> None:
        self.route, self.terms, self.segment = route, terms, segment
        self.challenger = _arm(route, challenger)
        self.alpha = terms.alpha / len(route.challengers)
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

    def _cells(
        self, version: str, kind: str, column: str
    ) -> Iterator[tuple[Window | None, Key, Cell]]:
        for window in self.windows:
            for key, cell in self._of.get((version, window), State()).of(kind, column):
                yield window, key, cell

    def _by_window(self, version: str, kind: str, column: str) -> dict[Window | None, Cell]:
        found: dict[Window | None, Cell] = {}
        for window, _, cell in self._cells(version, kind, column):
            found[window] = found.get(window, Cell(0)) + cell
        return found

    # The looks ----------------------------------------------------------------------------

    def looks(self) -> Iterator[Look]:
        """One a window with labelled records, over all until then."""
        for window, found in self.intervals:
            if found.n:
                yield Look(window, found.n, found.value, found.low, found.high)

    @cached_property
    def intervals(self) -> tuple[tuple[Window | None, Interval], ...]:
        """As of the end of each window."""
        return tuple(self._intervals())

    def _intervals(self) -> Iterator[tuple[Window | None, Interval]]:
        intended = self.terms.intended
        if not self.is_split:
            total = Cell(0)
            for window, cell in self._differences().items():
                total += cell
                yield window, sequence.mean(total, self.alpha, intended)
            return
        seen: list[tuple[Cell, Cell]] = []
        champion, challenger = self._groups()
        for window in self.windows:
            if window in champion or window in challenger:
                seen.append((champion.get(window, Cell(0)), challenger.get(window, Cell(0))))
                strata = sequence.strata(seen, _STRATUM)
                yield window, sequence.difference(strata, self.alpha, intended)

    def _differences(self) -> dict[Window | None, Cell]:
        kind = losses.paired(self.terms.loss)
        return self._by_window(self.challenger.version, kind, self.route.champion.version)

    def _groups(self) -> tuple[dict[Window | None, Cell], dict[Window | None, Cell]]:
        kind = losses.group(self.terms.loss)
        first, second = (
            self._by_window(one.version, kind, "") for one in (self.route.champion, self.challenger)
        )
        return first, second

    def _last(self) -> Interval:
        nothing = Interval(0, 0.0, 0.0, -math.inf, math.inf)
        return self.intervals[-1][1] if self.intervals else nothing

    def needed(self) -> int | None:
        """Further labelled records that are expected to bring a verdict."""
        last, lacking = self._last(), self._lacking()
        more = sequence.needed(last, self.terms.margin, self.alpha, self.terms.intended)
        if lacking is None or more is None:
            return None
        return max(more, lacking)

    # What speaks against a verdict -----------------------------------------------------------

    def _classes(self) -> dict[int, int]:
        """Labelled records by class; of a split, those of the version that has fewer."""
        if not self.is_split:
            kind, champion = losses.paired(self.terms.loss), self.route.champion.version
            return _by_class(self._cells(self.challenger.version, kind, champion))
        kind = losses.group(self.terms.loss)
        one, other = (
            _by_class(self._cells(arm.version, kind, ""))
            for arm in (self.route.champion, self.challenger)
        )
        return {
            name: min(one.get(name, 0), other.get(name, 0)) for name in one.keys() | other.keys()
        }

    def _differing(self) -> int | None:
        """Records with a loss that differs; `None` of a split, where none is scored twice."""
        if self.is_split:
            return None
        kind, champion = losses.paired(self.terms.loss), self.route.champion.version
        return sum(
            cell.n
            for _, key, cell in self._cells(self.challenger.version, kind, champion)
            if key.bin
        )

    @property
    def is_same(self) -> bool:
        """Whether no record of very many had another loss."""
        enough = self._last().n >= max(self.terms.intended, MINIMUM)
        return enough and self._differing() == 0 and self.terms.margin > 0

    def _lacking(self) -> int | None:
        """Further labelled records until there are enough of every sort; `None`: nobody knows."""
        n = self._last().n
        lacking = max(MINIMUM - n, 0)
        rare = [count for count in (self._rarest(), self._differing()) if count is not None]
        for count in rare:
            if count == 0 and n:
                return None
            if n:
                lacking = max(lacking, math.ceil((MINIMUM_RARE - count) * n / count))
        return lacking if n else None

    def _rarest(self) -> int | None:
        """Records of the rarest class; `None` for losses that are not of classes."""
        if self.terms.loss not in losses.OF_CLASSES:
            return None
        found = self._classes()
        return min(found.values()) if len(found) > 1 else 0

    def doubts(self, ratio: SampleRatio | None) -> list[str]:
        """Why nothing can be said yet, in words."""
        n, found = self._last().n, []
        if n < MINIMUM:
            found.append(f"There are {n} labelled {self.unit}, and {MINIMUM} are the least.")
        rarest, differing = self._rarest(), self._differing()
        if n and rarest is not None and rarest < MINIMUM_RARE:
            if len(self._classes()) < 2:
                found.append("All labels so far are of one class.")
            else:
                found.append(
                    f"The rarest class has {rarest} labels, and {MINIMUM_RARE} are the least."
                )
        if n and differing is not None and differing < MINIMUM_RARE:
            found.append(
                f"The two differ on {differing} of {n} records, and {MINIMUM_RARE} are the least."
            )
        if ratio is not None and not ratio.holds:
            found.append(
                f"The split did not give each version its share: {_shares(ratio)} (p = "
                f"{ratio.p:.2g}). Find out why first: what lost records may have chosen them."
            )
        return found + self._biased(n)

    def _biased(self, n: int) -> list[str]:
        lost = self._lost()
        beyond = sum(lost.get(why, 0) for why in (losses.UNPAIRED, losses.INVALID, losses.CROSSED))
        if beyond <= LOST_SHARE * (n + beyond):
            return []
        return [
            f"{beyond} of {n + beyond} records had to be left out, more than {LOST_SHARE:.0%}: "
            "those may be the ones on which the versions differ. Mend that first; of a route that "
            "began later than the records, say since when."
        ]

    def _lost(self) -> dict[int, int]:
        found: dict[int, int] = {}
        arms = (self.route.champion, self.challenger) if self.is_split else (self.challenger,)
        column = "" if self.is_split else self.route.champion.version
        for arm in arms:
            for _, key, cell in self._cells(arm.version, losses.LOST, column):
                found[key.bin] = found.get(key.bin, 0) + cell.n
        return found

    def ratio(self) -> SampleRatio | None:
        """Of a split: whether the versions got their shares.

        A key counts once a window, and may be in many: so each window is a test, and the worst of
        them is told, corrected for their number.
        """
        arms = self.route.arms
        counts = [dict(self._by_window(one.version, losses.ASSIGNED, "")) for one in arms]
        windows = {window for one in counts for window in one}
        if not windows:
            return None
        found = [
            sample_ratio(
                [one.weight for one in arms], [one.get(window, Cell(0)).n for one in counts]
            )
            for window in windows
        ]
        worst = min(found, key=lambda one: one.p)
        return replace(worst, p=min(1.0, worst.p * len(found)))

    # In words -----------------------------------------------------------------------------

    def told(self, outcome: Outcome, last: Look | None) -> str:
        """The verdict as a sentence."""
        one, other = self.challenger.version, self.route.champion.version
        if last is None:
            return f"{one} cannot be told from {other}: no labelled record of both is there."
        said = {
            Outcome.BETTER: f"{one} is better than {other}",
            Outcome.WORSE: f"{one} is worse than {other}",
            Outcome.NO_DIFFERENCE: f"{one} and {other} do not differ by {self.terms.margin:g}",
            Outcome.KEEP_GOING: f"{one} cannot be told from {other} yet",
        }[outcome]
        return (
            f"{said}: its mean {self.terms.loss} less the champion's is {last.difference:+.4g}, "
            f"and between {last.low:.4g} and {last.high:.4g}, over {last.n} labelled {self.unit}."
        )

    def losses_told(self) -> list[str]:
        """What was left out, in words."""
        return [
            f"{losses.WHY_LOST[why].format(n=n)}." for why, n in sorted(self._lost().items()) if n
        ]

    def alpha_told(self) -> str:
        """How sure that is, in words."""
        count = len(self.route.challengers)
        shared = ""
        if count > 1:
            shared = f", since {count} challengers share {self.terms.alpha:g} between them"
        return (
            f"At all looks together such a verdict is false in {self.alpha:.3g} of cases at "
            f"most{shared}."
        )


def _by_class(cells: Iterator[tuple[Window | None, Key, Cell]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for _, key, cell in cells:
        found[key.label] = found.get(key.label, 0) + cell.n
    return found


def _arm(route: Route, version: str) -> Arm:
    found = next((one for one in route.challengers if one.version == version), None)
    if found is None:
        there = ", ".join(one.version for one in route.challengers)
        raise ConfigurationError(f"{version!r} is no challenger of the route: it has {there}.")
    return found


def _shares(ratio: SampleRatio) -> str:
    total = sum(ratio.observed) or 1
    pairs: Sequence[tuple[float, int]] = tuple(zip(ratio.expected, ratio.observed, strict=True))
    return ", ".join(f"{count / total:.2%} where {wanted:.2%} was meant" for wanted, count in pairs)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
