"""Drift, against scipy and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon
from shows import quantiles

from gavial.monitoring import chi_square, drift
from gavial.monitoring import state as kinds
from gavial.monitoring.bins import ABOVE, NULL, POSITIVE_INFINITY, UNSEEN
from gavial.monitoring.count import count
from gavial.monitoring.profile import UNLABELLED, Profile


@pytest.mark.parametrize("degrees", [1, 2, 3, 5, 10, 19, 24, 50, 199])
def test_a_chi_square_quantile_is_within_a_hundredth_of_that_of_scipy(degrees):
    assert chi_square.quantile(0.99, degrees) == pytest.approx(
        stats.chi2.ppf(0.99, degrees), rel=0.01
    )


def test_a_jensen_shannon_distance_is_that_of_scipy():
    one, other = {0: 30, 1: 50, NULL: 20}, {0: 10, 1: 20, 2: 5}
    expected = jensenshannon([30, 50, 20, 0], [10, 20, 0, 5], base=2)
    assert drift.jensen_shannon(one, other) == pytest.approx(expected)


def test_a_psi_is_that_of_its_formula():
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4])
    counts = ({n: int(share * 1_000_000) for n, share in enumerate(one)} for one in (p, q))
    assert drift.psi(*counts) == pytest.approx(((q - p) * np.log(q / p)).sum(), rel=1e-4)


def test_a_psi_without_drift_is_as_expected_and_rarely_beyond_chance():
    draw = np.random.default_rng(1)
    n, m, bins = 2000, 500, 20
    found = []
    for _ in range(2000):
        pair = (draw.multinomial(size, [1 / bins] * bins) for size in (n, m))
        found.append(drift.psi(*({k: int(v) for k, v in enumerate(one)} for one in pair)))
    assert np.mean(found) == pytest.approx(drift.psi_without_drift(bins, n, m), rel=0.05)
    assert np.mean(np.array(found) > drift.psi_by_chance(bins, n, m)) < 0.02


def test_a_wasserstein_distance_is_within_its_error_of_that_of_scipy():
    draw = np.random.default_rng(2)
    one, other = draw.lognormal(size=3000), draw.lognormal(0.2, 1.3, size=2000)
    profile = Profile(UNLABELLED, {"x": quantiles(pd.Series(one), 20)})
    cells = (
        drift.finite_cells(count(({"x": x} for x in values), profile), kinds.FEATURE, "x")
        for values in (one, other)
    )
    value, error = drift.wasserstein(*cells)
    true = stats.wasserstein_distance(one, other) / one.std()
    assert abs(value - true) <= error
    assert abs(value - true) < 0.05 * true


def test_what_is_beyond_the_edges_counts_in_a_wasserstein_distance():
    profile = Profile(UNLABELLED, {"x": quantiles(pd.Series([0.0, 1.0]), 2)})
    before, after = (
        drift.finite_cells(count(({"x": x} for x in values), profile), kinds.FEATURE, "x")
        for values in ([0.0, 1.0], [100.0, 101.0])
    )
    assert drift.wasserstein(before, after)[0] == pytest.approx(200.0)


def test_a_constant_reference_has_no_scale():
    profile = Profile(UNLABELLED, {"x": quantiles(pd.Series([3.0, 3.0]), 2)})
    state = count([{"x": 3.0}, {"x": 4.0}], profile)
    cells = drift.finite_cells(state, kinds.FEATURE, "x")
    found = drift.moved("wasserstein", "x", cells[:1], cells)
    assert (found.value, found.why) == (None, "the reference is one number: it has no scale")


def test_rates_are_of_all_records_and_guards():
    found = {0: 5, NULL: 1, ABOVE: 2, POSITIVE_INFINITY: 1, UNSEEN: 1}
    assert drift.null_rate(found, "x").value == 0.1
    assert drift.nan_rate(found, "x").value == 0.1
    assert drift.out_of_range_rate(found, "x").value == 0.2
    assert drift.unseen_rate(found, "x").value == 0.1
    assert drift.null_rate({}, "x").value is None


def test_many_bins_are_put_together_by_the_mass_of_the_reference():
    reference = dict.fromkeys(range(200), 10) | {NULL: 7}
    put = drift.coarse(reference)
    assert put(reference) == dict.fromkeys(range(20), 100) | {NULL: 7}
    assert put({0: 1, 199: 2, NULL: 3, ABOVE: 4}) == {0: 1, 19: 2, NULL: 3, ABOVE: 4}


def test_a_new_guard_bin_is_drift():
    (psi, distance) = drift.shift("", "x", {0: 100, 1: 100}, {0: 50, 1: 50, NULL: 100})
    assert psi.value > 1
    assert distance.value > 0.4
    assert math.isclose(psi.chance, drift.psi_by_chance(3, 200, 200))
