"""Metrics of states: they do not mind how records were cut, and keep within what they promise."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.errors import ConfigurationError
from gavial.monitoring import binary, drift
from gavial.monitoring.bins import Categories, Numeric
from gavial.monitoring.bounds import breach
from gavial.monitoring.count import count
from gavial.monitoring.hysteresis import Replay
from gavial.monitoring.measure import measure
from gavial.monitoring.profile import BINARY, MULTICLASS, REGRESSION, Profile, Reference
from gavial.monitoring.rule_file import Settings, parse
from gavial.monitoring.state import Slot, total
from gavial.monitoring.verdict import Finding, Measured, Result, Rule, Status
from gavial.monitoring.windows import Windows

FEATURES = {"x": Numeric((-1.0, 0.0, 2.0, 5.0)), "c": Categories(("a", "b"))}
PROFILES = (
    Profile(BINARY, FEATURES, "y", "said", "p", ("0", "1"), Numeric((0.0, 0.2, 0.5, 0.9, 1.0))),
    Profile(MULTICLASS, FEATURES, "y", "said", "", ("0", "1", "2")),
    Profile(REGRESSION, FEATURES, "y", "said", value_bins=Numeric((0.0, 1.0, 2.0))),
)
odd = st.sampled_from([None, math.nan, math.inf, -math.inf])
probabilities = st.integers(0, 1000).map(lambda n: n / 1000)
records = st.fixed_dictionaries(
    {
        "x": st.floats(-10, 10) | odd,
        "c": st.sampled_from(["a", "b", "new", None]),
        "p": probabilities | odd,
        "y": st.sampled_from([0, 1, 2, None]),
        "said": st.sampled_from([0, 1, 2, None]),
    }
)
several = st.lists(st.lists(records, max_size=12), min_size=1, max_size=4)
histograms = st.dictionaries(st.integers(-7, 30), st.integers(1, 10_000), min_size=1, max_size=30)


@given(several, st.sampled_from(PROFILES))
def test_the_metrics_of_a_sum_are_those_of_all_records(parts, profile):
    whole = count([one for part in parts for one in part], profile)
    summed = total(count(part, profile) for part in reversed(parts))
    reference = Reference(profile, "1.0.0", (count(parts[0], profile),))
    for one, other in zip(
        measure(whole, profile, reference), measure(summed, profile, reference), strict=True
    ):
        assert (one.metric, one.column, one.n, one.why) == (
            other.metric, other.column, other.n, other.why
        )  # fmt: skip
        if one.value is not None:
            assert one.value == pytest.approx(other.value, rel=1e-9, abs=1e-9)


@given(several, st.sampled_from(PROFILES))
def test_a_metric_has_a_value_or_a_reason_and_is_never_nan(parts, profile):
    reference = Reference(profile, "1.0.0", tuple(count(part, profile) for part in parts))
    for one in measure(count(parts[0], profile), profile, reference):
        assert (one.value is None) == bool(one.why)
        for number in (one.value, one.error, one.standard_error, one.chance):
            assert number is None or math.isfinite(number)


@given(st.lists(st.tuples(probabilities, st.booleans()), min_size=2, max_size=60))
def test_the_true_auc_is_always_within_the_error(pairs):
    state = count([{"p": p, "y": int(y)} for p, y in pairs], PROFILES[0])
    found = binary.auc(state)
    positive = [p for p, y in pairs if y]
    negative = [p for p, y in pairs if not y]
    if not positive or not negative:
        assert found.value is None
        return
    wins = sum((p > n) + (p == n) / 2 for p in positive for n in negative)
    assert abs(found.value - wins / len(positive) / len(negative)) <= found.error + 1e-12


@given(histograms, histograms)
def test_drift_is_symmetric_within_its_range_and_nothing_between_equals(one, other):
    assert drift.psi(one, other) >= 0
    assert 0 <= drift.jensen_shannon(one, other) <= 1
    assert drift.jensen_shannon(one, other) == pytest.approx(drift.jensen_shannon(other, one))
    assert drift.psi(one, one) == 0
    assert drift.jensen_shannon(one, one) == pytest.approx(0, abs=1e-7)


@given(histograms, histograms)
def test_bins_put_together_lose_no_record(reference, found):
    put = drift.coarse(reference)
    assert sum(put(found).values()) == sum(found.values())
    assert len([one for one in put(reference) if one >= 0]) <= drift.GROUPS
    assert {n: c for n, c in put(found).items() if n < 0} == {
        n: c for n, c in found.items() if n < 0
    }


numbers = st.lists(st.floats(-100, 100), min_size=2, max_size=30)


@given(numbers, numbers)
def test_the_true_wasserstein_distance_is_within_the_error(one, other):
    bins = Numeric((-50.0, -1.0, 0.0, 1.0, 50.0))
    profile = Profile("unlabelled", {"x": bins})
    before, after = (
        drift.finite_cells(count(({"x": x} for x in values), profile), "feature", "x")
        for values in (one, other)
    )
    mean = math.fsum(one) / len(one)
    scale = math.sqrt(math.fsum((x - mean) ** 2 for x in one) / len(one))
    if scale < 1e-6:
        return
    value, error = drift.wasserstein(before, after)
    steps = sorted([*((x, 1 / len(one)) for x in one), *((x, -1 / len(other)) for x in other)])
    true, between = 0.0, 0.0
    for (here, weight), (there, _) in pairwise(steps):
        between += weight
        true += abs(between) * (there - here)
    assert abs(value - true / scale) <= error + 1e-6


RULE = Rule("log_loss", high=1.0, expected=0.8, spread=0.5)


@given(st.floats(0, 5), st.floats(0, 5), st.integers(1, 10_000), st.integers(0, 10_000))
def test_what_is_worse_or_surer_is_never_less_of_a_breach(value, more, n, further):
    found = breach(RULE, Measured("log_loss", "", value, n))
    worse = breach(RULE, Measured("log_loss", "", value + more, n))
    surer = breach(RULE, Measured("log_loss", "", value, n + further))
    assert (worse > 0) >= (found > 0)
    assert (surer > 0) >= (found > 0)


def _window(day: int, status: Status) -> Result:
    window = Windows("day").of(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day))
    measured = Measured("log_loss", "", 1.0, 1000)
    finding = Finding(RULE, measured, status, f"day {day}")
    return Result(Slot("org:m", "1.0.0", window, ""), (measured,), (finding,), status)


statuses = st.lists(st.sampled_from(list(Status)), min_size=1, max_size=30)


@given(statuses, st.integers(1, 4), st.integers(1, 4))
def test_an_alarm_takes_so_many_bad_windows_and_ends_after_so_many_good_ones(found, bad, good):
    replay = Replay(Settings(windows_to_alert=bad, windows_to_clear=good))
    seen = [replay.step(_window(day, status)) for day, status in enumerate(found)]
    for place, now in enumerate(seen):
        judged = [one for one in found[: place + 1] if one is not Status.NOT_ENOUGH_DATA]
        if now is Status.ALERT:
            assert judged.count(Status.ALERT) >= bad
            assert judged[-good:] != [Status.OK] * good
        if len(judged) >= bad and judged[-bad:] == [Status.ALERT] * bad:
            assert now is Status.ALERT
        if now is Status.OK:
            assert Status.OK in judged


@given(statuses)
def test_a_window_that_is_not_judged_changes_no_alarm(found):
    without = [one for one in found if one is not Status.NOT_ENOUGH_DATA]
    ends = []
    for windows in (found, without):
        replay = Replay(Settings())
        for day, status in enumerate(windows):
            replay.step(_window(day, status))
        ends.append({key: one.alarm for key, one in replay.watches.items() if one.alarm})
    assert ends[0] == ends[1]


@given(st.text(max_size=80))
def test_a_file_of_rules_is_read_or_refused(text):
    try:
        parse(text)
    except ConfigurationError as error:
        assert "rules.toml" in str(error)
