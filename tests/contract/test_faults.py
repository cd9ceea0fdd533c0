"""What a deploy makes of a server or a proxy that fails at each of its requests in turn."""

from __future__ import annotations

import pytest
from maven_server import Fault
from releasing import no_sleep, order, packed

from gavial.errors import RepositoryError
from gavial.maven import layout, publish
from gavial.maven.coordinate import Coordinate, Module, Target
from gavial.maven.drive import Driver
from gavial.maven.metadata import ModuleMetadata

CHURN = Module("com.acme", "churn")
FIRST = Coordinate.parse("com.acme:churn:1.0.0")
FILES = {
    "claim": "-metadata.xml",
    "jar": ".jar",
    "jar.sha1": ".jar.sha1",
    "POM": ".pom",
    "POM's md5": ".pom.md5",
    "list": "/maven-metadata.xml",
}
PASSING = {
    "drop": Fault("drop"),
    "lose": Fault("lose"),
    "500 though stored": Fault("stored", status=500),
    "503": Fault("status", status=503),
    "429": Fault("status", status=429, retry_after="1"),
    "repeat": Fault("repeat"),
    "hang up": Fault("hang up"),
}
KINDS = {"refuses": {}, "folders": {"overwrite": "allow", "mkcol": True, "listing": True}}


def deploy(repository, token="t"):
    steps = publish.publish(order(repository, token), Target.parse("com.acme:churn:1.0"))
    return Driver(repository, packed, sleep=no_sleep).run(steps)


def at(fault, ends):
    return Fault(fault.kind, "PUT", ends, fault.status, fault.retry_after)


def released(server):
    return sorted(path.parent.name for path in server.root.rglob("churn-*.pom"))


def listed(server):
    data = (server.root / layout.metadata_path(CHURN)).read_bytes()
    return list(ModuleMetadata.parse(data, CHURN).versions)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ends", FILES.values(), ids=FILES)
@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_costs_no_number_and_doubles_no_release(serve, connect, kind, ends, fault):
    server = serve(faults=[at(PASSING[fault], ends)], **KINDS[kind])
    assert deploy(connect(server.url)) == FIRST
    assert released(server) == listed(server) == ["1.0.0"]
    assert server.faults == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ends", FILES.values(), ids=FILES)
@pytest.mark.parametrize("status", [502, 507, 413])
def test_what_stays_is_an_error_that_says_whether_the_release_exists(
    serve, connect, kind, ends, status
):
    lasting = [at(Fault("status", status=status), ends)] * 9
    server = serve(faults=lasting, **KINDS[kind])
    repository = connect(server.url)
    with pytest.raises(RepositoryError) as failed:
        deploy(repository)
    text = str(failed.value)
    assert str(status) in text
    if not released(server):
        assert ("Nothing was released" in text) is (ends != ".pom" or status == 413)
    else:
        assert "released but not listed" in text
    server.faults.clear()
    assert deploy(repository, "after").version.build in (0, 1)
    assert listed(server) == released(server)


def test_a_post_commit_failure_does_not_hide_that_nobody_knows(serve, connect):
    server = serve(faults=[Fault("status", "PUT", ".pom", 502)] * 9)
    with pytest.raises(RepositoryError, match=r"not known whether com\.acme:churn:1\.0\.0 was"):
        deploy(connect(server.url))
