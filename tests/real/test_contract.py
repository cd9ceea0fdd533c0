"""What every real server keeps, whichever it is: the contract of docs/protocol.md."""

from __future__ import annotations

import hashlib
import io
import os
import tracemalloc
import zipfile
from xml.etree import ElementTree

import pytest
from releases import DESCRIPTION, jar, packed, paths, pom, release

from gavial.errors import (
    AccessDenied,
    ModelNotFound,
    ReleaseExists,
    ReleaseNotFound,
    RepositoryRefused,
)
from gavial.maven import catalog, layout, protocol
from gavial.maven.behaviour import observe
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.promises import promises
from gavial.maven.selector import Request

LARGE = 64 << 20
HTTP = ["nexus3", "nexus2", "nginx", "apache"]

over_http = pytest.mark.parametrize("server", HTTP, indirect=True)
everywhere = pytest.mark.parametrize("server", [*HTTP, "folder"], indirect=True)
where_claims_are_hidden = pytest.mark.parametrize("server", ["artipie"], indirect=True)

RELEASED = Module("com.acme", "released")


def selected(repository, text):
    return str(catalog.select(repository, Request.parse(text)))


# -- deploying --------------------------------------------------------------------------


@everywhere
def test_each_deploy_takes_the_next_build_of_its_line(released):
    assert [str(one.version) for one in released] == ["1.0.0", "1.0.1", "2.0.0"]


@everywhere
def test_an_exact_version_is_released_and_the_line_goes_on_after_it(repository):
    assert str(release(repository, "com.acme:exact:3.1.4").version) == "3.1.4"
    assert str(release(repository, "com.acme:exact:3.1").version) == "3.1.5"


@everywhere
def test_a_second_deploy_of_an_exact_version_is_refused_and_changes_nothing(released, repository):
    before = [repository.read(path) for path in paths(released[0])]

    def others(coordinate):
        return protocol.Packed(((layout.jar_path(coordinate), jar("other")),), pom(coordinate))

    with pytest.raises(ReleaseExists, match="never changes"):
        release(repository, str(released[0]), others)
    assert [repository.read(path) for path in paths(released[0])] == before


@everywhere
def test_versions_that_others_wrote_into_the_metadata_stay(repository):
    module = Module("com.acme", "merged")
    path = layout.metadata_path(module)
    by_hand = (
        "<?xml version='1.0'?><metadata><groupId>com.acme</groupId><artifactId>merged</artifactId>"
        "<versioning><release>1.1.0-rc1</release><versions><version>1.1.0-rc1</version></versions>"
        "<lastUpdated>20200101000000</lastUpdated></versioning></metadata>"
    )
    assert repository.write(path, Content.of_bytes(by_hand.encode()), replace=True) is None
    release(repository, "com.acme:merged")
    merged = repository.read(path)
    assert ModuleMetadata.parse(merged, module).versions == ("1.1.0-rc1", "1.0.0")
    assert ModuleMetadata.newest(merged, module) == ("1.0.0", "1.0.0")
    assert repository.read(f"{path}.sha1").decode() == hashlib.sha1(merged).hexdigest()


@everywhere
def test_the_second_repository_has_releases_of_its_own(server, connect):
    promoted = connect(server.promoted, (server.username, server.password))
    release(promoted, "com.acme:promoted:1.0.1")
    first = connect(server.url, (server.username, server.password))
    assert selected(promoted, "com.acme:promoted") == "com.acme:promoted:1.0.1"
    assert catalog.versions(first, Module("com.acme", "promoted")).releases == ()


@everywhere
def test_a_large_jar_streams_both_ways_and_says_how_far_it_is(repository, tmp_path):
    file = tmp_path / "large.jar"
    with zipfile.ZipFile(file, "w") as entries:  # stored: random bytes do not shrink
        entries.writestr("data", os.urandom(LARGE))
    content = Content.of_file(file)
    sent, came = [], []

    def large(coordinate):
        return protocol.Packed(((layout.jar_path(coordinate), content),), pom(coordinate))

    def transferred(path, count, size):
        if path.endswith(".jar"):
            sent.append((count, size))

    tracemalloc.start()
    coordinate = release(repository, "com.acme:large", large, transferred)
    with (tmp_path / "came").open("w+b") as target:
        assert repository.download(layout.jar_path(coordinate), target, came.append)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert Content.of_file(tmp_path / "came").digests == content.digests
    assert sum(count for count, _ in sent) == sum(came) == content.size
    assert len(sent) > 10
    assert {size for _, size in sent} == {content.size}
    assert peak < LARGE


# -- reading ----------------------------------------------------------------------------


@everywhere
def test_selectors_find_the_release_that_they_mean(released, reader):
    for text, version in {
        "com.acme:released": "2.0.0",
        "com.acme:released:latest.release": "2.0.0",
        "com.acme:released:1.0.+": "1.0.1",
        "com.acme:released:[1.0,2.0)": "1.0.1",
        "com.acme:released:1.0.0": "1.0.0",
    }.items():
        assert selected(reader, text) == f"com.acme:released:{version}"


@everywhere
def test_a_catalogue_has_every_version_of_a_module(released, reader):
    versions = catalog.versions(reader, RELEASED)
    assert versions.releases == tuple(one.version for one in released)
    assert versions.foreign == ()


@everywhere
def test_a_catalogue_names_every_model_of_a_repository(released, reader):
    assert RELEASED in catalog.modules(reader)


@everywhere
def test_every_file_is_read_with_the_digests_that_lie_beside_it(released, reader):
    for coordinate in released:
        for path in paths(coordinate):
            file = io.BytesIO()
            assert reader.download(path, file)
            assert reader.exists(path)
            for algorithm in ("sha1", "md5"):
                digest = hashlib.new(algorithm, file.getvalue()).hexdigest()
                assert reader.read(f"{path}.{algorithm}") == digest.encode()
    jar_path, content = packed(released[1]).files[0]
    assert reader.read(jar_path) == content.source


@everywhere
def test_a_description_in_any_script_comes_back_as_it_was(released, reader):
    root = ElementTree.fromstring(reader.read(layout.pom_path(released[0])))
    assert root.findtext("{*}description") == DESCRIPTION


@everywhere
def test_a_model_that_is_not_there_is_not_found(released, reader):
    with pytest.raises(ModelNotFound, match=r"com\.acme:nothing in repository"):
        selected(reader, "com.acme:nothing")
    assert catalog.versions(reader, Module("com.acme", "nothing")).releases == ()
    assert not reader.download("com/acme/nothing/1.0.0/nothing-1.0.0.jar", io.BytesIO())


@everywhere
def test_a_version_that_is_not_there_is_answered_with_those_that_are(released, reader):
    with pytest.raises(ReleaseNotFound, match=r"it has 1\.0\.0, 1\.0\.1, 2\.0\.0"):
        selected(reader, "com.acme:released:7.+")


# makes_folders, overwrites, conditional, may_delete; see docs/protocol.md
HABITS = {
    "nexus3": (False, False, None, False),
    "nexus2": (False, False, None, False),
    "nginx": (True, True, False, True),
    "apache": (True, True, True, True),
    "folder": (True, True, True, True),
}


@everywhere
def test_a_check_finds_the_servers_habits_and_that_it_may_be_released_there(server, repository):
    seen = observe(repository)
    assert seen.refusal == ""
    assert seen.may_release
    assert all(promise.kept for promise in promises(seen))
    assert seen.keeps_metadata
    assert seen.lists
    habits = (seen.makes_folders, seen.overwrites, seen.conditional, seen.may_delete)
    assert habits == HABITS[server.name]


# -- who may ----------------------------------------------------------------------------


@over_http
def test_a_wrong_password_releases_nothing_and_is_named_as_the_reason(server, connect):
    stranger = connect(server.url, (server.username, "wrong"))
    with pytest.raises(AccessDenied, match=r"credentials of user 'deployer'") as caught:
        release(stranger, "com.acme:stranger")
    assert "wrong" not in str(caught.value)
    anybody = connect(server.url)
    assert catalog.versions(anybody, Module("com.acme", "stranger")).releases == ()


@over_http
def test_who_may_only_read_reads_and_releases_nothing(released, reader):
    assert selected(reader, "com.acme:released:1.0") == "com.acme:released:1.0.1"
    with pytest.raises(AccessDenied, match="user 'reader'"):
        release(reader, "com.acme:readonly")
    assert not reader.exists(layout.pom_path(Coordinate.parse("com.acme:readonly:1.0.0")))
    assert "reader" in observe(reader).refusal


@over_http
def test_anybody_may_read_where_the_server_says_so_and_nobody_releases(released, server, connect):
    anybody = connect(server.url)
    assert anybody.realm() is None
    assert selected(anybody, "com.acme:released") == "com.acme:released:2.0.0"
    assert anybody.read(layout.jar_path(released[0]))
    with pytest.raises(
        AccessDenied, match="Set GAVIAL_REPOSITORIES_MODELS_URL, _USERNAME and _PASSWORD"
    ):
        release(anybody, "com.acme:anybody")


@over_http
def test_a_closed_server_asks_for_a_password_and_names_its_realm(closed, connect):
    anybody = connect(closed.url)
    assert anybody.realm() == closed.realm
    with pytest.raises(AccessDenied, match="wants credentials"):
        catalog.versions(anybody, RELEASED)
    known = connect(closed.url, (closed.username, closed.password))
    release(known, "com.acme:closed")
    reader = connect(closed.url, closed.reader)
    assert selected(reader, "com.acme:closed") == "com.acme:closed:1.0.0"
    with pytest.raises(AccessDenied, match="credentials of user 'reader'"):
        catalog.versions(connect(closed.url, (closed.reader[0], "wrong")), RELEASED)


# -- where no promise can be kept ---------------------------------------------------------


@where_claims_are_hidden
def test_a_server_that_hides_a_claim_is_told_from_others_and_nothing_is_released(repository):
    with pytest.raises(RepositoryRefused, match="does not show it"):
        release(repository, "com.acme:hidden")
    hidden = Coordinate(Module("com.acme", "hidden"), Version(1, 0, 0))
    assert not any(repository.exists(path) for path in paths(hidden))
    assert catalog.versions(repository, hidden.module).releases == ()


@where_claims_are_hidden
def test_a_check_says_that_nothing_can_be_released_where_claims_are_hidden(repository):
    seen = observe(repository)
    assert seen.shows_claims is False
    assert not seen.may_release


@where_claims_are_hidden
def test_a_server_of_one_user_turns_a_wrong_password_away(server, connect):
    assert connect(server.url).realm() == server.realm
    with pytest.raises(AccessDenied, match="user 'deployer'"):
        release(connect(server.url, (server.username, "wrong")), "com.acme:stranger")
