"""Verdicts on a challenger, from states made by hand and from simulated comparisons."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.errors import ConfigurationError, CorruptRelease, IncompatibleModel
from gavial.monitoring import losses
from gavial.monitoring.comparison import Comparison, Mode, Outcome
from gavial.monitoring.outcome import INTENDED, Terms, judge
from gavial.monitoring.route import Route
from gavial.monitoring.sequence import width
from gavial.monitoring.state import Cell, Key, Slot, State, from_rows, rows, total
from gavial.monitoring.windows import Windows

A, B, C = (f"com.acme:churn:1.0.{build}" for build in range(3))
SHADOW = Route.shadow(A, B)
SPLIT = Route.split({A: 0.5, B: 0.5}, key="customer", salt="s")
CHURN = "com.acme:churn"
PAIRED, GROUP = losses.paired("log_loss"), losses.group("log_loss")
DAY = [Windows().of(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)) for n in range(40)]


def cell_of(values):
    return Cell(len(values), float(np.mean(values)), float(np.var(values) * len(values)))


def paired(values, classes, window=None, champion="1.0.0", version="1.0.1"):
    """The states of paired differences, as the scan makes them."""
    cells = {}
    for label in (0, 1):
        for differs in (0, 1):
            some = values[(classes == label) & ((values != 0) == bool(differs))]
            if len(some):
                cells[Key(PAIRED, champion, differs, label)] = cell_of(some)
    return {Slot(CHURN, version, window): State(cells)}


def grouped(version, values, classes, window=None, assigned=None):
    cells = {
        Key(GROUP, "", 0, label): cell_of(values[classes == label])
        for label in (0, 1)
        if (classes == label).any()
    }
    cells[Key(losses.ASSIGNED)] = Cell(len(values) if assigned is None else assigned)
    return {Slot(CHURN, version, window): State(cells)}


def lost(why, n, window=None):
    return {Slot(CHURN, "1.0.1", window): State({Key(losses.LOST, "1.0.0", why): Cell(n)})}


def merged(*found):
    slots = {slot for one in found for slot in one}
    return {slot: total(one[slot] for one in found if slot in one) for slot in slots}


def drawn(n=2000, mean=-0.05, seed=1, share=0.3):
    rng = np.random.default_rng(seed)
    return rng.normal(mean, 0.3, n), (rng.random(n) < share).astype(int)


def said(found):
    return " ".join(found.reasons)


# The verdict -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "margin", "outcome"),
    [
        (-0.05, 0.0, Outcome.BETTER),
        (0.05, 0.0, Outcome.WORSE),
        (0.0, 0.0, Outcome.KEEP_GOING),
        (0.0, 0.05, Outcome.NO_DIFFERENCE),
        (-0.05, 0.2, Outcome.NO_DIFFERENCE),
        (-0.3, 0.2, Outcome.BETTER),
    ],
)
def test_the_verdict_goes_by_the_interval_and_the_margin(mean, margin, outcome):
    found = judge(paired(*drawn(mean=mean)), SHADOW, "1.0.1", Terms(margin=margin))
    assert found.outcome is outcome
    assert (found.needed is not None) == (outcome is Outcome.KEEP_GOING)


def test_a_verdict_says_what_it_is_of_and_how_sure():
    found = judge(paired(*drawn()), SHADOW, "1.0.1", Terms(), when="2026-05-01T00:00:00+00:00")
    assert (found.module, found.champion, found.challenger) == (CHURN, "1.0.0", "1.0.1")
    assert (found.mode, found.loss, found.alpha) == (Mode.SHADOW, "log_loss", 0.05)
    assert "1.0.1 is better than 1.0.0" in found.reasons[0]
    assert "false in 5% of cases at most" in found.reasons[-1]


def test_each_window_is_a_look_over_all_until_then_in_whatever_order_they_come():
    parts = [paired(*drawn(200, seed=n), DAY[n]) for n in range(5)]
    found = judge(merged(*reversed(parts)), SHADOW, "1.0.1", Terms())
    assert [one.window for one in found.looks] == DAY[:5]
    assert [one.n for one in found.looks] == [200, 400, 600, 800, 1000]
    alone = judge(merged(*parts[:3]), SHADOW, "1.0.1", Terms())
    assert found.looks[2] == alone.looks[-1]


@given(st.lists(st.integers(0, 999), max_size=5), st.randoms())
def test_states_of_parts_of_the_records_give_the_verdict_of_all(cuts, shuffled):
    values, classes = drawn(1000)
    edges = [0, *sorted(cuts), 1000]
    parts = [paired(values[low:high], classes[low:high]) for low, high in pairwise(edges)]
    shuffled.shuffle(parts)
    one = judge(merged(*parts), SHADOW, "1.0.1", Terms())
    other = judge(paired(values, classes), SHADOW, "1.0.1", Terms())
    assert (one.outcome, one.needed) == (other.outcome, other.needed)
    assert one.looks[-1].low == pytest.approx(other.looks[-1].low, rel=1e-9)


def test_states_of_a_comparison_survive_their_rows():
    states = merged(paired(*drawn(200), DAY[0]), lost(losses.UNLABELLED, 3, DAY[0]))
    names = [
        "format", "module", "version", "window_start", "window_end", "segment", "profile", "kind",
        "column_name", "bin", "label", "n", "mean", "m2",
    ]  # fmt: skip
    read = from_rows(dict(zip(names, row, strict=True)) for row in rows(states, "p"))["p"]
    assert {slot: dict(state) for slot, state in read.items()} == {
        slot: dict(state) for slot, state in states.items()
    }


def test_several_challengers_share_what_may_be_false_and_it_is_said():
    route = Route.shadow(A, B, C)
    found = judge(paired(*drawn()), route, "1.0.1", Terms(alpha=0.05))
    assert found.alpha == 0.025
    assert "2 challengers share 5%" in found.reasons[-1]
    alone = judge(paired(*drawn()), SHADOW, "1.0.1", Terms(alpha=0.05))
    assert found.looks[0].low < alone.looks[0].low


def test_a_segment_is_judged_by_its_own_records():
    (state,) = paired(*drawn(mean=0.2)).values()
    states = {**paired(*drawn(mean=-0.2)), Slot(CHURN, "1.0.1", None, "carrier=AA"): state}
    assert judge(states, SHADOW, "1.0.1", Terms()).outcome is Outcome.BETTER
    found = judge(states, SHADOW, "1.0.1", Terms(), "carrier=AA")
    assert (found.outcome, found.segment) == (Outcome.WORSE, "carrier=AA")


def test_of_many_classes_the_rarest_need_not_be_frequent():
    values, _ = drawn(mean=-0.05)
    cells = {Key(PAIRED, "1.0.0", 1, label): cell_of(values[label::50]) for label in range(50)}
    cells[Key(PAIRED, "1.0.0", 1, 50)] = Cell(1, 0.0, 0.0)
    found = judge({Slot(CHURN, "1.0.1", None): State(cells)}, SHADOW, "1.0.1", Terms())
    assert found.outcome is Outcome.BETTER


# When nothing can be said ----------------------------------------------------------------------


def test_without_any_label_it_is_keep_going():
    for states in ({}, lost(losses.UNLABELLED, 500)):
        found = judge(states, SHADOW, "1.0.1", Terms(margin=1.0))
        assert (found.outcome, found.looks, found.needed) == (Outcome.KEEP_GOING, (), None)
        assert "no labelled record of both is there" in found.reasons[0]
    assert "500 records have no label yet" in said(found)


def test_few_records_bring_no_verdict_however_clear_they_seem():
    found = judge(paired(*drawn(99, mean=-9.0)), SHADOW, "1.0.1", Terms())
    assert found.outcome is Outcome.KEEP_GOING
    assert "There are 99 labelled records, and 100 are the least" in said(found)
    assert found.needed > 0


def test_one_class_alone_brings_no_verdict():
    values, _ = drawn(mean=-1.0)
    found = judge(paired(values, np.zeros(len(values))), SHADOW, "1.0.1", Terms())
    assert (found.outcome, found.needed) == (Outcome.KEEP_GOING, None)
    assert "All labels so far are of one class" in said(found)


def test_too_few_of_the_rare_class_bring_no_verdict():
    values, classes = drawn(mean=-1.0, share=0.01)
    assert classes.sum() < 30
    found = judge(paired(values, classes), SHADOW, "1.0.1", Terms())
    assert found.outcome is Outcome.KEEP_GOING
    assert f"Of other classes than the commonest there are {classes.sum()} labels" in said(found)
    assert found.needed >= 10


def test_versions_that_rarely_differ_bring_no_verdict_before_they_do():
    values, classes = drawn(mean=-1.0)
    values[29:] = 0
    found = judge(paired(values, classes), SHADOW, "1.0.1", Terms(margin=0.5))
    assert found.outcome is Outcome.KEEP_GOING
    assert "The two differ on 29 of 2000 records" in said(found)


def test_versions_that_never_differ_are_the_same_after_the_intended_number():
    values, classes = drawn()
    same = paired(values * 0, classes)
    early = judge(same, SHADOW, "1.0.1", Terms(margin=0.01, intended=2001))
    assert early.outcome is Outcome.KEEP_GOING
    found = judge(same, SHADOW, "1.0.1", Terms(margin=0.01, intended=2000))
    assert found.outcome is Outcome.NO_DIFFERENCE
    for lacking in (losses.UNPAIRED, losses.INVALID):
        some = merged(same, lost(lacking, 100))
        found = judge(some, SHADOW, "1.0.1", Terms(margin=0.01, intended=2000))
        assert found.outcome is Outcome.KEEP_GOING


@pytest.mark.parametrize("why", [losses.UNPAIRED, losses.INVALID])
def test_records_that_one_version_cannot_score_forbid_a_verdict_if_there_are_many(why):
    few = judge(merged(paired(*drawn()), lost(why, 20)), SHADOW, "1.0.1", Terms())
    many = judge(merged(paired(*drawn()), lost(why, 21)), SHADOW, "1.0.1", Terms())
    assert (few.outcome, many.outcome) == (Outcome.BETTER, Outcome.KEEP_GOING)
    assert "20 records" in said(few)
    assert "had to be left out, more than 1%" in said(many)


def test_labels_that_contradict_and_records_said_twice_are_told():
    states = merged(paired(*drawn()), lost(losses.CONTRADICTING, 400), lost(losses.REPEATED, 1000))
    found = judge(states, SHADOW, "1.0.1", Terms())
    assert found.outcome is Outcome.BETTER
    assert "400 records have labels that contradict each other" in said(found)
    assert "1000 records were there more than once" in said(found)


# Split -----------------------------------------------------------------------------------------


def halves(gap, n=4000, seed=2):
    rng = np.random.default_rng(seed)
    classes = (rng.random((2, n)) < 0.3).astype(int)
    values = rng.normal(0.5, 0.3, (2, n))
    return merged(
        grouped("1.0.0", values[0], classes[0]), grouped("1.0.1", values[1] + gap, classes[1])
    )


def test_a_split_compares_the_means_of_its_groups():
    found = judge(halves(-0.1), SPLIT, "1.0.1", Terms())
    assert (found.outcome, found.mode) == (Outcome.BETTER, Mode.SPLIT)
    assert found.looks[0].n == 8000
    assert found.looks[0].difference == pytest.approx(-0.1, abs=0.02)
    assert found.ratio.holds
    assert "labelled keys" in found.reasons[0]


def test_a_split_that_gave_other_shares_brings_no_verdict():
    states = merged(
        halves(-0.1), {Slot(CHURN, "1.0.1", None): State({Key(losses.ASSIGNED): Cell(600)})}
    )
    found = judge(states, SPLIT, "1.0.1", Terms())
    assert found.outcome is Outcome.KEEP_GOING
    assert not found.ratio.holds
    assert "The split did not give each version its share" in said(found)


def test_a_split_with_records_of_one_version_alone_is_keep_going():
    values, classes = drawn()
    found = judge(grouped("1.0.0", values, classes), SPLIT, "1.0.1", Terms())
    assert (found.outcome, found.looks) == (Outcome.KEEP_GOING, ())


# How often it is false: A/A --------------------------------------------------------------------

LOOKS, TIMES = 30, 1000


def running(values, each):
    """Counts, means and sums of squared deviations after each look: arrays of times x looks."""
    n = np.arange(each, values.shape[1] + 1, each)
    sums = np.cumsum(values, axis=1)[:, each - 1 :: each]
    squares = np.cumsum(values**2, axis=1)[:, each - 1 :: each]
    return n, sums / n, np.maximum(squares - sums**2 / n, 0)


def paired_cells(values, classes, each):
    """For each time and look the cell of either class, all of which differ."""
    found = []
    for label in (0, 1):
        mine = classes == label
        n = np.cumsum(mine, axis=1)[:, each - 1 :: each]
        sums = np.cumsum(values * mine, axis=1)[:, each - 1 :: each]
        squares = np.cumsum(values**2 * mine, axis=1)[:, each - 1 :: each]
        mean = sums / np.maximum(n, 1)
        found.append((n, mean, np.maximum(squares - n * mean**2, 0)))
    return found


def verdicts(values, classes, each):
    """How many of the times there was a verdict at any look, as the whole rule has it.

    It is asked at those looks alone whose interval does not hold 0: at no other there is one.
    """
    n, mean, m2 = running(values, each)
    half = np.sqrt(m2 / (n - 1)) * np.array([width(one, 0.05, INTENDED) for one in n])
    apart = np.abs(mean) > half
    count = 0
    cells = paired_cells(values, classes, each)
    for time in range(len(values)):
        for look in np.flatnonzero(apart[time]):
            state = State(
                {
                    Key(PAIRED, "1.0.0", 1, label): Cell(
                        int(n[time, look]), float(mean[time, look]), float(m2[time, look])
                    )
                    for label, (n, mean, m2) in enumerate(cells)
                    if n[time, look]
                }
            )
            found = judge({Slot(CHURN, "1.0.1", None): state}, SHADOW, "1.0.1", Terms())
            assert not found.looks[0].low < 0 < found.looks[0].high
            if found.outcome in (Outcome.BETTER, Outcome.WORSE):
                count += 1
                break
    return count


def test_of_1000_shadows_of_equal_models_with_30_looks_at_most_1_in_20_has_a_verdict():
    """The two guess probabilities with noise of one size; a naive test at each look is often
    wrong."""
    rng = np.random.default_rng(20)
    each = 100
    shape = (TIMES, LOOKS * each)
    logit = rng.normal(-2, 1, shape)
    classes = (rng.random(shape) < 1 / (1 + np.exp(-logit))).astype(int)
    sign = np.where(classes == 1, -1, 1)
    first, second = (np.log1p(np.exp(sign * (logit + rng.normal(0, 0.5, shape)))) for _ in "ab")
    differences = second - first
    n, mean, m2 = running(differences, each)
    naive = (np.abs(mean) > 1.96 * np.sqrt(m2 / (n - 1) / n)).any(axis=1)
    assert naive.mean() > 0.2
    assert verdicts(differences, classes, each) <= 0.05 * TIMES


def test_of_1000_shadows_with_rare_positives_at_most_1_in_20_has_a_false_verdict():
    """Of three in a thousand, where all that is lost on many is won on few: the mean is 0, and
    before enough of the few have come it does not look so."""
    rng = np.random.default_rng(21)
    each, share = 500, 0.003
    shape = (TIMES, LOOKS * each)
    classes = (rng.random(shape) < share).astype(int)
    size = rng.gamma(2, 0.5, shape)
    differences = np.where(classes == 1, size, -share / (1 - share) * size)
    assert verdicts(differences, classes, each) <= 0.05 * TIMES


def test_of_1000_splits_of_equal_models_with_30_looks_at_most_1_in_20_has_a_verdict():
    """Binary losses, such as of accuracy, with one of ten keys for the challenger."""
    rng = np.random.default_rng(22)
    each, terms = 200, Terms(loss="zero_one")
    kind = losses.group("zero_one")
    route = Route.split({A: 0.9, B: 0.1}, key="customer", salt="s")
    wrong = (rng.random((TIMES, LOOKS * each)) < 0.08).astype(float)
    mine = rng.random(wrong.shape) < 0.1
    count = 0
    ns = [np.cumsum(one, axis=1)[:, each - 1 :: each] for one in (~mine, mine)]
    sums = [np.cumsum(wrong * one, axis=1)[:, each - 1 :: each] for one in (~mine, mine)]
    spread = sum((hits / n) * (1 - hits / n) / n for n, hits in zip(ns, sums, strict=True))
    at = np.arange(each, LOOKS * each + 1, each)
    half = np.sqrt(spread * at) * np.array([width(one, 0.05, INTENDED) for one in at])
    apart = np.abs(sums[1] / ns[1] - sums[0] / ns[0]) > half
    for time in range(TIMES):
        for look in np.flatnonzero(apart[time]):
            states = {}
            for version, n, hits in zip(("1.0.0", "1.0.1"), ns, sums, strict=True):
                many, hit = int(n[time, look]), float(hits[time, look])
                mean = hit / many
                # The class of a label is of no matter here: half of them each.
                half = Cell(many // 2, mean, hit * (1 - mean) / 2)
                rest = Cell(many - many // 2, mean, hit * (1 - mean) / 2)
                states[Slot(CHURN, version, None)] = State(
                    {
                        Key(kind, "", 0, 0): half,
                        Key(kind, "", 0, 1): rest,
                        Key(losses.ASSIGNED): Cell(many),
                    }
                )
            found = judge(states, route, "1.0.1", terms)
            if found.outcome in (Outcome.BETTER, Outcome.WORSE):
                count += 1
                break
    assert count <= 0.05 * TIMES


# As a value ------------------------------------------------------------------------------------


@pytest.fixture
def comparison():
    parts = [paired(*drawn(200, seed=n), DAY[n]) for n in range(12)]
    return judge(merged(*parts), SHADOW, "1.0.1", Terms(margin=0.001), when="2026-05-01T00:00:00Z")


def test_a_comparison_survives_json(comparison):
    assert Comparison.from_json(comparison.to_json()) == comparison
    split = judge(halves(0.0), SPLIT, "1.0.1", Terms())
    assert Comparison.from_json(split.to_json()) == split


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "great"},
        {"looks": [{"window": None}]},
        {"looks": 3},
        {"needed": 1.5},
        {"margin": "x"},
        {"mode": None},
    ],
)
def test_a_damaged_comparison_is_corrupt(comparison, change):
    with pytest.raises(CorruptRelease):
        Comparison.from_json({**comparison.to_json(), **change})
    with pytest.raises(CorruptRelease):
        Comparison.from_json([])


def test_a_comparison_of_a_later_format_is_refused(comparison):
    with pytest.raises(IncompatibleModel, match="format 2"):
        Comparison.from_json({**comparison.to_json(), "format": 2})


def test_a_notebook_shows_the_verdict_and_no_markup_of_others(comparison):
    shown = replace(comparison, segment="<script>", reasons=("a < b",))._repr_html_()
    assert "1.0.1 against 1.0.0 of com.acme:churn (&lt;script&gt;): better" in shown
    assert "a &lt; b" in shown
    assert shown.count("<tr>") == 11


def test_the_exit_code_tells_a_bad_verdict_and_none():
    assert [one.exit_code for one in Outcome] == [0, 4, 0, 5]


@pytest.mark.parametrize(
    "terms",
    [
        {"loss": "hinge"},
        {"margin": -0.1},
        {"margin": float("nan")},
        {"alpha": 0},
        {"alpha": 1},
        {"intended": 0},
        {"alpha": True},
    ],
)
def test_terms_out_of_range_are_refused(terms):
    with pytest.raises(ConfigurationError):
        Terms(**terms)


def test_a_version_that_is_no_challenger_is_refused():
    with pytest.raises(ConfigurationError, match=r"it has 1\.0\.1"):
        judge({}, SHADOW, "1.0.0", Terms())
