"""Quality of several classes, against scikit-learn on the digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from gavial.monitoring import binary, multiclass
from gavial.monitoring.count import count
from gavial.monitoring.profile import MULTICLASS, Profile

TEN = Profile(MULTICLASS, {}, "y", "said", "p", tuple(map(str, range(10))))


@pytest.fixture(scope="module")
def digits():
    found = load_digits()
    data = found.data / 16
    model = LogisticRegression(max_iter=100).fit(data[:300], found.target[:300])
    scores = model.predict_proba(data[300:])
    labels, said = found.target[300:], scores.argmax(axis=1)
    rows = [
        {"y": int(y), "said": float(s), "p": list(map(float, p))}
        for y, s, p in zip(labels, said, scores, strict=True)
    ]
    return labels, said, scores, rows


def test_what_is_exact_is_that_of_scikit_learn(digits):
    labels, said, scores, rows = digits
    state = count(rows, TEN)
    macro = metrics.f1_score(labels, said, average="macro")
    weighted = metrics.f1_score(labels, said, average="weighted")
    assert multiclass.macro_f1(state).value == pytest.approx(macro)
    assert multiclass.weighted_f1(state).value == pytest.approx(weighted)
    assert multiclass.accuracy(state).value == pytest.approx(metrics.accuracy_score(labels, said))
    assert binary.log_loss(state).value == pytest.approx(metrics.log_loss(labels, scores))


@pytest.mark.parametrize(
    ("metric", "average"),
    [(multiclass.macro_f1, "macro"), (multiclass.weighted_f1, "weighted")],
)
def test_the_standard_error_of_an_f1_is_that_of_resampling(digits, metric, average):
    labels, said, _, rows = digits
    draw = np.random.default_rng(0)
    picks = (draw.integers(0, len(labels), len(labels)) for _ in range(200))
    values = [metrics.f1_score(labels[one], said[one], average=average) for one in picks]
    assert metric(count(rows, TEN)).standard_error == pytest.approx(np.std(values), rel=0.15)


def test_an_unseen_class_is_never_found():
    rows = [{"y": "new", "said": 1}, {"y": 1, "said": 1}]
    state = count(rows, TEN)
    assert multiclass.accuracy(state).value == 0.5
    assert multiclass.macro_f1(state).value == pytest.approx((2 / 3 + 0) / 2)


def test_a_record_without_a_prediction_is_wrong():
    state = count([{"y": 1, "said": None}, {"y": 1, "said": 1}, {"said": 2}], TEN)
    assert multiclass.accuracy(state).value == 0.5
    assert math.isclose(multiclass.macro_f1(state).value, 2 / 3)
