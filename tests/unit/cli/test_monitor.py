"""What a terminal shows of verdicts, and what of it could steer one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gavial.cli import monitor_view
from gavial.monitoring.profile import Profile
from gavial.monitoring.state import RECORDS, Cell, Key, Slot, State
from gavial.monitoring.verdict import Finding, Measured, Result, Rule, Status, Verdict, Watched
from gavial.monitoring.windows import Window
from gavial.registry.monitored import Monitored
from gavial.registry.tell import Delivery, Telling

HOSTILE = "\x1b[31mred\u202e\n[bold]"
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def result(day: int, status: Status, text: str = "auc is low") -> Result:
    window = Window(DAY + timedelta(days=day), DAY + timedelta(days=day + 1))
    measured = Measured("auc", "", 0.71, 1200)
    finding = Finding(Rule("auc", low=0.8), measured, status, text)
    counted = Measured("records", "", 1200.0, 1200)
    return Result(
        Slot("com.acme:churn", "1.0.3", window, ""), (measured, counted), (finding,), status
    )


def found(text: str = "plan=gold", days: int = 3) -> Monitored:
    results = tuple(result(day, Status.ALERT if day else Status.OK, text) for day in range(days))
    ill = Verdict(
        "com.acme:churn", "1.0.3", "", Status.ALERT, results[1].slot.window, (text,), results
    )
    unknown = Verdict(
        "com.acme:churn", "1.0.3", text, Status.NOT_ENOUGH_DATA, None, ("too few",), results[:1]
    )
    states = {one.slot: State({Key(RECORDS): Cell(1200)}) for one in results}
    watched = Watched(
        "com.acme:churn", Profile("unlabelled"), {}, states, (ill, unknown), (f"problem {text}",)
    )
    told = Telling((Delivery("team", "chat", "failed", "alert", f"it said {text}"),), ("a note",))
    return Monitored("com.acme:churn", (watched,), told, ("something else",))


def test_a_verdict_is_a_row_with_the_status_of_each_window(capsys):
    monitor_view.render(found())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        *("VERSION", "SEGMENT", "STATUS", "SINCE", "WINDOWS", "LAST", "WINDOW", "RECORDS")
    ]
    assert lines[1].split() == ["1.0.3", "▲", "alert", "2026-03-02", "✓▲▲", "2026-03-03", "1,200"]
    # It has nothing of the last two days.
    assert lines[2].split()[:7] == ["1.0.3", "plan=gold", "?", "not", "enough", "data,", "idle"]
    assert "▲ Alert since 2026-03-02: version 1.0.3" in lines


def test_a_segment_that_no_rule_is_of_is_called_so(capsys):
    shown = found()
    (watched,) = shown.parts
    ill, unknown = watched.verdicts
    bare = replace(unknown, results=tuple(replace(one, findings=()) for one in ill.results))
    monitor_view.render(replace(shown, parts=(replace(watched, verdicts=(ill, bare)),)))
    assert "plan=gold  ? no rules" in capsys.readouterr().out


def test_problems_and_channels_go_to_the_standard_error(capsys):
    monitor_view.notes(found())
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "gavial: problem plan=gold",
        "gavial: something else",
        "gavial: a note",
        "gavial: channel team (chat): failed: it said plan=gold",
    ]


def test_nothing_from_outside_steers_a_terminal(capsys):
    monitor_view.render(found(HOSTILE))
    monitor_view.notes(found(HOSTILE))
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "\u202e" not in out + err


def test_of_many_windows_the_newest_are_shown():
    (ill, _) = found(days=50).verdicts
    assert monitor_view.timeline(ill.results) == "…" + "▲" * 30


def test_an_alert_of_a_version_that_scores_no_more_is_none_of_the_model():
    whole = found(days=2)
    (part,) = whole.parts
    (ill, _) = part.verdicts
    later = tuple(result(day, Status.OK) for day in range(2, 5))
    well = replace(ill, version="1.0.4", status=Status.OK, results=later)
    made = Monitored("com.acme:churn", (replace(part, verdicts=(ill, well)),))
    assert (made.status, made.is_idle(ill), made.is_idle(well)) == (Status.OK, True, False)
    assert [one["idle"] for one in made.to_json()["verdicts"]] == [True, False]


@pytest.mark.parametrize(
    ("statuses", "status", "code"),
    [
        ((Status.OK, Status.ALERT), Status.ALERT, 4),
        ((Status.OK, Status.NOT_ENOUGH_DATA), Status.OK, 0),
        ((Status.NOT_ENOUGH_DATA,), Status.NOT_ENOUGH_DATA, 5),
        ((), Status.NOT_ENOUGH_DATA, 5),
    ],
)
def test_the_worst_verdict_is_the_status(statuses, status, code):
    whole = found()
    (part,) = whole.parts
    verdicts = tuple(replace(part.verdicts[0], status=one) for one in statuses)
    made = Monitored("com.acme:churn", (replace(part, verdicts=verdicts),))
    assert (made.status, made.status.exit_code) == (status, code)
