"""Versions that score no more."""

from __future__ import annotations

from collections.abc import Sequence

from gavial.monitoring.verdict import Verdict


def topic(verdict: Verdict) -> str:
    """What a verdict is of, within a module."""
    return f"{verdict.version}\t{verdict.segment}"


def idle(verdicts: Sequence[Verdict]) -> frozenset[str]:
    """The topics of those by which nothing is scored any more, while others score.

    The last two windows or more have no record of them: what they were last is history.
    """
    last = {topic(one): one.results[-1].slot.window for one in verdicts if one.results}
    newest = max((one.start for one in last.values() if one), default=None)
    return frozenset(
        name
        for name, one in last.items()
        if one and newest and newest - one.end >= one.end - one.start
    )
