"""Scoring streams: each micro-batch by one exact version, and newer releases as they appear."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gavial.errors import ConfigurationError
from gavial.maven.coordinate import Coordinate
from gavial.maven.selector import Request
from gavial.registry.followed import Followed
from gavial.registry.lookout import Lookout
from gavial.registry.problems import Problem, Problems

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming import DataStreamWriter, StreamingQuery
    from pyspark.sql.types import StructType

    from gavial.registry.release import Release
    from gavial.spark.streaming.batch import Batches

__all__ = ["Problem", "ScoringQuery", "score"]

_TRIGGERS = ("processingTime", "availableNow", "once")


class ScoringQuery:
    """A stream that is being scored.

    Attributes:
        query: Spark's own handle of it: `awaitTermination`, `lastProgress`, `exception`, ….
    """

    def __init__(
        self, query: StreamingQuery, followed: Followed, lookout: Lookout | None, problems: Problems
    ) -> None:
        self.query = query
        self._followed, self._lookout, self._problems = followed, lookout, problems

    @property
    def version(self) -> Coordinate:
        """The release in service: what the last batch that was not a repetition ran on."""
        return self._followed.in_service

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What went wrong without stopping the stream, such as a release that does not load."""
        return self._problems.all()

    def stop(self) -> None:
        """Stop the stream, and look for newer releases no more."""
        if self._lookout is not None:
            self._lookout.stop()
        self.query.stop()

    def __repr__(self) -> str:
        return f"<ScoringQuery {self.query.name or self.query.id} on {self.version}>"


def score(
    stream: DataFrame,
    what: str,
    repository: str | os.PathLike[str] | None = None,
    *,
    checkpoint: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    table: str | None = None,
    format: str = "parquet",
    poll: float | None = 60.0,
    trigger: Mapping[str, str | bool] | None = None,
    watermark_col: str | None = None,
    allow_sql: bool = False,
    allow_older: bool = False,
    query_name: str | None = None,
) -> ScoringQuery:
    """Score a stream with the newest release that matches, and start it.

    Each micro-batch is pinned to one version before it is scored. After a crash the batch that
    was under way runs again on the version it was pinned to, and what it wrote is replaced, so
    that each record is there once. Newer releases are loaded in the background and taken between
    two batches; one that cannot be used leaves the present one in service, and is told in
    `problems` and in the log of `gavial.streaming`.

    Args:
        stream: a streaming DataFrame, with the columns that the model was fitted on.
        what: `"group:artifact[:selector]"`. With an exact version no newer one is looked for. Or
            `"group:artifact@alias"`: what the alias means is followed, also back.
        repository: a configured id, a URL or a folder.
        checkpoint: a folder of this query's own, on a file system that every host reaches.
        output: a folder for the scored records; a path or URI.
        table: or a table of the session's catalogue, which is made where it is not there.
        format: "parquet" or "delta".
        poll: seconds between two looks for a newer release; `None` looks at the start alone.
        trigger: arguments of Spark's `DataStreamWriter.trigger`, such as
            `{"processingTime": "10 seconds"}` or `{"availableNow": True}`.
        watermark_col: another name for the column that names the version.
        allow_sql: load models that have SQL statements other than plain column expressions.
        allow_older: begin with an older version than the last batch of an earlier run had.
        query_name: a name for Spark's user interface and metrics.

    Raises:
        ConfigurationError: this is no stream, the checkpoint belongs to another query, the output
            cannot be used, or an argument does not fit.
        ModelNotFound, ReleaseNotFound: nothing matches, or nothing that is new enough.
        IncompatibleModel: the model cannot score such records.
        CorruptRelease: bytes are not those that were released.
        UntrustedRelease: a trust policy asks for a signature that the release has not.

    >>> scoring = score(
    ...     spark.readStream.schema("plan string, calls double").json("in/"),
    ...     "com.acme:churn:latest.release",
    ...     output="scored/",
    ...     checkpoint="checkpoints/churn",
    ... )  # doctest: +SKIP
    """
    from gavial.registry import places
    from gavial.spark.streaming import files, records, sinks
    from gavial.spark.streaming.batch import Batches
    from gavial.spark.streaming.checkpoint import Checkpoint
    from gavial.spark.streaming.pin import Owner

    records.check_stream(stream)
    _check_times(poll, trigger)
    request = Request.parse(what)
    spark = stream.sparkSession
    sink = sinks.sink(spark, output, table, format)
    place = Checkpoint(spark, files.qualified(spark, checkpoint))
    if table is None:
        sinks.check_apart(sink.name, place.uri)
    known = place.owner()
    problems = Problems()
    preparation = _Preparation(
        stream,
        watermark_col or (known.watermark if known else None),
        grows=sink.grows,
        allow_sql=allow_sql,
    )
    followed = Followed(
        places.open_named(repository),
        request,
        preparation.load,
        interval=poll or 0.0,
        problems=problems,
    )
    if known is not None:  # told before a model is loaded, where it is another query's
        column = watermark_col or known.watermark
        place.claim(Owner(str(request.module), sink.name, sink.format, column))
    followed.start(place.last_pin(), allow_older=allow_older)
    place.claim(Owner(str(request.module), sink.name, sink.format, preparation.column or ""))
    query = _start(stream, Batches(place, followed, sink), place.uri, trigger, query_name)
    lookout = None
    if poll is not None and request.exact is None:
        lookout = Lookout(followed.look, lambda: _is_active(query), poll)
        lookout.start()
    return ScoringQuery(query, followed, lookout, problems)


class _Preparation:
    """From a release to a model that is ready for a stream's records.

    `column` is where all of them write their version: that of the first, where none is named.
    """

    def __init__(
        self, stream: DataFrame, column: str | None, *, grows: bool, allow_sql: bool
    ) -> None:
        self._stream, self.column = stream, column
        self._grows, self._allow_sql = grows, allow_sql
        self._output: StructType | None = None

    def load(self, release: Release, next_one: bool) -> PipelineModel:
        from gavial.model.watermark import DEFAULT_COLUMN
        from gavial.registry import resolve
        from gavial.spark.streaming import records

        column = self.column or release.card.watermark or DEFAULT_COLUMN
        records.check_columns(self._stream.columns, column)
        model = resolve.load_release(release, allow_sql=self._allow_sql)
        model = records.stamped(model, release.coordinate, column)
        output = records.warm(self._stream.sparkSession, model, self._stream.schema)
        if next_one and self._output is not None:
            records.check_same_output(self._output, output, grows=self._grows)
        if next_one or self._output is None:
            self._output = output
        self.column = column
        return model


def _start(
    stream: DataFrame,
    batches: Batches,
    checkpoint: str,
    trigger: Mapping[str, str | bool] | None,
    query_name: str | None,
) -> StreamingQuery:
    from gavial.spark.schema import reason

    writer: DataStreamWriter = stream.writeStream.foreachBatch(batches)
    writer = writer.option("checkpointLocation", checkpoint)
    try:
        if trigger:
            writer = writer.trigger(**trigger)
        if query_name:
            writer = writer.queryName(query_name)
        return writer.start()
    except Exception as error:  # Spark's, py4j's and pyspark's own
        raise ConfigurationError(f"Spark cannot start the stream: {reason(error)}") from error


def _is_active(query: StreamingQuery) -> bool:
    try:
        return bool(query.isActive)
    except Exception:  # the session, or its whole JVM, is gone
        return False


def _check_times(poll: float | None, trigger: Mapping[str, str | bool] | None) -> None:
    if poll is not None and not (isinstance(poll, int | float) and 0 < poll < float("inf")):
        raise ConfigurationError(
            f"poll is {poll!r}: expected the seconds between two looks for a newer release, more "
            "than 0, or None to look at the start alone."
        )
    if trigger is not None and (
        not isinstance(trigger, Mapping)
        or len(trigger) != 1
        or next(iter(trigger)) not in _TRIGGERS
    ):
        raise ConfigurationError(
            f"trigger is {trigger!r}: expected one of Spark's for micro-batches, such as "
            "{'processingTime': '10 seconds'} or {'availableNow': True}."
        )
