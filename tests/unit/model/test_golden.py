"""Golden samples are compared value by value."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.model.golden import Golden, compare

VECTOR = {"type": 1, "values": [0.25, 0.75]}

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["NaN", "Infinity", "-Infinity", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=4,
)
samples = st.lists(st.fixed_dictionaries({"p": values, "q": values}), max_size=4).map(
    lambda rows: Golden(("p", "q"), tuple(rows))
)


def golden(*rows, columns=("p",)):
    return Golden(columns, tuple({"p": row} for row in rows))


@given(samples)
def test_a_sample_comes_back_through_a_file_and_is_the_same(sample):
    back = Golden.from_json(json.loads(json.dumps(sample.to_json())))
    assert back == sample
    assert compare(sample, back, tolerance=0.0) == compare(sample, sample)
    assert compare(sample, back, tolerance=0.0).same


@given(samples, samples)
def test_two_samples_are_the_same_whichever_is_first(one, other):
    assert compare(one, other, 0.0).same == compare(other, one, 0.0).same


def test_the_largest_difference_is_told_with_its_place():
    now = {"type": 1, "values": [0.25, 0.5]}
    found = compare(golden(VECTOR, VECTOR), golden(VECTOR, now))
    assert (found.same, found.largest, found.where) == (False, 0.25, "record 2, p/values/1")
    assert found.problems == ("record 2, p/values/1: 0.75, now 0.5",)


def test_a_difference_within_the_tolerance_is_told_and_forgiven():
    found = compare(golden(0.5), golden(0.5 + 1e-9))
    assert (found.same, found.where) == (True, "record 1, p")
    assert found.largest == pytest.approx(1e-9)


def test_the_tolerance_is_relative_above_one():
    assert compare(golden(1e9), golden(1e9 + 100)).same
    assert not compare(golden(1e9), golden(1e9 + 10_000)).same


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("NaN", 1.0),
        (1.0, "Infinity"),
        ("Infinity", "-Infinity"),
        (10**400, 1),
        (1e308, -1e308),
        (10**308, -(10**308)),
    ],
)
def test_what_is_infinitely_far_is_not_the_same(before, now):
    found = compare(golden(before), golden(now))
    assert (found.same, found.largest) == (False, math.inf)


@pytest.mark.parametrize(
    ("before", "now"),
    [("a", "b"), (None, 0), (True, 1), ([1], [1, 2]), ({"a": 1}, {"b": 1}), ("NaN", "a")],
)
def test_other_values_are_the_same_or_not(before, now):
    assert not compare(golden(before), golden(now)).same


def test_whole_and_broken_numbers_of_one_size_are_the_same():
    assert compare(golden(1), golden(1.0), tolerance=0.0).same


def test_records_in_another_order_are_the_same():
    assert compare(golden(1.0, 2.0, 3.0), golden(3.0, 1.0, 2.0)).same


def test_records_in_another_order_are_compared_with_the_nearest():
    found = compare(golden(1.0, 2.0, 3.0), golden(3.0, 1.5, 2.0))
    assert (found.same, found.largest) == (False, 0.5)


def test_records_and_columns_that_are_gone_are_problems():
    now = Golden(("q",), ({"q": 1},))
    assert compare(golden(1, 2), now).problems == (
        "the column 'p' is gone",
        "the column 'q' is new",
        "1 records were made of 2",
    )
