"""Rules that a reference teaches."""

from __future__ import annotations

import numpy as np
import pytest

from gavial.monitoring.bins import Numeric
from gavial.monitoring.count import count
from gavial.monitoring.learned import learn
from gavial.monitoring.profile import BINARY, REGRESSION, UNLABELLED, Profile, Reference
from gavial.monitoring.rules import RuleSet
from gavial.monitoring.verdict import Level

TENTHS = Numeric(tuple(n / 10 for n in range(11)))
PROFILE = Profile(BINARY, {"x": TENTHS}, "y", "said", "p", ("0", "1"), TENTHS)


def records(draw, n, harder=0.0):
    """Records whose score is calibrated, but for a share that is no better than chance."""
    scores = draw.uniform(size=n)
    shares = (1 - harder) * scores + harder * 0.5
    labels = draw.uniform(size=n) < shares
    return [
        {"x": x, "p": p, "y": int(y), "said": int(p > 0.5)}
        for x, p, y in zip(draw.uniform(size=n), scores.tolist(), labels, strict=True)
    ]


def rules_of(chunks, profile=PROFILE):
    found = learn(Reference(profile, "1.0.0", tuple(count(one, profile) for one in chunks)))
    return {(one.metric, one.column): one for one in found}


@pytest.fixture(scope="module")
def alike():
    draw = np.random.default_rng(0)
    return rules_of([records(draw, 2000) for _ in range(8)])


def test_chunks_that_are_alike_teach_the_floor(alike):
    auc, loss = alike["auc", ""], alike["log_loss", ""]
    assert (auc.expected - auc.low, auc.high) == (pytest.approx(0.02), None)
    assert (loss.high, loss.low) == (pytest.approx(1.05 * loss.expected), None)
    assert auc.why == "0.02 less than at release"
    assert alike["psi", "x"].high == alike["score_psi", ""].high == 0.2
    assert alike["null_rate", "x"].high == 0.05


def test_chunks_that_differ_teach_how_much():
    draw = np.random.default_rng(0)
    found = rules_of([records(draw, 2000, 0.4 * (n % 2)) for n in range(8)])["log_loss", ""]
    assert found.high > 1.2 * found.expected
    assert found.why == "three standard deviations over 8 chunks of the reference"


def test_what_sampling_does_to_chunks_is_not_taught():
    draw = np.random.default_rng(0)
    found = rules_of([records(draw, 150) for _ in range(20)])["auc", ""]
    at_150 = found.spread / 150**0.5
    assert found.expected - found.low < 2 * at_150  # and not three, as of the plain deviation


def test_a_chunk_that_drifts_teaches_that_it_may():
    draw = np.random.default_rng(0)
    chunks = [records(draw, 500) for _ in range(5)]
    for one in chunks[0]:
        one["x"] /= 3
    found = rules_of(chunks)["psi", "x"]
    assert found.high > 1
    assert found.why == "as much as one chunk of the reference differs from the others"


def test_one_chunk_teaches_floors_alone():
    draw = np.random.default_rng(0)
    found = rules_of([records(draw, 500)])
    assert found["auc", ""].expected - found["auc", ""].low == pytest.approx(0.02)


def test_quality_and_broken_data_alert_and_drift_of_features_is_a_note(alike):
    levels = {metric: one.level for (metric, _), one in alike.items()}
    alerts = {one for one, level in levels.items() if level is Level.ALERT}
    data = {"null_rate", "nan_rate", "score_null_rate"}
    assert alerts == {"auc", "log_loss", "brier", "f1"} | data
    assert levels["score_psi"] is levels["estimated_auc"] is Level.WITHOUT_LABELS
    assert levels["psi"] is levels["label_psi"] is levels["accuracy"] is Level.NOTE


def test_drift_of_features_alerts_where_nothing_else_is_watched():
    profile = Profile(UNLABELLED, {"x": TENTHS})
    draw = np.random.default_rng(0)
    found = rules_of([records(draw, 500) for _ in range(3)], profile)
    assert found["psi", "x"].level is Level.WITHOUT_LABELS


def test_what_cannot_be_told_from_chance_teaches_nothing():
    profile = Profile(REGRESSION, {}, "y", "said", value_bins=TENTHS)
    rows = [{"y": n % 10 / 10, "said": 0.9 - n % 10 / 10} for n in range(300)]
    found = rules_of([rows, rows], profile)
    assert ("r2", "") not in found
    assert found["rmse", ""].high > found["rmse", ""].expected


def test_an_empty_reference_teaches_nothing():
    assert learn(Reference(PROFILE, "1.0.0", ())) == ()
    assert learn(Reference(PROFILE, "1.0.0", (count([], PROFILE),) * 3)) == ()


@pytest.fixture(scope="module")
def reference():
    draw = np.random.default_rng(1)
    return Reference(PROFILE, "1.0.0", tuple(count(records(draw, 300), PROFILE) for _ in range(3)))


def judged_by(reference, text, segment=""):
    found = RuleSet.of(reference, text).rules(PROFILE, reference, segment)
    return {(one.metric, one.column): one for one in found}


def test_a_rule_with_bounds_takes_the_place_of_a_learned_one(reference):
    found = judged_by(reference, '[[rule]]\nmetric = "auc"\nlow = 0.6')["auc", ""]
    assert (found.low, found.source, found.spread, found.minimum) == (0.6, "rules.toml", None, 100)
    assert found.expected is not None


def test_a_rule_with_a_level_alone_leaves_the_learned_bounds(reference):
    before = judged_by(reference, "")["log_loss", ""]
    text = '[[rule]]\nmetric = "log_loss"\nlevel = "note"\nminimum = 7'
    after = judged_by(reference, text)["log_loss", ""]
    assert (after.level, after.minimum, after.high) == (Level.NOTE, 7, before.high)


def test_a_learned_rule_may_be_switched_off(reference):
    found = judged_by(reference, '[[rule]]\nmetric = "psi"\ncolumn = "x"\noff = true')
    assert ("psi", "x") not in found
    assert ("auc", "") in found


def test_all_learned_rules_may_be_switched_off(reference):
    text = 'learned = false\n[[rule]]\nmetric = "psi"\nhigh = 1.0'
    assert list(judged_by(reference, text)) == [("psi", "x")]


def test_a_setting_for_all_changes_the_minimum_of_learned_rules(reference):
    assert {one.minimum for one in judged_by(reference, "minimum = 9").values()} == {9}


def test_the_last_of_several_rules_counts(reference):
    text = '[[rule]]\nmetric = "auc"\nlow = 0.6\n[[rule]]\nmetric = "auc"\nlow = 0.7'
    assert judged_by(reference, text)["auc", ""].low == 0.7


def test_a_segment_has_the_rules_of_the_file_alone(reference):
    text = """
    [[rule]]
    metric = "auc"
    segment = "x=1"
    low = 0.6
    [[rule]]
    metric = "f1"
    segment = ""
    low = 0.5
    [[rule]]
    metric = "recall"
    low = 0.4
    """
    assert {one for one, _ in judged_by(reference, text, "x=1")} == {"auc", "recall"}
    assert {one for one, _ in judged_by(reference, text, "x=2")} == {"recall"}
    assert judged_by(reference, text)["auc", ""].source == "learned"


def test_the_number_of_records_has_no_minimum():
    (found,) = RuleSet.of(None, '[[rule]]\nmetric = "records"\nlow = 5').rules(PROFILE, None)
    assert found.minimum == 0
