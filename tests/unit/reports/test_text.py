"""A summary for a terminal."""

from __future__ import annotations

from dataclasses import replace

import large_example
from hypothesis import given
from hypothesis import strategies as st

from gavial.monitoring.comparison import Outcome
from gavial.monitoring.verdict import Watched
from gavial.reports import text
from gavial.reports.plain import harmless


def test_the_verdict_its_reasons_the_time_line_and_what_to_do(watched):
    lines = text.summary(watched)
    assert lines[0].startswith("▲ Alert since 2013-0")
    assert any(line.startswith("  auc (area under the ROC curve) was") for line in lines)
    assert any(line.startswith("AUC ") and "▁" in line and "→" in line for line in lines)
    assert lines[-2].startswith("next: Retrain")
    assert not any("Note:" in line for line in lines)


def test_versions_of_a_metric_are_one_below_the_other(watched):
    rows = [row for row in text.timelines(watched) if row[0] in ("AUC", "")][:3]
    old, broken, new = (row[2] for row in rows)
    assert len(old) == len(broken) == len(new) == 30
    assert new.startswith(" " * 20)
    assert new[20] != " "
    assert 15 < broken.index("×") < 21
    assert "▁" in old[20:]
    assert "▁" not in new


def test_only_the_newest_windows_are_in_a_line(watched):
    assert {len(row[2]) for row in text.timelines(watched, 5)} == {5}


def test_records_are_drawn_from_zero(watched):
    (row, *_) = [row for row in text.timelines(watched) if row[0] == "Records"]
    assert set(row[2]) == {"█"}


def test_nothing_watched_says_so(watched):
    nothing = Watched(watched.module, watched.profile, {}, {}, ())
    assert text.summary(nothing) == ["There is nothing to tell yet: no records were counted."]


def test_what_comes_from_outside_steers_no_terminal():
    hostile = "a\x1b[31m\u202e"
    found = large_example.watched(large_example.profile([hostile]), [hostile], 4, hostile)
    lines = text.summary(found)
    assert lines == [harmless(line) for line in lines]
    assert any("\\x1b[31m" in line for line in lines)


def test_a_comparison_says_its_verdict_and_what_follows(compared):
    lines = text.compared(compared)
    assert lines[0] == "✓ 1.0.4 is better than 1.0.3"
    assert any(line.startswith("difference by look") for line in lines)
    assert lines[-1].startswith("next: Promote 1.0.4")
    going = text.compared(replace(compared, outcome=Outcome.KEEP_GOING, looks=()))
    assert "No window has been looked at" in going[1]


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=50))
def test_a_sparkline_has_a_character_a_value(values):
    found = text.sparkline(values)
    assert len(found) == len(values)
    assert all(
        (character == "·") == (value is None)
        for character, value in zip(found, values, strict=True)
    )
