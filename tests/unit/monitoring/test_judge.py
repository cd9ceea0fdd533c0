"""Windows to a verdict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gavial.monitoring.bins import Categories, Numeric
from gavial.monitoring.count import count
from gavial.monitoring.judge import judge
from gavial.monitoring.profile import BINARY, UNLABELLED, Profile, Reference
from gavial.monitoring.rules import RuleSet
from gavial.monitoring.state import Slot, State
from gavial.monitoring.verdict import Status
from gavial.monitoring.windows import Windows

TENTHS = Numeric(tuple(n / 10 for n in range(11)))
FEATURES = {"x": TENTHS, "c": Categories(("a", "b"))}
PROFILE = Profile(BINARY, FEATURES, "y", "said", "p", ("0", "1"), TENTHS)
OK, ALERT, UNKNOWN = Status.OK, Status.ALERT, Status.NOT_ENOUGH_DATA


def records(seed, n=1000, kind="good", labelled=1.0):
    draw = np.random.default_rng(seed)
    scores = draw.uniform(size=n)
    shares = {"good": scores, "bad": 1 - scores, "worse": 0.7 * scores + 0.15}
    labels = draw.uniform(size=n) < shares.get(kind, scores)
    there = draw.uniform(size=n) < labelled
    rows = [
        {"x": x, "c": "a", "p": p, "y": int(y) if t else None, "said": int(p > 0.5)}
        for x, p, y, t in zip(
            draw.uniform(size=n).tolist(), scores.tolist(), labels, there, strict=True
        )
    ]
    for one in rows:
        if kind == "null":
            one["x"] = None
        if kind == "unseen":
            one["c"] = "z"
        if kind == "moved":
            one["x"] /= 4
        if kind == "scores":
            one["p"] = one["p"] ** 4
        if kind == "single":
            one["y"] = 1
    return rows


def state(seed, **options):
    return count(records(seed, **options), PROFILE)


REFERENCE = Reference(PROFILE, "1.0.0", tuple(state(seed) for seed in range(100, 106)))
KNOWN = {"1.0.0": REFERENCE}


def window(day):
    return Windows("day").of(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day))


def slot(day, version="1.0.0", segment=""):
    return Slot("org:m", version, window(day), segment)


def verdict(states, text=None, references=None, profile=PROFILE):
    """The verdict of states, one a day."""
    by_slot = {slot(day): one for day, one in enumerate(states)}
    known = KNOWN if references is None else references
    (found,) = judge(by_slot, profile, known, RuleSet.of(None, text))
    return found


def of(windows, **options):
    """A verdict of windows: g is a good one, b a bad one, and . one that is too small to say."""
    kinds = {"g": {"kind": "good"}, "b": {"kind": "bad"}, ".": {"n": 20}}
    return verdict([state(n, **kinds[one]) for n, one in enumerate(windows)], **options)


@pytest.mark.parametrize(
    ("windows", "status", "since"),
    [
        ("g", OK, 0),
        ("gggg", OK, 0),
        ("b", UNKNOWN, 0),
        ("gb", OK, 0),
        ("gbg", OK, 0),
        ("gbb", ALERT, 2),
        ("bb", ALERT, 1),
        ("gbgb", ALERT, 3),  # one good window is no all-clear
        ("gbggb", OK, 0),
        ("gbbg", ALERT, 2),
        ("gbbgg", OK, 4),
        ("gbbgbg", ALERT, 2),
        ("gb.b", ALERT, 3),  # what cannot be judged is passed over
        ("gbb..", ALERT, 2),
        ("gbbg.g", OK, 5),
        (".", UNKNOWN, 0),
        ("g.", OK, 0),
        ("g..", UNKNOWN, 2),
        ("g..g", OK, 3),
        ("..g", OK, 2),
    ],
)
def test_one_bad_window_is_no_alarm_and_one_good_one_no_all_clear(windows, status, since):
    found = of(windows, text="windows_together = 1")
    assert (found.status, found.since) == (status, window(since))


def test_each_window_has_its_own_status_and_the_order_of_time():
    found = of("gb.g")
    assert [one.status for one in found.results] == [OK, ALERT, UNKNOWN, OK]
    assert [one.slot.window for one in found.results] == [window(n) for n in range(4)]


def test_how_many_windows_alarm_and_clear_may_be_said():
    three = "windows_to_alert = 3\nwindows_to_clear = 1\nwindows_together = 1"
    assert of("gbb", text=three).status is OK
    assert of("gbbb", text=three).status is ALERT
    assert of("gbbbg", text=three).status is OK
    assert of("b", text="windows_to_alert = 1").status is ALERT


def test_a_gross_breach_alarms_at_once_where_that_is_said():
    assert of("gb", text="gross = 2.0").status is ALERT
    assert of("gb", text="gross = 1000.0").status is OK


def test_an_alert_says_what_broke_when_by_how_much_and_what_to_look_at():
    found = of("ggbb")
    text = " ".join(found.reasons)
    assert "auc (area under the ROC curve) was 0.2" in text
    assert "on 2024-01-04, of 1,000 records; at release it was 0.8" in text
    assert (
        " is allowed (three standard deviations over 6 chunks of the reference, and what chance"
        in text
    )
    assert "It was first so on 2024-01-03." in text
    assert "have other outcomes now (concept drift)" in text


def test_an_alert_with_moved_features_names_them():
    rows = [records(n, kind="bad") for n in range(3)]
    for one in (each for part in rows for each in part):
        one["x"] /= 4
    found = verdict([count(one, PROFILE) for one in rows])
    assert any("Look at what moved most: x (PSI" in one for one in found.reasons)


def test_an_ended_alarm_is_still_told():
    found = of("gbbggg", text="windows_together = 1")
    assert found.status is OK
    assert any("alarmed from 2024-01-02 to 2024-01-03" in one for one in found.reasons)


def test_a_broken_rule_that_does_not_alarm_yet_is_told():
    assert any("Broken in 1 of the 2 windows that alarm" in one for one in of("gb").reasons)


def test_a_feature_that_drifts_is_a_note_where_quality_holds():
    found = verdict([state(n, kind="moved") for n in range(3)])
    assert found.status is OK
    assert any(one.startswith("Note: psi of x was") for one in found.reasons)
    (noted,) = [one for one in found.results[0].findings if one.noted]
    assert (noted.rule.metric, noted.status) == ("psi", OK)


def test_nulls_alert_though_quality_holds():
    found = verdict([state(n, kind="null") for n in range(2)])
    assert found.status is ALERT
    assert found.reasons[:2] == (
        "null_rate of x was 1 on 2024-01-02, of 1,000 records; at release it was 0. "
        "Up to 0.05 is allowed (0.05 more than at release). It was first so on 2024-01-01.",
        "Look at where x comes from.",
    )


@pytest.mark.parametrize("kind", ["unseen", "scores"])
def test_what_stands_for_quality_alerts_while_there_are_no_labels(kind):
    late = [state(n, kind=kind, labelled=0.0) for n in range(2)]
    assert verdict(late).status is ALERT
    known = [count(_with_good_scores(n, kind), PROFILE) for n in range(2)]
    assert verdict(known).status is OK


def _with_good_scores(seed, kind):
    pairs = zip(records(seed, kind=kind), records(seed), strict=True)
    return [{**one, "p": good["p"]} for one, good in pairs]


def test_labels_that_never_come_are_not_enough_data_with_estimates():
    found = verdict([state(n, labelled=0.0) for n in range(4)])
    assert found.status is UNKNOWN
    estimates = {one.metric: one for one in found.results[-1].measured if one.estimated}
    assert estimates["estimated_auc"].value == pytest.approx(0.83, abs=0.03)
    assert any("auc, log_loss" in one and "no label has come" in one for one in found.reasons)


def test_few_labels_are_not_enough_unless_that_is_said():
    few = [state(n, labelled=0.3) for n in range(2)]
    found = verdict(few)
    assert found.status is UNKNOWN
    assert any("% of the records have labels; 50% are asked for" in one for one in found.reasons)
    assert verdict(few, "labelled = 0.2").status is OK


def test_an_estimate_is_not_shown_where_there_are_labels():
    assert not any(one.estimated for one in of("g").results[0].measured)


def test_an_alarm_by_estimates_ends_when_labels_say_that_all_is_well():
    late = [state(n, kind="scores", labelled=0.0) for n in range(2)]
    assert verdict([*late, state(5), state(6)]).status is OK


def test_a_single_class_in_a_window_is_judged_by_what_can_be_told():
    found = verdict([state(0, kind="single")])
    (auc,) = [one for one in found.results[0].findings if one.rule.metric == "auc"]
    assert auc.status is UNKNOWN
    assert auc.reason.endswith("is not judged: every label is positive.")


def test_an_empty_window_is_not_enough_data():
    found = verdict([State()])
    assert found.status is UNKNOWN
    assert found.results[0].status is UNKNOWN


def test_a_small_window_does_not_alarm():
    assert all(one.status is OK for one in verdict([state(n, n=120) for n in range(30)]).results)


def test_what_is_a_little_worse_all_the_time_is_told_over_windows_together():
    draw = [0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]  # of what a score says, how much is lost

    def one(seed, lost, n=4000):
        rows = records(seed, n)
        rng = np.random.default_rng(seed + 1000)
        for row in rows:
            share = (1 - lost) * row["p"] + lost / 2
            row["y"] = int(rng.uniform() < share)
        return count(rows, PROFILE)

    reference = Reference(PROFILE, "1.0.0", tuple(one(n, lost) for n, lost in enumerate(draw)))
    later = [one(n + 50, 0.5) for n in range(6)]
    together = verdict(later, references={"1.0.0": reference})
    alone = verdict(later, "windows_together = 1", references={"1.0.0": reference})
    assert (alone.status, together.status) == (OK, ALERT)
    assert any("in its 3 best windows" in one for one in together.reasons)


def test_one_bad_window_among_several_together_is_no_alarm():
    assert of("ggggbgggg").status is OK


def test_a_version_without_a_reference_has_that_of_the_nearest_of_its_major():
    others = {"1.0.0": REFERENCE, "1.2.0": REFERENCE, "2.0.0": REFERENCE}
    for version, near in (("1.1.7", "1.0.0"), ("1.3.0", "1.2.0"), ("2.0.1", "2.0.0")):
        (found,) = judge({slot(0, version): state(0)}, PROFILE, others, RuleSet())
        assert found.status is OK
        assert any(f"it is measured by that of {near}" in one for one in found.reasons)


def test_a_version_older_than_every_reference_has_the_first_of_its_major():
    (found,) = judge({slot(0, "1.0.0"): state(0)}, PROFILE, {"1.5.0": REFERENCE}, RuleSet())
    assert any("it is measured by that of 1.5.0" in one for one in found.reasons)


def test_a_version_without_any_reference_has_the_rules_of_the_file_alone():
    found = verdict([state(0)], '[[rule]]\nmetric = "auc"\nlow = 0.7', references={})
    assert found.status is OK
    assert len(found.results[0].findings) == 1
    assert any("Version 1.0.0 has no reference" in one for one in found.reasons)
    assert verdict([state(0)], references={}).status is UNKNOWN


def test_a_reference_in_other_bins_is_none():
    other = Profile(BINARY, {}, "y", "said", "p", ("0", "1"), TENTHS)
    found = verdict([state(0)], references={"1.0.0": Reference(other, "1.0.0", (state(0),))})
    assert found.status is UNKNOWN
    assert any("no reference with records in these bins" in one for one in found.reasons)


def test_the_reference_of_the_rules_is_the_last_resort():
    (found,) = judge({slot(0, "3.0.0"): state(0)}, PROFILE, {}, RuleSet.of(REFERENCE))
    assert found.status is OK


def test_versions_and_segments_have_verdicts_of_their_own():
    states = {
        slot(0): state(0),
        slot(0, "1.0.1"): state(1),
        slot(0, segment="c=a"): state(2),
    }
    found = judge(states, PROFILE, KNOWN, RuleSet())
    assert [(one.version, one.segment, one.status) for one in found] == [
        ("1.0.0", "", OK),
        ("1.0.0", "c=a", UNKNOWN),
        ("1.0.1", "", OK),
    ]
    assert "There is no rule for 2024-01-01." in found[1].reasons


def test_a_strict_rule_of_a_file_allows_nothing_for_chance():
    value = next(one.value for one in of("g").results[0].measured if one.metric == "auc")
    for low, status in ((value - 1e-6, OK), (value + 1e-6, ALERT)):
        text = f'windows_to_alert = 1\n[[rule]]\nmetric = "auc"\nlow = {low!r}'
        assert of("g", text=text).status is status


def test_no_states_have_no_verdict():
    assert judge({}, PROFILE, KNOWN, RuleSet()) == ()


def test_records_without_a_time_are_one_window():
    (found,) = judge({Slot("org:m", "1.0.0", None, ""): state(0)}, PROFILE, KNOWN, RuleSet())
    assert (found.status, found.since) == (OK, None)
    assert "of all records" in " ".join(found.reasons) or "in all records" in " ".join(
        found.reasons
    )


def test_a_profile_without_labels_is_judged_by_its_features():
    profile = Profile(UNLABELLED, FEATURES)
    chunks = tuple(count(records(n), profile) for n in range(3))
    known = {"1.0.0": Reference(profile, "1.0.0", chunks)}
    moved = [count(records(n, kind="moved"), profile) for n in range(2)]
    assert verdict(moved, references=known, profile=profile).status is ALERT
    assert verdict(chunks, references=known, profile=profile).status is OK


def test_windows_without_drift_do_not_alarm():
    """The false alarms of learned rules, where windows are drawn as the reference was."""
    alerting = 0
    for run in range(6):
        seeds = range(10_000 * (run + 1), 10_000 * (run + 1) + 26)
        chunks = [state(seed, n=150) for seed in seeds]
        reference = Reference(PROFILE, "1.0.0", tuple(chunks[:6]))
        found = verdict(chunks[6:], references={"1.0.0": reference})
        assert found.status is OK
        assert not any("alarmed" in one for one in found.reasons)
        alerting += sum(one.status is ALERT for one in found.results)
    assert alerting <= 1
