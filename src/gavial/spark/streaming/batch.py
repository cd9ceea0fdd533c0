"""One batch of a stream: pin its version, score, write."""

from __future__ import annotations

from typing import Protocol

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from gavial.errors import ConfigurationError
from gavial.spark.streaming.checkpoint import Checkpoint
from gavial.spark.streaming.pin import Pin
from gavial.spark.streaming.sinks import Sink


class Versions(Protocol):
    """The versions of a model, as a batch needs them."""

    def choose(self, pinned: Pin | None) -> Pin:
        """The version of the batch that begins now; a pinned one stays what it is."""

    def model(self, pin: Pin) -> PipelineModel:
        """That version, loaded."""

    def batch_failed(self, batch: int, pin: Pin, where: str, error: Exception) -> None:
        """Told when a batch could not be scored or written; `where` is the place of its pin."""


class Batches:
    """What Spark calls with each batch. Called again with the same one, it leaves it there once."""

    def __init__(self, checkpoint: Checkpoint, versions: Versions, sink: Sink) -> None:
        self.checkpoint = checkpoint
        self.versions = versions
        self.sink = sink
        self._query = ""

    def __call__(self, records: DataFrame, batch: int) -> None:
        query = self._query_id()
        pin = self.pin(query, batch)
        try:
            scored = self.score(pin, records)
            self.write(scored, query, batch)
        except Exception as error:
            where = f"{self.checkpoint.uri}/{self.checkpoint.pin_name(query, batch)}"
            self.versions.batch_failed(batch, pin, where, error)
            raise
        self.checkpoint.forget(query, batch)

    def pin(self, query: str, batch: int) -> Pin:
        """The version of the batch, which no later run of it changes."""
        found = self.checkpoint.pin(query, batch)
        chosen = self.versions.choose(found)
        return chosen if found else self.checkpoint.create_pin(query, batch, chosen)

    def score(self, pin: Pin, records: DataFrame) -> DataFrame:
        return self.versions.model(pin).transform(records)

    def write(self, scored: DataFrame, query: str, batch: int) -> None:
        self.sink.write(scored, query, batch)

    def _query_id(self) -> str:
        # Spark writes it before the first batch. Its thread's local property has it too, and is
        # seen from Python only where threads are pinned to those of the JVM.
        if not self._query:
            found = self.checkpoint.query_id()
            if found is None:
                raise ConfigurationError(
                    f"The checkpoint {self.checkpoint.uri!r} is gone while the stream runs: "
                    "restore it from a copy, or start with a new one."
                )
            self._query = found
        return self._query
