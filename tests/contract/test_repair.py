"""A module's metadata, rebuilt from what is there, on every kind of repository."""

from __future__ import annotations

import pytest
from releasing import release

from gavial.errors import ModelNotFound
from gavial.maven import layout
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Module
from gavial.registry.repair import examine, repair

CHURN = Module("com.acme", "churn")
METADATA = layout.metadata_path(CHURN)


class Killed(Exception):
    pass


def write_metadata(repository, *versions, newest=None, group="com.acme"):
    """As another tool would: in that order, and with the last one as the newest."""
    newest = newest or versions[-1]
    listed = "".join(f"<version>{version}</version>" for version in versions)
    text = (
        f"<metadata><groupId>{group}</groupId><artifactId>churn</artifactId><versioning>"
        f"<latest>{newest}</latest><release>{newest}</release><versions>{listed}</versions>"
        "</versioning></metadata>"
    )
    content = Content.of_bytes(text.encode())
    repository.write(METADATA, content, replace=True)
    for algorithm in ("sha1", "md5"):
        repository.write(f"{METADATA}.{algorithm}", content.checksum(algorithm), replace=True)


@pytest.fixture
def three(repository):
    """A repository with three builds of a line."""
    for token in "abc":
        release(repository, "com.acme:churn:1.0", token)
    return repository


def texts(versions):
    return [str(version) for version in versions]


def test_what_is_right_needs_no_repair(three):
    found = examine(three, CHURN)
    assert texts(found.releases) == ["1.0.0", "1.0.1", "1.0.2"]
    assert not found.needs_repair
    assert (found.claims, found.corrupt) == ((), ())


def test_a_release_that_is_not_listed_is_listed_again(three):
    write_metadata(three, "1.0.1")
    found = examine(three, CHURN)
    assert found.missing == ("1.0.0", "1.0.2")
    repair(three, found)
    assert not examine(three, CHURN).needs_repair
    assert three.read(METADATA).count(b"<version>") == 3
    assert b"<release>1.0.2</release>" in three.read(METADATA)


def test_what_is_released_while_a_repair_looks_stays_listed(three):
    write_metadata(three, "1.0.0")
    found = examine(three, CHURN)
    release(three, "com.acme:churn:1.0", "d")
    repair(three, found)
    assert three.read(METADATA).count(b"<version>") == 4
    assert not examine(three, CHURN).needs_repair


def test_a_version_that_is_listed_and_not_there_is_taken_out(three):
    write_metadata(three, "1.0.0", "1.0.1", "1.0.2", "1.0.7", "9.9-rc1")
    found = examine(three, CHURN)
    assert found.phantom == ("1.0.7", "9.9-rc1")
    repair(three, found)
    assert b"1.0.7" not in three.read(METADATA)


def test_the_last_version_in_the_place_of_the_highest_is_mended(three):
    write_metadata(three, "1.0.0", "1.0.1", "1.0.2", newest="1.0.1")
    found = examine(three, CHURN)
    assert found.stale
    assert (found.missing, found.phantom) == ((), ())
    repair(three, found)
    assert not examine(three, CHURN).stale


def test_metadata_with_wrong_checksums_are_written_again(three):
    three.write(f"{METADATA}.sha1", Content.of_bytes(b"0" * 40), replace=True)
    found = examine(three, CHURN)
    assert found.stale
    repair(three, found)
    assert not examine(three, CHURN).needs_repair


@pytest.mark.parametrize(
    "broken",
    [b"", b"<html>", b"<metadata><groupId>org.other</groupId></metadata>", b"\xff\xfe"],
    ids=["empty", "HTML", "another's", "no text"],
)
def test_metadata_that_cannot_be_read_are_made_again(repository, broken):
    release(repository, "com.acme:churn:1.0")
    repository.write(METADATA, Content.of_bytes(broken), replace=True)
    found = examine(repository, CHURN)
    assert found.missing == ("1.0.0",)
    repair(repository, found)
    assert not examine(repository, CHURN).needs_repair


def test_a_line_that_is_not_listed_is_found(three):
    release(three, "com.acme:churn:3.1", "d")
    write_metadata(three, "1.0.0", "1.0.1", "1.0.2")
    assert examine(three, CHURN).missing == ("3.1.0",)


def test_a_version_by_others_is_kept(three):
    three.write("com/acme/churn/1.1.0-rc1/churn-1.1.0-rc1.pom", Content.of_bytes(b"pom"))
    write_metadata(three, "1.0.0", "1.1.0-rc1")
    found = examine(three, CHURN)
    assert found.foreign == ("1.1.0-rc1",)
    repair(three, found)
    assert b"<version>1.1.0-rc1</version>" in three.read(METADATA)


def test_an_abandoned_claim_is_named_and_left(three):
    def die(_):
        raise Killed

    with pytest.raises(Killed):
        release(three, "com.acme:churn:1.0", "d", pack=die)
    found = examine(three, CHURN)
    assert texts(found.claims) in [["1.0.3"]]
    assert not found.needs_repair
    repair(three, found)
    assert three.exists(layout.claim_path(Coordinate.parse("com.acme:churn:1.0.3")))


def test_a_module_that_is_not_there_is_said(repository):
    with pytest.raises(ModelNotFound, match=r"com\.acme:churn"):
        examine(repository, CHURN)
