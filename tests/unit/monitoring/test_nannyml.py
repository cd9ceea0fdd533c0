"""Against NannyML's own numbers, on its car loans: ten chunks of 5,000 records, drifted from the
sixth on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from shows import ORACLES, bins_of, by_day, pieces, quantiles, rows, verdict

from gavial.monitoring.count import count
from gavial.monitoring.measure import measure
from gavial.monitoring.profile import BINARY, Profile, Reference
from gavial.monitoring.verdict import Status

FEATURES = ["car_value", "debt_to_income_ratio", "salary_range", "loan_length"]


@pytest.fixture(scope="module")
def nannyml():
    """What NannyML says, in an environment of its own."""
    script = Path(__file__).with_name("nannyml_numbers.py")
    run = [str(ORACLES / "bin" / "python"), str(script)]
    found = subprocess.run(run, capture_output=True, check=True, timeout=300)
    return json.loads(found.stdout)


@pytest.fixture(scope="module")
def loans():
    """The same records: of each chunk its metrics by name and column, with and without labels; the
    standard deviations of the reference; and the verdicts with and without labels."""
    (folder,) = ORACLES.glob("lib/python*/site-packages/nannyml/datasets/data")
    before = pd.read_csv(folder / "synthetic_car_loan_reference.csv")
    after = pd.read_csv(folder / "synthetic_car_loan_analysis.csv")
    target = pd.read_csv(folder / "synthetic_car_loan_analysis_target.csv")
    profile = Profile(
        BINARY,
        {name: bins_of(before[name]) for name in FEATURES},
        "repaid",
        "y_pred",
        "y_pred_proba",
        ("0", "1"),
        quantiles(before.y_pred_proba, 200),
    )
    chunks = tuple(count(rows(part), profile) for part in pieces(before, 10))
    reference = Reference(profile, "1.0.0", chunks)

    def judged(frame):
        states = [count(rows(part), profile) for part in pieces(frame, 10)]
        found = [
            {(one.metric, one.column): one for one in measure(state, profile, reference)}
            for state in states
        ]
        return found, verdict(profile, chunks, by_day(states))

    (labelled, with_labels), (unlabelled, without) = (
        judged(one) for one in (after.merge(target, on="id"), after)
    )
    return labelled, unlabelled, before.std(numeric_only=True), with_labels, without


@pytest.mark.parametrize(
    ("metric", "theirs"),
    [(one, one) for one in ("precision", "recall", "f1", "accuracy")] + [("auc", "roc_auc")],
)
def test_quality_by_chunk_is_that_of_nannyml(nannyml, loans, metric, theirs):
    for chunk, expected in zip(loans[0], nannyml["realised"][theirs], strict=True):
        found = chunk[metric, ""]
        assert abs(found.value - expected) <= found.error + 1e-12


@pytest.mark.parametrize(
    ("metric", "theirs"),
    [(one, one) for one in ("precision", "recall", "f1", "accuracy")] + [("auc", "roc_auc")],
)
def test_estimates_are_within_a_thousandth_of_those_of_nannyml(nannyml, loans, metric, theirs):
    for chunk, expected in zip(loans[1], nannyml["estimated"][theirs], strict=True):
        assert chunk[f"estimated_{metric}", ""].estimated
        assert abs(chunk[f"estimated_{metric}", ""].value - expected) <= 0.001


def test_an_estimate_follows_what_came_true(loans):
    for labelled, unlabelled in zip(*loans[:2], strict=True):
        came_true = labelled["auc", ""]
        assert unlabelled["auc", ""].value is None
        assert abs(unlabelled["estimated_auc", ""].value - came_true.value) <= 0.006


@pytest.mark.parametrize("column", ["car_value", "debt_to_income_ratio"])
def test_wasserstein_distances_are_those_of_nannyml_but_for_the_bins(nannyml, loans, column):
    scale = loans[2][column]
    for chunk, expected in zip(loans[0], nannyml["wasserstein"][column], strict=True):
        found = chunk["wasserstein", column]
        # NannyML puts numbers in bins of its own. What is guaranteed is far more than what is seen.
        assert abs(found.value - expected / scale) <= min(0.004, found.error)


def test_the_verdict_is_an_alert_from_the_second_chunk_that_drifted(loans):
    seventh = loans[3].results[6].slot.window
    for found, metric in ((loans[3], "brier"), (loans[4], "estimated_brier")):
        assert (found.status, found.since) == (Status.ALERT, seventh)
        broken = [one.rule.metric for one in found.results[5].findings if one.status == "alert"]
        assert metric in broken
        assert not any(one.status is Status.ALERT for one in found.results[:5])
