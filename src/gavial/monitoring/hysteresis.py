"""Windows one after the other, to a status that does not flicker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from gavial.monitoring.bounds import breach
from gavial.monitoring.rule_file import Settings
from gavial.monitoring.verdict import Finding, Result, Rule, Status


class Broken(NamedTuple):
    """What was said when a rule was broken last, of which window, and in which one it began."""

    finding: Finding
    result: Result
    first: Result


class Ended(NamedTuple):
    """An alarm that is over: its rule, the window in which it began, and the last that broke it."""

    rule: Rule
    first: Result
    last: Result


@dataclass
class Watch:
    """One rule over the windows so far.

    Attributes:
        bad: windows in which it is broken since all was clear.
        good: windows in a row in which it is kept.
        broken: when it was so last; there is one where it is bad or alarms.
        alarm: whether it alarms.
    """

    bad: int = 0
    good: int = 0
    broken: Broken | None = None
    alarm: bool = False


@dataclass
class Replay:
    """The windows so far, in the order of time.

    A rule that is broken in `windows_to_alert` windows alarms, unless it was kept in
    `windows_to_clear` in a row between them; that ends an alarm, too. Windows that cannot judge a
    rule are passed over.
    """

    settings: Settings
    watches: dict[tuple[str, str, int], Watch] = field(default_factory=dict)
    ok: bool = False  # a window was
    unjudged: int = 0  # windows in a row
    ended: list[Ended] = field(default_factory=list)

    def step(self, result: Result) -> Status:
        """The status as of one window more."""
        for finding in result.findings:
            self._follow(finding, result)
        if result.status is Status.NOT_ENOUGH_DATA:
            self.unjudged += 1
        else:
            self.unjudged = 0
            self.ok = self.ok or result.status is Status.OK
        if any(one.alarm for one in self.watches.values()):
            self.ok = True  # once it ends, all is well
            return Status.ALERT
        doubted = self.unjudged >= self.settings.windows_to_doubt
        return Status.OK if self.ok and not doubted else Status.NOT_ENOUGH_DATA

    def _follow(self, finding: Finding, result: Result) -> None:
        rule = finding.rule
        watch = self.watches.setdefault((rule.metric, rule.column, rule.windows), Watch())
        if finding.status is Status.ALERT:
            goes_on = watch.broken if watch.bad or watch.alarm else None
            watch.broken = Broken(finding, result, goes_on.first if goes_on else result)
            watch.bad, watch.good = watch.bad + 1, 0
            watch.alarm |= self._gross(finding) or watch.bad >= self.settings.windows_to_alert
        elif finding.status is Status.OK:
            watch.good += 1
            if watch.good >= self.settings.windows_to_clear:
                if watch.alarm and watch.broken:
                    self.ended.append(Ended(rule, watch.broken.first, watch.broken.result))
                watch.bad, watch.alarm = 0, False

    def _gross(self, finding: Finding) -> bool:
        """Whether a value is so many times farther from that at release than its rule allows."""
        gross, rule = self.settings.gross, finding.rule
        if gross is None or rule.source != "learned":
            return False
        return 1 + breach(rule, finding.measured) >= gross
