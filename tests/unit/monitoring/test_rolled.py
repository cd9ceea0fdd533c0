"""References rolled up to the length of the windows that are judged."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.monitoring.profile import Profile, Reference
from gavial.monitoring.rolled import length_of, rolled
from gavial.monitoring.state import RECORDS, Cell, Key, Slot, State
from gavial.monitoring.windows import Window, Windows

BEGIN = datetime(2013, 1, 1, tzinfo=UTC)


def cut(hours: list[int]) -> Reference:
    """A reference of chunks that last so many hours, with a record an hour."""
    ends = [sum(hours[: n + 1]) for n in range(len(hours))]
    windows = tuple(
        Window(BEGIN + timedelta(hours=end - one), BEGIN + timedelta(hours=end))
        for one, end in zip(hours, ends, strict=True)
    )
    chunks = tuple(State({Key(RECORDS): Cell(one)}) for one in hours)
    return Reference(Profile("unlabelled"), "1.0.0", chunks, windows)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=80), st.integers(1, 2000))
def test_no_record_is_lost_and_no_part_is_longer_than_a_window_unless_its_one_chunk_is(hours, wide):
    reference = cut(hours)
    found = rolled(reference, timedelta(hours=wide))
    assert found.total == reference.total
    assert [a.end for a in found.windows[:-1]] == [b.start for b in found.windows[1:]]
    whole = {one.end - one.start for one in reference.windows}
    for one in found.windows:
        length = one.end - one.start
        assert length <= timedelta(hours=wide) * 1.05 or length in whole


def test_days_become_weeks_where_weeks_are_judged():
    assert {one.records for one in rolled(cut([24] * 70), timedelta(days=7)).chunks} == {168}


def test_chunks_that_are_longer_than_a_window_stay_as_they_are():
    reference = cut([24] * 10)
    assert rolled(reference, timedelta(hours=1)) == reference


@pytest.mark.parametrize("length", [None, timedelta(days=7)])
def test_chunks_that_are_not_cut_by_time_stay_as_they_are(length):
    reference = Reference(Profile("unlabelled"), "1.0.0", (State(), State()))
    assert rolled(reference, length) is reference


def test_the_week_in_which_clocks_change_does_not_count():
    weeks = Windows("week", "America/New_York")
    slots = [
        Slot("a:b", "1.0.0", weeks.of(datetime(2013, 3, day, 12, tzinfo=UTC)))
        for day in (1, 8, 15, 22)
    ]
    assert length_of(slots) == timedelta(days=7)
