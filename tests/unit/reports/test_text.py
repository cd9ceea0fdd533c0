"""A summary for a terminal."""

from __future__ import annotations

from dataclasses import replace

import large_example
import watched_example
from hypothesis import given
from hypothesis import strategies as st

from gavial.monitoring.comparison import Outcome
from gavial.monitoring.verdict import Watched
from gavial.reports import series, text, words
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


def test_what_waits_for_its_labels_stands_below_its_own_windows():
    found = watched_example.watched(8, 300, unlabelled=2)
    rows = {row[0]: row for row in text.timelines(found)}
    assert rows["AUC"][2].endswith("··")
    assert rows["AUC"][3].endswith("→ 0.7851")  # of the last window that has labels
    (estimated,) = (row for name, row in rows.items() if name.startswith("AUC, estimated"))
    assert estimated[2].startswith(" " * 6)
    assert len(estimated[2].strip()) == 2


def test_a_value_that_was_not_judged_was_held_to_no_bounds():
    found = watched_example.watched(8, 300, unlabelled=2)
    (auc,) = (one for one in series.timelines(found)[0] if one.title == "AUC")
    *judged, one, two = auc.lines[0].points
    assert all(point.low is not None for point in judged)
    assert (one.low, two.low) == (None, None)


def test_rules_that_only_inform_are_counted_in_good_english(watched):
    (verdict, *_) = watched.verdicts
    (last,) = verdict.results[-1:]
    finding = last.findings[0]
    for notes, said in (
        (1, "1 more rule is broken and only informs."),
        (2, "2 more rules are broken and only inform."),
    ):
        findings = (replace(finding, noted=True),) * notes
        shown = replace(verdict, results=(replace(last, findings=findings),))
        assert words.reasons(shown)[-1] == said


def test_a_summary_is_about_what_scores_and_not_about_an_alert_that_is_history(watched):
    old, new = watched.verdicts
    gone = replace(old, results=old.results[:-2])
    lines = text.summary(replace(watched, verdicts=(gone, new)))
    assert lines[0].endswith("version 1.0.4")
    assert not lines[0].startswith("▲")


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
