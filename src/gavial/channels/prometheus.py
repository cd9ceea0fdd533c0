"""Gauges as a text file, which Prometheus's node exporter reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gavial.channels.channel import Meter
from gavial.channels.gauges import HELP, Gauge
from gavial.errors import ConfigurationError, NotDelivered


class Prometheus(Meter):
    """Writes one file a module, such as `gavial_com.acme_churn.prom`.

    A file appears whole or not at all.

    Args:
        folder: what `--collector.textfile.directory` of the node exporter names.
    """

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self._folder = folder

    def publish(self, module: str, gauges: Sequence[Gauge]) -> None:
        try:
            from prometheus_client import CollectorRegistry, write_to_textfile
        except ImportError as missing:
            raise ConfigurationError(
                'A text file for Prometheus needs prometheus_client: pip install "gavial[monitor]"'
            ) from missing
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(gauges))
        file = self._file(module)
        try:
            write_to_textfile(str(file), registry)
        except OSError as error:
            raise NotDelivered(f"{file} cannot be written: {error.strerror or error}.") from error

    def forget(self, module: str) -> None:
        with suppress(OSError):
            self._file(module).unlink(missing_ok=True)

    def _file(self, module: str) -> Path:
        return self._folder / f"gavial_{module.replace(':', '_')}.prom"


class _Collector:
    def __init__(self, gauges: Sequence[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        families: dict[str, Any] = {}
        for one in self._gauges:
            family = families.get(one.name)
            if family is None:
                family = GaugeMetricFamily(one.name, HELP[one.name], labels=list(one.labels))
                families[one.name] = family
            family.add_metric(list(one.labels.values()), one.value)
        yield from families.values()
