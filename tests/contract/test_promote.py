"""A release goes from any kind of repository to any other, through kills, and by a policy."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest
from kinds import PASSWORD, SERVERS, USER

import gavial
from gavial.errors import ConfigurationError, NumberTaken, RepositoryError
from gavial.maven import drive, layout
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Module
from gavial.maven.metadata import ModuleMetadata
from gavial.model.decision import Decision
from gavial.registry import decisions, keys, places
from gavial.registry.catalog import repository as opened

SAVED = Path(__file__).parents[1] / "fixtures" / "saved_models" / "spark-4.3" / "churn"
CHURN = Module("com.acme", "churn")
FIRST = Coordinate(CHURN, gavial.Version.parse("1.0.0"))
KINDS = ("folder", "http-refusing", "http-dav")


@pytest.fixture(autouse=True)
def prompt(monkeypatch, tmp_path):
    """Nobody else writes: there is nothing to wait for. And a state of this test's own."""
    monkeypatch.setattr(drive, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(drive, "SETTLE_ROUND_TRIPS", 0)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    for name in ("alice", "bob", "carol"):
        keys.generate(folder / f"{name}.pem")
    return folder


@pytest.fixture(scope="module")
def released(tmp_path_factory, people):
    """A repository, as files, with one release that Alice signed."""
    folder = tmp_path_factory.mktemp("released")
    gavial.deploy(
        SAVED,
        "com.acme:churn:1.0",
        folder,
        metrics={"auc": 0.87},
        owner="risk",
        sign=people / "alice.pem",
    )
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch, serve):
    """Configure a repository of some kind: `place("staging", "folder", content)`."""

    def configure(name, kind, content=None):
        root = tmp_path / name
        if content is not None:
            copied(content, root)
        variable = f"GAVIAL_REPOSITORIES_{name.upper()}"
        if kind == "folder":
            root.mkdir(exist_ok=True)
            monkeypatch.setenv(f"{variable}_URL", root.as_uri())
        else:
            server = serve(root=root, username=USER, password=PASSWORD, **SERVERS[kind])
            monkeypatch.setenv(f"{variable}_URL", server.url)
            monkeypatch.setenv(f"{variable}_USERNAME", USER)
            monkeypatch.setenv(f"{variable}_PASSWORD", PASSWORD)
        return root

    return configure


def copied(content, root):
    for file in content.rglob("*"):
        if file.is_file():
            there = root / file.relative_to(content)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(file.read_bytes())


def files(root, coordinate=FIRST):
    folder = root / layout.release_folder(coordinate)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def listed(root):
    return ModuleMetadata.parse((root / layout.metadata_path(CHURN)).read_bytes(), CHURN).versions


def kept(name):
    return [one.decision for one in decisions.all_of(places.open_named(name), CHURN)]


def promote(**more):
    return gavial.promote("com.acme:churn:1.0.0", "staging", "releases", **more)


@pytest.fixture
def policy(tmp_path, people):
    def write(text):
        for name in ("alice", "bob", "carol"):
            (tmp_path / f"{name}.pub").write_bytes((people / f"{name}.pub").read_bytes())
        file = tmp_path / "promotion.toml"
        file.write_text(text)
        return file

    return write


# Every pair ----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_a_release_goes_from_any_kind_of_repository_to_any_other(place, released, source, target):
    origin, goal = place("staging", source, released), place("releases", target)
    found = promote(why="for May")
    assert found.outcome == "promoted"
    assert files(goal) == files(origin)
    assert listed(goal) == ("1.0.0",)
    there = gavial.repository("releases").release("com.acme:churn")
    assert there.verify().passed
    assert kept("releases") == [found]
    assert (kept("staging"), found.why) == ([], "for May")
    assert promote().outcome == "there"
    assert opened("releases").promotions("com.acme:churn") == (found,)


# Kills ---------------------------------------------------------------------------------------


class Killed(BaseException):
    """As SIGKILL: nothing of Gavial catches it."""


def dies(monkeypatch, when, step):
    """Let the process die before or after so many steps of the protocol."""
    reached = iter(range(1, 1_000_000))
    answer = drive.Driver._answer

    def dying(self, asked):
        at = next(reached)
        if at == step and when == "before":
            raise Killed
        given = answer(self, asked)
        if at == step:
            raise Killed
        return given

    monkeypatch.setattr(drive.Driver, "_answer", dying)


@pytest.mark.parametrize("target", KINDS)
def test_a_promotion_that_is_killed_is_continued_by_its_repetition_and_kept_once(
    place, released, monkeypatch, tmp_path, target
):
    """Each step of the release itself: test_transfer. Here runtime and records come along."""
    place("staging", "folder", released)
    steps = 0
    for step, when in zip(range(1, 1_000, 9), cycle(("before", "after")), strict=False):
        name = f"at{step}"
        goal = place(name, target)
        with monkeypatch.context() as patch:
            dies(patch, when, step)
            try:
                gavial.promote("com.acme:churn:1.0.0", "staging", name)
            except Killed:
                steps += 1
            else:
                break
        if (goal / layout.metadata_path(CHURN)).exists():
            for version in opened(name).versions(CHURN):
                opened(name).release(f"{CHURN}:{version}").verify()
        found = gavial.promote("com.acme:churn:1.0.0", "staging", name)
        assert found.outcome in ("promoted", "there")
        assert files(goal) == files(tmp_path / "staging")
        assert listed(goal) == ("1.0.0",)
        assert [one.outcome for one in kept(name)] == ["promoted"]
    assert steps > 5


def race(names):
    """Promotions and deploys at once, each in a process of its own."""
    fork = multiprocessing.get_context("fork")
    with fork.Pool(len(names)) as pool:
        return pool.starmap(run, names)


def run(kind, target):
    try:
        if kind == "deploy":
            return str(gavial.deploy(SAVED, "com.acme:churn:1.0", target).coordinate)
        return gavial.promote("com.acme:churn:1.0.0", "staging", target).outcome
    except (NumberTaken, gavial.errors.ReleaseExists) as error:
        return type(error).__name__


@pytest.mark.parametrize("target", ["folder", "http-refusing", "http-dav"])
def test_promotions_at_once_and_a_deploy_that_takes_the_number_mix_nothing(
    place, released, monkeypatch, target
):
    monkeypatch.undo()
    monkeypatch.setattr(drive, "SETTLE_SECONDS", 0.5)
    place("staging", "folder", released)
    goal = place("releases", target)
    told = race([("promote", "releases"), ("deploy", "releases"), ("promote", "releases")])
    store = opened("releases")
    versions = list(map(str, store.versions(CHURN)))
    assert all(store.release(f"{CHURN}:{one}").verify().passed for one in versions)
    if told[1] == "com.acme:churn:1.0.0":  # the deploy was faster
        assert {told[0], told[2]} <= {"refused", "NumberTaken", "ReleaseExists"}
    else:
        assert {told[0], told[2]} <= {"promoted", "there"}
        assert files(goal) == files(goal.parent / "staging")


def killed_once_the_folder_is_made():
    answer = drive.Driver._answer

    def dying(self, asked):
        given = answer(self, asked)
        if getattr(asked, "path", "") == "com/acme/churn/1.0.0" and "Folder" in repr(asked):
            os.kill(os.getpid(), signal.SIGKILL)
        return given

    drive.Driver._answer = dying  # this process ends here
    promote()


def test_a_promotion_that_is_killed_with_nothing_but_its_folder_is_continued(place, released):
    """The one state that says nothing of its maker: a note of this machine tells."""
    origin, goal = place("staging", "folder", released), place("releases", "http-dav")
    process = multiprocessing.get_context("fork").Process(target=killed_once_the_folder_is_made)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert files(goal) == {}
    assert promote().outcome == "promoted"
    assert files(goal) == files(origin)


def test_signatures_by_gpg_come_along_and_have_no_checksums(place, released):
    origin, goal = place("staging", "folder", released), place("releases", "http-refusing")
    for path in (layout.jar_path(FIRST), layout.claim_path(FIRST), layout.pom_path(FIRST)):
        (origin / f"{path}.asc").write_text(f"of {path}")
    promote()
    assert files(goal) == files(origin)
    assert [name for name in files(goal) if ".asc." in name] == []


# What is refused -----------------------------------------------------------------------------


def test_a_target_with_other_bytes_under_that_coordinate_is_refused_and_unchanged(place, released):
    place("staging", "folder", released)
    goal = place("releases", "folder")
    gavial.deploy(SAVED, "com.acme:churn:1.0.0", "releases")
    before = files(goal)
    found = promote()
    assert found.outcome == "refused"
    assert "churn-1.0.0-card.json" in " ".join(found.reasons)
    assert files(goal) == before
    assert kept("staging") == [found]
    assert kept("releases") == []


def test_what_somebody_copied_there_by_hand_is_put_on_record_where_the_gates_allow_it(
    place, released, policy
):
    origin, goal = place("staging", "folder", released), place("releases", "folder")
    copied(origin, goal)
    before = files(goal)
    found = promote(policy=policy("card = ['limits']"))
    assert (found.outcome, found.reasons) == ("refused", ("card: limits is empty",))
    assert kept("releases") == []
    assert promote(policy=policy("bom = true")).outcome == "there"
    assert [one.outcome for one in kept("releases")] == ["there"]
    assert files(goal) == before


def test_a_number_that_only_a_claim_has_is_refused_and_says_what_to_do(place, released):
    place("staging", "folder", released)
    place("releases", "folder")
    store = places.open_named("releases")
    store.write(layout.claim_path(FIRST), Content.of_bytes(b"<metadata/>"))
    assert "deploy the next build to the source" in " ".join(promote().reasons)


def test_a_folder_that_is_empty_on_a_server_is_left_to_whoever_made_it(place, released):
    place("staging", "folder", released)
    place("releases", "http-dav")
    store = places.open_named("releases")
    store.make_folder(layout.release_folder(FIRST))
    for _ in range(2):  # a repetition is no better
        with pytest.raises(NumberTaken, match="remove that folder, and repeat"):
            promote()
    store.close()


def damaged(root, suffix):
    (file,) = root.rglob(f"churn-1.0.0{suffix}")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("suffix", [".jar", ".pom", "-metadata.xml", "-cyclonedx.json"])
def test_a_file_that_is_not_what_was_released_stays_where_it_is(place, released, suffix):
    origin, goal = place("staging", "folder", released), place("releases", "folder")
    damaged(origin, suffix)
    found = promote()
    assert not found.passed
    assert any(f"churn-1.0.0{suffix}" in one for one in found.reasons)
    assert not (goal / "com").exists()


def test_a_runtime_jar_that_is_not_what_it_was_comes_not_along(place, released):
    origin, goal = place("staging", "folder", released), place("releases", "folder")
    (jar,) = origin.rglob("gavial-*.jar")
    jar.write_bytes(jar.read_bytes() + b"more")
    assert "not what it was when" in " ".join(promote().reasons)
    assert not (goal / "io").exists()


def test_a_runtime_jar_that_the_source_has_lost_is_made_again(place, released):
    origin, goal = place("staging", "folder", released), place("releases", "folder")
    shutil.rmtree(origin / "io")
    assert promote().outcome == "promoted"
    assert [path.name for path in goal.rglob("gavial-*.jar")]


def deployed_by_another(folder, root):
    """A release by another version of Gavial, which has its own runtime jar."""
    copied(Path(gavial.__file__).parent, folder / "gavial")
    with (folder / "gavial" / "version.py").open("a") as file:
        file.write("# another one\n")
    code = f"import gavial; gavial.deploy({str(SAVED)!r}, 'com.acme:churn:1.0', {str(root)!r})"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], env=environment, check=True)
    (jar,) = root.rglob("gavial-*.jar")
    return jar.relative_to(root)


def test_the_runtime_jar_of_another_version_comes_along_and_is_missed_where_it_is_nowhere(
    place, tmp_path
):
    origin, goal = place("staging", "folder"), place("releases", "folder")
    jar = deployed_by_another(tmp_path / "other", origin)
    assert promote().outcome == "promoted"
    assert (goal / jar).read_bytes() == (origin / jar).read_bytes()
    assert gavial.repository("releases").release("com.acme:churn").verify().passed
    shutil.rmtree(origin / "io")
    shutil.rmtree(goal)
    found = promote(dry_run=True)
    assert f"{jar.parent.name} is neither in 'staging' nor" in " ".join(found.reasons)


def test_a_signature_of_another_release_is_refused_without_any_policy(place, released):
    origin = place("staging", "folder", released)
    place("releases", "folder")
    gavial.deploy(SAVED, "com.acme:churn:1.0", "staging")
    first = origin / layout.signature_path(FIRST)
    second = Coordinate.parse("com.acme:churn:1.0.1")
    (origin / layout.signature_path(second)).write_bytes(first.read_bytes())
    found = gavial.promote("com.acme:churn:1.0.1", "staging", "releases")
    assert "trust: churn-1.0.1-signature.json" in " ".join(found.reasons)


def test_what_is_withdrawn_on_either_side_is_not_promoted(place, released):
    place("staging", "folder", released)
    place("releases", "folder")
    opened("staging").withdraw("com.acme:churn:1.0.0", why="wrong month")
    assert "it is withdrawn in 'staging'" in " ".join(promote().reasons)


def test_from_a_repository_to_itself_is_an_error(place, released):
    place("staging", "folder", released)
    with pytest.raises(ConfigurationError, match="name two"):
        gavial.promote("com.acme:churn:1.0.0", "staging", "staging")


# By a policy ---------------------------------------------------------------------------------


def test_a_dry_run_shows_every_gate_and_changes_nothing(place, released, policy):
    origin, goal = place("staging", "folder", released), place("releases", "folder")
    before = sorted(origin.rglob("*"))
    file = policy("metrics = ['auc >= 0.9', 'auc >= 0.8']\ncard = ['limits']\ngolden = true")
    found = promote(policy=file, dry_run=True)
    told = {one.name: one.passed for one in found.gates}
    assert (told["metrics: auc >= 0.9"], told["metrics: auc >= 0.8"]) == (False, True)
    assert (told["card"], told["golden"], found.outcome) == (False, False, "refused")
    fine = promote(policy=policy("metrics = 'auc >= 0.8'"), dry_run=True)
    assert fine.outcome == "would be promoted"
    assert sorted(origin.rglob("*")) == before
    assert list(goal.iterdir()) == []


def test_a_build_that_is_worse_than_what_is_served_is_refused_and_that_is_kept(
    place, released, policy
):
    place("staging", "folder", released)
    place("releases", "folder")
    file = policy("metrics = 'auc >= current - 0.01'")
    assert "serves no release yet" in promote(policy=file).gates[-1].evidence
    gavial.deploy(SAVED, "com.acme:churn:1.0", "staging", metrics={"auc": 0.7})
    found = gavial.promote("com.acme:churn:1.0.1", "staging", "releases", policy=file)
    assert found.outcome == "refused"
    (reason,) = found.reasons
    assert "auc is 0.7; asked for is >= 0.86, where com.acme:churn:1.0.0 has 0.87" in reason
    assert kept("staging") == [found]
    assert found.policy.text == "metrics = 'auc >= current - 0.01'"
    assert [one.coordinate for one in kept("releases")] == ["com.acme:churn:1.0.0"]


def test_a_release_is_measured_against_the_newest_and_compared_with_the_one_before(
    place, released, policy
):
    place("staging", "folder", released)
    place("releases", "folder")
    gavial.deploy(SAVED, "com.acme:churn:1.0", "staging", metrics={"auc": 0.95})
    gavial.promote("com.acme:churn:1.0.1", "staging", "releases")
    file = policy("metrics = 'auc >= current'\ncompatibility = true")
    *_, metric, compatible = promote(policy=file, dry_run=True).gates
    assert "where com.acme:churn:1.0.1 has 0.95" in metric.evidence
    assert "no earlier release" in compatible.evidence
    later = gavial.deploy(SAVED, "com.acme:churn:1.1", "staging", metrics={"auc": 0.96})
    *_, compatible = gavial.promote(
        str(later.coordinate), "staging", "releases", policy=file, dry_run=True
    ).gates
    assert compatible.evidence == "it may be a minor after com.acme:churn:1.0.1"


def test_a_refusal_that_the_source_does_not_keep_is_a_refusal_all_the_same(
    tmp_path, released, serve, monkeypatch, policy
):
    server = serve(root=released, read_only=True)
    monkeypatch.setenv("GAVIAL_REPOSITORIES_STAGING_URL", server.url)
    monkeypatch.setenv("GAVIAL_REPOSITORIES_RELEASES_URL", (tmp_path / "releases").as_uri())
    with pytest.warns(UserWarning, match="The refusal could not be kept in repository 'staging'"):
        found = promote(policy=policy("card = ['limits']"))
    assert found.reasons == ("card: limits is empty",)


def test_signatures_and_approvals_by_other_keys_let_it_through(place, released, policy, people):
    place("staging", "folder", released)
    place("releases", "folder")
    file = policy(
        "signature = {keys = ['alice.pub']}\n"
        "approvals = {required = 1, keys = ['alice.pub', 'bob.pub']}"
    )
    for name in ("alice", "carol"):  # the signer, and somebody whom the policy does not name
        with pytest.warns(UserWarning, match="very key") if name == "alice" else nullcontext():
            gavial.approve(str(FIRST), "staging", key=people / f"{name}.pem", why="fine")
        assert not promote(policy=file, dry_run=True).passed
    one = gavial.approve(str(FIRST), "staging", key=people / "bob.pem", why="fine")
    again = gavial.approve(str(FIRST), "staging", key=people / "bob.pem", why="fine again")
    assert again == one
    found = promote(policy=file)
    assert found.outcome == "promoted"
    assert one in found.approvals
    assert kept("releases") == [found]


APPROVED = "approvals = {required = 1, keys = ['bob.pub']}"


def test_an_approval_that_is_moved_to_another_release_or_number_counts_for_none(
    place, released, policy, people
):
    origin = place("staging", "folder", released)
    place("releases", "folder")
    gavial.deploy(SAVED, "com.acme:churn:1.0", "staging")
    gavial.approve(str(FIRST), "staging", key=people / "bob.pem", why="fine")
    second = "com.acme:churn:1.0.1"
    assert not gavial.promote(
        second, "staging", "releases", policy=policy(APPROVED), dry_run=True
    ).passed
    record = origin / "com/acme/churn-approvals/1"
    for file in record.iterdir():  # somebody who can write there says it was for the other one
        file.write_bytes(file.read_bytes().replace(b"churn:1.0.0", b"churn:1.0.1"))
    found = gavial.promote(second, "staging", "releases", policy=policy(APPROVED), dry_run=True)
    assert not found.passed
    moved = origin / "com/acme/churn-approvals/2"
    record.rename(moved)
    for file in list(moved.iterdir()):
        file.rename(moved / file.name.replace("approvals-1", "approvals-2"))
    found = promote(policy=policy(APPROVED), dry_run=True)
    assert not found.passed


def test_an_approval_that_nobody_signed_counts_for_none(place, released, policy, people):
    origin = place("staging", "folder", released)
    place("releases", "folder")
    gavial.approve(str(FIRST), "staging", key=people / "bob.pem", why="fine")
    (origin / "com/acme/churn-approvals/1/churn-approvals-1-signature.json").unlink()
    found = promote(policy=policy(APPROVED), dry_run=True)
    assert "churn-approvals:1 is not signed" in " ".join(found.reasons)


def test_age_counts_from_when_it_came_to_the_source(place, released, policy):
    place("staging", "folder", released)
    place("releases", "folder")
    place("production", "folder")
    file = policy("age = '1d'")
    assert "it has been there for" in " ".join(promote(policy=file, dry_run=True).reasons)
    promote()
    found = gavial.promote(str(FIRST), "releases", "production", policy=file, dry_run=True)
    assert "record 1 of com.acme:churn-promotions" in found.gates[-1].evidence


def test_the_configuration_may_name_the_policy(place, released, policy, monkeypatch, tmp_path):
    place("staging", "folder", released)
    place("releases", "folder")
    policy("bom = true\ncard = ['limits']")
    (tmp_path / "gavial.toml").write_text("[policy]\nfile = 'promotion.toml'\n")
    monkeypatch.chdir(tmp_path)
    assert promote(dry_run=True).reasons == ("card: limits is empty",)
    monkeypatch.setenv("GAVIAL_POLICY", "other.toml")
    with pytest.raises(ConfigurationError, match=r"other\.toml.*GAVIAL_POLICY"):
        promote(dry_run=True)


def test_a_decision_is_signed_where_a_key_is_configured(place, released, people, monkeypatch):
    place("staging", "folder", released)
    goal = place("releases", "folder")
    monkeypatch.setenv("GAVIAL_SIGNING_KEY", str(people / "carol.pem"))
    promote()
    record = goal / "com/acme/churn-promotions/1"
    bundle = json.loads((record / "churn-promotions-1-signature.json").read_bytes())
    carol = keys.public((people / "carol.pub").read_bytes(), "a key").fingerprint
    assert bundle["verificationMaterial"]["publicKey"]["hint"] == carol


def test_a_target_that_lets_nobody_write_is_an_error_and_decides_nothing(place, released, tmp_path):
    place("staging", "folder", released)
    goal = place("releases", "folder")
    (goal / "com").write_text("a file where a folder belongs")
    with pytest.raises(RepositoryError):
        promote()
    assert kept("staging") == []


def test_a_decision_of_very_many_gates_is_kept_with_all_of_them(place, released, policy):
    place("staging", "folder", released)
    place("releases", "folder")
    names = ["ä" * 400 + str(number) for number in range(100)]
    found = promote(policy=policy("metrics = " + json.dumps([f"{one} >= 1" for one in names])))
    (there,) = kept("staging")
    assert [one.passed for one in there.gates] == [one.passed for one in found.gates]
    assert len(there.gates) > 100


def test_what_is_kept_is_read_back_as_it_was_returned(place, released):
    place("staging", "folder", released)
    place("releases", "folder")
    found = promote()
    assert Decision.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert replace(found, dry_run=True) != found
