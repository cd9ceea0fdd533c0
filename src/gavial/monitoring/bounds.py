"""What a rule allows a value, by how many records it is made of."""

from __future__ import annotations

import math
from typing import NamedTuple

from gavial.monitoring.learned import DEVIATIONS
from gavial.monitoring.verdict import Measured, Rule


class Bounds(NamedTuple):
    """What a value must not be below or above; `None` is no bound. `by_chance` is where a window of
    more records would be allowed less."""

    low: float | None
    high: float | None
    by_chance: bool


def bounds(rule: Rule, measured: Measured) -> Bounds:
    """The bounds of a value.

    A learned rule allows the larger of its floor and three standard deviations of what a window
    may differ by from the release: as windows did then, and as sampling does to both. Sampling does
    to a window what its own standard error says, or that of the release at so many records,
    whichever is larger. Of a metric with a value by chance (`Measured.chance`) at least that is
    allowed. The bounds of a file are meant as they are.
    """
    if rule.spread is None or rule.expected is None:
        by_chance = rule.source == "learned" and measured.chance > (rule.high or 0.0)
        return Bounds(rule.low, measured.chance if by_chance else rule.high, by_chance)
    own = measured.standard_error or 0.0
    window = max(own, rule.spread / math.sqrt(max(1, measured.n)))
    release = rule.spread / math.sqrt(max(1, rule.records))
    varied = max(rule.floor, DEVIATIONS * rule.deviation)
    allowed = max(rule.floor, DEVIATIONS * math.hypot(rule.deviation, window, release))
    high = rule.expected + allowed
    return Bounds(
        None if rule.low is None else rule.expected - allowed,
        None if rule.high is None else max(high, measured.chance),
        allowed > 1.05 * varied or measured.chance > high,
    )


def breach(rule: Rule, measured: Measured) -> float:
    """By how much a value is beyond its bounds, in units of how far they are from the value at
    release: 0 is within them. Of a rule without such a value any breach is infinite."""
    low, high, _ = bounds(rule, measured)
    value = measured.value
    if value is None:
        return 0.0
    beyond = [(low - value, low)] if low is not None else []
    beyond += [(value - high, high)] if high is not None else []
    excess, bound = max(beyond, default=(0.0, 0.0))
    if excess <= 0:
        return 0.0
    allowed = abs(bound - rule.expected) if rule.expected is not None else 0.0
    return excess / allowed if allowed > 0 else math.inf
