"""The steps that bring a release elsewhere, killed at each of them, on every kind of repository."""

from __future__ import annotations

from itertools import count

import pytest
from maven_server import Fault
from releasing import no_sleep, packed, release

from gavial.errors import NumberTaken, ReleaseExists, RepositoryError, RepositoryRefused
from gavial.maven import layout, transfer
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.maven.drive import Driver
from gavial.maven.metadata import ModuleMetadata

CHURN = Module("com.acme", "churn")


def cargo(build=0, text=b"claimed by the source's deploy"):
    coordinate = Coordinate(CHURN, Version(1, 0, build))
    return transfer.Cargo(coordinate, Content.of_bytes(text), packed(coordinate))


def bring(repository, what=None, *, resumed=False, die=lambda steps: steps):
    steps = transfer.transfer(
        what or cargo(), lists_itself=repository.lists_itself, resumed=resumed
    )
    return Driver(repository, sleep=no_sleep).run(die(steps))


def holds(repository, what):
    """Whether all of it is there, with its checksums, and listed."""
    others = Driver(repository).run(transfer.differences(what))
    data = repository.read(layout.metadata_path(CHURN))
    there = ModuleMetadata.parse(data, CHURN).versions
    for path in (layout.pom_path(what.coordinate), layout.claim_path(what.coordinate)):
        content = Content.of_bytes(repository.read(path))
        assert repository.read(f"{path}.sha1") == content.digests["sha1"].encode()
    return not others and str(what.coordinate.version) in there


class Killed(Exception):
    pass


def dying(step):
    """Steps that end in death after so many: the same as before the next one."""

    def wrapped(steps):
        answer = None
        for at in count(1):
            try:
                asked = steps.send(answer)
            except StopIteration as end:
                return end.value
            answer = yield asked
            if at == step:
                raise Killed

    return wrapped


def test_a_release_is_brought_once_and_then_it_is_there(repository):
    assert bring(repository) is True
    assert bring(repository) is False
    assert holds(repository, cargo())


def test_a_promotion_that_is_killed_at_any_step_is_finished_by_the_next(repository):
    for step in count(1):
        what = cargo(step)
        try:
            bring(repository, what, die=dying(step))
        except Killed:
            pass
        else:
            break
        bring(repository, what, resumed=True)
        assert holds(repository, what), step
    assert step > 15


def test_a_deploy_goes_on_beside_a_promotion_that_was_killed(repository):
    with pytest.raises(Killed):
        bring(repository, die=dying(4))
    assert release(repository, "com.acme:churn:1.0") == "com.acme:churn:1.0.1"
    bring(repository, resumed=True)
    assert holds(repository, cargo())


def test_other_bytes_under_that_coordinate_are_refused_by_name_and_stay(repository):
    release(repository, "com.acme:churn:1.0")
    with pytest.raises(ReleaseExists, match=r"other bytes than in the source: churn-1\.0\.0-meta"):
        bring(repository)
    assert repository.read(layout.claim_path(cargo().coordinate)).startswith(b"t ")


def test_the_claim_of_another_deploy_is_left_alone(repository):
    path = layout.claim_path(cargo().coordinate)
    repository.make_folder(layout.release_folder(cargo().coordinate))
    repository.write(path, Content.of_bytes(b"another's"))
    with pytest.raises(NumberTaken, match="deploy the next build to the source"):
        bring(repository)
    assert repository.read(path) == b"another's"


@pytest.mark.parametrize("ends", ["-metadata.xml", ".jar", ".pom", "/maven-metadata.xml"])
def test_a_server_that_says_no_is_an_error_and_to_repeat_it_goes_on(serve, connect, ends):
    server = serve(faults=[Fault("status", "PUT", ends, 507)] * 9)
    repository = connect(server.url)
    with pytest.raises(RepositoryError):
        bring(repository)
    server.faults.clear()
    bring(repository, resumed=True)
    assert holds(repository, cargo())


def test_a_server_that_hides_claims_gets_no_release(serve, connect):
    repository = connect(serve(hide_claims=True).url)
    with pytest.raises(RepositoryRefused, match="does not show it"):
        bring(repository)
