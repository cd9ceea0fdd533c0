"""Records scored by every version of a route: one row a record and version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final

from pyspark.ml import PipelineModel
from pyspark.sql import Column, DataFrame, functions

from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.monitoring.comparison import Mode
from gavial.monitoring.route import BUCKETS, Arm, Route
from gavial.spark import columns, schema
from gavial.spark.columns import quoted

ROLE: Final = "role"
SERVED: Final = "served"
EARLIER: Final = "earlier_"  # before the column of a watermark that the records had
_BUCKET: Final = "gavial_bucket"


@dataclass(frozen=True)
class Ready:
    """A version that can score: its model, and the columns that it reads and writes."""

    model: PipelineModel
    reads: frozenset[str]
    writes: frozenset[str]


def score(
    records: DataFrame, route: Route, ready: Mapping[Arm, Ready], watermark: str
) -> DataFrame:
    """Score records by a route.

    Args:
        records: what the versions were fitted on; of a replay what the champion made of it.
        route: which versions, and how.
        ready: each of them; of a replay the challengers alone.
        watermark: the column into which they write their version.

    Raises:
        ConfigurationError: a column that is needed is not there, or a key is null.
        IncompatibleModel: a version cannot score such records, or two write columns of other types.
    """
    if route.mode is Mode.REPLAY:
        return _replay(records, route, ready, watermark)
    plain = _plain(records, watermark)
    if route.mode is Mode.SPLIT:
        parts = _split(plain, route, ready)
    else:
        parts = {arm: _scored(plain, arm, ready) for arm in route.arms}
    return _together(route, parts, served_alike=route.mode is Mode.SPLIT)


def bucket(route: Route) -> Column:
    """The bucket of a record's key in a split: the same for one key, whatever its type.

    `pmod`, since `%` is negative for half of the keys; as text, since `1` of two types hashes
    apart.
    """
    keys = [quoted(name).cast("string") for name in route.key]
    hashed = functions.xxhash64(functions.lit(route.salt), *keys)
    return functions.pmod(hashed, functions.lit(BUCKETS)).cast("int")


def _plain(records: DataFrame, watermark: str) -> DataFrame:
    """Each record once, with an earlier watermark under another name."""
    role, served = (columns.same(name, records.columns) for name in (ROLE, SERVED))
    if role and served:  # what a route made: one row of each record was served
        records = records.where(quoted(served)).drop(quoted(role), quoted(served))
    mark = columns.same(watermark, records.columns)
    if mark is None:
        return records
    kept = EARLIER + mark
    return _without(records, {kept}).withColumnRenamed(mark, kept)


def _without(records: DataFrame, names: Iterable[str]) -> DataFrame:
    gone = [name for name in records.columns if columns.same(name, names) is not None]
    return records.drop(*map(quoted, gone)) if gone else records


def _split(records: DataFrame, route: Route, ready: Mapping[Arm, Ready]) -> dict[Arm, DataFrame]:
    _check_keys(records, route)
    with_bucket = records.withColumn(_BUCKET, bucket(route))
    parts = {}
    for arm, low, high in route.ranges():
        own = with_bucket.where((quoted(_BUCKET) >= low) & (quoted(_BUCKET) < high))
        parts[arm] = _scored(own.drop(_BUCKET), arm, ready)
    return parts


def _check_keys(records: DataFrame, route: Route) -> None:
    missing = [one for one in route.key if columns.same(one, records.columns) is None]
    if missing:
        raise ConfigurationError(
            f"The records have no column {missing[0]!r}, the key of the split: they have "
            f"{', '.join(map(repr, records.columns))}."
        )
    if records.isStreaming:
        raise ConfigurationError(
            "A split looks whether a key is null before anything is written, which a stream cannot "
            "be asked: run the route on each batch, within foreachBatch."
        )
    no_key = reduce(lambda one, other: one | other, [quoted(one).isNull() for one in route.key])
    count = records.where(no_key).count()
    if count:
        names = " or ".join(route.key)
        raise ConfigurationError(
            f"{count} records have no {names}: in a split all of those would go to one version. "
            "Give them a key, or score them apart. Nothing was scored."
        )


def _replay(
    records: DataFrame, route: Route, ready: Mapping[Arm, Ready], watermark: str
) -> DataFrame:
    mark = columns.same(watermark, records.columns)
    if mark is None:
        raise ConfigurationError(
            f"The records have no column {watermark!r}, which says what scored them: a replay is "
            "of stored records. Name the column (watermark_col=), or run a shadow."
        )
    stored = records.where(quoted(mark) == str(route.champion.coordinate))
    stored = _without(stored, (ROLE, SERVED))
    parts = {route.champion: stored}
    for arm in route.challengers:
        parts[arm] = _scored(stored.drop(quoted(mark)), arm, ready)
    return _together(route, parts, served_alike=False)


def _scored(records: DataFrame, arm: Arm, ready: Mapping[Arm, Ready]) -> DataFrame:
    """What a version makes of records, without what any version made of them before."""
    own = ready[arm]
    made = {name for one in ready.values() for name in one.writes}
    records = _without(records, own.writes | (made - own.reads))
    try:
        scored: DataFrame = own.model.transform(records)
        _ = scored.schema
    except Exception as error:  # Spark's, py4j's, and whatever a Python-written stage raises
        raise IncompatibleModel(
            f"{arm.coordinate} cannot score records with the columns {records.columns!r}: "
            f"{schema.reason(error)} Pass records such as it was fitted on."
        ) from error
    return scored


def _together(route: Route, parts: Mapping[Arm, DataFrame], *, served_alike: bool) -> DataFrame:
    _check_types(parts)
    told = []
    for arm in route.arms:
        serves = served_alike or arm is route.champion
        marked = parts[arm].withColumn(ROLE, functions.lit(str(arm.role)))
        told.append(marked.withColumn(SERVED, functions.lit(serves)))
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), told)


def _check_types(parts: Mapping[Arm, DataFrame]) -> None:
    known: dict[str, tuple[str, Arm]] = {}
    for arm, df in parts.items():
        for one in df.schema:
            kind = one.dataType.simpleString()
            before, other = known.setdefault(one.name.lower(), (kind, arm))
            if before != kind:
                raise IncompatibleModel(
                    f"The column {one.name!r} is {before} from {other.version} and {kind} from "
                    f"{arm.version}: side by side they need one type. Release a build that writes "
                    "what the champion does."
                )
