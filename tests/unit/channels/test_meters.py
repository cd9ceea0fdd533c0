"""Gauges, read by what they are for: Prometheus's own parser, and OTLP's own messages."""

from __future__ import annotations

import gzip
import os
import stat
from datetime import UTC, datetime

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from prometheus_client.parser import text_string_to_metric_families

from gavial.channels.gauges import HELP, gauges_of
from gavial.channels.otel import Otel
from gavial.channels.prometheus import Prometheus
from gavial.errors import NotDelivered
from gavial.monitoring.verdict import Status

from .conftest import MODULE, make

NOW = datetime(2026, 3, 2, tzinfo=UTC)
GAUGES = gauges_of(
    MODULE,
    (make(), make(Status.OK, version="1.0.2", segment='plan="a\\b\nc"'), make(version="1.0.4")),
    NOW,
)


def expected():
    return {(one.name, frozenset(one.labels.items()), one.value) for one in GAUGES}


def test_prometheus_reads_every_gauge_back(tmp_path):
    Prometheus("node", tmp_path).publish(MODULE, GAUGES)
    (file,) = tmp_path.iterdir()
    assert file.name == "gavial_com.acme_churn.prom"
    families = list(text_string_to_metric_families(file.read_text("utf-8")))
    found = {
        (sample.name, frozenset(sample.labels.items()), sample.value)
        for family in families
        for sample in family.samples
    }
    assert found == expected()
    assert {family.type for family in families} == {"gauge"}
    assert {family.name: family.documentation for family in families} == {
        name: text for name, text in HELP.items() if name != "gavial_monitor_high"
    }


def test_the_exporter_may_read_the_file(tmp_path):
    Prometheus("node", tmp_path).publish(MODULE, GAUGES)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & stat.S_IROTH or os.umask(0) & 0o004


def test_a_file_takes_the_place_of_the_one_before(tmp_path):
    channel = Prometheus("node", tmp_path)
    channel.publish(MODULE, GAUGES)
    channel.publish(MODULE, GAUGES[:1])
    (file,) = tmp_path.iterdir()
    assert "1.0.4" not in file.read_text()


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(NotDelivered, match=r"gone/gavial_com.acme_churn.prom cannot be written"):
        Prometheus("node", tmp_path / "gone").publish(MODULE, GAUGES)


def points(server):
    """What a collector makes of what it was sent."""
    found = set()
    for _, headers, body in server.requests:
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            names = {one.key: one.value.string_value for one in resource.resource.attributes}
            assert names["service.name"] == "gavial"
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.gauge.data_points:
                        labels = frozenset(
                            (one.key, one.value.string_value) for one in point.attributes
                        )
                        found.add((metric.name, labels, point.as_double))
    return found


def dotted(name):
    return name.removesuffix("_seconds").replace("_", ".", 2)


def test_a_collector_gets_every_gauge_and_the_key(serve):
    server = serve()
    Otel("otel", server.origin, {"api-key": "s3cret"}).publish(MODULE, GAUGES)
    ((path, headers, _),) = server.requests
    assert path == "/v1/metrics"
    assert headers["api-key"] == "s3cret"
    assert points(server) == {(dotted(name), *rest) for name, *rest in expected()}


def test_the_path_of_an_endpoint_is_kept(serve):
    server = serve()
    Otel("otel", f"{server.origin}/otlp/v1/metrics").publish(MODULE, GAUGES)
    assert server.requests[0][0] == "/otlp/v1/metrics"


def test_without_an_endpoint_the_standard_variables_say_it(serve, monkeypatch):
    server = serve()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.origin)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret")
    Otel("otel").publish(MODULE, GAUGES)
    assert server.requests[0][1]["api-key"] == "s3cret"


def test_a_collector_that_is_busy_is_asked_again(serve):
    server = serve(503, 200)
    Otel("otel", server.origin).publish(MODULE, GAUGES)
    assert len(server.requests) == 2


def test_a_collector_that_refuses_is_told_without_a_word_on_the_terminal(serve, capfd):
    server = serve(400)
    with pytest.raises(NotDelivered, match="did not take the metrics: it answers 400"):
        Otel("otel", f"{server.origin}/S3CRET/v1/metrics").publish(MODULE, GAUGES)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_a_collector_elsewhere_gets_no_key(serve):
    other = serve()
    server = serve((307, {"Location": f"{other.origin}/v1/metrics"}))
    with pytest.raises(NotDelivered, match="sends them elsewhere"):
        Otel("otel", server.origin, {"api-key": "s3cret"}).publish(MODULE, GAUGES)
    assert other.requests == []


def test_no_collector_is_told_in_time(serve):
    gone = serve()
    gone.close()
    with pytest.raises(NotDelivered, match="it cannot be reached"):
        Otel("otel", gone.origin, seconds=2).publish(MODULE, GAUGES)
