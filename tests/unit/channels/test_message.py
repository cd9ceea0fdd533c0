"""What a message says, and when it is news."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gavial.channels import news
from gavial.channels.gauges import gauges_of
from gavial.channels.message import Event, Item, line, message_of
from gavial.channels.news import Rules, Told
from gavial.monitoring.idle import idle
from gavial.monitoring.verdict import Status

from .conftest import DAY, MODULE, make

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
WEEK = timedelta(days=7)
OK, ALERT, NONE = Status.OK, Status.ALERT, Status.NOT_ENOUGH_DATA


def test_a_message_is_for_people_and_for_programs():
    items = [Item(Event.RECOVERED, make(OK, version="1.0.2")), Item(Event.ALERT, make())]
    found = message_of(MODULE, ALERT, items, NOW, "https://wiki.acme.com/churn")
    assert found.text == (
        "com.acme:churn 1.0.3, 1.0.2: alert\n\n"
        "1.0.3: alert since 2026-03-01\n"
        "  - auc is 0.71, below 0.8\n"
        "1.0.2: recovered since 2026-03-01\n\n"
        "Report: https://wiki.acme.com/churn"
    )
    assert json.loads(json.dumps(found.document)) == {
        "format": 1,
        "event": "alert",
        "module": "com.acme:churn",
        "status": "alert",
        "subject": "com.acme:churn 1.0.3, 1.0.2: alert",
        "when": "2026-03-02T06:00:00Z",
        "report": "https://wiki.acme.com/churn",
        "verdicts": [
            {
                "event": "alert",
                "version": "1.0.3",
                "segment": "",
                "status": "alert",
                "since": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"},
                "window": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"},
                "reasons": ["auc is 0.71, below 0.8"],
                "findings": [
                    {
                        "metric": "auc",
                        "column": "",
                        "status": "alert",
                        "value": 0.71,
                        "low": 0.8,
                        "high": None,
                        "windows": 1,
                        "n": 1000,
                        "estimated": False,
                        "source": "learned",
                        "reason": "auc is 0.71, below 0.8",
                    }
                ],
            },
            {
                "event": "recovered",
                "version": "1.0.2",
                "segment": "",
                "status": "ok",
                "since": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"},
                "window": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"},
                "reasons": [],
                "findings": [],
            },
        ],
    }


@given(some.text())
def test_a_line_is_one_that_steers_nothing(text):
    shown = line(text)
    assert len(shown.splitlines()) <= 1
    assert shown.isprintable() or all(one.isprintable() or one.isspace() for one in shown)


def replay(*verdicts, remind=WEEK, step=timedelta(days=1), events=frozenset(Event)):
    """The events of a channel that is shown one verdict a run."""
    before, found, rules = None, [], Rules()
    for at, one in enumerate(verdicts):
        now = NOW + at * step
        event = news.event_of(one, before, rules, now, remind)
        told = event is not None and event in events
        before = news.after(one, before, event, rules, now, told=told)
        assert Told.from_json(json.loads(json.dumps(before.to_json()))) == before
        found.append(event if told else None)
    return found


def test_what_is_well_from_the_beginning_is_no_news():
    assert replay(make(OK), make(OK)) == [None, None]


def test_what_has_not_enough_data_from_the_beginning_is_no_news():
    assert replay(make(NONE), make(NONE), make(OK)) == [None] * 3


def test_an_alert_is_told_once_and_its_end_once():
    ill = [make(last=at) for at in range(3)]
    found = replay(make(OK), *ill, make(OK, since=4), make(OK, since=4))
    assert found == [None, Event.ALERT, None, None, Event.RECOVERED, None]


def test_an_alert_that_goes_on_is_told_again_after_some_days():
    found = replay(*(make(last=at) for at in range(9)))
    assert found == [Event.ALERT, *[None] * 6, Event.REMINDER, None]
    assert replay(*(make() for _ in range(9)), remind=None) == [Event.ALERT, *[None] * 8]


def test_a_further_reason_is_news_and_another_value_is_not():
    both = make(last=2, broken=("auc", "brier"))
    found = replay(make(), make(last=1), both, both, make(last=3, broken=("brier",)))
    assert found == [Event.ALERT, None, Event.MORE, None, None]


def test_a_rule_that_is_broken_once_while_another_alarms_is_no_further_reason():
    ill = make(last=3)
    blip = make(last=2, broken=("auc", "brier")).results[-1]
    once = replace(ill, results=(*ill.results[:-1], blip))
    assert replay(make(), once) == [Event.ALERT, None]


def test_an_alert_that_began_anew_while_nobody_looked_is_another():
    assert replay(make(since=0), make(since=5)) == [Event.ALERT, Event.ALERT]


def test_an_alert_that_late_labels_date_back_is_the_same():
    assert replay(make(since=5), make(since=3, last=5)) == [Event.ALERT, None]


def test_an_alert_that_can_no_longer_be_confirmed_is_told_and_its_end_too():
    found = replay(make(), make(NONE, since=1), make(NONE, since=1), make(OK, since=3))
    assert found == [Event.ALERT, Event.UNCLEAR, None, Event.RECOVERED]


def test_what_falls_silent_is_told_to_whom_asks_for_that():
    shown = (make(OK), make(NONE, since=1), make(OK, since=2))
    assert replay(*shown) == [None, Event.SILENT, Event.RECOVERED]
    usual = frozenset(Event) - {Event.SILENT}
    assert replay(*shown, events=usual) == [None, None, None]


def test_a_channel_for_alerts_alone_hears_of_the_next_one_too():
    shown = (make(), make(OK, since=1), make(since=2))
    assert replay(*shown, events={Event.ALERT}) == [Event.ALERT, None, Event.ALERT]


def test_what_scores_no_more_is_idle_once_others_have_scored_for_two_windows():
    old, new = make(since=3), make(Status.OK, version="1.0.4", since=4)
    assert idle((old, new)) == frozenset()
    assert idle((old, make(Status.OK, version="1.0.4", since=4, last=5))) == {"1.0.3\t"}
    assert idle((old,)) == frozenset()


def test_what_is_no_longer_in_use_is_told_with_its_last_records():
    one = make(since=1, last=3)
    found = message_of(MODULE, OK, [Item(Event.RETIRED, one)], NOW)
    assert found.subject == "com.acme:churn 1.0.3: no longer in use"
    assert f"1.0.3: no longer in use: its last records are of {one.results[-1].slot.window}" in (
        found.text
    )
    assert "since" not in found.text.splitlines()[2]


def test_an_alert_of_what_scores_no_more_is_over_and_reminds_nobody():
    rules, alert = Rules(), make()
    before = news.after(alert, None, Event.ALERT, rules, NOW, told=True)
    late = NOW + timedelta(days=30)
    assert news.event_of(alert, before, rules, late, WEEK, retired=True) is Event.RETIRED
    known = news.after(alert, before, Event.RETIRED, rules, late, told=True, retired=True)
    assert news.event_of(alert, known, rules, late, WEEK, retired=True) is None
    assert news.event_of(alert, known, rules, late, WEEK) is Event.ALERT


def test_an_alert_by_other_rules_is_another():
    before = news.after(make(), None, Event.ALERT, Rules("a"), NOW, told=True)
    assert news.event_of(make(), before, Rules("b"), NOW, WEEK) is Event.ALERT
    assert news.event_of(make(), before, Rules("a"), NOW, WEEK) is None


@pytest.mark.parametrize(
    "damaged", [None, {}, {"status": "well"}, {**replay.__dict__, "status": "ok", "since": 3}]
)
def test_what_was_told_and_is_damaged_is_an_error(damaged):
    with pytest.raises((ValueError, TypeError, KeyError)):
        Told.from_json(damaged)


def test_gauges_are_of_the_last_window_and_each_is_there_once():
    verdicts = (make(last=3), make(OK, version="1.0.2", segment="plan=a"))
    found = gauges_of(MODULE, verdicts, NOW)
    keys = [(one.name, tuple(one.labels.items())) for one in found]
    assert len(set(keys)) == len(keys)
    values = {
        (one.name, one.labels.get("version"), one.labels.get("status")): one.value for one in found
    }
    assert values["gavial_monitor_status", "1.0.3", "alert"] == 1
    assert values["gavial_monitor_status", "1.0.2", "alert"] == 0
    assert values["gavial_monitor_low", "1.0.3", None] == 0.8
    assert values["gavial_monitor_broken", "1.0.3", None] == 1
    end = (DAY + timedelta(days=4)).timestamp()
    assert values["gavial_monitor_window_end_seconds", "1.0.3", None] == end
