"""Quality over several windows together: what each of them alone does not show.

A week's quality varies, with the weather say, and what is learned of that from the reference's
chunks is how much one week may be off. The mean of several weeks may be off by less: by the root of
their number, where they are independent. So a model that is somewhat worse all the time is told,
though none of its windows is bad enough. Of the last windows the worst is left out, so that one
bad window is never an alarm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from gavial.monitoring.finding import Labels, find, needs_labels
from gavial.monitoring.learned import DEVIATIONS
from gavial.monitoring.measure import quality
from gavial.monitoring.metrics import METRICS, Worse
from gavial.monitoring.profile import Profile
from gavial.monitoring.state import Slot, State, total
from gavial.monitoring.verdict import Finding, Level, Measured, Rule
from gavial.monitoring.windows import Window


class Past(NamedTuple):
    """A window whose labels have come."""

    slot: Slot
    state: State
    values: dict[str, float]


def past(slot: Slot, state: State, measured: Sequence[Measured]) -> Past:
    """A window and the values of its quality."""
    values = {
        one.metric: one.value
        for one in measured
        if one.value is not None and needs_labels(one.metric)
    }
    return Past(slot, state, values)


def sustained(
    windows: Sequence[Past], rules: Sequence[Rule], profile: Profile, labels: Labels
) -> list[Finding]:
    """What the learned rules of quality that alert say of the best but one of some windows.

    Args:
        windows: the last ones, in the order of time; fewer than three say nothing.
        labels: of the last one.
    """
    found: list[Finding] = []
    sums: dict[frozenset[Slot], dict[str, Measured]] = {}
    for rule in rules:
        there = [one for one in windows if rule.metric in one.values]
        if len(there) < max(3, len(windows)) or not _is_sustained(rule):
            continue
        kept = _without_the_worst(there, rule)
        slots = frozenset(one.slot for one in kept)
        if slots not in sums:
            state = total(one.state for one in kept)
            sums[slots] = {one.metric: one for one in quality(state, profile)}
        found += find(
            (_together(rule, len(kept)),),
            {(rule.metric, ""): sums[slots][rule.metric]},
            labels,
            _span([one.slot for one in there]),
        )
    return found


def _is_sustained(rule: Rule) -> bool:
    return (
        needs_labels(rule.metric)
        and rule.level is Level.ALERT
        and rule.source == "learned"
        and rule.expected is not None
    )


def _without_the_worst(windows: Sequence[Past], rule: Rule) -> list[Past]:
    expected = rule.expected or 0.0

    def badness(one: Past) -> float:
        gap = one.values[rule.metric] - expected
        worse = METRICS[rule.metric].worse
        return abs(gap) if worse is Worse.EITHER else gap if worse is Worse.HIGHER else -gap

    worst = max(windows, key=badness)
    return [one for one in windows if one is not worst]


def _together(rule: Rule, windows: int) -> Rule:
    """A rule of one window as one of several: they differ by less."""
    deviation = rule.deviation / math.sqrt(windows)
    allowed = max(rule.floor, DEVIATIONS * deviation)
    expected = rule.expected or 0.0
    why = rule.why
    if DEVIATIONS * rule.deviation > rule.floor:
        why += f", less for {windows} windows together"
    return replace(
        rule,
        low=None if rule.low is None else expected - allowed,
        high=None if rule.high is None else expected + allowed,
        deviation=deviation,
        windows=windows,
        why=why,
    )


def _span(slots: Sequence[Slot]) -> Slot:
    first, last = slots[0].window, slots[-1].window
    window = Window(first.start, last.end) if first and last else None
    return slots[-1]._replace(window=window)
