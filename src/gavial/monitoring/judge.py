"""States and rules, to verdicts.

Each window is judged by itself, and its quality also with those before it. A rule that is broken in
two windows is an alarm, unless it was kept for two in a row between them, which ends an alarm, too:
one bad hour is no alarm, and one good hour no all-clear. Windows that a rule cannot judge are
passed over: they neither raise an alarm nor end one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from gavial.maven.coordinate import Version
from gavial.monitoring.finding import Labels, Values, find, needs_labels
from gavial.monitoring.hysteresis import Replay
from gavial.monitoring.measure import measure
from gavial.monitoring.profile import Profile, Reference
from gavial.monitoring.reasons import reasons
from gavial.monitoring.rolled import length_of, rolled
from gavial.monitoring.rule_file import Settings
from gavial.monitoring.rules import RuleSet
from gavial.monitoring.state import Slot, State, in_time
from gavial.monitoring.sustained import Past, past, sustained
from gavial.monitoring.verdict import Finding, Level, Result, Rule, Status, Verdict


def judge(
    states: Mapping[Slot, State],
    profile: Profile,
    references: Mapping[str, Reference],
    rules: RuleSet,
) -> tuple[Verdict, ...]:
    """A verdict for each module, version and segment, in their order.

    Args:
        states: by window, counted in the bins of `profile`.
        references: by version. A version without one is measured by that of the nearest version of
            its major, else by that of `rules`; without any, by the rules of a file alone.
        rules: what to judge by.

    >>> from datetime import UTC, datetime
    >>> from gavial.monitoring.count import count
    >>> from gavial.monitoring.windows import Windows
    >>> profile = Profile("regression", label="y", prediction="said")
    >>> good = count([{"y": n, "said": n + (-1) ** n} for n in range(200)], profile)
    >>> bad = count([{"y": n, "said": n + 2} for n in range(200)], profile)
    >>> days = [Windows("day").of(datetime(2024, 1, day, tzinfo=UTC)) for day in (1, 2, 3)]
    >>> states = {Slot("org:m", "1.0.0", day, ""): bad if day.start.day > 1 else good
    ...     for day in days}
    >>> known = {"1.0.0": Reference(profile, "1.0.0", (good, good))}
    >>> (verdict,) = judge(states, profile, known, RuleSet())
    >>> print(verdict.status, "since", verdict.since)
    alert since 2024-01-03
    """
    groups: dict[tuple[str, str, str], dict[Slot, State]] = {}
    for slot in sorted(states, key=in_time):
        group = groups.setdefault((slot.module, slot.version, slot.segment), {})
        group[slot] = states[slot]
    usable = {one: found for one, found in references.items() if _is_usable(found, profile)}
    taught: dict[tuple[str, str, timedelta | None], tuple[Rule, ...]] = {}
    found = []
    for (_, version, segment), group in sorted(groups.items(), key=lambda pair: pair[0]):
        reference, notes = _reference(version, usable, rules, profile, segment)
        length = length_of(group)
        key = (reference.version if reference else "", segment, length)
        reference = rolled(reference, length) if reference else None
        if key not in taught:
            taught[key] = rules.rules(profile, reference, segment)
        scale = _Scale(profile, reference, taught[key], rules.settings)
        found.append(_verdict(_results(group, scale), rules.settings, notes))
    return tuple(found)


def _reference(
    version: str,
    references: Mapping[str, Reference],
    rules: RuleSet,
    profile: Profile,
    segment: str,
) -> tuple[Reference | None, list[str]]:
    """What a version is measured by, and what there is to say of that."""
    if segment:
        return None, ["A reference is of all records: segments have the rules of a file alone."]
    if version in references:
        return references[version], []
    near = _nearest(version, references)
    last = rules.reference
    if near:
        found, said = references[near], f"that of {near}"
    elif last is not None and _is_usable(last, profile):
        found, said = last, f"that of {last.version}"
    else:
        return None, [
            f"Version {version} has no reference with records in these bins, nor has another one "
            "of its major: there are the rules of a file alone. Deploy it with a reference, or "
            "name a window as one."
        ]
    return found, [
        f"Version {version} has no reference with records in these bins: it is measured by {said}."
    ]


def _is_usable(reference: Reference, profile: Profile) -> bool:
    """Whether it has records, in the same bins as the states."""
    return reference.profile.digest == profile.digest and reference.total.records > 0


def _nearest(version: str, references: Mapping[str, Reference]) -> str | None:
    """The last version of the same major before it with a reference, or the first after it."""
    mine = Version.try_parse(version)
    if mine is None:
        return None
    parsed = (Version.try_parse(one) for one in references)
    others = sorted(one for one in parsed if one is not None and one.major == mine.major)
    before = [one for one in others if one <= mine]
    return str((before[-1:] or others[:1])[0]) if others else None


class _Scale(NamedTuple):
    """What one version and segment is judged by."""

    profile: Profile
    reference: Reference | None
    rules: tuple[Rule, ...]
    settings: Settings


def _results(states: Mapping[Slot, State], scale: _Scale) -> Iterator[Result]:
    """Each window by itself, and its quality with those before it."""
    windows: deque[Past] = deque(maxlen=scale.settings.windows_together)
    for slot, state in states.items():
        measured = measure(state, scale.profile, scale.reference)
        values = {(one.metric, one.column): one for one in measured}
        labels = _labels(values, scale.settings.labelled)
        findings = find(scale.rules, values, labels, slot)
        if labels.enough:
            windows.append(past(slot, state, measured))
            if len(windows) == windows.maxlen:
                findings += sustained(tuple(windows), scale.rules, scale.profile, labels)
        shown = tuple(one for one in measured if not (one.estimated and labels.enough))
        yield Result(slot, shown, tuple(findings), status_of(findings))


def _labels(values: Values, asked: float) -> Labels:
    found = values.get(("labelled_rate", ""))
    share = (found.value if found else None) or 0.0
    return Labels(share, 0 < share >= asked, asked)


def status_of(findings: Iterable[Finding]) -> Status:
    """The status of a window: an alert if a rule alerts. Where quality is watched and none of it
    could be judged, there is not enough data, whatever else is well."""
    found = [one for one in findings if one.rule.level is not Level.NOTE]
    if any(one.status is Status.ALERT for one in found):
        return Status.ALERT
    quality = [one for one in found if needs_labels(one.rule.metric)]
    for watched in (quality, found):
        if watched:
            judged = any(one.status is Status.OK for one in watched)
            return Status.OK if judged else Status.NOT_ENOUGH_DATA
    return Status.NOT_ENOUGH_DATA


def _verdict(windows: Iterable[Result], settings: Settings, notes: list[str]) -> Verdict:
    results = tuple(windows)
    replay = Replay(settings)
    status, since = Status.NOT_ENOUGH_DATA, None
    for place, result in enumerate(results):
        now = replay.step(result)
        if now is not status or not place:
            status, since = now, result.slot.window
    slot = results[-1].slot
    why = (*reasons(status, replay, results), *notes)
    return Verdict(slot.module, slot.version, slot.segment, status, since, why, results)
