"""Aliases and withdrawals, and the records that they are made of, on every kind of repository."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from maven_server import Fault
from releasing import release

from gavial.errors import (
    AccessDenied,
    ConfigurationError,
    Conflict,
    InvalidCoordinate,
    ModelNotFound,
    ReleaseNotFound,
    RepositoryRefused,
)
from gavial.maven import catalog, drive, layout, record_log
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Entry, Module, Number, Version
from gavial.maven.drive import Driver
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.record import Claim
from gavial.maven.repository import Repository
from gavial.maven.selector import Request
from gavial.registry import records
from gavial.registry.catalog import ModelRepository
from gavial.registry.repair import examine, repair

pytestmark = pytest.mark.filterwarnings("ignore:Repository 'models' lists no modules")

CHURN = Module("com.acme", "churn")
CHAMPION = Module("com.acme", "churn-champion")


@pytest.fixture(autouse=True)
def no_settle(request, monkeypatch):
    """Where there is one writer, there is nobody to wait for."""
    if "race" not in request.node.name:
        monkeypatch.setattr(drive, "SETTLE_SECONDS", 0.0)


@pytest.fixture
def models(repository):
    """A repository with three builds of a model."""
    for token in "abc":
        release(repository, "com.acme:churn:1.0", token)
    return ModelRepository(repository)


def means(store, text):
    return str(catalog.select(store, Request.parse(text)))


def listed(store, module):
    return ModuleMetadata.parse(store.read(layout.metadata_path(module)), module).versions


def draft(**how):
    author = records.Author("because", "the team", "me", "2026-01-01T00:00:00+00:00")
    return records.Draft(CHAMPION, CHURN, "alias", author, "A record.", **how)


# Records ---------------------------------------------------------------------------------------


def test_records_are_numbered_from_one_and_say_who_when_and_why(repository):
    for number in range(1, 12):
        assert records.write(repository, draft(body={"n": number})).number == number
    assert listed(repository, CHAMPION) == tuple(map(str, range(1, 12)))
    newest, *_ = found = list(records.history(repository, CHAMPION))
    assert [one.number for one in found] == list(range(11, 0, -1))
    assert (newest.author, newest.body) == (draft().author, {"n": 11})
    data = repository.read(layout.metadata_path(CHAMPION))
    assert ModuleMetadata.newest(data, CHAMPION) == ("11", "11")


def test_of_two_writers_who_saw_the_same_record_the_second_is_told(repository):
    records.write(repository, draft(), after=0)
    with pytest.raises(Conflict, match="is 1, and not 0 as expected"):
        records.write(repository, draft(), after=0)
    assert listed(repository, CHAMPION) == ("1",)


def test_the_number_of_a_writer_who_died_is_never_used_and_hinders_nobody(repository):
    records.write(repository, draft(), after=0)
    dead = Entry(CHAMPION, Number(2))
    repository.make_folder(layout.release_folder(dead))
    claim = Content.of_bytes(Claim("dead", 1).render(dead))
    repository.write(layout.claim_path(dead), claim)
    assert records.write(repository, draft(), after=1).number == 3
    assert listed(repository, CHAMPION) == ("1", "3")


def test_who_finds_a_claim_above_its_own_number_gives_up(repository):
    order = record_log.RecordOrder(
        "me",
        repository.lists_itself,
        lambda entry: Claim("me", 0).render(entry),
        lambda data: Claim.parse(data).token,
        lambda data: Claim.parse(data).after,
    )
    above = Entry(CHAMPION, Number(2))

    def another_claims(entry):
        repository.make_folder(layout.release_folder(above))
        repository.write(layout.claim_path(above), Content.of_bytes(Claim("b", 0).render(above)))
        return records._pack(draft(), entry, None)[1]

    steps = record_log.append(order, CHAMPION, CHURN, "alias", 0)
    with pytest.raises(Conflict, match="nothing was written"):
        Driver(repository, another_claims).run(steps)
    assert not repository.exists(layout.pom_path(above.at(1)))


def test_a_signature_covers_both_files_and_lies_beside_them(repository):
    signed = {}

    def sign(files):
        signed.update(files)
        return b"{}"

    head = records.write(repository, draft(), sign=sign).head
    assert repository.read(layout.signature_path(head.entry)) == b"{}"
    assert signed == {
        "churn-champion-1.pom": repository.read(layout.pom_path(head.entry)),
        "churn-champion-1-record.json": repository.read(layout.details_path(head.entry)),
    }


def test_a_record_that_would_be_too_large_takes_no_number(repository):
    with pytest.raises(ConfigurationError, match="at most"):
        records.write(repository, draft(body={"text": "x" * (2 << 20)}))
    assert repository.read(layout.metadata_path(CHAMPION)) is None


def test_a_lost_list_of_records_is_rebuilt(repository):
    for _ in range(2):
        records.write(repository, draft())
    empty = Content.of_bytes(ModuleMetadata(CHAMPION).render(datetime.now(UTC)))
    repository.write(layout.metadata_path(CHAMPION), empty, replace=True)
    found = examine(repository, CHAMPION)
    assert found.missing == ("1", "2")
    repair(repository, found)
    assert listed(repository, CHAMPION) == ("1", "2")
    assert not examine(repository, CHAMPION).needs_repair


# Aliases ---------------------------------------------------------------------------------------


def test_an_alias_means_what_it_was_set_to_last_and_keeps_its_history(models):
    models.set_alias("com.acme:churn", "champion", "1.0.1", why="best", owner="the team")
    models.set_alias("com.acme:churn", "champion", "1.0.2")
    back = models.set_alias("com.acme:churn", "champion", "1.0.1", why="worse live")
    assert means(models.store, "com.acme:churn@champion") == "com.acme:churn:1.0.1"
    assert models.alias("com.acme:churn", "champion") == back
    history = models.alias_history("com.acme:churn", "champion")
    assert [(one.number, str(one.coordinate.version), one.why) for one in history] == [
        (3, "1.0.1", "worse live"),
        (2, "1.0.2", ""),
        (1, "1.0.1", "best"),
    ]
    assert history[-1].owner == "the team"
    assert history[-1].who
    assert history[-1].when.endswith("+00:00")


def test_an_alias_that_is_set_to_what_it_means_is_left_as_it_is(models):
    first = models.set_alias("com.acme:churn", "champion", "1.0.1", why="best")
    assert models.set_alias("com.acme:churn", "champion", "1.0.1", why="again") == first


def test_who_set_an_alias_from_an_older_one_is_told_what_it_means_now(models):
    models.set_alias("com.acme:churn", "champion", "1.0.1", expected=0)
    with pytest.raises(Conflict, match=r"at record 1, and not 0 as expected: it means .*1\.0\.1"):
        models.set_alias("com.acme:churn", "champion", "1.0.2", expected=0)
    assert models.set_alias("com.acme:churn", "champion", "1.0.2", expected=1).number == 2


def test_of_three_in_a_race_for_an_alias_exactly_one_wins(models, connect):
    def another():
        if models.store.lists_itself:
            return models
        return ModelRepository(connect(models.url, credentials=("deployer", "pässword")))

    def try_(store, build):
        try:
            return store.set_alias("com.acme:churn", "champion", f"1.0.{build}", expected=0)
        except Conflict:
            return None

    with ThreadPoolExecutor(3) as threads:
        (won,) = filter(None, threads.map(try_, [another() for _ in range(3)], range(3)))
    assert models.alias("com.acme:churn", "champion") == won
    assert len(models.alias_history("com.acme:churn", "champion")) == 1


@pytest.mark.parametrize("version", ["1.0.7", "3.0.0"])
def test_an_alias_on_a_release_that_is_not_there_is_refused(models, version):
    with pytest.raises(ReleaseNotFound, match=r"not released .* newest there is 1\.0\.2"):
        models.set_alias("com.acme:churn", "champion", version)


def test_an_alias_on_a_withdrawn_release_is_refused(models):
    models.withdraw("com.acme:churn:1.0.2", why="bad.")
    with pytest.raises(ReleaseNotFound, match=r"--undo"):
        models.set_alias("com.acme:churn", "champion", "1.0.2")


def test_an_alias_that_is_not_there_names_the_line_that_makes_it(models):
    with pytest.raises(ReleaseNotFound, match=r"alias set com\.acme:churn champion 1\.0\.2"):
        models.alias("com.acme:churn", "champion")
    with pytest.raises(ModelNotFound):
        models.alias("com.acme:upsell", "champion")


def test_no_model_is_released_where_an_alias_has_the_name(models):
    models.set_alias("com.acme:churn", "champion", "1.0.1")
    for gav in ("com.acme:churn-champion:1.0", "com.acme:churn-champion:1.0.7"):
        with pytest.raises(InvalidCoordinate, match=r"alias 'champion' of com\.acme:churn"):
            release(models.store, gav, "m")


def test_no_alias_is_set_where_a_model_has_the_name(models):
    release(models.store, "com.acme:churn-eu:1.0", "m")
    with pytest.raises(InvalidCoordinate, match="is a model, so its name is taken"):
        models.set_alias("com.acme:churn", "eu", "1.0.1")


def test_no_alias_is_set_where_one_of_another_model_has_the_name(models):
    release(models.store, "com.acme:churn-eu:1.0", "m")
    models.set_alias("com.acme:churn-eu", "champion", "1.0.0")
    with pytest.raises(InvalidCoordinate, match=r"cannot be the alias of com\.acme:churn too"):
        models.set_alias("com.acme:churn", "eu-champion", "1.0.1")


# Withdrawals -----------------------------------------------------------------------------------


def test_a_withdrawn_release_is_no_selectors_any_more_and_its_coordinate_still_resolves(models):
    models.withdraw("com.acme:churn:1.0.2", why="bad.")
    assert listed(models.store, CHURN) == ("1.0.0", "1.0.1")
    for text in ("com.acme:churn", "com.acme:churn:1.0.+", "com.acme:churn:[1.0,2.0)"):
        assert means(models.store, text) == "com.acme:churn:1.0.1"
    choice = catalog.choose(models.store, Request.parse("com.acme:churn:1.0.2"))
    assert (str(choice.coordinate), choice.is_withdrawn) == ("com.acme:churn:1.0.2", True)


def test_its_number_is_never_used_again_and_later_deploys_and_repairs_keep_it_out(models):
    models.withdraw("com.acme:churn:1.0.2", why="bad.")
    assert release(models.store, "com.acme:churn:1.0", "d") == "com.acme:churn:1.0.3"
    assert listed(models.store, CHURN) == ("1.0.0", "1.0.1", "1.0.3")
    found = examine(models.store, CHURN)
    assert (found.needs_repair, found.withdrawn) == (False, (Version(1, 0, 2),))
    repair(models.store, found)
    assert listed(models.store, CHURN) == ("1.0.0", "1.0.1", "1.0.3")


def test_a_list_that_another_tool_wrote_with_it_does_not_bring_it_back(models):
    stale = models.store.read(layout.metadata_path(CHURN))
    models.withdraw("com.acme:churn:1.0.2", why="bad.")
    models.store.write(layout.metadata_path(CHURN), Content.of_bytes(stale), replace=True)
    assert means(models.store, "com.acme:churn") == "com.acme:churn:1.0.1"
    found = examine(models.store, CHURN)
    assert found.needs_repair
    repair(models.store, found)
    assert listed(models.store, CHURN) == ("1.0.0", "1.0.1")


def test_a_withdrawal_that_is_taken_back_brings_the_release_back(models):
    models.withdraw("com.acme:churn:1.0.2", why="bad.")
    models.withdraw("com.acme:churn:1.0.0", why="old.")
    done = models.reinstate("com.acme:churn:1.0.2", why="it was right.")
    assert (done.is_withdrawn, done.number) == (False, 3)
    assert listed(models.store, CHURN) == ("1.0.1", "1.0.2")
    assert means(models.store, "com.acme:churn") == "com.acme:churn:1.0.2"
    (left,) = models.withdrawals("com.acme:churn")
    assert (str(left.coordinate), left.why) == ("com.acme:churn:1.0.0", "old.")


def test_where_all_are_withdrawn_the_latest_release_is_an_error_that_says_so(models):
    for build in range(3):
        models.withdraw(f"com.acme:churn:1.0.{build}", why="bad.")
    with pytest.raises(ReleaseNotFound, match=r"all of its releases are withdrawn \(1\.0\.0, 1"):
        means(models.store, "com.acme:churn")
    assert listed(models.store, CHURN) == ()
    assert release(models.store, "com.acme:churn:1.0", "d") == "com.acme:churn:1.0.3"


def test_an_alias_on_what_is_withdrawn_stays_and_is_named(models):
    models.set_alias("com.acme:churn", "champion", "1.0.2")
    with pytest.warns(UserWarning, match=r"alias|lists no modules") as told:
        models.withdraw("com.acme:churn:1.0.2", why="bad.")
    assert any("alias set com.acme:churn champion VERSION" in str(one.message) for one in told) or (
        models.store.names("com/acme") is None
    )
    assert means(models.store, "com.acme:churn@champion") == "com.acme:churn:1.0.2"


def test_a_withdrawal_without_a_reason_or_a_release_is_refused(models):
    with pytest.raises(ConfigurationError, match="No reason"):
        models.withdraw("com.acme:churn:1.0.2", why=" ")
    with pytest.raises(ReleaseNotFound, match="not released"):
        models.withdraw("com.acme:churn:1.0.9", why="bad.")
    assert models.withdrawals("com.acme:churn") == ()


@pytest.mark.parametrize("how", ["server", "once"])
def test_where_the_server_keeps_the_list_a_withdrawal_is_refused_before_it_is_written(
    how, serve, connect
):
    server = serve(keep_metadata=how, deletes=True)
    store = connect(server.url)
    files = Content.of_bytes(b"pom")
    store.write(layout.pom_path(Coordinate.parse("com.acme:churn:1.0.0")), files)
    with pytest.raises(RepositoryRefused, match=r"nothing was written.* user interface"):
        ModelRepository(store).withdraw("com.acme:churn:1.0.0", why="bad.")
    assert not server.asked("PUT", "churn-withdrawals")
    assert not list(server.root.glob("com/acme/churn-withdrawals"))


def test_a_reader_asks_once_whether_anything_is_withdrawn(serve, connect):
    server = serve()
    store = connect(server.url)
    for token in "abc":
        release(store, "com.acme:churn:1.0", token)
    for text, requests in {"com.acme:churn": 2, "com.acme:churn:1.0.1": 2}.items():
        server.requests.clear()
        means(store, text)
        assert len(server.requests) == requests, text


def test_who_may_not_read_withdrawals_is_shown_the_list_and_cannot_deploy(serve, connect):
    server = serve()
    store = connect(server.url)
    release(store, "com.acme:churn:1.0")
    denied = Fault("status", "GET", "churn-withdrawals/maven-metadata.xml", 403)
    server.faults += [denied]
    assert means(store, "com.acme:churn") == "com.acme:churn:1.0.0"
    server.faults += [denied]
    with pytest.raises(AccessDenied):
        release(store, "com.acme:churn:1.0", "b")
    assert not list(server.root.glob("com/acme/churn/1.0.1"))


# Killed ----------------------------------------------------------------------------------------


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


class Dying(Repository):
    """A repository whose user dies after so many changes, instead of the next one.

    What it reads in between changes nothing, so these are all places where it can die.
    """

    def __init__(self, inner: Repository, left: int) -> None:
        self.inner, self.left = inner, left
        self.id, self.url, self.lists_itself = inner.id, inner.url, inner.lists_itself

    def _do(self, act: Callable, *args, **how):
        if self.left == 0:
            raise Killed
        self.left -= 1
        return act(*args, **how)

    def read(self, path):
        return self.inner.read(path)

    def download(self, path, target, progress=None):
        return self.inner.download(path, target, progress)

    def exists(self, path):
        return self.inner.exists(path)

    def write(self, path, content, *, replace=False, progress=None):
        return self._do(self.inner.write, path, content, replace=replace, progress=progress)

    def make_folder(self, path):
        return self._do(self.inner.make_folder, path)

    def names(self, path):
        return self.inner.names(path)

    def delete(self, path):
        return self._do(self.inner.delete, path)


# In a folder at every one; over HTTP each kind at every third, and together at every one.
FIRST = {"http-refusing": 0, "http-dav": 1, "http-nexus2": 2}


def killed_at_every_change(store, act, kind):
    """Each number of changes after which `act(store, changes)` was killed; it has no more."""
    for changes in range(FIRST.get(kind, 0), 90, 3 if kind in FIRST else 1):
        try:
            act(ModelRepository(Dying(store, changes)), changes)
        except Killed:
            yield changes
        else:
            assert changes > 8
            return
    raise AssertionError("it never ended")


def kind_of(request):
    return request.node.callspec.params["repository"]


def test_an_alias_killed_at_any_step_means_old_or_new_and_is_set_by_the_next(models, request):
    def act(store, changes):
        models.set_alias("com.acme:churn", f"a{changes}", "1.0.0")
        store.set_alias("com.acme:churn", f"a{changes}", "1.0.1", expected=1)

    for changes in killed_at_every_change(models.store, act, kind_of(request)):
        name = f"a{changes}"
        assert means(models.store, f"com.acme:churn@{name}")[-5:] in ("1.0.0", "1.0.1")
        models.set_alias("com.acme:churn", name, "1.0.1")
        history = models.alias_history("com.acme:churn", name)
        assert [str(one.coordinate.version) for one in history] == ["1.0.1", "1.0.0"]
        newest = history[0].number
        assert newest in (2, 3)
        assert listed(models.store, Module("com.acme", f"churn-{name}"))[-1] == str(newest)


def test_a_withdrawal_killed_at_any_step_is_finished_by_the_next(repository, request):
    def act(store, changes):
        for token in "ab":
            release(repository, f"com.acme:m{changes}:1.0", token)
        store.withdraw(f"com.acme:m{changes}:1.0.1", why="bad.")

    for changes in killed_at_every_change(repository, act, kind_of(request)):
        module = Module("com.acme", f"m{changes}")
        assert means(repository, str(module))[-5:] in ("1.0.0", "1.0.1")
        done = ModelRepository(repository).withdraw(f"{module}:1.0.1", why="bad.")
        assert done.is_withdrawn
        assert listed(repository, module) == ("1.0.0",)
        assert means(repository, str(module)) == f"{module}:1.0.0"
