"""Quality of a number, against scikit-learn on the diabetes records."""

from __future__ import annotations

import math

import pytest
from sklearn import metrics
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

from gavial.monitoring import regression
from gavial.monitoring.bins import Numeric
from gavial.monitoring.count import count
from gavial.monitoring.profile import REGRESSION, Profile

PROFILE = Profile(REGRESSION, {}, "y", "said", value_bins=Numeric((0.0, 100.0, 200.0, 300.0)))


@pytest.fixture(scope="module")
def diabetes():
    data, labels = load_diabetes(return_X_y=True)
    said = LinearRegression().fit(data[:200], labels[:200]).predict(data[200:])
    rows = [{"y": y, "said": s} for y, s in zip(labels[200:], said, strict=True)]
    return labels[200:], said, count(rows, PROFILE)


def test_what_is_exact_is_that_of_scikit_learn(diabetes):
    labels, said, state = diabetes
    root = metrics.root_mean_squared_error(labels, said)
    assert regression.mae(state).value == pytest.approx(metrics.mean_absolute_error(labels, said))
    assert regression.rmse(state).value == pytest.approx(root)
    assert regression.bias(state).value == pytest.approx((said - labels).mean())
    assert regression.r2(state).value == pytest.approx(metrics.r2_score(labels, said))


def test_the_standard_error_of_a_mean_is_that_of_its_records(diabetes):
    labels, said, state = diabetes
    errors = abs(said - labels)
    expected = errors.std(ddof=1) / math.sqrt(len(errors))
    assert regression.mae(state).standard_error == pytest.approx(expected)


def test_no_r2_is_told_where_every_label_is_one_number():
    state = count([{"y": 5.0, "said": 4.0}, {"y": 5.0, "said": 6.0}], PROFILE)
    assert regression.r2(state).why == "every label is one number"


def test_errors_too_large_to_square_are_told_as_such():
    state = count([{"y": 1e300, "said": -1e300}], PROFILE)
    assert regression.rmse(state).value is None
    assert "too large" in regression.rmse(state).why
