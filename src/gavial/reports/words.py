"""Verdicts in words, and what to do next. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from gavial.monitoring.comparison import Comparison, Look, Mode, Outcome
from gavial.monitoring.metrics import Family, known
from gavial.monitoring.verdict import Finding, Status, Verdict
from gavial.reports import names, series

SIGNS = {Status.OK: "✓", Status.ALERT: "▲", Status.NOT_ENOUGH_DATA: "?"}
_NOTE = re.compile(r"Note: |\d+ more notes\.$")
OUTCOME_SIGNS = {
    Outcome.BETTER: "✓",
    Outcome.WORSE: "▲",
    Outcome.NO_DIFFERENCE: "=",
    Outcome.KEEP_GOING: "?",
}


def headline(verdict: Verdict) -> str:
    """A verdict in one sentence.

    >>> headline(Verdict("com.acme:churn", "1.0.3", "", Status.NOT_ENOUGH_DATA, None, (), ()))
    'There is not enough data on version 1.0.3'
    """
    who = f"version {verdict.version}" + (f", {verdict.segment}" if verdict.segment else "")
    since = f" since {verdict.since.since}" if verdict.since else ""
    if verdict.status is Status.ALERT:
        return f"Alert{since}: {who}"
    if verdict.status is Status.OK:
        return f"Within bounds{since}: {who}"
    return f"There is not enough data on {who}"


def status(verdict: Verdict, *, idle: bool = False) -> str:
    """The status of a verdict in a table. A segment has the rules of a file alone: mostly none.

    Args:
        idle: whether its version scores no more.
    """
    found = verdict.results and not any(one.findings for one in verdict.results)
    said = "no rules" if found else str(verdict.status)
    return f"{SIGNS[verdict.status]} {said}{', idle' if idle else ''}"


def reasons(verdict: Verdict) -> list[str]:
    """Why, without what is only noted: there may be much of that."""
    found = [one for one in verdict.reasons if not _NOTE.match(one)]
    notes = sum(one.noted for one in verdict.results[-1].findings) if verdict.results else 0
    if notes:
        few = "1 more rule is broken and only informs."
        found.append(few if notes == 1 else f"{notes} more rules are broken and only inform.")
    return found


def when(instant: datetime) -> str:
    """A time, to the minute, in UTC.

    >>> when(datetime(2013, 12, 31, 8, 30, tzinfo=UTC))
    '2013-12-31 08:30 UTC'
    """
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def bounds(finding: Finding) -> str:
    """What a value was held to, with what is allowed for chance."""
    return between(*series.held(finding))


def between(low: float | None, high: float | None) -> str:
    """What bounds allow.

    >>> between(0.7, None), between(-1.0, 1.0), between(None, None)
    ('at least 0.7', 'between −1 and 1', 'anything')
    """
    if low is not None and high is not None:
        return f"between {names.number(low)} and {names.number(high)}"
    if low is not None:
        return f"at least {names.number(low)}"
    return f"at most {names.number(high)}" if high is not None else "anything"


def metric(finding: Finding) -> str:
    """What a finding is of: a metric, of a feature where it is one's."""
    one = finding.measured
    text = names.name(one.metric).title + (f" of {one.column}" if one.column else "")
    together = finding.rule.windows
    return f"{text}, {together} windows together" if together > 1 else text


def next_steps(verdict: Verdict) -> list[str]:
    """What to do, by what broke."""
    if verdict.status is Status.OK:
        return ["Nothing: look again when the next window is complete."]
    if verdict.status is Status.NOT_ENOUGH_DATA:
        return [
            "Wait for more records, or for their labels; or take longer windows (a day in the "
            "place of an hour). If labels always come so late, say so by windows_to_doubt in a "
            "file of rules. What was too little is said above and in the tables."
        ]
    return list(_after(verdict))


def _after(verdict: Verdict) -> Iterator[str]:
    broken = [one for _, one in series.broken(verdict) if one.status is Status.ALERT]
    family = {known(one.rule.metric).family for one in broken}
    columns = sorted({one.rule.column for one in broken if one.rule.column})
    if columns:
        shown = ", ".join(columns[:5]) + (
            f" and {len(columns) - 5} more" if len(columns) > 5 else ""
        )
        yield f"Mend what fills these columns before you retrain: {shown}."
    if Family.QUALITY in family:
        yield (
            "Retrain on newer records and deploy: the registry gives it the next build number "
            f"after {verdict.version}."
        )
        yield (
            "Let the new version run in shadow beside this one (gavial compare), and promote it "
            "when it is better."
        )
    elif not columns:
        yield (
            "No labels say yet how good the model is: get those of the newest windows before you "
            "retrain."
        )


def outcome(found: Comparison) -> str:
    """A comparison in one sentence."""
    both = found.challenger, found.champion
    return {
        Outcome.BETTER: "{} is better than {}",
        Outcome.WORSE: "{} is worse than {}",
        Outcome.NO_DIFFERENCE: "{} and {} differ by less than is worth having",
        Outcome.KEEP_GOING: "Nothing can be said yet of {} against {}",
    }[found.outcome].format(*both)


def mode(found: Comparison) -> str:
    """How the two ran."""
    return {
        Mode.SHADOW: "shadow: each version scored every record",
        Mode.SPLIT: "split: each record was scored by one of the versions",
        Mode.REPLAY: "replay: the challenger scored the champion's stored records",
    }[found.mode]


def proof(found: Comparison) -> list[str]:
    """What the last look says, and what is still needed."""
    sentences = []
    if found.looks:
        last = found.looks[-1]
        loss = names.name(found.loss).title.lower()
        side = "lower" if last.difference < 0 else "higher"
        sentences.append(
            f"The challenger's {loss} is {side} by {abs(last.difference):.3g} over "
            f"{names.count(last.n)} records; the true difference is {_between(last)}, with "
            f"{100 * (1 - found.alpha):.4g}% confidence at every look so far."
        )
    else:
        sentences.append("No window has been looked at: no labelled records of both versions yet.")
    if found.needed is not None and found.outcome is Outcome.KEEP_GOING:
        sentences.append(
            f"About {names.count(found.needed)} more labelled records are expected to bring a "
            "verdict."
        )
    if found.ratio is not None and not found.ratio.holds:
        sentences.append(
            f"The shares of the versions are not those that were set (p = {found.ratio.p:.2g}): "
            "whatever routes records is broken, and no verdict can be trusted until it is mended."
        )
    return sentences


def _between(look: Look) -> str:
    if not (math.isfinite(look.low) and math.isfinite(look.high)):
        return "not known yet"
    return f"between {names.number(look.low, 3)} and {names.number(look.high, 3)}"


def comparison_steps(found: Comparison) -> list[str]:
    """What to do after a comparison."""
    if found.ratio is not None and not found.ratio.holds:
        return [
            "Find out why records do not reach the versions as the route says, then start anew."
        ]
    return {
        Outcome.BETTER: [f"Promote {found.challenger}, or point the champion's alias at it."],
        Outcome.WORSE: [
            f"Keep {found.champion}. End the run, and look where the challenger loses."
        ],
        Outcome.NO_DIFFERENCE: [
            f"Keep {found.champion} unless {found.challenger} is wanted for another reason, such "
            "as its cost."
        ],
        Outcome.KEEP_GOING: ["Let both run on. You may look as often as you like."],
    }[found.outcome]
