"""Why a verdict is what it is, in sentences for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gavial.monitoring.finding import (
    NOT_JUDGED,
    advice,
    during,
    end,
    name,
    needs_labels,
    start,
    when,
)
from gavial.monitoring.hysteresis import Replay, Watch
from gavial.monitoring.verdict import Finding, Result, Rule, Status

_SHOWN: Final = 5  # of one kind


@dataclass
class _Spell:
    """From the window in which a metric was broken first to the last: of one window, of several
    together, or both. `watch` is what alarms still."""

    rule: Rule
    first: Result
    last: Result
    watch: Watch | None = None


def reasons(status: Status, replay: Replay, results: Sequence[Result]) -> list[str]:
    """The reasons of a status as of the last window: what broke, when and by how much, and what to
    look at; what only was noted; what could not be judged.

    Args:
        replay: after all windows.
        results: one or more windows.
    """
    last = results[-1]
    spells = _spells(replay, results)
    found = []
    if status is Status.ALERT:
        found = _alarms(spells)
    elif status is Status.OK:
        found = _kept(results)
    if last.status is Status.NOT_ENOUGH_DATA or status is Status.NOT_ENOUGH_DATA:
        found += _missing(last)
    return [*found, *_pending(replay), *_ended(spells), *_noted(replay, last)]


def _spells(replay: Replay, results: Sequence[Result]) -> list[_Spell]:
    """The alarms of each metric, in the order of time; those that overlap are one."""
    place = {id(one): number for number, one in enumerate(results)}
    alarms = [_Spell(one.rule, one.first, one.last) for one in replay.ended]
    alarms += [
        _Spell(one.broken.finding.rule, one.broken.first, one.broken.result, one)
        for one in replay.watches.values()
        if one.alarm and one.broken is not None
    ]
    found: list[_Spell] = []
    for one in sorted(alarms, key=lambda one: place[id(one.first)]):
        of = one.rule.metric, one.rule.column
        same = [each for each in found if (each.rule.metric, each.rule.column) == of]
        if not same or place[id(same[-1].last)] < place[id(one.first)]:
            found.append(one)
            continue
        before = same[-1]
        before.last = max(before.last, one.last, key=lambda each: place[id(each)])
        if before.watch is None or (one.watch is not None and one.rule.windows == 1):
            before.watch = one.watch or before.watch
    return found


def _alarms(spells: Sequence[_Spell]) -> list[str]:
    """What alarms, quality first: one reason of each metric, and what to look at by what was so
    when it began."""
    found: list[str] = []
    advised: list[str] = []
    for spell in sorted(spells, key=lambda one: not needs_labels(one.rule.metric)):
        if spell.watch is None or spell.watch.broken is None:
            continue
        finding, result, _ = spell.watch.broken
        text = finding.reason
        if spell.first is not result:
            text += f" It was first so {during(spell.first.slot)}."
        if spell.watch.good:
            text += " Since then it is within bounds, and not yet for long enough."
        found.append(text)
        values = {(value.metric, value.column): value for value in spell.first.measured}
        if not needs_labels(finding.rule.metric) or not advised:
            advised.append(advice(finding.rule, values))
    return [*_some(found, "more rules alarm"), *dict.fromkeys(advised)]


def _kept(results: Sequence[Result]) -> list[str]:
    last = next((one for one in reversed(results) if one.status is Status.OK), None)
    if last is None:
        return []
    estimated = any(one.estimated for one in last.measured)
    n = sum(
        one.status is Status.OK and not one.noted and (estimated or not one.measured.estimated)
        for one in last.findings
    )
    records = next((one.n for one in last.measured if one.metric == "records"), 0)
    rules = "1 rule is" if n == 1 else f"{n} rules are"
    return [f"{rules} kept {during(last.slot)}, of {records:,} records."]


def _missing(result: Result) -> list[str]:
    """What could not be judged, by its cause; quality first."""
    if not result.findings:
        return [f"There is no rule for {when(result.slot)}."]
    causes: dict[str, list[str]] = {}
    for one in sorted(result.findings, key=lambda one: not needs_labels(one.rule.metric)):
        if one.status is Status.NOT_ENOUGH_DATA:
            rule, cause = one.rule, one.reason.partition(NOT_JUDGED)[2]
            short = f"{rule.metric} of {rule.column}" if rule.column else rule.metric
            causes.setdefault(cause, []).append(short)
    found = []
    for cause, names in causes.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        shown = ", ".join(names[:3])
        found.append(f"Not judged {during(result.slot)}: {shown}{more}: {cause}")
    return _some(found, "more causes")


def _pending(replay: Replay) -> list[str]:
    """Rules that are broken and do not alarm yet, of metrics that do not alarm otherwise."""
    found: list[str] = []
    alarming = {metric for (metric, _, _), one in replay.watches.items() if one.alarm}
    for (metric, _, _), one in replay.watches.items():
        if one.bad and not one.alarm and one.broken is not None and metric not in alarming:
            asked = replay.settings.windows_to_alert
            found.append(
                f"{one.broken.finding.reason} Broken in "
                f"{one.bad} of the {asked} windows that alarm."
            )
    return _some(found, "more rules are broken, and do not alarm yet")


def _ended(spells: Sequence[_Spell]) -> list[str]:
    """Alarms that are over, the last ones first."""
    found = [
        f"{name(one.rule)} alarmed from {start(one.first.slot)} to {end(one.last.slot)}."
        for one in reversed(spells)
        if one.watch is None
    ]
    return _some(found, "earlier alarms")


def _noted(replay: Replay, result: Result) -> list[str]:
    """What only informs; not of quality where that alarms anyway."""
    noted: list[Finding] = [one for one in result.findings if one.noted]
    if any(one.alarm and needs_labels(key[0]) for key, one in replay.watches.items()):
        noted = [one for one in noted if not needs_labels(one.rule.metric)]
    return _some([f"Note: {one.reason}" for one in noted], "more notes")


def _some(texts: list[str], what: str) -> list[str]:
    more = len(texts) - _SHOWN
    return texts if more <= 0 else [*texts[:_SHOWN], f"{more} {what}."]
