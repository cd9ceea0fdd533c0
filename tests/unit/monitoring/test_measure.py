"""What cannot be told has a reason; nothing is raised, and nothing is NaN."""

from __future__ import annotations

import math

import pytest

from gavial.monitoring import state as kinds
from gavial.monitoring.bins import Categories, Numeric
from gavial.monitoring.count import count
from gavial.monitoring.measure import measure
from gavial.monitoring.metrics import METRICS, Family
from gavial.monitoring.profile import (
    BINARY,
    MULTICLASS,
    REGRESSION,
    TASKS,
    UNLABELLED,
    Profile,
    Reference,
)
from gavial.monitoring.state import Cell, Key, State

FEATURES = {"x": Numeric((0.0, 1.0, 2.0)), "c": Categories(("AA", "UA"))}
HALVES = Numeric((0.0, 0.5, 1.0))
PROFILES = {
    BINARY: Profile(BINARY, FEATURES, "y", "said", "p", ("0", "1"), HALVES),
    MULTICLASS: Profile(MULTICLASS, FEATURES, "y", "said", "p", ("a", "b", "c")),
    REGRESSION: Profile(REGRESSION, FEATURES, "y", "said", value_bins=HALVES),
    UNLABELLED: Profile(UNLABELLED, FEATURES),
}
GOOD = [
    {"x": n % 3 / 2, "c": "AA", "y": n % 2, "said": n % 2, "p": 0.3 + n % 2 / 2} for n in range(40)
]


def by_name(state, profile, reference=None):
    return {(one.metric, one.column): one for one in measure(state, profile, reference)}


@pytest.mark.parametrize("task", TASKS)
def test_an_empty_window_has_reasons_and_no_values(task):
    reference = Reference(PROFILES[task], "1.0.0", (State(),))
    for one in measure(State(), PROFILES[task], reference):
        assert (one.value is None) == bool(one.why)
        assert one.value is None or one.metric == "records"


@pytest.mark.parametrize("task", TASKS)
def test_every_metric_is_known_and_told_once(task):
    found = measure(State(), PROFILES[task], None)
    names = [(one.metric, one.column) for one in found]
    assert len(set(names)) == len(names)
    for metric, column in names:
        assert bool(column) == (METRICS[metric].family is Family.FEATURE)


def test_every_metric_that_is_known_is_told_of_some_task():
    told = {one.metric for profile in PROFILES.values() for one in measure(State(), profile)}
    assert told == set(METRICS)


def test_a_single_class_in_a_window_has_no_auc():
    rows = [{**one, "y": 1} for one in GOOD]
    found = by_name(count(rows, PROFILES[BINARY]), PROFILES[BINARY])
    assert found["auc", ""].why == "every label is positive"
    assert found["log_loss", ""].value > 0
    assert found["recall", ""].value == 0.5


def test_labels_that_never_come_leave_drift_and_estimates():
    profile = PROFILES[BINARY]
    reference = Reference(profile, "1.0.0", (count(GOOD, profile),))
    rows = [{**one, "y": None} for one in GOOD]
    found = by_name(count(rows, profile), profile, reference)
    assert found["auc", ""].why == "no record has both a label and a score"
    assert found["labelled_rate", ""].value == 0
    assert found["estimated_auc", ""].value == pytest.approx(1.0, abs=0.01)
    assert found["score_psi", ""].value == 0
    assert found["psi", "x"].value == 0


def test_a_constant_column_has_no_scale_and_no_drift():
    profile = Profile(UNLABELLED, {"x": Numeric((3.0, 3.0))})
    state = count([{"x": 3.0}] * 10, profile)
    found = by_name(state, profile, Reference(profile, "1.0.0", (state,)))
    assert found["psi", "x"].value == 0
    assert found["wasserstein", "x"].why == "the reference is one number: it has no scale"


def test_values_that_are_no_numbers_are_rates_and_not_nan():
    profile = PROFILES[BINARY]
    odd = [math.nan, math.inf, -math.inf, None]
    rows = [{"x": one, "p": one, "y": 1, "said": None} for one in odd]
    reference = Reference(profile, "1.0.0", (count(GOOD, profile),))
    found = by_name(count(rows, profile), profile, reference)
    assert found["nan_rate", "x"].value == 0.75
    assert found["null_rate", "x"].value == 0.25
    assert found["score_null_rate", ""].value == 1.0
    assert found["wasserstein", "x"].why == "there are no finite numbers"
    assert not any(one.value is not None and math.isnan(one.value) for one in found.values())


@pytest.mark.parametrize("mean", [math.inf, -math.inf, math.nan, 1e308])
def test_moments_that_overflowed_are_told_as_such(mean):
    for profile in PROFILES.values():
        cells = {
            Key(kinds.RECORDS): Cell(9),
            Key(kinds.LOG_LOSS): Cell(9, mean, math.inf),
            Key(kinds.ERROR): Cell(9, mean, math.inf),
            Key(kinds.ABSOLUTE_ERROR): Cell(9, mean, math.inf),
            Key(kinds.LABEL, "", 0): Cell(9, mean, math.inf),
            Key(kinds.LATENCY, "", 0): Cell(9, mean, math.inf),
            Key(kinds.FEATURE, "x", 0): Cell(9, mean, math.inf),
            Key(kinds.FEATURE, "x", -4): Cell(9, -mean, math.inf),
            Key(kinds.SCORE, "", 0, 1): Cell(9, mean, math.inf),
            Key(kinds.SCORE, "", -4, 0): Cell(9, -mean, math.inf),
        }
        for against in (State(cells), count(GOOD if profile.task == BINARY else [], profile)):
            for one in measure(State(cells), profile, Reference(profile, "1.0.0", (against,))):
                assert one.value is None or math.isfinite(one.value)
                assert one.standard_error is None or math.isfinite(one.standard_error)


def test_a_score_that_is_no_probability_has_ranks_alone():
    profile = Profile(BINARY, {}, "y", "", "p", ("0", "1"), Numeric((-3.0, 0.0, 3.0)))
    rows = [{"p": -1.0, "y": 0}, {"p": 2.0, "y": 1}]
    found = by_name(count(rows, profile), profile)
    assert found["auc", ""].value == 1.0
    assert found["brier", ""].why == "the score is no probability: its bins leave 0 to 1"


def test_labels_that_came_late_have_a_delay():
    rows = [{**one, "wait": 3600.0} for one in GOOD]
    state = count(rows, PROFILES[BINARY], latency="wait")
    assert by_name(state, PROFILES[BINARY])["label_delay", ""].value == 3600.0


def test_what_was_said_twice_is_a_rate():
    state = State({Key(kinds.RECORDS): Cell(10), Key(kinds.DUPLICATE): Cell(5)})
    assert by_name(state, PROFILES[UNLABELLED])["duplicate_rate", ""].value == 0.5
