"""Real records by rules as learned: what must alarm, and what must not."""

from __future__ import annotations

import shows

from gavial.monitoring.verdict import Status


def test_flights_of_2013_alarm_and_say_when_and_why():
    found = shows.flights()
    assert found.status is Status.ALERT
    assert found.since.start.month == 11
    (loss,) = [one for one in found.reasons if one.startswith("log_loss (mean log-loss) was 0.6")]
    assert "at release it was 0.51" in loss
    assert "It was first so in 2013-12-02" in loss
    assert any("log_loss (mean log-loss) alarmed from 2013-06-" in one for one in found.reasons)
    spring = [one for one in found.results if one.slot.window.start.month < 6]
    assert sum(one.status is Status.ALERT for one in spring) <= 1


def test_census_records_stay_silent_by_month_and_by_year():
    for found in (shows.employment(), shows.employment(by_year=True)):
        assert found.status is Status.OK
        assert {one.status for one in found.results} == {Status.OK}
        assert not any("alarmed" in one or "Note" in one for one in found.reasons)
