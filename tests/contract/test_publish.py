"""A release through the publish protocol, on every kind of repository."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from releasing import no_sleep, order, packed, release

from gavial.errors import (
    CorruptRelease,
    InvalidCoordinate,
    ModelNotFound,
    NumberTaken,
    ReleaseExists,
    ReleaseNotFound,
)
from gavial.maven import catalog, layout, protocol, publish
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Library, Module, Target
from gavial.maven.drive import Driver
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.selector import Request

CHURN = Module("com.acme", "churn")


def selected(repository, text):
    return str(catalog.select(repository, Request.parse(text)))


def test_builds_of_a_line_are_allotted_from_zero(repository):
    builds = [release(repository, "com.acme:churn:1.0", token) for token in "abc"]
    assert builds == [f"com.acme:churn:1.0.{n}" for n in range(3)]
    assert selected(repository, "com.acme:churn") == "com.acme:churn:1.0.2"


def test_a_line_of_its_own_counts_its_own_builds(repository):
    release(repository, "com.acme:churn:1.0")
    assert release(repository, "com.acme:churn:2", "b") == "com.acme:churn:2.0.0"


def test_without_a_line_a_later_line_must_be_named(repository):
    release(repository, "com.acme:churn:2.1")
    with pytest.raises(InvalidCoordinate, match=r"churn is at 2\.1"):
        release(repository, "com.acme:churn")


def test_an_exact_version_is_released_once(repository):
    assert release(repository, "com.acme:churn:1.0.7") == "com.acme:churn:1.0.7"
    with pytest.raises(ReleaseExists, match="never changes"):
        release(repository, "com.acme:churn:1.0.7", "b")
    assert release(repository, "com.acme:churn:1.0", "c") == "com.acme:churn:1.0.8"


def test_every_file_has_its_checksums_as_bare_hex(repository):
    release(repository, "com.acme:churn:1.0")
    coordinate = Coordinate.parse("com.acme:churn:1.0.0")
    for path in (
        layout.jar_path(coordinate),
        layout.pom_path(coordinate),
        layout.claim_path(coordinate),
        layout.metadata_path(CHURN),
    ):
        content = Content.of_bytes(repository.read(path))
        for algorithm in ("sha1", "md5"):
            assert repository.read(f"{path}.{algorithm}").decode() == content.digests[algorithm]


class Killed(Exception):
    pass


def test_an_abandoned_claim_is_invisible_and_its_number_is_skipped(repository):
    def die(_):
        raise Killed

    release(repository, "com.acme:churn:1.0")
    with pytest.raises(Killed):
        release(repository, "com.acme:churn:1.0", "b", pack=die)
    assert selected(repository, "com.acme:churn") == "com.acme:churn:1.0.0"
    with pytest.raises(NumberTaken):
        release(repository, "com.acme:churn:1.0.1", "c")
    assert release(repository, "com.acme:churn:1.0", "d") == "com.acme:churn:1.0.2"


def test_a_deploy_that_died_before_the_metadata_is_finished_and_not_made_again(repository):
    one = order(repository)
    steps = publish.publish(one, Target.parse("com.acme:churn:1.0"))

    def die_before_metadata(steps):
        answer = yield next(steps)
        while True:
            step = steps.send(answer)
            if isinstance(step, protocol.WriteMetadata):
                raise Killed
            answer = yield step

    with pytest.raises(Killed):
        Driver(repository, packed, sleep=no_sleep).run(die_before_metadata(steps))
    assert repository.read(layout.metadata_path(CHURN)) is None
    finished = publish.finish(one, Coordinate.parse("com.acme:churn:1.0.0"))
    assert Driver(repository, packed, sleep=no_sleep).run(finished)
    assert b"<version>1.0.0</version>" in repository.read(layout.metadata_path(CHURN))


def test_another_deploy_repairs_the_metadata_of_one_that_died(repository):
    release(repository, "com.acme:churn:1.0")
    metadata = layout.metadata_path(CHURN)
    stale = repository.read(metadata)
    release(repository, "com.acme:churn:1.0", "b")
    repository.write(metadata, Content.of_bytes(stale), replace=True)
    release(repository, "com.acme:churn:1.0", "c")
    assert selected(repository, "com.acme:churn:1.0.1") == "com.acme:churn:1.0.1"
    assert repository.read(metadata).count(b"<version>") == 3


def test_a_date_as_a_build_does_not_ask_for_every_day_since_the_first(serve, connect):
    server = serve()
    repository = connect(server.url)
    release(repository, "com.acme:churn:1.0.7")
    assert release(repository, "com.acme:churn:1.0.20240131", "b").endswith("20240131")
    assert len(server.asked("HEAD")) < 300
    assert repository.read(layout.metadata_path(CHURN)).count(b"<version>") == 2


def test_after_the_last_number_that_there_is_the_next_line_is_asked_for(repository):
    release(repository, "com.acme:churn:1.0.999999999")
    with pytest.raises(InvalidCoordinate, match=r"name the next line, as in com\.acme:churn:1\.1"):
        release(repository, "com.acme:churn:1.0", "b")


def test_a_pom_that_is_not_shown_at_once_gets_its_own_checksum(repository):
    coordinate = Coordinate.parse("com.acme:churn:1.0.0")
    steps = publish.publish(order(repository), Target.parse("com.acme:churn:1.0"))

    def blind(steps):
        """As a proxy that remembers that the POM was not there."""
        answer = yield next(steps)
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                return end.value
            hidden = isinstance(step, protocol.Read) and step.path == layout.pom_path(coordinate)
            answer = None if hidden else (yield step)

    Driver(repository, packed, sleep=no_sleep).run(blind(steps))
    pom = Content.of_bytes(repository.read(layout.pom_path(coordinate)))
    checksum = repository.read(f"{layout.pom_path(coordinate)}.sha1")
    assert checksum.decode() == pom.digests["sha1"]


BY_MAVEN = """<?xml version="1.0" encoding="UTF-8"?>
<metadata modelVersion="1.1.0">
  <groupId>com.acme</groupId>
  <artifactId>churn</artifactId>
  <versioning>
    <latest>0.9.5</latest>
    <release>0.9.5</release>
    <versions>
      <version>1.0.0</version>
      <version>1.0-beta</version>
      <version>0.9.5</version>
    </versions>
    <lastUpdated>20990101000000</lastUpdated>
  </versioning>
</metadata>
"""
BY_HAND = """\ufeff<metadata xmlns="http://maven.apache.org/METADATA/1.1.0"
  ><!-- mine --><versioning><versions><version> 1.0.0 </version>
<version>1.0-beta</version><version>0.9.5</version></versions></versioning></metadata>"""


@pytest.mark.parametrize("text", [BY_MAVEN, BY_HAND], ids=["by mvn deploy", "by hand"])
def test_a_list_that_others_wrote_is_kept_and_names_the_highest(repository, text):
    release(repository, "com.acme:churn:1.0")
    for version in ("0.9.5", "1.0-beta"):
        pom = f"com/acme/churn/{version}/churn-{version}.pom"
        repository.write(pom, Content.of_bytes(b"pom"))
    metadata = layout.metadata_path(CHURN)
    repository.write(metadata, Content.of_bytes(text.encode()), replace=True)
    assert release(repository, "com.acme:churn:1.0", "b") == "com.acme:churn:1.0.1"
    written = repository.read(metadata)
    assert ModuleMetadata.newest(written, CHURN) == ("1.0.1", "1.0.1")
    versions = ModuleMetadata.parse(written, CHURN).versions
    assert versions == ("1.0-beta", "0.9.5", "1.0.0", "1.0.1")


def test_machines_whose_clocks_differ_by_hours_lose_nothing(repository):
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for number, hours in enumerate((5, -7, 0, 11)):
        clock = noon + timedelta(hours=hours)
        steps = publish.publish(order(repository, f"t{number}"), Target.parse("com.acme:churn:1.0"))
        made = Driver(repository, packed, sleep=no_sleep, now=lambda clock=clock: clock).run(steps)
        assert str(made) == f"com.acme:churn:1.0.{number}"
    assert selected(repository, "com.acme:churn") == "com.acme:churn:1.0.3"
    assert repository.read(layout.metadata_path(CHURN)).count(b"<version>") == 4


RUNTIME = Library.parse("io.gavial:gavial:0.1.0-dev.abc")


def bring(repository, jar=b"runtime"):
    files = ((layout.jar_path(RUNTIME), Content.of_bytes(jar)),)
    steps = publish.publish_reproducible(
        RUNTIME,
        protocol.Packed(files, Content.of_bytes(b"pom")),
        lists_itself=repository.lists_itself,
    )
    Driver(repository, packed, sleep=no_sleep).run(steps)


def test_a_reproducible_artifact_is_brought_once_and_listed(repository):
    bring(repository)
    bring(repository)
    assert repository.read(layout.jar_path(RUNTIME)) == b"runtime"
    assert b"0.1.0-dev.abc" in repository.read(layout.metadata_path(RUNTIME.module))


def test_a_reproducible_artifact_that_was_left_half_is_completed(repository):
    repository.write(layout.jar_path(RUNTIME), Content.of_bytes(b"runtime"))
    bring(repository)
    assert repository.read(layout.pom_path(RUNTIME)) == b"pom"


def test_a_reproducible_artifact_with_other_bytes_is_corrupt(repository):
    bring(repository, b"something else")
    with pytest.raises(CorruptRelease, match="runs in every job"):
        bring(repository)


def test_a_selector_that_matches_nothing_says_what_there_is(repository):
    release(repository, "com.acme:churn:1.0")
    with pytest.raises(ReleaseNotFound, match=r"'3\.\+': it has 1\.0\.0"):
        selected(repository, "com.acme:churn:3.+")


def test_a_model_that_is_not_there_is_named_with_the_repository(repository):
    with pytest.raises(ModelNotFound, match=r"com\.acme:churn in repository"):
        selected(repository, "com.acme:churn")
