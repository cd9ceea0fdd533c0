"""Quality of two classes, against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from shows import quantiles
from sklearn import metrics
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gavial.monitoring import binary
from gavial.monitoring.bins import Numeric
from gavial.monitoring.count import count
from gavial.monitoring.profile import BINARY, Profile

TEN = Numeric(tuple(n / 10 for n in range(11)))
PROFILE = Profile(BINARY, {}, "y", "said", "p", ("0", "1"), TEN)


def counted(scores, labels, bins=TEN, said=None):
    said = [int(p >= 0.5) for p in scores] if said is None else said
    profile = Profile(BINARY, {}, "y", "said", "p", ("0", "1"), bins)
    rows = ({"p": p, "y": y, "said": s} for p, y, s in zip(scores, labels, said, strict=True))
    return count(rows, profile)


@pytest.fixture(scope="module")
def tumours():
    """Scores and labels of breast cancer by two of its features, and what they add up to."""
    found = load_breast_cancer()
    data = found.data[:, [4, 9]]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data, found.target)
    scores = model.predict_proba(data)[:, 1]
    bins = quantiles(pd.Series(scores), 50)
    return scores, found.target, counted(scores.tolist(), found.target.tolist(), bins)


def test_the_true_auc_is_within_the_error_of_the_binned_one(tumours):
    scores, labels, state = tumours
    found = binary.auc(state)
    assert 0 < found.error < 0.02
    assert abs(found.value - metrics.roc_auc_score(labels, scores)) <= found.error


def test_an_auc_is_exact_where_a_bin_holds_one_score():
    scores, labels = [0.1, 0.1, 0.25, 0.35, 0.35, 0.9], [0, 1, 0, 1, 0, 1]
    found = binary.auc(counted(scores, labels))
    assert found.error == 0
    assert found.value == pytest.approx(metrics.roc_auc_score(labels, scores))


def test_scores_beyond_the_edges_keep_their_order():
    bins = Numeric((0.4, 0.6))
    scores, labels = [0.1, 0.2, 0.5, 0.7, -math.inf, math.inf], [0, 1, 0, 1, 0, 1]
    found = binary.auc(counted(scores, labels, bins))
    ranks = [*scores[:4], -9.0, 9.0]
    assert found.value == pytest.approx(metrics.roc_auc_score(labels, ranks))


def test_the_standard_error_of_an_auc_is_that_of_delong(tumours):
    scores, labels, state = tumours
    found = binary.auc(state)
    positive, negative = scores[labels == 1], scores[labels == 0]
    wins = (positive[:, None] > negative) + (positive[:, None] == negative) / 2
    variance = wins.mean(1).var(ddof=1) / len(positive) + wins.mean(0).var(ddof=1) / len(negative)
    assert found.standard_error == pytest.approx(math.sqrt(variance), rel=0.05)


@pytest.mark.parametrize(
    ("metric", "theirs"),
    [
        (binary.log_loss, lambda y, p: metrics.log_loss(y, p)),
        (lambda one: binary.brier(one, PROFILE), metrics.brier_score_loss),
        (binary.accuracy, lambda y, p: metrics.accuracy_score(y, p >= 0.5)),
        (binary.precision, lambda y, p: metrics.precision_score(y, p >= 0.5)),
        (binary.recall, lambda y, p: metrics.recall_score(y, p >= 0.5)),
        (binary.f1, lambda y, p: metrics.f1_score(y, p >= 0.5)),
        (lambda one: binary.calibration_bias(one, PROFILE), lambda y, p: (p - y).mean()),
    ],
)
def test_what_is_exact_is_that_of_scikit_learn(tumours, metric, theirs):
    scores, labels, state = tumours
    assert metric(state).value == pytest.approx(theirs(labels, scores), abs=1e-12)


def test_the_standard_errors_of_means_are_those_of_their_records(tumours):
    scores, labels, state = tumours
    n = len(labels)
    squares, gaps = (scores - labels) ** 2, scores - labels
    assert binary.brier(state, PROFILE).standard_error == pytest.approx(
        squares.std(ddof=1) / math.sqrt(n), rel=0.01
    )
    assert binary.calibration_bias(state, PROFILE).standard_error == pytest.approx(
        gaps.std(ddof=1) / math.sqrt(n), rel=1e-9
    )


def test_a_calibration_error_is_over_groups_of_equal_mass(tumours):
    scores, labels, state = tumours
    found = binary.calibration(state)
    assert sum(n for n, _, _ in found) == len(labels)
    assert len(found) == binary.GROUPS
    assert max(n for n, _, _ in found) < 2 * len(labels) / binary.GROUPS
    order = np.argsort(scores)
    edges = np.cumsum([n for n, _, _ in found])[:-1]
    groups = np.split(order, edges)
    by_hand = sum(abs(scores[one].sum() - labels[one].sum()) for one in groups) / len(labels)
    assert binary.calibration_error(state, PROFILE).value == pytest.approx(by_hand, abs=1e-9)


def test_calibrated_scores_are_within_what_chance_gives_a_calibration_error():
    draw = np.random.default_rng(3)
    beyond = 0
    for _ in range(200):
        scores = draw.uniform(size=300)
        state = counted(scores.tolist(), (draw.uniform(size=300) < scores).astype(int).tolist())
        found = binary.calibration_error(state, PROFILE)
        beyond += found.value > found.chance
    assert beyond <= 4


def test_no_f1_is_told_where_nothing_is_positive():
    found = binary.f1(counted([0.1, 0.2], [0, 0]))
    assert (found.value, found.why) == (None, "no record is positive or was said to be")


def test_a_share_of_few_records_has_a_standard_error_though_all_are_alike():
    assert binary.precision(counted([0.9, 0.8], [1, 1])).standard_error > 0.1
