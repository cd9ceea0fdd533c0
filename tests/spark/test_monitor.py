"""A model watched from its release to an alert, over real records and kept states."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas
import pytest
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import DataFrame, SparkSession, functions

import gavial
from gavial import limits
from gavial.errors import ConfigurationError, ModelNotFound, ReleaseNotFound
from gavial.monitoring.verdict import Status
from gavial.registry import monitor as use_case
from gavial.registry.monitor import Asked, check
from gavial.registry.monitored import Monitored
from gavial.spark.monitoring.reference import learn

CHURN = "com.acme:churn"
COLUMNS = {"label": "label", "prediction": "prediction", "score": "score"}
WELL, ILL = "x", "1 - x"  # the chance of what comes true; the model believes x
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def records(spark: SparkSession, days: range, chance: str, seed: int = 1) -> DataFrame:
    """Two hundred records a day, of two plans."""
    found = spark.range(200 * len(days), numPartitions=2).select(
        "id",
        functions.rand(seed).alias("x"),
        functions.expr("CASE WHEN id % 3 = 0 THEN 'gold' ELSE 'basic' END").alias("plan"),
        functions.expr(
            "timestamp'2026-03-01 00:00:00Z' + "
            f"make_dt_interval(CAST(id DIV 200 + {days[0]} AS INT), 1)"
        ).alias("at"),
    )
    label = functions.rand(seed + 100) < functions.expr(chance)
    return found.withColumn("label", label.cast("int"))


@pytest.fixture(scope="module")
def model(spark: SparkSession) -> Any:
    statement = "SELECT *, x AS score, CAST(x > 0.5 AS DOUBLE) AS prediction FROM __THIS__"
    return gavial.VersionedPipeline(stages=[SQLTransformer(statement=statement)]).fit(
        records(spark, range(1), WELL)
    )


@pytest.fixture(scope="module")
def models(spark: SparkSession, model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two builds; they have a reference, of one set of bins."""
    place = tmp_path_factory.mktemp("watched") / "models"
    gold = records(spark, range(-10, 0), WELL).drop("id")
    for _ in range(2):
        gavial.deploy(model, f"{CHURN}:1.0", place, reference=gold, time="at", **COLUMNS)
    return place


def scored(spark: SparkSession, days: range, chance: str, version: str = "1.0.1") -> DataFrame:
    """Records as a job wrote them."""
    made = records(spark, days, chance, seed=days[0] + 3).withColumn("score", functions.col("x"))
    made = made.withColumn("prediction", functions.expr("CAST(x > 0.5 AS DOUBLE)"))
    return made.withColumn("pipeline", functions.lit(f"{CHURN}:{version}"))


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command that notes of what it was told; the file of its notes."""
    said, file = tmp_path / "said", tmp_path / "monitor.toml"
    script = f'cat >> "{said}"; echo >> "{said}"'
    file.write_text(
        "[[monitor.channels]]\nkind = 'command'\non = ['alert', 'recovered']\n"
        f"command = {json.dumps(['sh', '-c', script])}\n"
    )
    monkeypatch.setenv("GAVIAL_MONITOR", str(file))
    return said


def events(said: Path) -> list[str]:
    lines = said.read_text().splitlines() if said.exists() else []
    return [json.loads(line)["event"] for line in lines]


def watch(df: DataFrame, models: Path, **more: Any) -> Monitored:
    return gavial.monitor(df, CHURN, models, time="at", **more)


def test_a_model_that_is_well_is_ok_and_one_that_fails_alarms(
    spark: SparkSession, models: Path
) -> None:
    assert watch(scored(spark, range(4), WELL), models).status is Status.OK

    found = watch(scored(spark, range(4), ILL), models)

    (verdict,) = found.verdicts
    assert (found.status, verdict.version) == (Status.ALERT, "1.0.1")
    assert any("auc" in reason for reason in verdict.reasons)
    assert [mark.what for mark in found.marks] == ["released"]
    assert found.deliveries == ()
    html = found._repr_html_()
    assert "Alert since" in html
    assert "<script" not in html


def test_kept_windows_are_judged_together_and_counted_once(
    spark: SparkSession, models: Path, tmp_path: Path
) -> None:
    states = tmp_path / "states"
    assert watch(scored(spark, range(3), WELL), models, states=states).status is Status.OK
    late = scored(spark, range(3, 6), ILL)
    for _ in range(2):  # a job that is run again
        found = watch(late, models, states=states)

    (verdict,) = found.verdicts
    assert found.status is Status.ALERT
    assert [one.slot.window.start for one in verdict.results if one.slot.window] == [
        DAY + timedelta(days=day) for day in range(6)
    ]
    (part,) = found.parts
    assert {state.records for state in part.states.values()} == {200}

    without_spark = check(states, Asked(CHURN, models))
    assert without_spark.to_json() == found.to_json()
    assert gavial.monitor(None, CHURN, models, states=states).to_json() == found.to_json()
    json.dumps(found.to_json(), allow_nan=False)


def test_one_version_one_alias_and_later_windows_can_be_asked_for(
    spark: SparkSession, models: Path, tmp_path: Path
) -> None:
    states = tmp_path / "states"
    both = scored(spark, range(4), WELL, "1.0.0").unionAll(scored(spark, range(4), ILL, "1.0.1"))
    watch(both, models, states=states)
    gavial.repository(models).set_alias(CHURN, "champion", "1.0.0", why="the first")

    def of(what: str, **more: Any) -> dict[str, Status]:
        found = check(states, Asked(what, models, **more))
        return {one.version: one.status for one in found.verdicts}

    assert of(CHURN) == {"1.0.0": Status.OK, "1.0.1": Status.ALERT}
    assert of(f"{CHURN}@champion") == {"1.0.0": Status.OK}
    assert of(f"{CHURN}:1.0.1") == {"1.0.1": Status.ALERT}
    assert of(f"{CHURN}:latest.release") == {"1.0.1": Status.ALERT}
    assert of(CHURN, versions=("1.0.0", "2.+")) == {"1.0.0": Status.OK}
    late = check(states, Asked(CHURN, models, since=DAY + timedelta(days=2)))
    assert {len(one.results) for one in late.verdicts} == {2}
    marks = check(states, Asked(CHURN, models)).marks
    assert [one.what for one in marks] == ["released", "released", "became champion"]


def test_somebody_is_told_once_and_of_the_end_once(
    spark: SparkSession, models: Path, tmp_path: Path, configured: Path
) -> None:
    states = tmp_path / "states"
    ill = scored(spark, range(3), ILL)
    for _ in range(2):
        found = watch(ill, models, states=states, tell=True)
    assert [one.outcome for one in found.deliveries] == ["nothing new"]
    assert events(configured) == ["alert"]
    # Where the states are, so that a run without Spark knows it too.
    assert list((states / "_told").glob("*.json"))
    check(states, Asked(CHURN, models, tell=True))
    watch(scored(spark, range(3, 9), WELL), models, states=states, tell=True)
    assert events(configured) == ["alert", "recovered"]


def test_rules_of_a_file_are_judged_by_and_misspelt_ones_refused(
    spark: SparkSession, models: Path, tmp_path: Path
) -> None:
    states, rules = tmp_path / "states", tmp_path / "rules.toml"
    watch(scored(spark, range(3), WELL), models, states=states)
    rules.write_text("[[rule]]\nmetric = 'records'\nlow = 1000\n")
    assert check(states, Asked(CHURN, models, rules)).status is Status.ALERT
    rules.write_text("[[rule]]\nmetric = 'recods'\nlow = 1000\n")
    with pytest.raises(ConfigurationError, match="recods"):
        check(states, Asked(CHURN, models, rules))
    with pytest.raises(ConfigurationError, match=r"gone\.toml' cannot be read"):
        check(states, Asked(CHURN, models, tmp_path / "gone.toml"))
    # In characters it is short enough: its end must not be cut off without a word.
    rules.write_text(f"description = '{'é' * limits.SETTINGS}'\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no rules have"):
        check(states, Asked(CHURN, models, rules))


def test_states_by_days_and_by_weeks_in_one_folder_are_told(
    spark: SparkSession, models: Path, tmp_path: Path
) -> None:
    df = scored(spark, range(3), WELL)
    assert not watch(df, models, states=tmp_path).problems
    found = watch(df, models, states=tmp_path, window="week")
    (problem,) = found.problems
    assert problem.startswith("Windows of version 1.0.1 overlap, such as ")


def test_labels_that_come_later_change_the_verdict(
    spark: SparkSession, models: Path, tmp_path: Path
) -> None:
    states = tmp_path / "states"
    whole = scored(spark, range(4), ILL)
    found = watch(whole.drop("label"), models, states=states)
    assert found.status is not Status.ALERT
    late = gavial.Labels(whole.select("id", "label"), ["id"], "label")
    found = watch(whole.drop("label"), models, states=states, labels=late)
    assert found.status is Status.ALERT


def test_two_majors_with_bins_of_their_own_are_both_judged(
    spark: SparkSession, model: Any, tmp_path: Path
) -> None:
    place, states = tmp_path / "models", tmp_path / "states"
    gold = records(spark, range(-10, 0), WELL).drop("id")
    gavial.deploy(model, f"{CHURN}:1.0", place, reference=gold, time="at", **COLUMNS)
    other = gold.withColumn("x", functions.col("x") * 0.9)
    gavial.deploy(model, f"{CHURN}:2.0", place, reference=other, time="at", **COLUMNS)
    one = scored(spark, range(3), WELL, "1.0.0")
    two = scored(spark, range(3), ILL, "2.0.0")

    found = watch(one.unionAll(two), place, states=states)

    assert len(found.parts) == 2
    assert {each.version: each.status for each in found.verdicts} == {
        "1.0.0": Status.OK,
        "2.0.0": Status.ALERT,
    }
    assert check(states, Asked(CHURN, place)).to_json() == found.to_json()


def test_a_release_without_a_reference_says_what_to_do_and_takes_one(
    spark: SparkSession, model: Any, tmp_path: Path
) -> None:
    place, states = tmp_path / "models", tmp_path / "states"
    gavial.deploy(model, f"{CHURN}:1.0", place)
    df = scored(spark, range(3), WELL, "1.0.0").unionAll(scored(spark, range(3, 6), ILL, "1.0.0"))
    with pytest.raises(ConfigurationError, match=r"gavial\.deploy\(…, reference=df"):
        watch(df, place)
    first = learn(
        df.where("at < '2026-03-04 00:00:00Z'").drop("id"), time="at", version="1.0.0", **COLUMNS
    )
    assert watch(df, place, states=states, reference=first).status is Status.ALERT
    blind = check(states, Asked(CHURN, place))
    assert blind.status is Status.NOT_ENOUGH_DATA
    until = check(states, Asked(CHURN, place, reference=datetime(2026, 3, 4, tzinfo=UTC)))
    assert until.status is Status.ALERT


def test_what_happened_to_versions_is_marked(
    spark: SparkSession, model: Any, tmp_path: Path
) -> None:
    place, states = tmp_path / "staging", tmp_path / "states"
    gold = records(spark, range(-10, 0), WELL).drop("id")
    gavial.deploy(model, f"{CHURN}:1.0", place, reference=gold, time="at", **COLUMNS)
    gavial.promote(f"{CHURN}:1.0.0", place, tmp_path / "releases").check()
    store = gavial.repository(tmp_path / "releases")
    store.set_alias(CHURN, "champion", "1.0.0", why="the first")
    with pytest.warns(UserWarning, match="still means"):
        store.withdraw(f"{CHURN}:1.0.0", why="trained on the wrong month")

    found = watch(scored(spark, range(3), WELL, "1.0.0"), tmp_path / "releases", states=states)

    # A withdrawn release may go on to score, and is watched.
    assert found.status is Status.OK
    assert [one.what for one in found.marks] == [
        "released",
        "promoted to folder",
        "became champion",
        "withdrawn",
    ]
    assert found.problems == ()


def test_what_cannot_be_watched_is_told(spark: SparkSession, models: Path, tmp_path: Path) -> None:
    df = scored(spark, range(2), WELL)
    with pytest.raises(ConfigurationError, match="time= is missing"):
        gavial.monitor(df, CHURN, models)
    with pytest.raises(ConfigurationError, match="pass scored or states"):
        gavial.monitor(None, CHURN, models)
    with pytest.raises(ModelNotFound):
        gavial.monitor(df, "com.acme:other", models, time="at")
    with pytest.raises(ReleaseNotFound):
        gavial.monitor(df, f"{CHURN}@nobody", models, time="at")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        check(tmp_path / "gone", Asked(CHURN, models))
    (tmp_path / "empty").mkdir()
    found = check(tmp_path / "empty", Asked(CHURN, models))
    assert (found.status, found.verdicts) == (Status.NOT_ENOUGH_DATA, ())
    assert found.problems == (f"There are no states of {CHURN} to judge.",)
    assert "no records" in found._repr_html_()


def test_problems_of_records_are_told_once(spark: SparkSession, models: Path) -> None:
    df = scored(spark, range(3), WELL)
    strange = df.limit(5).withColumn("pipeline", functions.lit(None).cast("string"))
    found = watch(df.unionAll(strange), models)
    assert len(found.problems) == 1
    assert "5 records" in found.problems[0]


def test_a_segment_that_is_named_twice_counts_once(spark: SparkSession, models: Path) -> None:
    df = scored(spark, range(2), WELL)

    found = watch(df, models, segments=["plan", "plan"])

    (part,) = found.parts
    assert part.states == watch(df, models, segments="plan").parts[0].states
    assert sum(one.records for slot, one in part.states.items() if slot.segment) == 400


def test_a_version_that_nobody_released_is_named(spark: SparkSession, models: Path) -> None:
    found = watch(scored(spark, range(2), WELL, "7.7.7"), models)
    (problem,) = found.problems
    assert f"{CHURN}:7.7.7 is no release of repository" in problem


def test_a_version_that_no_release_has_stops_nothing(spark: SparkSession, models: Path) -> None:
    forged = scored(spark, range(1), WELL, f"{'9' * 20}.0.0")
    found = watch(scored(spark, range(3), WELL).unionAll(forged), models)
    assert found.status is Status.OK
    assert "200 records of a watermark that is no coordinate" in found.problems[0]


def test_arguments_of_another_type_are_told(spark: SparkSession, models: Path) -> None:
    df = scored(spark, range(1), WELL)
    with pytest.raises(ConfigurationError, match="expected a DataFrame of Spark"):
        watch(pandas.DataFrame({"x": [1.0]}), models)
    with pytest.raises(ConfigurationError, match="labels= is of type DataFrame: expected gavial"):
        watch(df, models, labels=df)
    with pytest.raises(ConfigurationError, match="reference= is of type str: expected a datetime"):
        watch(df, models, reference="2026-03-01")


def test_records_that_cannot_be_read_are_told(
    spark: SparkSession, models: Path, tmp_path: Path
) -> None:
    scored(spark, range(1), WELL).write.parquet(str(tmp_path / "scored"))
    df = spark.read.parquet(str(tmp_path / "scored"))
    shutil.rmtree(tmp_path / "scored")
    with pytest.raises(ConfigurationError, match="The records cannot be read: "):
        watch(df, models)


@pytest.mark.parametrize("value", ["double('Infinity')", "1e300D", "-1e19D"])
def test_numbers_beyond_every_whole_number_are_counted(
    spark: SparkSession, models: Path, value: str
) -> None:
    far = functions.expr(f"CASE WHEN id % 7 = 0 THEN {value} ELSE x END")
    df = scored(spark, range(2), WELL)

    made = learn(df.withColumn("x", far), features=["x"], time="at", version="1.0.0", **COLUMNS)

    assert made.total.records == 400
    unseen = watch(df.withColumn("label", far), models)
    json.dumps(unseen.to_json(), allow_nan=False)
    rows = df.unionAll(scored(spark, range(2), WELL, "1.0.0")).withColumn("label", far)
    pair = {"champion": f"{CHURN}:1.0.0", "challenger": f"{CHURN}:1.0.1"}
    found = gavial.compare(rows, id="id", score="score", **pair)
    assert str(found.outcome) == "keep going"


def test_arguments_of_a_comparison_of_another_type_are_told(
    spark: SparkSession, models: Path
) -> None:
    df = scored(spark, range(1), WELL)
    with pytest.raises(ConfigurationError, match="route= is of type str: expected a gavial"):
        gavial.compare(df, "shadow", id="id")
    pair = {"champion": f"{CHURN}:1.0.0", "challenger": f"{CHURN}:1.0.1"}
    with pytest.raises(ConfigurationError, match="labels= is of type DataFrame: expected"):
        gavial.compare(df, id="id", labels=df, **pair)
    with pytest.raises(ConfigurationError, match="A window is 5: expected one of"):
        gavial.compare(df, id="id", windows=5, **pair)


def test_the_public_name_is_the_use_case() -> None:
    assert gavial.monitor is use_case.monitor
