"""From scored records to what their losses add up to, and to a verdict."""

import json
import math
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pyspark.ml.linalg import Vectors
from pyspark.sql import functions

import gavial
from gavial.errors import ConfigurationError
from gavial.monitoring import losses
from gavial.monitoring.comparison import Comparison, Outcome
from gavial.monitoring.outcome import Terms
from gavial.monitoring.route import Route
from gavial.monitoring.state import Cell, total
from gavial.monitoring.windows import Windows
from gavial.spark.comparing.compare import compare_all, states
from gavial.spark.comparing.rows import Columns
from gavial.spark.comparing.side_by_side import bucket
from gavial.spark.monitoring.labels import Labels

A, B, C = (f"com.acme:churn:1.0.{build}" for build in range(3))
SHADOW = Route.shadow(A, B)
SCHEMA = (
    "id long, pipeline string, probability double, prediction double, label double, "
    "at timestamp, shop string, customer string"
)
NAN, INFINITE = float("nan"), float("inf")
ID = Columns(("id",))


def record(id, name, probability=0.5, label=1.0, prediction=None, day=1, shop="x", customer="c"):
    if prediction is None:
        prediction = float(probability is not None and probability > 0.5)
    at = datetime(2026, 1, day, 12, tzinfo=UTC)
    return (id, name, probability, prediction, label, at, shop, customer)


@pytest.fixture(scope="module")
def table(spark):
    return lambda rows: spark.createDataFrame(rows, SCHEMA)


@pytest.fixture(scope="module")
def drawn(table):
    """4,000 records of 900 customers in 28 days; the challenger guesses with less noise."""
    rng = random.Random(1)
    rows = []
    for id in range(4000):
        logit = rng.gauss(0, 1)
        label = float(rng.random() < 1 / (1 + math.exp(-logit)))
        for name, noise in ((A, 1.0), (B, 0.3)):
            score = 1 / (1 + math.exp(-(logit + rng.gauss(0, noise))))
            day, shop = 1 + id * 28 // 4000, "y" if id % 3 else "x"
            rows.append(record(id, name, score, label, day=day, shop=shop, customer=f"c{id % 900}"))
    return table(rows).cache()


def found(df, loss="log_loss", route=SHADOW, columns=ID, windows=None):
    return states(df, route, columns, Terms(loss), windows or Windows())


def cells(df, *args, **more):
    """The one state's cells, by kind, bin and label."""
    (state,) = found(df, *args, **more).values()
    return {(key.kind.partition(":")[0], key.bin, key.label): cell for key, cell in state.items()}


def lost(df, *args, **more):
    made = found(df, *args, **more)
    return total(made.values()).histogram(losses.LOST, None)


def paired_cell(df, loss="log_loss", **more):
    made = total(found(df, loss, **more).values())
    return made.moments(losses.paired(loss), "1.0.0")


def test_records_without_an_id_are_not_taken_for_one(table):
    known = [record(1, name) for name in (A, B)]
    unknown = [record(None, name) for name in (A, B, A, B)]
    assert lost(table(known + unknown)) == {losses.UNPAIRED: 4}
    assert paired_cell(table(known + unknown)).n == 1


# Losses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "worth"),
    [
        ("log_loss", lambda p, y: -math.log(p if y else 1 - p)),
        ("brier", lambda p, y: (p - y) ** 2),
        ("zero_one", lambda p, y: float((p > 0.5) != y)),
        ("squared_error", lambda p, y: ((p > 0.5) - y) ** 2),
        ("absolute_error", lambda p, y: abs((p > 0.5) - y)),
    ],
)
def test_a_state_is_what_the_differences_of_each_record_add_up_to(drawn, loss, worth):
    by_id = {}
    for row in drawn.collect():
        by_id.setdefault(row["id"], {})[row["pipeline"]] = worth(row["probability"], row["label"])
    expected = Cell.of(one[B] - one[A] for one in by_id.values())
    state = paired_cell(drawn, loss)
    assert state.n == expected.n == 4000
    assert state.mean == pytest.approx(expected.mean, rel=1e-9)
    assert state.m2 == pytest.approx(expected.m2, rel=1e-9)


def test_a_label_that_is_a_text_is_the_prediction_of_the_same_number(drawn):
    as_text = functions.col("label").cast("int").cast("string")
    named = paired_cell(drawn.withColumn("label", as_text), "zero_one")
    assert named == paired_cell(drawn, "zero_one")


def test_a_label_that_is_no_index_of_a_class_has_no_loss(table):
    rows = [record(1, name, 0.5, 1e12) for name in (A, B)]
    assert lost(table(rows)) == {losses.INVALID: 1}


def test_a_score_may_be_a_number_a_vector_or_an_array(spark, table):
    rows = [record(n, name, 0.1 * n + 0.05 * (name == B), float(n % 2)) for n in range(1, 9)
            for name in (A, B)]  # fmt: skip
    numbers = table(rows)
    arrays = numbers.withColumn(
        "probability", functions.expr("array(1 - probability, probability)")
    )
    vectors = spark.createDataFrame(
        [(*row[:2], Vectors.dense(1 - row[2], row[2]), *row[3:]) for row in rows], numbers.columns
    )
    for loss in ("log_loss", "brier"):
        one, *others = (paired_cell(df, loss) for df in (numbers, arrays, vectors))
        for other in others:
            assert (other.n, other.mean, other.m2) == pytest.approx((one.n, one.mean, one.m2))


def test_of_three_classes_brier_is_summed_over_all(spark):
    rows = [(1, A, [0.2, 0.3, 0.5], 2), (1, B, [0.1, 0.1, 0.8], 2)]
    df = spark.createDataFrame(
        rows, "id long, pipeline string, probability array<double>, label int"
    )
    assert paired_cell(df, "brier").mean == pytest.approx(
        (0.01 + 0.01 + 0.04) - (0.04 + 0.09 + 0.25)
    )
    assert paired_cell(df).mean == pytest.approx(-math.log(0.8) + math.log(0.5))


def test_a_certain_mistake_costs_much_and_not_infinitely_much(table):
    df = table([record(1, A, 0.5), record(1, B, 0.0)])
    assert paired_cell(df).mean == pytest.approx(-math.log(1e-15) + math.log(0.5))


def test_classes_that_are_texts_are_compared_as_they_are(spark):
    rows = [(1, A, "late", "late"), (1, B, "early", "late")]
    df = spark.createDataFrame(rows, "id long, pipeline string, prediction string, label string")
    assert paired_cell(df, "zero_one").mean == 1.0
    with pytest.raises(ConfigurationError, match="compare by loss='zero_one'"):
        found(df, "squared_error")


def test_classes_that_are_texts_or_no_whole_numbers_are_told_apart(spark):
    rows = [(id, name, "a", label) for id, label in enumerate("abca") for name in (A, B)]
    df = spark.createDataFrame(rows, "id long, pipeline string, prediction string, label string")
    for scored in (df, df.withColumn("label", functions.expr("ascii(label) + 0.5"))):
        made = cells(scored, "zero_one")
        assert sorted(cell.n for cell in made.values()) == [1, 1, 2]


# What counts, and what does not ----------------------------------------------------------------


def test_records_that_do_not_count_are_told_by_why(table):
    rows = [
        *(record(1, name) for name in (A, B)),
        *(record(2, name, label=None) for name in (A, B)),
        *(record(3, name, label=NAN) for name in (A, B)),
        record(4, A),
        record(5, B),
        *(record(6, name, label=label) for name in (A, B) for label in (0.0, 1.0)),
        record(7, A), record(7, B, NAN),
        record(8, A), record(8, B, 1.5),
        record(9, A, None), record(9, B),
        *(record(10, name, label=7.0) for name in (A, B)),
        record(11, "com.acme:churn:0.9.0"),
        record(12, "com.acme:fraud:1.0.0"),
    ]  # fmt: skip
    assert lost(table(rows)) == {
        losses.UNLABELLED: 2,
        losses.UNPAIRED: 2,
        losses.CONTRADICTING: 1,
        losses.REPEATED: 2,
        losses.INVALID: 4,
    }
    assert paired_cell(table(rows)).n == 1


def test_a_prediction_that_is_no_number_has_no_loss(table):
    rows = [
        record(n, name, prediction=value)
        for n, value in enumerate((NAN, INFINITE))
        for name in (A, B)
    ]
    assert lost(table(rows), "squared_error") == {losses.INVALID: 2}
    assert lost(table(rows[:2]), "zero_one") == {losses.INVALID: 1}


def test_a_record_that_is_there_twice_counts_once_with_its_greater_loss(table):
    df = table([record(1, A, 0.5), record(1, B, 0.9), record(1, B, 0.5), record(1, B, 0.8)])
    assert cells(df)["paired", 0, 1] == Cell(1, 0.0, 0.0)
    assert lost(df) == {losses.REPEATED: 2}


def test_records_that_say_the_same_and_classes_are_kept_apart(table):
    rows = [record(n, name, 0.5 if n < 4 or name == A else 0.7, float(n % 2)) for n in range(6)
            for name in (A, B)]  # fmt: skip
    made = cells(table(rows))
    assert {key[1:]: cell.n for key, cell in made.items()} == {
        (0, 0): 2, (0, 1): 2, (1, 0): 1, (1, 1): 1,
    }  # fmt: skip


def test_several_columns_may_name_a_record(table):
    rows = [record(1, name, shop=shop) for name in (A, B) for shop in "xyz"]
    assert paired_cell(table(rows), columns=replace(ID, id=("id", "shop"))).n == 3
    assert lost(table(rows)) == {losses.REPEATED: 4}


def test_each_challenger_has_states_of_its_own_by_one_scan(table):
    rows = [record(1, A, 0.5), record(1, B, 0.6), record(1, C, 0.7), record(2, A), record(2, C)]
    made = found(table(rows), route=Route.shadow(A, B, C))
    assert {slot.version for slot in made} == {"1.0.1", "1.0.2"}
    assert lost(table(rows), route=Route.shadow(A, B, C)) == {losses.UNPAIRED: 1}


def test_states_of_disjoint_records_add_up_to_those_of_all(drawn):
    whole = found(drawn, columns=replace(ID, time="at"))
    parts = [
        found(drawn.where(f"id % 3 = {rest}"), columns=replace(ID, time="at")) for rest in range(3)
    ]
    assert whole.keys() == {slot for one in parts for slot in one}
    for slot, state in whole.items():
        added = total(one[slot] for one in parts)
        assert added.keys() == state.keys()
        for key, cell in state.items():
            assert tuple(added[key]) == pytest.approx(tuple(cell), rel=1e-9, abs=1e-9)


def test_late_labels_are_one_a_record_and_contradictions_are_told(spark, table):
    rows = [record(n, name, 0.6, None) for n in range(1, 5) for name in (A, B)]
    late = spark.createDataFrame(
        [(1, 1.0), (1, 1.0), (2, 0.0), (3, 1.0), (3, 0.0)], "id long, label double"
    )
    columns = replace(ID, late=Labels(late, ["id"], "label"))
    scored = table(rows).drop("label")
    assert lost(scored, columns=columns) == {losses.UNLABELLED: 1, losses.CONTRADICTING: 1}
    assert paired_cell(scored, columns=columns).n == 2


def test_without_labels_at_all_it_is_keep_going(table):
    df = table([record(n, name, label=None) for n in range(9) for name in (A, B)])
    verdict = gavial.compare(df, SHADOW, id="id")
    assert (verdict.outcome, verdict.looks) == (Outcome.KEEP_GOING, ())
    assert "9 records have no label yet." in verdict.reasons
    nothing = gavial.compare(df.where("false"), SHADOW, id="id")
    assert (nothing.outcome, nothing.looks) == (Outcome.KEEP_GOING, ())


# Windows, segments, routes ---------------------------------------------------------------------


def test_there_is_one_look_a_window_of_the_zone(drawn):
    verdict = gavial.compare(
        drawn, SHADOW, id="id", time="at", windows=Windows("week", "Asia/Tokyo"), margin=0.001
    )
    assert verdict.outcome is Outcome.BETTER
    assert [one.n for one in verdict.looks][-1] == 4000
    assert verdict.looks[0].window == Windows("week", "Asia/Tokyo").of(
        datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert len(verdict.looks) == 5


def test_records_from_before_the_route_do_not_count(drawn):
    since = datetime(2026, 1, 15, tzinfo=UTC)
    verdict = gavial.compare(drawn, SHADOW.at(since), id="id", time="at")
    assert verdict.looks[0].window.start == since
    assert verdict.looks[-1].n == 2000


def test_where_clocks_go_back_by_half_an_hour_no_record_is_lost(table):
    rows = []
    for id, hour in ((1, 14), (2, 15)):  # the change is at 15:00 in UTC
        at = datetime(2026, 4, 4, hour, 10, tzinfo=UTC)
        for name, score in ((A, 0.5), (B, 0.6)):
            row = record(id, name, score)
            rows.append((*row[:5], at, *row[6:]))
    hours = Windows("hour", "Australia/Lord_Howe")
    made = found(table(rows), columns=replace(ID, time="at"), windows=hours)
    assert [slot.window.start.hour for slot in sorted(made)] == [14, 14]
    assert total(made.values()).moments(losses.paired("log_loss"), "1.0.0").n == 2


def test_the_rarer_segments_are_one(table):
    rows = [
        record(100 * of + n, name, shop=f"s{of}")
        for of in range(60)
        for n in range(2)
        for name in (A, B)
    ]
    made = found(table(rows), columns=replace(ID, segment="shop"))
    assert len(made) == 1 + 50 + 1
    (rest,) = (one for slot, one in made.items() if slot.segment == "shop=(other)")
    assert rest.moments(losses.paired("log_loss"), "1.0.0").n == 20


def test_segments_are_looked_at_apart_besides_the_whole(drawn):
    all_of = compare_all(drawn, SHADOW, replace(ID, segment="shop"), Terms())
    assert [(one.segment, one.looks[-1].n) for one in all_of] == [
        ("", 4000),
        ("shop=x", 1334),
        ("shop=y", 2666),
    ]


def split_of(drawn, share=0.5):
    route = Route.split({A: 1 - share, B: share}, key="customer", salt="may")
    _, low, high = route.ranges()[1]
    mine = (bucket(route) >= low) & (bucket(route) < high)
    own = functions.when(mine, functions.lit(B)).otherwise(functions.lit(A))
    return route, drawn.where(functions.col("pipeline") == own)


def test_a_split_compares_keys_and_not_records(drawn):
    route, scored = split_of(drawn)
    verdict = gavial.compare(scored, route, id="id")
    assert verdict.looks[-1].n == sum(verdict.ratio.observed) == 900
    assert verdict.ratio.holds
    by_key = scored.groupBy("pipeline", "customer").agg(
        functions.avg(functions.expr("-ln(if(label = 1, probability, 1 - probability))")).alias(
            "loss"
        )
    )
    means = {row["pipeline"]: row["m"] for row in by_key.groupBy("pipeline").agg(
        functions.avg("loss").alias("m")).collect()}  # fmt: skip
    assert verdict.looks[-1].difference == pytest.approx(means[B] - means[A])


def test_keys_that_one_version_lost_bring_no_verdict(drawn):
    route, scored = split_of(drawn)
    kept = scored.where(f"pipeline = '{A}' OR id % 900 < 500")
    verdict = gavial.compare(kept, route, id="id")
    assert verdict.outcome is Outcome.KEEP_GOING
    assert not verdict.ratio.holds


def test_records_of_a_split_that_both_scored_or_without_a_key_are_no_part_of_it(drawn, table):
    route, scored = split_of(drawn)
    both = scored.union(drawn.where("id < 100"))
    assert lost(both, route=route)[losses.CROSSED] == 100
    verdict = gavial.compare(both, route, id="id")
    assert verdict.outcome is Outcome.KEEP_GOING
    with pytest.raises(ConfigurationError, match="2 records of the split have no customer"):
        gavial.compare(table([record(n, A, customer=None) for n in (1, 2)]), route, id="id")


def test_each_window_and_segment_of_a_split_has_its_keys(drawn):
    route, scored = split_of(drawn, 0.2)
    made = found(scored, route=route, columns=replace(ID, time="at", segment="shop"))
    keys = scored.select("pipeline", "customer", functions.to_date("at")).distinct().count()
    whole = [state for slot, state in made.items() if not slot.segment]
    assert sum(state.histogram(losses.ASSIGNED)[0] for state in whole) == keys


# What is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"watermark_col": "version"}, "no column 'version' in the scored records"),
        ({"label": "left"}, "no column 'left'"),
        ({"id": "order"}, "no column 'order'"),
        ({"score": "p"}, "no column 'p'"),
        ({"loss": "zero_one", "prediction": "q"}, "no column 'q'"),
        ({"time": "when"}, "no column 'when'"),
        ({"time": "label"}, "expected a timestamp"),
        ({"id": ()}, "expected the column, or columns, that name a record"),
        ({"loss": "hinge"}, "expected one of log_loss"),
        ({"windows": "fortnight"}, "expected one of"),
        ({"champion": A}, "leave champion out"),
        ({"challenger": "com.acme:fraud:1.0.1"}, "no version of com.acme:churn"),
        ({"challenger": "1.0.7"}, "is no challenger"),
        ({"score": "shop"}, "expected a number"),
        ({"label": "shop"}, "is made of numbers"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_given(table, more, said):
    with pytest.raises(ConfigurationError, match=said):
        gavial.compare(table([record(1, A)]), SHADOW, **{"id": "id", **more})


def test_without_a_route_both_versions_are_named(table):
    df = table([record(1, A)])
    with pytest.raises(ConfigurationError, match="pass a route"):
        gavial.compare(df, champion=A, id="id")
    with pytest.raises(ConfigurationError, match=r"com\.acme:churn and com\.acme:fraud"):
        gavial.compare(df, champion=A, challenger="com.acme:fraud:1.0.1", id="id")
    with pytest.raises(ConfigurationError, match="several challengers"):
        gavial.compare(df, Route.shadow(A, B, C), id="id")
    assert gavial.compare(df, champion=A, challenger=B, id="id").challenger == "1.0.1"
    assert gavial.compare(df, Route.shadow(A, B, C), challenger=C, id="id").challenger == "1.0.2"


# The command -----------------------------------------------------------------------------------


def test_the_command_compares_records_in_parquet(drawn, tmp_path):
    """In a process of its own, which starts its own Spark; the labels come later."""
    drawn.drop("label").write.parquet(str(tmp_path / "scored"))
    late = drawn.selectExpr("id", "label AS came", "at AS known").distinct()
    late.write.parquet(str(tmp_path / "outcomes"))
    words = ["--champion", B, "--challenger", A, "--id", "id", "--time", "at", "--json"]
    words += ["--labels", str(tmp_path / "outcomes"), "--label", "came", "--label-time", "known"]
    done = subprocess.run(
        [sys.executable, "-m", "gavial", "compare", "check", str(tmp_path / "scored"), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    found = Comparison.from_json(json.loads(done.stdout))
    assert (found.outcome, found.challenger) == (Outcome.WORSE, "1.0.0")
    assert len(found.looks) == 28
