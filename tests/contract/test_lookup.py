"""What every kind of repository tells of a release that scored a record."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from kinds import PASSWORD, SERVERS, USER

import gavial
from gavial.errors import InvalidCoordinate, ReleaseNotFound, RepositoryUnavailable
from gavial.maven import drive, layout
from gavial.maven.coordinate import Coordinate, Module
from gavial.maven.folder import FolderRepository
from gavial.maven.http import HttpRepository
from gavial.registry import decisions, keys, lookup, records
from gavial.registry.approve import approve
from gavial.registry.records import Author

SAVED = Path(__file__).parents[1] / "fixtures" / "saved_models" / "spark-4.3" / "churn"
CHURN = Module("com.acme", "churn")
SECOND = Coordinate.parse("com.acme:churn:1.0.1")
KINDS = ("folder", *SERVERS)
POLICY = """
metrics = ["auc >= 0.8"]
[approvals]
required = 1
keys = ["bob.pub"]
"""


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Alice signs releases, Bob approves, and the job that promotes has a key of its own."""
    folder = tmp_path_factory.mktemp("people")
    for name in ("alice", "bob", "job"):
        keys.generate(folder / f"{name}.pem")
    (folder / "promotion.toml").write_text(POLICY)
    return folder


@pytest.fixture(scope="module")
def told(tmp_path_factory, people):
    """A staging and a releases folder with a past: 1.0.1 was champion twice, and is withdrawn."""
    root = tmp_path_factory.mktemp("told")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drive, "SETTLE_SECONDS", 0.0)
        patch.setattr(drive, "SETTLE_ROUND_TRIPS", 0)
        patch.setenv("XDG_STATE_HOME", str(root / "state"))
        patch.setenv("GAVIAL_SIGNING_KEY", str(people / "job.pem"))
        staging, releases = root / "staging", root / "releases"
        releases.mkdir()
        for _ in range(3):
            gavial.deploy(
                SAVED,
                "com.acme:churn:1.0",
                staging,
                metrics={"auc": 0.9},
                owner="risk",
                sign=people / "alice.pem",
            )
        policy = people / "promotion.toml"
        for version in ("1.0.0", "1.0.1", "1.0.2"):
            gav = f"com.acme:churn:{version}"
            first = gavial.promote(gav, staging, releases, policy=policy, why="too early")
            assert first.outcome == "refused"
            approve(gav, staging, key=people / "bob.pem", why="reviewed")
            gavial.promote(gav, staging, releases, policy=policy, why="as planned").check()
        models = gavial.repository(releases)
        for version, why in (
            *(("1.0.0", "first"), ("1.0.1", "better"), ("1.0.0", "back"), ("1.0.1", "again")),
            ("1.0.2", "best"),
        ):
            models.set_alias(CHURN, "champion", version, why=why, owner="ann")
        models.set_alias(CHURN, "challenger", "1.0.1", why="to compare")
        with pytest.warns(UserWarning, match="challenger"):
            models.withdraw(SECOND, why="the wrong month.")
    return root


@pytest.fixture
def policies(people, monkeypatch):
    """This user trusts Alice's releases and asks for Bob's approval."""
    config = people / "home" / ".config" / "gavial"
    if not config.exists():
        config.mkdir(parents=True)
        for name in ("alice.pub", "bob.pub", "promotion.toml"):
            shutil.copy(people / name, config)
        (config / "config.toml").write_text(
            '[[trust]]\ngroups = ["com.acme"]\nkeys = ["alice.pub"]\n'
            '[policy]\nfile = "promotion.toml"\n'
        )
    monkeypatch.setenv("HOME", str(people / "home"))


@pytest.fixture
def open_(tmp_path, told, serve, connect):
    """Open a copy of one of the two on a kind of repository: `open_("releases", "folder")`."""

    def opened(name, kind="folder", **how):
        root = tmp_path / name
        if not root.exists():
            shutil.copytree(told / name, root)
        if kind == "folder":
            return FolderRepository(root, name)
        server = serve(root=root, username=USER, password=PASSWORD, **{**SERVERS[kind], **how})
        store = connect(server.url, credentials=(USER, PASSWORD))
        store.id, store.server = name, server
        return store

    return opened


def look(*stores, coordinate=SECOND, **more):
    return lookup.look(stores, coordinate, **more)


def by_id(found):
    return {one.id: one for one in found.places}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("policies")
def test_the_past_of_a_release_is_told_by_every_kind_of_repository(open_, kind):
    found = look(open_("staging", kind), open_("releases", kind), aliases=("champion",))
    assert found.alarms == ()
    staging, releases = found.places
    assert (staging.sha256, staging.released) == (releases.sha256, True)
    assert [one.signature.accepted for one in found.places] == [True, True]
    assert [one.decision.outcome for one in staging.decisions] == ["refused"]
    (promoted,) = releases.decisions
    assert (promoted.decision.outcome, promoted.decision.why) == ("promoted", "as planned")
    (approved,) = staging.approvals
    assert (approved.approval.why, approved.seal.accepted) == ("reviewed", True)
    champion = [one for one in releases.tenures if one.alias == "champion"]
    assert [(one.since.why, one.until.why, str(one.then.version)) for one in champion] == [
        ("again", "best", "1.0.2"),
        ("better", "back", "1.0.0"),
    ]
    assert releases.withdrawn.why == "the wrong month."
    assert [one.is_withdrawn for one in releases.withdrawals] == [True]
    assert (staging.withdrawn, staging.withdrawals) == (None, ())
    assert str(releases.following.coordinate) == "com.acme:churn:1.0.2"
    assert str(releases.newest) == "com.acme:churn:1.0.2"
    assert json.loads(json.dumps(found.to_json()))["repositories"][1]["withdrawn"]["why"]


def test_an_alias_that_one_repository_lists_is_looked_for_where_none_can_be_listed(open_):
    found = by_id(look(open_("releases", "http-refusing"), open_("staging")))
    assert found["releases"].tenures == ()  # staging has none
    assert "it lists nothing" in " ".join(found["releases"].unread)
    other = open_("releases", "http-refusing")
    other.id = "mirror"
    found = by_id(look(open_("releases"), other))
    assert found["mirror"].tenures == found["releases"].tenures != ()


def test_an_alias_that_still_means_it_has_no_end(open_):
    (challenger,) = (
        one for one in look(open_("releases")).places[0].tenures if one.alias == "challenger"
    )
    assert (challenger.until, challenger.then) == (None, None)


def test_the_requests_do_not_grow_with_the_releases(open_, tmp_path):
    store = open_("releases", "http-refusing")
    look(store, aliases=("champion",))
    before = len(store.server.requests)
    metadata = tmp_path / "releases" / layout.metadata_path(CHURN)
    more = "".join(f"<version>2.0.{number}</version>" for number in range(500))
    metadata.write_text(metadata.read_text().replace("<versions>", f"<versions>{more}"))
    look(store, aliases=("champion",))
    assert len(store.server.requests) - before == before
    assert before <= 31  # five records of one alias and two modules of other records among them


@pytest.mark.parametrize("most", [1, 2])
def test_of_many_records_of_an_alias_the_newest_are_read(open_, monkeypatch, most):
    monkeypatch.setattr(lookup, "MOST_RECORDS", most)
    (place,) = look(open_("releases")).places
    assert [one.since.why for one in place.tenures if one.alias == "champion"] == [
        *(["again"] if most == 2 else [])
    ]
    assert f"the newest {most} were read, and {5 - most} older" in " ".join(place.unread)


def test_of_many_modules_beside_a_model_some_are_looked_at_and_those_that_are_named(
    open_, monkeypatch
):
    monkeypatch.setattr(lookup, "MOST_ALIASES", 1)
    (place,) = look(open_("releases"), aliases=(one for one in ["champion"])).places
    assert {one.alias for one in place.tenures} == {"challenger", "champion"}
    assert "2 modules" in " ".join(place.unread)


def test_another_card_in_one_repository_is_an_alarm(open_, tmp_path):
    stores = open_("staging"), open_("releases")
    card = tmp_path / "releases" / layout.card_path(SECOND)
    card.chmod(0o644)
    card.write_bytes(card.read_bytes().replace(b'"auc": 0.9', b'"auc": 0.8'))
    found = look(*stores)
    assert found.alarms[0].startswith("com.acme:churn:1.0.1 is not the same in every repository")
    assert any("releases: churn-1.0.1-signature.json" in one for one in found.alarms)
    assert found.source.id == "staging"


@pytest.mark.usefixtures("policies")
def test_the_card_that_is_shown_is_the_one_that_is_signed(open_, tmp_path):
    stores = open_("staging"), open_("releases")
    card = tmp_path / "staging" / layout.card_path(SECOND)
    card.chmod(0o644)
    card.write_bytes(card.read_bytes().replace(b'"auc": 0.9', b'"auc": 0.8'))
    found = look(*stores)
    assert (found.source.id, found.card.metrics) == ("releases", {"auc": 0.9})
    assert [one.signature.accepted for one in found.places] == [False, True]


def test_a_card_that_is_damaged_is_an_alarm_and_the_rest_is_told(open_, tmp_path):
    store = open_("releases")
    card = tmp_path / "releases" / layout.card_path(SECOND)
    card.chmod(0o644)
    card.write_text("{")
    found = look(store)
    assert "The model card is damaged" in found.alarms[0]
    assert (found.card, found.places[0].withdrawn.why) == (None, "the wrong month.")


def test_a_record_that_was_altered_is_an_alarm(open_, tmp_path):
    store = open_("releases")
    for file in (tmp_path / "releases").glob("com/acme/churn-promotions/*/*.json"):
        file.chmod(0o644)
        file.write_bytes(file.read_bytes().replace(b"as planned", b"as I liked"))
    found = look(store)
    assert any("are not those that its POM was written with" in one for one in found.alarms)


def test_a_damaged_record_of_before_hides_no_withdrawal(open_, tmp_path):
    store = open_("releases")
    models = gavial.repository(tmp_path / "releases")
    models.withdraw("com.acme:churn:1.0.0", why="that one too.")
    for first in (tmp_path / "releases").glob("com/acme/churn-withdrawals/1/*.pom"):
        first.chmod(0o644)
        first.write_text("<project/>")
    found = look(store)
    assert found.places[0].withdrawn.why == "the wrong month."
    assert any("com.acme:churn-withdrawals:1" in one for one in found.alarms)


@pytest.mark.usefixtures("policies")
def test_an_approval_that_somebody_else_wrote_is_not_taken_for_bobs(open_, people):
    store = open_("staging")
    body = look(store).places[0].approvals[0].approval
    draft = records.Draft(
        Module("com.acme", "churn-approvals"),
        CHURN,
        "approvals",
        Author("forged"),
        "An approval.",
        {"release": body.coordinate, "card": body.card},
    )
    records.write(store, draft)
    newest, oldest = look(store).places[0].approvals
    assert (newest.approval.why, newest.seal.key, newest.seal.accepted) == ("forged", "", None)
    assert oldest.seal.accepted is True


def test_a_decision_about_other_bytes_is_an_alarm(open_):
    store = open_("releases")
    (kept,) = look(store).places[0].decisions
    forged = replace(kept.decision, card="0" * 64)
    decisions.keep(store, forged, Author("forged"), None)
    assert any("the decision" in one and "0" * 64 in one for one in look(store).alarms)


def test_what_staging_said_is_told_although_the_release_is_gone_from_there(open_, tmp_path):
    stores = open_("staging"), open_("releases")
    shutil.rmtree(tmp_path / "staging" / layout.release_folder(SECOND))
    found = by_id(look(*stores))
    assert not found["staging"].released
    assert [one.approval.why for one in found["staging"].approvals] == ["reviewed"]


def test_one_that_does_not_answer_is_named_and_stops_no_other(open_, serve):
    away = HttpRepository("http://127.0.0.1:9/maven/", "away", sleep=lambda _: None)
    found = look(away, open_("releases"))
    assert [one.id for one in found.places] == ["releases"]
    assert list(found.unavailable) == ["away"]
    with pytest.raises(RepositoryUnavailable):
        look(away)


def test_a_release_that_none_has_is_an_error_that_names_where_it_was_looked_for(open_):
    away = HttpRepository("http://127.0.0.1:9/maven/", "away", sleep=lambda _: None)
    with pytest.raises(ReleaseNotFound, match=r"none of the repositories: 'releases'.*'away' gave"):
        look(open_("releases"), away, coordinate=Coordinate.parse("com.acme:churn:9.0.0"))


def test_a_release_by_another_tool_is_found_without_a_card(open_, tmp_path):
    store = open_("releases")
    pom = tmp_path / "releases" / layout.pom_path(Coordinate.parse("com.acme:churn:2.0.0"))
    pom.parent.mkdir()
    pom.write_text("<project/>")
    found = look(store, coordinate=Coordinate.parse("com.acme:churn:2.0.0"))
    assert (found.card, found.alarms) == (None, ())
    assert "another tool" in found.places[0].unread[0]


def test_a_watermark_is_looked_up_by_name_of_a_repository(open_, tmp_path):
    open_("releases")
    found = gavial.lookup("Row(x=1, pipeline='com.acme:churn:1.0.1')", tmp_path / "releases")
    assert (found.coordinate, len(found.holders)) == (SECOND, 1)
    with pytest.raises(InvalidCoordinate, match="fitted and not released"):
        gavial.lookup("unreleased", tmp_path / "releases")
