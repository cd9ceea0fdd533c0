"""From states to the verdict on a challenger. Pure.

It may be asked for as often as one likes: the intervals hold at all looks at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gavial.errors import ConfigurationError
from gavial.monitoring import losses, sequence
from gavial.monitoring.comparison import Comparison, Look, Outcome
from gavial.monitoring.route import Route
from gavial.monitoring.state import Slot, State
from gavial.monitoring.tally import Tally

INTENDED: Final = 10_000


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
        if not (_is_number(self.intended) and 1 <= self.intended < math.inf):
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

    Raises:
        ConfigurationError: the route has no such challenger.
    """
    alpha = terms.alpha / len(route.challengers)
    tally = Tally(states, route, challenger, terms.loss, alpha, terms.intended, segment)
    last, doubts = tally.last, [*tally.scarce(), *tally.distrusted()]
    outcome = Outcome.KEEP_GOING
    if tally.is_same and terms.margin > 0:
        outcome, doubts = Outcome.NO_DIFFERENCE, []
    elif last.n and not doubts:
        outcome = decide(last.low, last.high, terms.margin)
    reasons = (_told(outcome, tally, terms), *doubts, *_left_out(tally), _how_sure(tally, terms))
    return Comparison(
        module=str(route.module),
        champion=route.champion.version,
        challenger=challenger,
        mode=route.mode,
        loss=terms.loss,
        margin=float(terms.margin),
        alpha=alpha,
        outcome=outcome,
        looks=tuple(
            Look(window, one.n, one.value, one.low, one.high) for window, one in tally.intervals
        ),
        needed=_needed(tally, terms) if outcome is Outcome.KEEP_GOING else None,
        ratio=tally.ratio,
        reasons=reasons,
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


def _needed(tally: Tally, terms: Terms) -> int | None:
    """Further labelled records that are expected to bring a verdict."""
    lacking = tally.lacking()
    more = sequence.needed(tally.last, terms.margin, tally.alpha, terms.intended)
    return None if lacking is None or more is None else max(more, lacking)


def _told(outcome: Outcome, tally: Tally, terms: Terms) -> str:
    """The verdict as a sentence."""
    one, other, last = tally.challenger.version, tally.champion.version, tally.last
    if not last.n:
        return f"{one} cannot be told from {other}: no labelled record of both is there."
    said = {
        Outcome.BETTER: f"{one} is better than {other}",
        Outcome.WORSE: f"{one} is worse than {other}",
        Outcome.NO_DIFFERENCE: f"{one} and {other} do not differ by {terms.margin:g}",
        Outcome.KEEP_GOING: f"{one} cannot be told from {other} yet",
    }[outcome]
    return (
        f"{said}: its mean {terms.loss} less the champion's is {last.value:+.4g}, and between "
        f"{last.low:.4g} and {last.high:.4g}, over {last.n:,} labelled {tally.unit}."
    )


def _left_out(tally: Tally) -> Iterator[str]:
    """What did not count, in words."""
    for why, n in sorted(tally.lost.items()):
        yield f"{losses.WHY_LOST[why].format(n=n)}."


def _how_sure(tally: Tally, terms: Terms) -> str:
    count = len(tally.route.challengers)
    shared = ""
    if count > 1:
        shared = f", since {count} challengers share {100 * terms.alpha:g}% between them"
    return (
        f"At all looks together such a verdict is false in {100 * tally.alpha:.3g}% of cases at "
        f"most{shared}."
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
