"""Confidence sequences, against a program of others and by simulation."""

import json
import math
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.monitoring import chi_square, sequence
from gavial.monitoring.sample_ratio import sample_ratio
from gavial.monitoring.state import Cell

ORACLE = Path(__file__).parents[3] / "build" / "oracles" / "bin" / "python"


def asked(script, given):
    assert ORACLE.is_file(), f"{ORACLE} is not there: make build/oracles/.installed"
    done = subprocess.run(
        [ORACLE, "-c", script], input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_interval_of_a_mean_is_that_of_ville():
    """Of AsymptoticCS, which finds its rho by a numeric search."""
    rng = random.Random(7)
    values = [rng.gauss(0.3, 2.0) for _ in range(3000)]
    looks = [100, 250, 1000, 3000]
    script = """
import json, sys, ville
given = json.load(sys.stdin)
found = []
for alpha, intended in given["how"]:
    one = ville.AsymptoticCS(alpha=alpha, t_opt=intended).fit(given["values"])
    found.append([[float(one.lower_[n - 1]), float(one.upper_[n - 1])] for n in given["looks"]])
print(json.dumps(found))
"""
    how = [(0.05, 500), (0.05, 10_000), (0.01, 1000), (0.2, 50)]
    theirs = asked(script, {"values": values, "looks": looks, "how": how})
    for (alpha, intended), expected in zip(how, theirs, strict=True):
        for n, (low, high) in zip(looks, expected, strict=True):
            ours = sequence.mean(Cell.of(values[:n]), alpha, intended)
            assert ours.low == pytest.approx(low, rel=1e-5, abs=1e-6)
            assert ours.high == pytest.approx(high, rel=1e-5, abs=1e-6)


def test_chi_square_is_that_of_scipy():
    script = """
import json, sys
from scipy.stats import chi2
print(json.dumps([chi2.sf(x, k) for x, k in json.load(sys.stdin)]))
"""
    pairs = [(x, k) for x in (0.01, 0.5, 3.84, 10.0, 60.0, 300.0) for k in range(1, 9)]
    for (x, k), expected in zip(pairs, asked(script, pairs), strict=True):
        assert chi_square.tail(x, k) == pytest.approx(expected, rel=1e-9)


@given(st.floats(1e-6, 0.5), st.integers(1, 10**9))
def test_no_other_rho_is_narrower_at_the_intended_number(alpha, intended):
    found = sequence.rho(intended, alpha)

    def width(rho):
        grown = intended * rho**2
        return (grown + 1) / grown * math.log((grown + 1) / alpha**2)

    assert width(found) <= min(width(found * 0.9), width(found * 1.1)) * (1 + 1e-12)


@given(st.integers(1, 10**7), st.integers(1, 10**6), st.integers(10, 10**7))
def test_more_records_are_never_a_wider_interval(n, more, intended):
    one, other = (sequence.width(each, 0.05, intended) for each in (n, n + more))
    assert other <= one


def test_a_ramp_over_days_of_other_loss_is_no_effect():
    """Pooled, the version that got most of the bad day looks worse: Simpson's paradox."""
    rng = random.Random(1)
    days = []
    for level, first, second in ((0.2, 9000, 1000), (0.8, 1000, 9000)):
        one, other = (Cell.of(level + rng.gauss(0, 0.1) for _ in range(n)) for n in (first, second))
        days.append((one, other))
    pooled = sequence.difference([(days[0][0] + days[1][0], days[0][1] + days[1][1])], 0.05, 10_000)
    by_day = sequence.difference(days, 0.05, 10_000)
    assert pooled.low > 0.4
    assert by_day.low < 0 < by_day.high
    assert abs(by_day.value) < 0.01


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12))
def test_strata_lose_no_record_and_have_enough_in_each(days):
    windows = [(Cell(one), Cell(other)) for one, other in days]
    found = sequence.strata(windows, 10)
    assert all(one.n >= 10 and other.n >= 10 for one, other in found)
    if found:
        assert sum(one.n + other.n for one, other in found) == sum(map(sum, days))


@given(st.floats(-0.5, 0.5), st.floats(0.01, 5), st.integers(100, 10**6), st.floats(0, 0.5))
def test_what_is_needed_brings_a_verdict_and_hardly_less_does(value, scale, n, margin):
    now = sequence.Interval(n, value, scale, -math.inf, math.inf)
    more = sequence.needed(now, margin, 0.05, 10_000)

    def told(count):
        half = scale * sequence.width(count, 0.05, 10_000)
        return half < abs(value) or abs(value) + half < margin

    if more is not None:
        assert told(n + more)
        assert not told((n + more) * 0.999 - 1) or n + more <= 2 * n
    else:
        assert not told(10**11)


def test_nobody_can_say_what_is_needed_where_nothing_differs():
    assert sequence.needed(sequence.Interval(500, 0.0, 1.0, -1, 1), 0.0, 0.05, 1000) is None
    assert sequence.needed(sequence.Interval(0, 0.0, 0.0, -1, 1), 0.1, 0.05, 1000) is None


def test_a_version_that_was_to_get_nothing_and_got_something_has_not_its_share():
    assert sample_ratio((1.0, 0.0), (100, 0)).holds
    assert not sample_ratio((1.0, 0.0), (100, 1)).holds
    assert sample_ratio((0.5, 0.5), (0, 0)).p == 1.0
