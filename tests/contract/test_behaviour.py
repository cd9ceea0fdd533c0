"""What a check finds out about repositories that behave in different ways."""

from __future__ import annotations

import pytest
from maven_server import Fault

from gavial.errors import AccessDenied
from gavial.maven import behaviour, catalog
from gavial.maven.content import Content
from gavial.maven.coordinate import Library
from gavial.maven.folder import FolderRepository
from gavial.maven.promises import promises

USER, PASSWORD = "deployer", "pässword"


@pytest.fixture
def observe(serve, connect):
    """What is seen of a server that behaves in a certain way."""

    def seen(**how):
        server = serve(username=USER, password=PASSWORD, **how)
        return behaviour.observe(connect(server.url, credentials=(USER, PASSWORD)))

    return seen


def kept(seen):
    return [promise.kept for promise in promises(seen)]


def test_a_folder_keeps_numbers_and_nothing_of_the_check(tmp_path):
    seen = behaviour.observe(FolderRepository(tmp_path))
    assert seen.may_release
    assert seen.makes_folders
    assert seen.lists
    assert seen.left == ()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert kept(seen) == [True, True, True]


def test_a_server_that_refuses_to_overwrite_keeps_numbers_and_releases(observe):
    seen = observe()
    assert (seen.overwrites, seen.conditional, seen.may_delete) == (False, None, False)
    assert seen.keeps_releases
    assert len(seen.left) == 2
    assert kept(seen) == [True, True, True]


@pytest.mark.parametrize("condition", ["honour", "ignore"])
def test_a_server_that_overwrites_and_makes_no_folders_may_lose_a_number(observe, condition):
    seen = observe(overwrite="allow", if_none_match=condition)
    assert seen.overwrites
    assert seen.conditional is (condition == "honour")
    assert kept(seen) == [False, True, True]
    assert "Disable redeploy" in promises(seen)[0].mend


def test_a_server_that_makes_folders_keeps_numbers_though_it_overwrites(observe):
    seen = observe(overwrite="allow", mkcol=True, listing=True, deletes=True)
    assert (seen.makes_folders, seen.lists, seen.may_delete) == (True, True, True)
    assert seen.left == ()
    assert kept(seen) == [True, True, True]
    assert "overwrite and delete" in promises(seen)[2].why


def test_a_server_that_refuses_every_condition_is_seen_to_refuse_to_overwrite(observe):
    seen = observe(if_none_match="always_412")
    assert seen.may_release
    assert seen.overwrites is False


def test_a_server_that_hides_what_was_written_lets_nobody_release(observe):
    seen = observe(hide_claims=True)
    assert seen.shows_claims is False
    assert not seen.may_release
    assert kept(seen) == [None, None, None]
    assert "does not show" in promises(seen)[0].why


@pytest.mark.parametrize(("who", "keeps"), [("client", True), ("server", False), ("once", None)])
def test_who_keeps_the_metadata_is_found_out(observe, who, keeps):
    seen = observe(keep_metadata=who)
    assert seen.keeps_metadata is keeps
    assert seen.may_release is (keeps is not None)


def test_a_server_that_hides_is_not_asked_for_lists(serve, connect):
    server = serve(hide_claims=True, faults=[Fault("status", "PUT", "maven-metadata.xml", 500)] * 9)
    assert behaviour.observe(connect(server.url)).shows_claims is False


def test_a_user_who_may_only_read_is_told_what_the_server_says(observe):
    seen = observe(read_only=True, listing=True)
    assert "does not let user 'deployer' write" in seen.refusal
    assert not seen.may_release
    assert kept(seen) == [None, None, None]


def test_a_wrong_password_is_an_error_and_no_observation(serve, connect):
    server = serve(username=USER, password=PASSWORD)
    with pytest.raises(AccessDenied):
        behaviour.observe(connect(server.url, credentials=(USER, "wrong")))


def test_what_a_check_leaves_behind_is_no_model(serve, connect):
    server = serve(overwrite="refuse", mkcol=False, listing=True)
    repository = connect(server.url)
    left = behaviour.observe(repository).left
    assert all(repository.exists(path) for path in left)
    assert catalog.versions(repository, behaviour.PROBE).releases == ()


RUNTIME = Library.parse("io.gavial:gavial:1.0")


@pytest.mark.parametrize(
    ("how", "risky"),
    [
        ({}, False),
        ({"overwrite": "allow"}, True),
        ({"overwrite": "allow", "mkcol": True, "listing": True}, False),
    ],
    ids=["refuses", "overwrites", "overwrites and makes folders"],
)
def test_a_deploy_knows_where_a_number_can_be_lost(serve, connect, how, risky):
    repository = connect(serve(**how).url)
    path, content = "io/gavial/gavial/1.0/gavial-1.0.pom", Content.of_bytes(b"pom")
    repository.write(path, content)
    assert behaviour.may_overwrite(repository, RUNTIME, path, content) is risky
    assert repository.read(path) == b"pom"
