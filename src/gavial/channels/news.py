"""What is news to a channel: a verdict beside what it was told before. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from gavial.channels.message import Event
from gavial.model import json_values
from gavial.monitoring.hysteresis import Replay
from gavial.monitoring.rule_file import Settings
from gavial.monitoring.verdict import Status, Verdict

LEARNED = "learned"


@dataclass(frozen=True)
class Told:
    """What a channel knows of a version and segment.

    Attributes:
        status: the last one that it was told, or that was none to tell.
        since: when the window began in which that began.
        rules: names the rules that it was by.
        broken: `metric` or `metric column` of each rule that it was told of.
        when: it was told last.
        waits: whether it was told of something that is not over.
    """

    status: Status
    since: datetime | None
    rules: str
    broken: frozenset[str]
    when: datetime
    waits: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "since": self.since.isoformat() if self.since else None,
            "rules": self.rules,
            "broken": sorted(self.broken),
            "when": self.when.isoformat(),
            "waits": self.waits,
        }

    @classmethod
    def from_json(cls, found: Any) -> Told:
        """Read what `to_json` wrote.

        Raises:
            ValueError, TypeError, KeyError: it is none.
        """
        since = found["since"]
        return cls(
            Status(found["status"]),
            None if since is None else json_values.instant(since),
            str(found["rules"]),
            frozenset(map(str, found["broken"])),
            json_values.instant(found["when"]),
            bool(found["waits"]),
        )


@dataclass(frozen=True)
class Rules:
    """What verdicts are by.

    Attributes:
        name: stands for all of them: where it changes, an alert is another.
        settings: how windows become a verdict.
    """

    name: str = LEARNED
    settings: Settings = field(default_factory=Settings)


def event_of(
    verdict: Verdict,
    before: Told | None,
    rules: Rules,
    now: datetime,
    remind: timedelta | None,
    *,
    retired: bool = False,
) -> Event | None:
    """Why a verdict is news; `None` where it is none.

    Args:
        before: what is known of it there.
        rules: what it is by.
        remind: after which an alert that goes on is told again; `None` is never.
        retired: whether nothing is scored by it any more.
    """
    if retired:
        return Event.RETIRED if before and before.waits else None
    known = before.status if before else None
    if verdict.status is Status.OK:
        return Event.RECOVERED if before and before.waits else None
    if verdict.status is Status.NOT_ENOUGH_DATA:
        if known is Status.ALERT:
            return Event.UNCLEAR
        return Event.SILENT if known is Status.OK else None
    if before is None or known is not Status.ALERT or before.rules != rules.name:
        return Event.ALERT
    # One that began earlier than was known is the same: late labels tell it.
    if verdict.since and before.since and verdict.since.start > before.since:
        return Event.ALERT
    if broken(verdict, rules.settings) - before.broken:
        return Event.MORE
    return Event.REMINDER if remind is not None and now - before.when >= remind else None


def after(
    verdict: Verdict,
    before: Told | None,
    event: Event | None,
    rules: Rules,
    now: datetime,
    *,
    told: bool,
    retired: bool = False,
) -> Told:
    """What a channel knows once it was told of an event, or where there was nothing to tell it."""
    if retired:  # should it score again, it is looked at anew
        return Told(Status.NOT_ENOUGH_DATA, None, rules.name, frozenset(), now)
    if event is None and before is not None:
        return replace(before, status=verdict.status)
    same = event in (Event.MORE, Event.REMINDER) and before is not None
    return Told(
        verdict.status,
        verdict.since.start if verdict.since else None,
        rules.name,
        broken(verdict, rules.settings) | (before.broken if same and before else frozenset()),
        now,
        _waits(event, before, told),
    )


def broken(verdict: Verdict, settings: Settings) -> frozenset[str]:
    """The rules that alarmed since an alert began, without their values, which ever change."""
    if verdict.status is not Status.ALERT:
        return frozenset()
    begin = verdict.since.start if verdict.since else None
    replay = Replay(settings)
    found: set[str] = set()
    for result in verdict.results:
        replay.step(result)
        if begin is None or result.slot.window is None or result.slot.window.start >= begin:
            alarms = (one.broken for one in replay.watches.values() if one.alarm and one.broken)
            rules = (one.finding.rule for one in alarms)
            found |= {f"{one.metric} {one.column}".strip() for one in rules}
    return frozenset(found)


def known_of(found: Any) -> dict[str, Told]:
    """What a channel knows, by topic, as it was kept.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is not what was kept.
    """
    return {str(name): Told.from_json(one) for name, one in found.items()}


def kept_of(known: Mapping[str, Told]) -> dict[str, Any]:
    return {name: one.to_json() for name, one in sorted(known.items())}


def _waits(event: Event | None, before: Told | None, told: bool) -> bool:
    if event in (None, Event.RECOVERED):
        return False
    return told or (before is not None and before.waits)
