from __future__ import annotations

import math

import pytest

from gavial.monitoring import state
from gavial.monitoring.bins import ABOVE, BELOW, NAN, NULL, UNSEEN, Categories, Numeric
from gavial.monitoring.count import count
from gavial.monitoring.profile import BINARY, MULTICLASS, REGRESSION, UNLABELLED, Profile
from gavial.monitoring.state import Cell, Key

FEATURES = {"x": Numeric((0.0, 1.0, 2.0)), "carrier": Categories(("AA", "UA"))}
HALVES = Numeric((0.0, 0.5, 1.0))
CLICK = Profile(BINARY, {}, "y", "said", "p", ("0", "1"), HALVES)


def test_a_feature_carries_finite_numbers_alone():
    rows = [{"x": x} for x in (0.5, 0.7, 3.0, -1.0, math.nan, None, True)]
    found = count(rows, Profile(UNLABELLED, FEATURES))
    assert found[Key(state.FEATURE, "x", 0)].mean == pytest.approx(0.6)
    assert found[Key(state.FEATURE, "x", ABOVE)] == Cell(1, 3.0)
    assert found[Key(state.FEATURE, "x", BELOW)] == Cell(1, -1.0)
    assert found[Key(state.FEATURE, "x", NAN)] == found[Key(state.FEATURE, "x", NULL)] == Cell(1)
    assert found[Key(state.FEATURE, "x", 1)] == Cell(1, 1.0)
    assert found[Key(state.FEATURE, "carrier", NULL)] == Cell(7)
    assert found.records == 7


def test_a_category_that_was_not_there_is_unseen():
    found = count([{"carrier": "XX"}, {"carrier": "UA"}], Profile(UNLABELLED, FEATURES))
    assert found.histogram(state.FEATURE, "carrier") == {UNSEEN: 1, 1: 1}


def test_a_score_is_counted_by_the_class_of_its_label():
    rows = [
        {"p": 0.25, "said": 0.0, "y": 0},
        {"p": [0.25, 0.75], "said": 1.0, "y": 1},
        {"p": 0.75, "said": 1.0},
        {"p": None, "said": None, "y": "2"},
    ]
    found = count(rows, CLICK)
    assert {key: cell.n for key, cell in found.of(state.SCORE)} == {
        Key(state.SCORE, "", 0, 0): 1,
        Key(state.SCORE, "", 1, 1): 1,
        Key(state.SCORE, "", 1, NULL): 1,
        Key(state.SCORE, "", NULL, UNSEEN): 1,
    }
    assert {key: cell.n for key, cell in found.of(state.CONFUSION)} == {
        Key(state.CONFUSION, "", 0, 0): 1,
        Key(state.CONFUSION, "", 1, 1): 1,
        Key(state.CONFUSION, "", 1, NULL): 1,
        Key(state.CONFUSION, "", NULL, UNSEEN): 1,
    }
    assert found[Key(state.LOG_LOSS)] == Cell(2, -math.log(0.75), 0.0)


def test_a_log_loss_is_of_probabilities_that_are_clipped():
    found = count([{"p": 0.0, "y": 1}, {"p": 1.0, "y": 1}], CLICK)
    assert found[Key(state.LOG_LOSS)].mean == pytest.approx(-math.log(1e-15) / 2)


def test_several_classes_have_a_log_loss_and_no_score_bins():
    profile = Profile(MULTICLASS, {}, "y", "said", "p", ("a", "b", "c"))
    rows = [
        {"p": (0.5, 0.25, 0.25), "said": "a", "y": "b"},
        {"p": (0.5, 0.5), "said": "a", "y": "b"},
        {"p": (0.5, math.nan, 0.5), "said": "a", "y": "a"},
    ]
    found = count(rows, profile)
    assert found[Key(state.LOG_LOSS)] == Cell(1, -math.log(0.25))
    assert found[Key(state.CONFUSION, "", 0, 1)].n == 2
    assert not list(found.of(state.SCORE))


def test_an_error_is_the_prediction_less_the_label():
    profile = Profile(REGRESSION, {}, "y", "said", value_bins=Numeric((0.0, 10.0)))
    rows = [{"said": 3.0, "y": 5}, {"said": 7.0, "y": 3}, {"said": 1.0}, {"said": math.inf, "y": 1}]
    found = count(rows, profile)
    assert found[Key(state.ERROR)] == Cell(2, 1.0, 18.0)
    assert found[Key(state.ABSOLUTE_ERROR)] == Cell(2, 3.0, 2.0)
    assert found.histogram(state.LABEL) == {0: 3, NULL: 1}
    assert found[Key(state.PREDICTION, "", 0)].n == 3


def test_seconds_to_a_label_are_counted_where_they_are_known():
    found = count([{"wait": 30.0}, {"wait": None}], CLICK, latency="wait")
    assert dict(found.of(state.LATENCY)) == {Key(state.LATENCY, "", 1): Cell(1, 30.0)}


def test_no_records_are_an_empty_state():
    assert len(count([], CLICK)) == 0
