"""Routes: which versions, in which roles, and whose a key is."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavial.errors import (
    ConfigurationError,
    CorruptRelease,
    IncompatibleModel,
    InvalidCoordinate,
)
from gavial.monitoring.route import BUCKETS, Role, Route

A, B, C, D = (f"com.acme:churn:1.0.{build}" for build in range(4))
TIMES = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@st.composite
def shares(draw, most=2):
    """Buckets of a champion and its challengers."""
    left, found = BUCKETS, []
    for _ in range(draw(st.integers(1, most))):
        found.append(draw(st.integers(0, left)))
        left -= found[-1]
    return [left, *found]


def split(buckets, salt="s", **more):
    names = (A, B, C)[: len(buckets)]
    weights = {name: one / BUCKETS for name, one in zip(names, buckets, strict=True)}
    return Route.split(weights, key="customer", salt=salt, **more)


def owners(route):
    return [route.arm_of(bucket).version for bucket in range(BUCKETS)]


@st.composite
def routes(draw):
    since = draw(TIMES)
    kind = draw(st.sampled_from(["shadow", "replay", "split"]))
    if kind == "split":
        return split(draw(shares()), draw(st.text("ab-é ", min_size=1, max_size=5)), since=since)
    return getattr(Route, kind)(A, *draw(st.sampled_from([(B,), (B, C), (C, D, B)])), since=since)


@settings(deadline=None)
@given(routes())
def test_a_route_survives_json(route):
    assert Route.from_json(route.to_json()) == route


def test_a_time_in_another_zone_is_the_same_time_after_json():
    since = datetime(2026, 5, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    route = Route.shadow(A, B, since=since)
    assert route.to_json()["since"] == "2026-05-01T00:00:00+00:00"
    assert Route.from_json(route.to_json()) == route


def test_what_a_later_version_adds_is_ignored_and_a_later_format_is_refused():
    found = {**Route.shadow(A, B).to_json(), "colour": "red"}
    assert Route.from_json(found) == Route.shadow(A, B)
    with pytest.raises(IncompatibleModel, match="format 9"):
        Route.from_json({**found, "format": 9})


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "parade"},
        {"versions": []},
        {"versions": [{"coordinate": A, "role": "champion"}]},
        {"versions": [{"coordinate": A, "role": "king"}, {"coordinate": B, "role": "challenger"}]},
        {"versions": [{"coordinate": "x", "role": "champion"}]},
        {"versions": 3},
        {"key": [1]},
        {"key": ["customer"]},
        {"salt": None},
        {"since": "yesterday"},
        {"since": "2026-05-01T00:00:00"},
    ],
)
def test_a_damaged_route_is_corrupt(change):
    with pytest.raises(CorruptRelease):
        Route.from_json({**Route.shadow(A, B).to_json(), **change})
    with pytest.raises(CorruptRelease):
        Route.from_json(None)


@settings(deadline=None)
@given(shares())
def test_each_version_of_a_split_has_as_many_buckets_as_its_weight(buckets):
    route = split(buckets)
    counted = owners(route)
    assert [counted.count(arm.version) for arm in route.arms] == buckets


@settings(deadline=None)
@given(shares(), st.data())
def test_a_challenger_that_gets_more_takes_buckets_of_the_champion_alone(buckets, data):
    which = data.draw(st.integers(1, len(buckets) - 1))
    more = data.draw(st.integers(0, buckets[0]))
    later = list(buckets)
    later[0] -= more
    later[which] += more
    before, after = owners(split(buckets)), owners(split(later))
    moved = {(one, other) for one, other in zip(before, after, strict=True) if one != other}
    assert moved <= {("1.0.0", f"1.0.{which}")}


def test_the_first_of_a_split_is_its_champion():
    route = Route.split({B: 0.9, A: 0.1}, key=["customer", "shop"], salt="may")
    assert (route.champion.version, route.champion.role) == ("1.0.1", Role.CHAMPION)
    assert route.key == ("customer", "shop")
    assert str(route) == "split of com.acme:churn: 1.0.1 (90.00%) against 1.0.0 (10.00%)"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Route.shadow(A), "1 version"),
        (lambda: Route.shadow(A, A), "twice"),
        (lambda: Route.shadow(A, "com.acme:fraud:1.0.1"), "com.acme:churn and com.acme:fraud"),
        (lambda: Route.shadow(A, B, since=datetime(2026, 1, 1)), "no time zone"),
        (lambda: Route.split({A: 0.9, B: 0.2}, key="k", salt="s"), "add up to 1"),
        (lambda: Route.split({A: 1.1, B: -0.1}, key="k", salt="s"), "expected 0 to 1"),
        (lambda: Route.split({A: float("nan"), B: 1.0}, key="k", salt="s"), "expected 0 to 1"),
        (lambda: Route.split({A: 0.99995, B: 0.00005}, key="k", salt="s"), "steps of 0.0001"),
        (lambda: Route.split({A: 1.0}, key="k", salt="s"), "1 version"),
        (lambda: Route.split({A: 0.9, B: 0.1}, key="", salt="s"), "key="),
        (lambda: Route.split({A: 0.9, B: 0.1}, key=[], salt="s"), "key="),
        (lambda: Route.split({A: 0.9, B: 0.1}, key="k", salt=""), "salt="),
        (
            lambda: Route.split({A: 0.7, B: 0.1, C: 0.1, D: 0.1}, key="k", salt="s"),
            "3 challengers",
        ),
    ],
)
def test_what_makes_no_route_is_refused_with_what_was_given(make, said):
    with pytest.raises(ConfigurationError, match=said):
        make()


def test_a_selector_is_no_version_of_a_route():
    with pytest.raises(InvalidCoordinate):
        Route.shadow(A, "com.acme:churn:latest.release")
