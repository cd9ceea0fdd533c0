"""Routes kept beside an alias, on every kind of repository."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from releasing import release

from gavial.errors import (
    ConfigurationError,
    Conflict,
    CorruptRelease,
    InvalidCoordinate,
    InvalidSelector,
    ReleaseNotFound,
)
from gavial.maven import catalog, drive, layout
from gavial.maven.coordinate import Coordinate, Entry, Module, Number
from gavial.maven.selector import Request
from gavial.monitoring.route import Arm, Role, Route
from gavial.registry import keys, record_seals, records
from gavial.registry import route as routes
from gavial.registry.catalog import ModelRepository
from gavial.registry.records import Author

pytestmark = pytest.mark.filterwarnings("ignore:Repository 'models' lists no modules")

CHURN = Module("com.acme", "churn")
A, B, C = (f"com.acme:churn:1.0.{build}" for build in range(3))
SHADOW = Route.shadow(A, B, since=datetime(2026, 5, 1, tzinfo=UTC))


@pytest.fixture(autouse=True)
def no_settle(monkeypatch):
    monkeypatch.setattr(drive, "SETTLE_SECONDS", 0.0)


@pytest.fixture
def store(repository):
    """A repository with three builds of a model, of which the first is the champion."""
    for token in "abc":
        release(repository, "com.acme:churn:1.0", token)
    ModelRepository(repository).set_alias(CHURN, "champion", "1.0.0")
    return repository


def set_route(store, route, why="try it", **more):
    return routes.set_(store, CHURN, "champion", route, Author(why), **more)


def test_what_was_served_when_is_on_record(store):
    first = set_route(store, SHADOW)
    split = Route.split({A: 0.9, B: 0.1}, key="customer", salt="may")
    second = set_route(store, split, "ramp")
    third = set_route(store, None, "over")
    assert [one.number for one in (first, second, third)] == [1, 2, 3]
    assert second.route == split.at(second.route.since)
    assert (datetime.now(UTC) - second.route.since).total_seconds() < 60
    found = routes.history(store, CHURN, "champion")
    assert [(one.number, one.route, one.why) for one in found] == [
        (3, None, "over"),
        (2, second.route, "ramp"),
        (1, SHADOW, "try it"),
    ]
    assert routes.current(store, CHURN, "champion") == third
    assert str(third) == "com.acme:churn@champion"


def test_a_route_changes_nothing_of_what_the_alias_means_to_maven_and_ivy(store):
    alias = Module("com.acme", "churn-champion")
    before = store.read(layout.metadata_path(alias))
    set_route(store, SHADOW)
    assert store.read(layout.metadata_path(alias)) == before
    assert catalog.select(store, Request.parse("com.acme:churn@champion")) == Coordinate.parse(A)
    pom = store.read(layout.pom_path(Entry(Module("com.acme", "churn-champion-route"), Number(1))))
    assert b"<packaging>pom</packaging>" in pom
    assert b"<gavial.record>route</gavial.record>" in pom
    if store.names("com/acme") is not None:
        found = ModelRepository(store).aliases(CHURN)
        assert [one.name for one in found] == ["champion"]


def test_the_same_route_again_writes_nothing(store):
    assert set_route(store, SHADOW) == set_route(store, Route.shadow(A, B))
    assert len(routes.history(store, CHURN, "champion")) == 1
    assert set_route(store, Route.shadow(A, C)).number == 2


def test_of_two_who_saw_the_same_route_the_second_is_told(store):
    set_route(store, SHADOW, expected=0)
    with pytest.raises(Conflict, match="at record 1, and not 0"):
        set_route(store, Route.shadow(A, C), expected=0)


def test_a_route_needs_its_alias_and_the_champion_that_it_means(store):
    with pytest.raises(ConfigurationError, match=r"means com\.acme:churn:1\.0\.0"):
        set_route(store, Route.shadow(B, A))
    with pytest.raises(ReleaseNotFound, match="no alias 'other'"):
        routes.set_(store, CHURN, "other", SHADOW, Author())
    with pytest.raises(ConfigurationError, match=r"is of com\.acme:fraud"):
        set_route(store, Route.shadow("com.acme:fraud:1.0.0", "com.acme:fraud:1.0.1"))


def test_a_version_that_is_not_there_or_is_withdrawn_is_refused(store):
    with pytest.raises(
        ReleaseNotFound, match=r"challenger com\.acme:churn:1\.0\.9 is not released"
    ):
        set_route(store, Route.shadow(A, "com.acme:churn:1.0.9"))
    arm = Arm(Coordinate.parse(B), Role.CHALLENGER)
    routes.check_in_force(store, arm)
    if not store.lists_itself:
        ModelRepository(store).withdraw(B, why="wrong data")
        with pytest.raises(ReleaseNotFound, match=r"1\.0\.1 is withdrawn, so no route runs it"):
            set_route(store, SHADOW)


def test_who_runs_the_route_of_an_alias_is_told_where_the_alias_has_moved_or_it_ended(store):
    with pytest.raises(ReleaseNotFound, match="has no route"):
        routes.named(store, "com.acme:churn@champion")
    set_route(store, SHADOW)
    assert routes.named(store, "com.acme:churn@champion") == SHADOW
    with pytest.raises(InvalidSelector, match="names no alias"):
        routes.named(store, A)
    ModelRepository(store).set_alias(CHURN, "champion", "1.0.1")
    with pytest.raises(Conflict, match=r"means com\.acme:churn:1\.0\.1 now"):
        routes.named(store, "com.acme:churn@champion")
    set_route(store, None)
    with pytest.raises(ReleaseNotFound, match="was ended by record 2"):
        routes.named(store, "com.acme:churn@champion")


def test_a_route_that_is_not_there_cannot_be_ended(store):
    with pytest.raises(ReleaseNotFound, match="no route to end"):
        set_route(store, None)


def test_a_route_cannot_have_the_name_of_a_model_or_of_an_alias(store):
    release(store, "com.acme:churn-champion-route:1.0")
    with pytest.raises(InvalidCoordinate, match="is a model, so its name is taken"):
        set_route(store, SHADOW)
    ModelRepository(store).set_alias(CHURN, "best-route", "1.0.0")
    ModelRepository(store).set_alias(CHURN, "best", "1.0.0")
    with pytest.raises(InvalidCoordinate, match="is the alias 'best-route'"):
        routes.set_(store, CHURN, "best", SHADOW, Author())


def test_a_record_of_another_alias_is_no_route_of_this_one(store):
    module = routes.module_of(CHURN, "champion")
    body = {"route": SHADOW.to_json()}
    for facts, said in (({"alias": "other"}, body), ({"alias": "champion"}, {"route": {}})):
        draft = records.Draft(module, CHURN, "route", Author(), "x", facts, None, said)
        records.write(store, draft)
        with pytest.raises(CorruptRelease):
            routes.current(store, CHURN, "champion")


def test_a_route_is_signed_where_a_key_is_configured(store, tmp_path, monkeypatch):
    public = keys.generate(tmp_path / "alice.pem")
    monkeypatch.setenv("GAVIAL_SIGNING_KEY", str(tmp_path / "alice.pem"))
    set_route(store, SHADOW)
    record = next(records.history(store, routes.module_of(CHURN, "champion")))
    by = record_seals.signer_of(store, record, {public.fingerprint: public})
    assert by == public.fingerprint
