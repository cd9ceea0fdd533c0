"""Numbers for a monitoring system, which are told at every run: one of each last window. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gavial.monitoring.verdict import Result, Status, Verdict


@dataclass(frozen=True)
class Gauge:
    """A number with its labels. All of one name have labels of the same names."""

    name: str
    labels: Mapping[str, str]
    value: float


BROKEN = "gavial_monitor_broken"
HELP: Mapping[str, str] = {
    "gavial_monitor_status": "1 for the status that a version has, 0 for the others",
    "gavial_monitor_value": "What a metric of the last window is",
    "gavial_monitor_low": "What a metric must not be below",
    "gavial_monitor_high": "What a metric must not be above",
    BROKEN: "1 where the last window breaks a rule, else 0",
    "gavial_monitor_records": "Records that a metric of the last window is made of",
    "gavial_monitor_window_end_seconds": "When the last window ended, in seconds since 1970",
    "gavial_monitor_checked_seconds": "When this was looked at, in seconds since 1970",
}


def gauges_of(module: str, verdicts: Iterable[Verdict], now: datetime) -> tuple[Gauge, ...]:
    """The gauges of a module: status, and value, bounds and records of each metric.

    Several rules of one metric, of one window or of more together, are one: it is broken where any
    of them is, and the bounds are those of the first.
    """
    found: dict[tuple[str, tuple[str, ...]], Gauge] = {}
    for one in _all_of(module, verdicts, now):
        key = one.name, tuple(one.labels.values())
        if key not in found or (one.name == BROKEN and one.value):
            found[key] = one
    return tuple(found.values())


def _all_of(module: str, verdicts: Iterable[Verdict], now: datetime) -> Iterator[Gauge]:
    yield Gauge("gavial_monitor_checked_seconds", {"module": module}, now.timestamp())
    for one in verdicts:
        labels = {"module": module, "version": one.version, "segment": one.segment}
        for status in Status:
            value = float(one.status is status)
            yield Gauge("gavial_monitor_status", {**labels, "status": status.value}, value)
        if one.results:
            yield from _of_result(one.results[-1], labels)


def _of_result(last: Result, labels: Mapping[str, str]) -> Iterator[Gauge]:
    if last.slot.window is not None:
        end = last.slot.window.end.timestamp()
        yield Gauge("gavial_monitor_window_end_seconds", labels, end)
    for each in last.measured:
        named = {**labels, "metric": each.metric, "column": each.column}
        yield Gauge("gavial_monitor_records", named, float(each.n))
        if each.value is not None:
            yield Gauge("gavial_monitor_value", named, each.value)
    for finding in last.findings:
        rule = finding.rule
        named = {**labels, "metric": rule.metric, "column": rule.column}
        yield Gauge(BROKEN, named, float(finding.status is Status.ALERT))
        if rule.low is not None:
            yield Gauge("gavial_monitor_low", named, rule.low)
        if rule.high is not None:
            yield Gauge("gavial_monitor_high", named, rule.high)
