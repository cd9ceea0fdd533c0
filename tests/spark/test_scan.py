"""The scan against the plain count, on records that have all that records may have."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame, SparkSession, functions

from gavial.errors import ConfigurationError
from gavial.maven.coordinate import Module
from gavial.monitoring import bins, state
from gavial.monitoring.bins import Categories, Numeric
from gavial.monitoring.count import count
from gavial.monitoring.profile import BINARY, MULTICLASS, REGRESSION, UNLABELLED, Profile
from gavial.monitoring.state import Cell, Key, State
from gavial.monitoring.windows import Windows
from gavial.spark.monitoring.labels import Labels
from gavial.spark.monitoring.scan import Scanned, scan

MODULE = Module("com.acme", "churn")
NOON = datetime(2013, 3, 10, 12, tzinfo=UTC)
AMOUNTS = Numeric((-1.0, 0.0, 0.5, 2.0))
PROFILE = Profile(
    BINARY,
    {"amount": AMOUNTS, "plan": Categories(("gold", "basic"))},
    label="left",
    prediction="prediction",
    score="score",
    classes=("0", "1"),
    score_bins=Numeric((0.0, 0.25, 0.5, 1.0)),
)
SCHEMA = (
    "pipeline string, at timestamp, amount double, plan string, left int, prediction double, "
    "score double"
)


PLAIN = {"amount": 0.25, "plan": "gold", "left": 1, "prediction": 1.0, "score": 0.75}


def assert_same(found: State, expected: State) -> None:
    """The same cells and counts, and moments up to rounding."""
    assert {key: cell.n for key, cell in found.items()} == {
        key: cell.n for key, cell in expected.items()
    }
    for key, cell in expected.items():
        assert found[key].mean == pytest.approx(cell.mean, rel=1e-9, abs=1e-12)
        assert found[key].m2 == pytest.approx(cell.m2, rel=1e-6, abs=1e-9)


def record(**values: Any) -> tuple[Any, ...]:
    whole = {
        "pipeline": "com.acme:churn:1.0.0",
        "at": NOON,
        **PLAIN,
        **values,
    }
    return tuple(whole.values())


def scanned(df: DataFrame, profile: Profile = PROFILE, **options: Any) -> Scanned:
    given = {"watermark": "pipeline", "time": "at", **options}
    return scan(df, MODULE, profile, given.pop("windows", Windows()), **given)


def one(found: Scanned) -> State:
    assert len(found.states) == 1, found
    return next(iter(found.states.values()))


def test_a_scan_counts_what_a_plain_count_does(spark: SparkSession) -> None:
    names = ("amount", "plan", "left", "prediction", "score")
    amounts = [None, -1.5, -1.0, -0.0, 0.0, 0.1, 0.5, 2.0, 2.5, math.nan, math.inf, -math.inf]
    scores = [None, -0.5, 0.0, 0.25, 0.3, 0.75, 1.0, 1.5, math.nan, math.inf]
    every = product(
        amounts,
        ["gold", "basic", "Gold", "", None],
        [0, 1, 2, None],
        [0.0, 1.0, -0.0, 3.0, math.nan, None],
        scores,
    )
    records = [dict(zip(names, one, strict=True)) for one in every]
    df = spark.createDataFrame([record(**each) for each in records], SCHEMA)
    assert_same(one(scanned(df)), count(records, PROFILE))


def test_vectors_of_several_classes_count_as_a_plain_count_does(spark: SparkSession) -> None:
    profile = Profile(
        MULTICLASS, label="left", prediction="prediction", score="score", classes=("0", "1", "2")
    )
    scores = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.5, 0.5], [math.nan, 0.5, 0.5], None]
    records = [
        {"left": label, "prediction": 2.0, "score": score}
        for label, score in product([0, 1, 2, 7, None], scores)
    ]
    schema = SCHEMA.replace("score double", "score array<double>")
    df = spark.createDataFrame([record(**each) for each in records], schema)
    made = functions.when(functions.col("score").isNotNull(), array_to_vector("score"))
    vectors = df.withColumn("score", made)

    expected = count(records, profile)

    assert_same(one(scanned(df, profile)), expected)
    assert_same(one(scanned(vectors, profile)), expected)


def test_a_vector_of_two_classes_is_the_probability_of_the_positive_one(
    spark: SparkSession,
) -> None:
    numbers = [(score, label) for score in (0.0, 0.25, 0.9, 1.0) for label in (0, 1, None)]
    plain = [{**PLAIN, "score": score, "left": label} for score, label in numbers]
    df = spark.createDataFrame([record(**each) for each in plain], SCHEMA)
    both = functions.array(1 - functions.col("score"), "score")
    vectors = df.withColumn("score", array_to_vector(both))

    assert_same(one(scanned(vectors)), one(scanned(df)))
    assert_same(one(scanned(vectors)), count(plain, PROFILE))


def test_a_regression_counts_as_a_plain_count_does(spark: SparkSession) -> None:
    profile = Profile(
        REGRESSION,
        {"left": Numeric((0.0, 1.0, 5.0))},
        label="amount",
        prediction="prediction",
        value_bins=Numeric((-2.0, 0.0, 3.0)),
    )
    values = [None, -5.0, -2.0, 0.0, 1.5, 3.0, 1e150, math.nan, math.inf, -math.inf]
    records = [
        {"amount": label, "prediction": prediction, "left": 1}
        for label, prediction in product(values, values)
    ]
    df = spark.createDataFrame([record(**each) for each in records], SCHEMA)

    assert_same(one(scanned(df, profile)), count(records, profile))


def test_states_of_parts_add_up_to_the_state_of_all(spark: SparkSession) -> None:
    rows = [record(amount=at / 7 - 2, left=at % 3, score=at / 60) for at in range(60)]
    df = spark.createDataFrame(rows, SCHEMA).withColumn(
        "part", functions.monotonically_increasing_id()
    )
    parts = [one(scanned(df.where(f"part % 3 = {at}"))) for at in range(3)]

    assert_same(parts[2] + parts[0] + parts[1], one(scanned(df)))


def test_versions_windows_and_segments_are_counted_apart(spark: SparkSession) -> None:
    profile = Profile(UNLABELLED, {"amount": AMOUNTS, "plan": Categories(("gold", "basic"))})
    rows = [
        record(pipeline="com.acme:churn:1.0.0", plan="gold"),
        record(pipeline="com.acme:churn:1.0.0", plan="odd", at=NOON + timedelta(days=1)),
        record(pipeline="com.acme:churn:1.0.10", plan=None),
        record(pipeline="com.acme:churn:2.0.0", plan="gold"),
    ]
    df = spark.createDataFrame(rows, SCHEMA)

    found = scanned(df, profile, segments=["plan", "left"], versions=["1.0.0", "1.0.10"])

    told = [
        (slot.version, str(slot.window)[:10], slot.segment, each.records)
        for slot, each in found.states.items()
    ]
    assert told == [
        ("1.0.0", "2013-03-10", "", 1),
        ("1.0.0", "2013-03-10", "left=1", 1),
        ("1.0.0", "2013-03-10", "plan=gold", 1),
        ("1.0.0", "2013-03-11", "", 1),
        ("1.0.0", "2013-03-11", "left=1", 1),
        ("1.0.0", "2013-03-11", "plan=(other)", 1),
        ("1.0.10", "2013-03-10", "", 1),
        ("1.0.10", "2013-03-10", "left=1", 1),
        ("1.0.10", "2013-03-10", "plan=(null)", 1),
    ]
    assert found.problems == ()


def test_records_that_cannot_be_counted_are_told(spark: SparkSession) -> None:
    marks = [
        None,
        "unreleased",
        "com.acme:churn:latest",
        "com.acme:churn-x:1.0.0",
        "org:churn:1.0.0",
        "?",
    ]
    rows = [record(pipeline=one) for one in marks]
    df = spark.createDataFrame([*rows, record(at=None), record()], SCHEMA)

    found = scanned(df)

    assert one(found).records == 1
    assert found.problems == (
        "1 record of no version, since their watermark is null: not counted.",
        "1 record of a model that was not released when it scored them: not counted.",
        "2 records of a watermark that is no coordinate of a release: not counted.",
        "2 records of other models: not counted.",
        "1 record without a time that can be read: not counted.",
    )


def test_records_of_other_models_alone_are_refused(spark: SparkSession) -> None:
    df = spark.createDataFrame([record(pipeline="com.acme:sales:1.0.0")], SCHEMA)

    with pytest.raises(
        ConfigurationError,
        match=r"No record is of com.acme:churn: there are 1 record of other models",
    ):
        scanned(df)


def test_no_records_are_no_states_and_a_problem(spark: SparkSession) -> None:
    found = scanned(spark.createDataFrame([], SCHEMA))

    assert (dict(found.states), found.problems) == (
        {},
        ("There are no records of com.acme:churn.",),
    )


def test_a_missing_watermark_names_the_columns_there_are(spark: SparkSession) -> None:
    df = spark.createDataFrame([record()], SCHEMA).drop("pipeline")

    with pytest.raises(
        ConfigurationError, match=r"no column 'pipeline' .*'at', 'amount'.*watermark_col="
    ):
        scanned(df)


def test_of_two_watermarks_the_one_that_is_named_counts(spark: SparkSession) -> None:
    df = spark.createDataFrame([record()], SCHEMA)
    df = df.withColumn("second", functions.lit("com.acme:churn:9.0.0"))

    assert [slot.version for slot in scanned(df, watermark="second").states] == ["9.0.0"]
    assert [slot.version for slot in scanned(df).states] == ["1.0.0"]


def test_a_stream_is_refused_with_what_to_do(spark: SparkSession) -> None:
    stream = spark.readStream.format("rate").load()

    with pytest.raises(ConfigurationError, match="foreachBatch"):
        scanned(stream)


def test_columns_that_are_gone_or_changed_are_left_out_and_told(spark: SparkSession) -> None:
    df = spark.createDataFrame([record()], SCHEMA).drop("plan", "prediction")
    df = df.withColumn("amount", functions.lit("much")).withColumn("score", functions.lit("high"))

    found = scanned(df)

    assert {key.kind for key in one(found)} == {state.RECORDS}
    assert [text.partition("'")[2].partition("'")[0] for text in found.problems] == [
        "amount",
        "plan",
        "prediction",
        "score",
    ]


def test_records_without_a_label_column_are_unlabelled(spark: SparkSession) -> None:
    df = spark.createDataFrame([record()], SCHEMA).drop("left")

    found = one(scanned(df))

    assert found[Key(state.SCORE, "", 2, bins.NULL)].n == 1
    assert found[Key(state.CONFUSION, "", 1, bins.NULL)].n == 1


def test_names_with_dots_and_backticks_are_names(spark: SparkSession) -> None:
    odd = {
        "amount": "a.b",
        "plan": "p`l a`n",
        "left": "left.l",
        "score": "s.c",
        "prediction": "p,r",
    }
    profile = Profile(
        BINARY,
        {odd["amount"]: AMOUNTS, odd["plan"]: PROFILE.features["plan"]},
        odd["left"],
        odd["prediction"],
        odd["score"],
        ("0", "1"),
        PROFILE.score_bins,
    )
    df = spark.createDataFrame([record(), record(left=0)], SCHEMA)
    for name, to in {**odd, "pipeline": "p.w", "at": "t.`"}.items():
        df = df.withColumnRenamed(name, to)

    found = scanned(df, profile, watermark="p.w", time="t.`", segments=[odd["plan"]])

    assert [slot.segment for slot in found.states] == ["", "p`l a`n=gold"]
    plain = {to: PLAIN[name] for name, to in odd.items()}
    assert_same(next(iter(found.states.values())), count([plain, {**plain, "left.l": 0}], profile))


@pytest.mark.parametrize("ansi", ["true", "false"])
def test_a_scan_does_not_depend_on_how_strict_spark_is(spark: SparkSession, ansi: str) -> None:
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        values = [
            {**PLAIN, "amount": 1e308, "score": 7.0},
            {**PLAIN, "amount": -1e308, "left": 2**31 - 1},
        ]
        df = spark.createDataFrame([record(**each) for each in values], SCHEMA)
        df = df.withColumn("at", functions.lit("2013-13-45"))
        assert scanned(df).problems == ("2 records without a time that can be read: not counted.",)
        df = df.withColumn("at", functions.lit("2013-07-01"))
        assert one(scanned(df)).histogram(state.FEATURE, "amount") == {bins.ABOVE: 1, bins.BELOW: 1}
    finally:
        spark.conf.set("spark.sql.ansi.enabled", before)


def late(spark: SparkSession, rows: list[tuple[Any, ...]], time: str = "known") -> Labels:
    return Labels(
        spark.createDataFrame(rows, "id int, left string, known timestamp"), ["id"], "left", time
    )


def test_late_labels_are_joined_one_a_record(spark: SparkSession) -> None:
    rows = [(at, *record(left=None)) for at in range(6)] + [
        (0, *record(left=None)),
        (None, *record()),
    ]
    df = spark.createDataFrame(rows, f"id int, {SCHEMA}").drop("left")
    hour, day = NOON + timedelta(hours=1), NOON + timedelta(days=1)
    labels = late(
        spark,
        [
            (0, "1", hour),
            (1, "0", hour),
            (1, "1", day),  # said later
            (1, "0", None),
            (2, "1", hour),
            (2, "1", hour),  # said twice
            (3, "0", hour),
            (3, "1", hour),  # contradicted
            (4, None, hour),
            (9, "1", hour),
            (None, "1", hour),
        ],
    )

    found = scanned(df, labels=labels)

    made = one(found)
    assert made.records == 7
    assert {key.label: cell.n for key, cell in made.of(state.CONFUSION)} == {1: 3, bins.NULL: 4}
    assert made[Key(state.DUPLICATE)].n == 1
    assert made[Key(state.DUPLICATE, "label")].n == 2 + 1 + 1
    assert made.moments(state.LATENCY) == Cell.of([3600.0, 86400.0, 3600.0])
    assert found.problems == (
        "1 record dropped, as another of the same key is there.",
        "4 labels dropped, as another of the same key is there.",
        "1 record with labels that contradict each other: counted as without a label. Say by "
        "Labels(time=…) which is the later one.",
    )


def test_labels_without_a_time_that_contradict_each_other_do_not_count(spark: SparkSession) -> None:
    df = spark.createDataFrame([(at, *record()) for at in range(2)], f"id int, {SCHEMA}").drop(
        "left"
    )

    made = one(
        scanned(df, labels=late(spark, [(0, "1", None), (0, "0", None), (1, "0", None)], ""))
    )

    assert {key.label: cell.n for key, cell in made.of(state.CONFUSION)} == {0: 1, bins.NULL: 1}


def test_each_version_has_the_label_of_a_record_that_both_scored(spark: SparkSession) -> None:
    rows = [(1, *record(pipeline=f"com.acme:churn:1.0.{at}")) for at in range(2)]
    df = spark.createDataFrame(rows, f"id int, {SCHEMA}").drop("left")

    found = scanned(df, labels=late(spark, [(1, "1", NOON)]))

    assert [each[Key(state.CONFUSION, "", 1, 1)].n for each in found.states.values()] == [1, 1]
    assert found.problems == ()


def test_keys_of_another_type_are_refused(spark: SparkSession) -> None:
    df = spark.createDataFrame([record()], SCHEMA).withColumn("id", functions.lit("a"))

    with pytest.raises(
        ConfigurationError, match="'id' is int in the labels and string in the records"
    ):
        scanned(df, labels=late(spark, [(1, "1", NOON)]))
