"""What somebody is told: a subject, a text and a JSON document, made of verdicts. Pure."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from gavial.monitoring.verdict import Finding, Status, Verdict
from gavial.monitoring.windows import Window

FORMAT = 1
_SHOWN = 20  # verdicts in a text; the document has all
_REASONS = 8  # of a verdict in a text
_LONGEST = 500  # characters of a sentence


class Event(StrEnum):
    """Why somebody is told."""

    ALERT = "alert"  # an alert began
    MORE = "more"  # an alert has further reasons
    REMINDER = "reminder"  # an alert goes on
    UNCLEAR = "unclear"  # an alert can no longer be confirmed: there is not enough data
    RECOVERED = "recovered"  # it is over
    RETIRED = "retired"  # it is over, since nothing is scored by that version any more
    SILENT = "silent"  # what was well has not enough data any more
    TEST = "test"  # somebody tries whether this arrives


_WORDS = {
    Event.ALERT: "alert",
    Event.MORE: "alert, for further reasons",
    Event.REMINDER: "still an alert",
    Event.UNCLEAR: "an alert, and not enough data to tell whether it goes on",
    Event.RECOVERED: "recovered",
    Event.RETIRED: "no longer in use",
    Event.SILENT: "not enough data any more",
    Event.TEST: "this is a test",
}


@dataclass(frozen=True)
class Item:
    """A verdict, and why it is news."""

    event: Event
    verdict: Verdict


@dataclass(frozen=True)
class Message:
    """What a channel delivers.

    Attributes:
        event: the gravest of the items'.
        module: `group:artifact`.
        versions: whom it is about.
        status: of the module as a whole.
        subject: one line.
        text: all of it for people, without markup.
        document: the same for programs; docs/how-to/alerts.md describes it.
    """

    event: Event
    module: str
    versions: tuple[str, ...]
    status: Status
    subject: str
    text: str
    document: dict[str, Any]


def message_of(
    module: str, status: Status, items: Sequence[Item], now: datetime, report: str = ""
) -> Message:
    """The message for verdicts of a module that are news.

    Args:
        status: of the module as a whole.
        report: where people read more.
    """
    ranked = sorted(items, key=lambda one: list(Event).index(one.event))
    event = ranked[0].event
    versions = tuple(dict.fromkeys(one.verdict.version for one in ranked))
    subject = f"{line(module)} {', '.join(map(line, versions[:3]))}: {_WORDS[event]}"
    return Message(
        event,
        module,
        versions,
        status,
        subject,
        "\n".join([subject, "", *_body(ranked), *_links(report)]),
        {
            "format": FORMAT,
            "event": event,
            "module": module,
            "status": status,
            "subject": subject,
            "when": _instant(now),
            "report": report or None,
            "verdicts": [{"event": one.event, **verdict_document(one.verdict)} for one in ranked],
        },
    )


def test_message(module: str, now: datetime) -> Message:
    """A message that says that it is none."""
    return message_of(
        module,
        Status.OK,
        [
            Item(
                Event.TEST,
                Verdict(
                    module,
                    "0.0.0",
                    "",
                    Status.OK,
                    None,
                    ("Somebody tries whether messages arrive here. There is nothing to do.",),
                    (),
                ),
            )
        ],
        now,
    )


def verdict_document(one: Verdict) -> dict[str, Any]:
    """A verdict as JSON values: its reasons, and the findings of its last window."""
    last = one.results[-1] if one.results else None
    return {
        "version": one.version,
        "segment": one.segment,
        "status": one.status,
        "since": _window(one.since),
        "window": _window(last.slot.window) if last else None,
        "reasons": list(one.reasons),
        "findings": [_finding(each) for each in last.findings] if last else [],
    }


def line(text: str) -> str:
    """One line that only shows: no control characters, no invisible formatting, not too long.

    >>> line("a\\r\\nBcc: b\\x1b[31m")
    'a Bcc: b[31m'
    """
    kept = (one for one in " ".join(text.split()) if unicodedata.category(one)[0] != "C")
    made = "".join(kept)
    return made if len(made) <= _LONGEST else f"{made[: _LONGEST - 1]}…"


def _body(items: Sequence[Item]) -> Iterator[str]:
    for one in items[:_SHOWN]:
        verdict = one.verdict
        segment = f", {line(verdict.segment)}" if verdict.segment else ""
        since = f" since {verdict.since}" if verdict.since else ""
        if one.event is Event.RETIRED:
            last = verdict.results[-1].slot.window if verdict.results else None
            since = f": its last records are of {last}" if last else ""
        yield f"{line(verdict.version)}{segment}: {_WORDS[one.event]}{since}"
        yield from (f"  - {line(reason)}" for reason in verdict.reasons[:_REASONS])
        if len(verdict.reasons) > _REASONS:
            yield f"  - and {len(verdict.reasons) - _REASONS} more"
    if len(items) > _SHOWN:
        yield f"and {len(items) - _SHOWN} more"


def _links(report: str) -> Iterator[str]:
    if report:
        yield ""
        yield f"Report: {report}"


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "metric": one.measured.metric,
        "column": one.measured.column,
        "status": one.status,
        "value": _number(one.measured.value),
        "low": _number(one.rule.low),
        "high": _number(one.rule.high),
        "windows": one.rule.windows,
        "n": one.measured.n,
        "estimated": one.measured.estimated,
        "source": one.rule.source,
        "reason": one.reason,
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _window(one: Window | None) -> dict[str, str] | None:
    return {"start": _instant(one.start), "end": _instant(one.end)} if one else None


def _instant(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
