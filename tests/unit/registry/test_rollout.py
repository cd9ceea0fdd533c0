"""Which version a batch runs on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.errors import ReleaseNotFound
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.registry import rollout
from gavial.registry.rollout import Failure

CHURN = Module("com.acme", "churn")


def churn(build):
    return Coordinate(CHURN, Version(1, 0, build))


builds = st.integers(0, 20)
coordinates = builds.map(churn)


@given(pin=coordinates, in_service=coordinates, ready=st.none() | coordinates)
def test_a_pinned_batch_runs_on_its_pin(pin, in_service, ready):
    assert rollout.route(pin, in_service, ready).batch == pin


@given(in_service=coordinates, ready=st.none() | coordinates)
def test_a_new_batch_runs_on_the_newest_that_is_loaded(in_service, ready):
    there = [one for one in (in_service, ready) if one is not None]
    assert rollout.route(None, in_service, ready).batch == max(there)


@given(
    first=coordinates,
    steps=st.lists(st.tuples(st.none() | coordinates, st.none() | coordinates), max_size=30),
)
def test_versions_never_go_back_but_for_replays(first, steps):
    in_service, used = first, []
    for pin, ready in steps:
        decided = rollout.route(pin, in_service, ready)
        in_service = decided.in_service
        if pin is None:
            used.append(decided.batch)
    assert used == sorted(used)


@given(newest=coordinates, in_service=coordinates, ready=st.none() | coordinates)
def test_only_what_is_newer_than_all_that_is_loaded_is_loaded(newest, in_service, ready):
    known = [one for one in (in_service, ready) if one is not None]
    wanted = rollout.to_load(newest, in_service, ready, None, 0.0)
    assert wanted == (newest > max(known))


def test_what_failed_is_left_alone_until_its_time():
    failure = Failure(1, again=60.0)
    assert not rollout.to_load(churn(2), churn(1), None, failure, 59.9)
    assert rollout.to_load(churn(2), churn(1), None, failure, 60.0)


@given(interval=st.floats(0.01, 1e5), times=st.integers(1, 2000))
def test_the_wait_after_a_failure_grows_up_to_an_hour(interval, times):
    before = Failure(times, 0.0)
    wait = rollout.failed(before, 0.0, interval).again
    assert interval < wait <= 3600 or wait == max(interval, 3600)
    assert rollout.failed(rollout.failed(before, 0.0, interval), 0.0, interval).again >= wait


@given(newest=builds, last=builds, allow_older=st.booleans())
def test_a_stream_never_starts_with_an_older_version_unless_it_is_allowed(
    newest, last, allow_older
):
    if newest < last and not allow_older:
        with pytest.raises(ReleaseNotFound, match="never go back"):
            rollout.to_start(churn(newest), churn(last), allow_older=allow_older)
        return
    first, *others = rollout.to_start(churn(newest), churn(last), allow_older=allow_older)
    assert first == churn(newest)
    assert others == ([churn(last)] if newest > last else [])


def test_a_first_start_takes_the_newest():
    assert rollout.to_start(churn(3), None, allow_older=False) == (churn(3),)
