"""What a rule says of a value, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from gavial.monitoring.bounds import bounds, breach
from gavial.monitoring.metrics import Family, known
from gavial.monitoring.state import Slot
from gavial.monitoring.verdict import Finding, Level, Measured, Rule, Status

Values = Mapping[tuple[str, str], Measured]
NOT_JUDGED: Final = " is not judged: "
_MOVED: Final = 0.1  # a PSI below it is customarily no change


class Labels(NamedTuple):
    """How many of a window's records have their labels, and whether that is enough."""

    share: float
    enough: bool
    asked: float


def find(rules: Sequence[Rule], values: Values, labels: Labels, slot: Slot) -> list[Finding]:
    """What the rules say of a window's values.

    Quality first: whether labels say how good the model is decides what the drift of scores is
    worth.
    """
    quality = [one for one in rules if needs_labels(one.metric)]
    found = [_find(one, values, labels, slot, known_quality=True) for one in quality]
    judged = any(one.status is not Status.NOT_ENOUGH_DATA for one in found)
    others = [one for one in rules if not needs_labels(one.metric)]
    found += [_find(one, values, labels, slot, known_quality=judged) for one in others]
    return found


def needs_labels(metric: str) -> bool:
    """Whether a metric is of records whose labels have come."""
    return known(metric).family is Family.QUALITY or metric == "label_psi"


def _find(
    rule: Rule, values: Values, labels: Labels, slot: Slot, *, known_quality: bool
) -> Finding:
    measured = values.get((rule.metric, rule.column)) or Measured(
        rule.metric, rule.column, None, 0, why="the profile does not have it"
    )
    if known(rule.metric).family is Family.ESTIMATE and known_quality and labels.enough:
        return Finding(rule, measured, Status.OK, "There are labels: nothing is estimated.")
    why = _unknown(rule, measured, labels)
    if why:
        reason = f"{name(rule)} of {when(slot)}{NOT_JUDGED}{why}."
        return Finding(rule, measured, Status.NOT_ENOUGH_DATA, reason)
    if breach(rule, measured) <= 0:
        return Finding(rule, measured, Status.OK, f"{_said(rule, measured, slot)}, within bounds.")
    alerts = rule.level is Level.ALERT or (rule.level is Level.WITHOUT_LABELS and not known_quality)
    status = Status.ALERT if alerts else Status.OK
    return Finding(rule, measured, status, _broken(rule, measured, slot), noted=not alerts)


def _unknown(rule: Rule, measured: Measured, labels: Labels) -> str:
    if needs_labels(rule.metric) and not measured.n and not labels.share:
        return "no label has come"  # one cause for all that waits for them
    if needs_labels(rule.metric) and measured.n and not labels.enough:
        return f"{labels.share:.1%} of the records have labels; {labels.asked:.0%} are asked for"
    if measured.value is None:
        return measured.why
    if measured.n < rule.minimum:
        return f"it is of {measured.n:,} records; {rule.minimum:,} are asked for"
    if rule.spread is not None and rule.spread > 0 and measured.standard_error is None:
        return f"{measured.n:,} records have too few of one class to tell it from chance"
    return ""


def _broken(rule: Rule, measured: Measured, slot: Slot) -> str:
    low, high, by_chance = bounds(rule, measured)
    below = low is not None and (measured.value or 0.0) < low
    allowed = f"{'Down' if below else 'Up'} to {low if below else high:.4g} is allowed"
    why = f"{rule.why}, and what chance does" if by_chance else rule.why
    return f"{_said(rule, measured, slot)}. {allowed} ({why})."


def _said(rule: Rule, measured: Measured, slot: Slot) -> str:
    text = f"{name(rule)} was {measured.value:.4g} {during(slot)}, of {measured.n:,} records"
    if rule.windows > 1:
        text += f" in its {rule.windows} best windows"
    return text if rule.expected is None else f"{text}; at release it was {rule.expected:.4g}"


def name(rule: Rule) -> str:
    """A metric for people, such as `auc (area under the ROC curve)` or `null_rate of x`."""
    if rule.column:
        return f"{rule.metric} of {rule.column}"
    means = known(rule.metric).means
    return rule.metric if means == rule.metric.replace("_", " ") else f"{rule.metric} ({means})"


def when(slot: Slot) -> str:
    """A window for people."""
    return str(slot.window) if slot.window else "all records"


def during(slot: Slot) -> str:
    """A window as a time at which something was, for people."""
    one = slot.window
    return f"in {when(slot)}" if one is None or one.since != one.until else f"on {one}"


def start(slot: Slot) -> str:
    """When a window begins, for people."""
    return slot.window.since if slot.window else when(slot)


def end(slot: Slot) -> str:
    """When a window ends, for people."""
    return slot.window.until if slot.window else when(slot)


def advice(rule: Rule, values: Values) -> str:
    """What to look at next, where a rule is broken."""
    if rule.metric in ("null_rate", "nan_rate", "unseen_rate", "out_of_range_rate"):
        return f"Look at where {rule.column} comes from."
    if rule.metric == "score_null_rate":
        return "Look at what the model is given: it gives no score for it."
    moved = sorted(
        (
            (one.value, column)
            for (metric, column), one in values.items()
            if metric == "psi" and one.value is not None and one.value > max(_MOVED, one.chance)
        ),
        reverse=True,
    )
    shown = [f"{column} (PSI {value:.2g})" for value, column in moved[:3]]
    outcomes = values.get(("label_psi", ""))
    if outcomes and (outcomes.value or 0.0) > max(_MOVED, outcomes.chance):
        shown.append(f"the outcomes themselves (PSI {outcomes.value:.2g})")
    if shown:
        return f"Look at what moved most: {', '.join(shown)}; then retrain on recent records."
    if needs_labels(rule.metric):
        return (
            "Nothing moved much, so that the same records probably have other outcomes now "
            "(concept drift): retrain on recent ones."
        )
    return "No feature moved by itself: look at how they go together."
