"""Gauges for OpenTelemetry, sent to a collector by OTLP over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from gavial.channels.channel import Meter
from gavial.channels.gauges import HELP, Gauge
from gavial.errors import ConfigurationError, NotDelivered
from gavial.maven.http_client import origin_of
from gavial.version import __version__

_SECONDS = 30.0


class Otel(Meter):
    """Sends gauges, named as for Prometheus with dots: `gavial.monitor.value`.

    Args:
        endpoint: of the collector, such as `http://localhost:4318`; where it is empty, the
            `OTEL_EXPORTER_OTLP_…` variables say all of it.
        headers: sent along, such as a key.
        ca_file: a PEM file with the certificate authorities to trust, or the system's.
    """

    def __init__(
        self,
        name: str,
        endpoint: str = "",
        headers: Mapping[str, str] | None = None,
        ca_file: str | None = None,
        seconds: float = _SECONDS,
    ) -> None:
        super().__init__(name)
        self._endpoint, self._headers, self._ca_file = endpoint, headers, ca_file
        self._timeout = seconds

    def publish(self, module: str, gauges: Sequence[Gauge]) -> None:  # noqa: ARG002
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.sdk.metrics.export import MetricExportResult
        except ImportError as missing:
            raise ConfigurationError(
                'OpenTelemetry needs its SDK and exporter: pip install "gavial[otel]"'
            ) from missing
        session = _session()
        with _quiet():
            exporter = OTLPMetricExporter(
                endpoint=_metrics_url(self._endpoint) if self._endpoint else None,
                headers=dict(self._headers) if self._headers else None,
                certificate_file=self._ca_file,
                timeout=int(self._timeout),
                session=session,
            )
            try:
                done = exporter.export(_data(gauges))
            finally:
                exporter.shutdown()
        if done is not MetricExportResult.SUCCESS:
            where = origin_of(self._endpoint) if self._endpoint else "The collector"
            raise NotDelivered(f"{where} did not take the metrics: {session.said}.")


def _data(gauges: Sequence[Gauge]) -> Any:
    """The gauges as the SDK reads them out of instruments."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.resources import Resource

    reader = InMemoryMetricReader()
    provider = MeterProvider(
        [reader], Resource.create({"service.name": "gavial"}), shutdown_on_exit=False
    )
    try:
        meter = provider.get_meter("gavial", __version__)
        instruments: dict[str, Any] = {}
        for one in gauges:
            instrument = instruments.get(one.name)
            if instrument is None:
                unit = "s" if one.name.endswith("_seconds") else "1"
                instrument = meter.create_gauge(_dotted(one.name), unit, HELP[one.name])
                instruments[one.name] = instrument
            instrument.set(one.value, dict(one.labels))
        return reader.get_metrics_data()
    finally:
        provider.shutdown()


def _dotted(name: str) -> str:
    """Units are apart from names there.

    >>> _dotted("gavial_monitor_window_end_seconds")
    'gavial.monitor.window_end'
    """
    return name.removesuffix("_seconds").replace("_", ".", 2)


def _metrics_url(endpoint: str) -> str:
    """Where metrics go: the standard's path where only a server is named."""
    bare = not urlsplit(endpoint).path.strip("/")
    return f"{endpoint.rstrip('/')}/v1/metrics" if bare else endpoint


def _session() -> Any:
    import requests

    class Session(requests.Session):
        """Follows no redirect: keys in the headers are for that server. Notes what was said."""

        said = "it cannot be reached"

        def resolve_redirects(self, *_: object, **__: object) -> Iterator[requests.Response]:
            yield from ()

        def send(self, request: Any, **options: Any) -> requests.Response:
            answer = super().send(request, **options)
            self.said = f"it answers {answer.status_code}"
            if answer.is_redirect:
                self.said += " and sends them elsewhere; configure that URL"
                answer.status_code = 421  # else it would count as taken
            return answer

    return Session()


@contextmanager
def _quiet() -> Iterator[None]:
    """What the exporter logs goes nowhere: it has URLs, and says less than the error."""
    logger = logging.getLogger("opentelemetry.exporter")
    silent, before = logging.NullHandler(), logger.propagate
    logger.addHandler(silent)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(silent)
        logger.propagate = before
