"""What is known of a model's versions, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gavial.cli import output
from gavial.monitoring.verdict import Status
from gavial.reports import text, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gavial.monitoring.verdict import Result, Verdict
    from gavial.registry.monitored import Monitored
    from gavial.registry.tell import Delivery

_HEADERS = ("version", "segment", "status", "since", "windows", "last window", "records")
_STYLES: Final = {Status.ALERT: "bold red", Status.OK: "", Status.NOT_ENOUGH_DATA: "yellow"}
_SHOWN = 30  # windows of a line


def render(found: Monitored) -> None:
    """Write the verdicts, what led to them, and what to do next."""
    if found.verdicts:
        output.table(_HEADERS, [_row(one, idle=found.is_idle(one)) for one in found.verdicts])
    for part in found.parts:
        output.line()
        head, *rest = text.summary(part)
        output.styled(head, _STYLES[found.status])
        for line in rest:
            output.line(line)


def notes(found: Monitored) -> None:
    """Write what was wrong, and what became of the channels, to the standard error."""
    for problem in (*found.problems, *found.telling.problems):
        output.note(problem)
    deliveries(found.deliveries)


def deliveries(found: Sequence[Delivery]) -> None:
    """Write a line for each channel to the standard error."""
    for one in found:
        event = f" ({one.event})" if one.event and one.outcome == "told" else ""
        problem = f": {one.problem}" if one.problem else ""
        output.note(f"channel {one.channel} ({one.kind}): {one.outcome}{event}{problem}")


def _row(one: Verdict, *, idle: bool) -> tuple[str, ...]:
    last = one.results[-1] if one.results else None
    return (
        one.version,
        one.segment,
        words.status(one, idle=idle),
        one.since.since if one.since else "",
        timeline(one.results),
        last.slot.window.since if last and last.slot.window else "",
        f"{_records(last):,}" if last else "",
    )


def timeline(results: Sequence[Result]) -> str:
    """The status of each window; of more than there is room for, the newest."""
    signs = "".join(words.SIGNS[one.status] for one in results[-_SHOWN:])
    return f"…{signs}" if len(results) > _SHOWN else signs


def _records(last: Result) -> int:
    return next((one.n for one in last.measured if one.metric == "records"), 0)
