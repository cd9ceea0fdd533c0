"""Releases of one module side by side in one session: shadow, split and replay."""

import pytest
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import SQLTransformer, VectorAssembler
from pyspark.sql import functions

import gavial
from gavial.errors import ConfigurationError, IncompatibleModel, ReleaseNotFound
from gavial.monitoring.route import Route
from gavial.registry.catalog import repository

A, B, C = (f"com.acme:churn:1.0.{build}" for build in range(3))


@pytest.fixture(scope="module")
def store(customers, tmp_path_factory):
    """Two builds by one pipeline, so that their stages have the same uids, and a third one that
    writes a column more, and a fourth whose prediction is of another type."""
    folder = tmp_path_factory.mktemp("models")
    assembler = VectorAssembler(inputCols=["calls"], outputCol="features")
    learner = LogisticRegression(maxIter=3)
    pipeline = gavial.VersionedPipeline(stages=[assembler, learner])
    for strength in (0.0, 1.0):
        learner.setParams(regParam=strength)
        gavial.deploy(pipeline.fit(customers), "com.acme:churn:1.0", folder)
    more = SQLTransformer(statement="SELECT *, calls > 3 AS busy FROM __THIS__")
    wide = gavial.VersionedPipeline(stages=[assembler, learner, more]).fit(customers)
    gavial.deploy(wide, "com.acme:churn:1.0", folder, allow="one column more")
    text = SQLTransformer(statement="SELECT *, 'yes' AS prediction FROM __THIS__")
    other = gavial.VersionedPipeline(stages=[text]).fit(customers)
    gavial.deploy(other, "com.acme:churn:1.0", folder, allow="another type")
    return folder


def counted(scored, *names):
    return {tuple(row[:-1]): row["count"] for row in scored.groupBy(*names).count().collect()}


def test_in_a_shadow_each_version_scores_each_record_and_the_champion_is_served(store, customers):
    scored = gavial.run_route(customers, Route.shadow(A, B), store).cache()
    assert counted(scored, "pipeline", "role", "served") == {
        (A, "champion", True): 20,
        (B, "challenger", False): 20,
    }
    served = scored.groupBy("id").agg(functions.sum(functions.col("served").cast("int")).alias("n"))
    assert {row["n"] for row in served.collect()} == {1}
    one, other = (
        {row["id"]: row["probability"] for row in scored.where(f"pipeline = '{name}'").collect()}
        for name in (A, B)
    )
    assert one.keys() == other.keys()
    assert one != other
    assert set(customers.columns) < set(scored.columns)


def test_each_version_says_what_it_says_alone(store, customers):
    scored = gavial.run_route(customers, Route.shadow(A, B), store)
    for name in (A, B):
        alone = gavial.resolve(name, store).transform(customers).orderBy("id")
        side = scored.where(f"pipeline = '{name}'").orderBy("id")
        assert side.select(alone.columns).collect() == alone.collect()


def test_a_column_that_one_version_alone_writes_is_null_for_the_others(store, customers):
    scored = gavial.run_route(customers, Route.shadow(A, C), store)
    busy = {row["pipeline"]: row["n"] for row in scored.groupBy("pipeline").agg(
        functions.count("busy").alias("n")).collect()}  # fmt: skip
    assert busy == {A: 0, C: 20}


def test_versions_that_write_a_column_of_other_types_cannot_run_side_by_side(store, customers):
    route = Route.shadow(A, "com.acme:churn:1.0.3")
    with pytest.raises(IncompatibleModel, match=r"'prediction' is double from 1\.0\.0 and string"):
        gavial.run_route(customers, route, store)


def test_records_of_a_schema_that_a_version_cannot_score_are_refused_by_its_name(store, customers):
    with pytest.raises(IncompatibleModel, match=r"com\.acme:churn:1\.0\.0 cannot score records"):
        gavial.run_route(customers.drop("calls"), Route.shadow(A, B), store)


def test_in_a_split_each_key_has_one_version_whatever_its_type(store, customers):
    route = Route.split({A: 0.5, B: 0.5}, key="id", salt="may")
    scored = gavial.run_route(customers, route, store)
    first = {row["id"]: row["pipeline"] for row in scored.collect()}
    assert len(first) == scored.count() == 20
    assert set(first.values()) == {A, B}
    assert counted(scored, "served") == {(True,): 20}
    as_int = customers.withColumn("id", functions.col("id").cast("int")).repartition(5)
    again = {row["id"]: row["pipeline"] for row in gavial.run_route(as_int, route, store).collect()}
    assert again == first


def test_a_ramp_under_one_salt_takes_keys_of_the_champion_alone(spark, store):
    records = spark.range(3000).selectExpr("id", "double(id % 7) AS calls")
    owners = []
    for share in (0.1, 0.3):
        route = Route.split({A: 1 - share, B: share}, key="id", salt="may")
        scored = gavial.run_route(records, route, store)
        owners.append(
            {row["id"]: row["pipeline"] for row in scored.select("id", "pipeline").collect()}
        )
    before, after = owners
    assert {(before[one], after[one]) for one in before} == {(A, A), (A, B), (B, B)}
    for found, share in zip(owners, (0.1, 0.3), strict=True):
        got = sum(one == B for one in found.values()) / 3000
        assert abs(got - share) < 0.03
    other = Route.split({A: 0.7, B: 0.3}, key="id", salt="june")
    drawn = gavial.run_route(records, other, store).select("id", "pipeline").collect()
    assert {row["id"]: row["pipeline"] for row in drawn} != after


def test_records_without_a_key_are_counted_and_refused_before_any_is_scored(store, customers):
    route = Route.split({A: 0.5, B: 0.5}, key=["id", "shop"], salt="may")
    with pytest.raises(ConfigurationError, match="no column 'shop'"):
        gavial.run_route(customers, route, store)
    shops = customers.withColumn("shop", functions.expr("CASE WHEN id > 2 THEN 'x' END"))
    with pytest.raises(ConfigurationError, match="3 records have no id or shop"):
        gavial.run_route(shops, route, store)


def test_a_replay_keeps_what_the_champion_said_and_adds_the_challenger(store, customers):
    stored = gavial.resolve(A, store).transform(customers)
    stored = stored.withColumn("prediction", functions.lit(7.0))  # as it was then
    others = stored.limit(5).withColumn("pipeline", functions.lit("com.acme:churn:0.9.0"))
    scored = gavial.run_route(stored.union(others), Route.replay(A, B), store)
    assert counted(scored, "pipeline", "role", "served") == {
        (A, "champion", True): 20,
        (B, "challenger", False): 20,
    }
    said = {row["pipeline"]: row["p"] for row in scored.groupBy("pipeline").agg(
        functions.collect_set("prediction").alias("p")).collect()}  # fmt: skip
    assert said[A] == [7.0]
    assert set(said[B]) <= {0.0, 1.0}


def test_a_replay_of_what_a_shadow_made_takes_the_champion_of_that(store, customers):
    shadow = gavial.run_route(customers, Route.shadow(A, B), store)
    scored = gavial.run_route(shadow, Route.replay(A, C), store)
    assert counted(scored, "pipeline", "served") == {(A, True): 20, (C, False): 20}


def test_a_replay_needs_the_column_that_says_what_scored_the_records(store, customers):
    with pytest.raises(ConfigurationError, match="have no column 'pipeline'"):
        gavial.run_route(customers, Route.replay(A, B), store)


def test_records_that_were_scored_before_keep_their_watermark_under_another_name(store, customers):
    before = gavial.resolve(C, store).transform(customers)
    scored = gavial.run_route(before, Route.shadow(A, B), store)
    assert counted(scored, "earlier_pipeline", "pipeline") == {(C, A): 20, (C, B): 20}
    assert len(set(scored.columns)) == len(scored.columns)
    again = gavial.run_route(scored, Route.shadow(A, B), store)
    assert counted(again, "earlier_pipeline", "pipeline") == {(A, A): 20, (A, B): 20}


def test_the_watermark_goes_where_it_is_wanted(store, customers):
    scored = gavial.run_route(customers, Route.shadow(A, B), store, watermark_col="version")
    assert counted(scored, "version") == {(A,): 20, (B,): 20}
    assert "pipeline" not in scored.columns


def test_a_version_that_is_withdrawn_is_not_run(store, customers, tmp_path):
    folder = tmp_path / "models"
    for name in (A, B):
        gavial.deploy(gavial.resolve(name, store), "com.acme:churn:1.0", folder)
    models = repository(folder)
    models.withdraw(B, why="wrong data")
    with pytest.raises(ReleaseNotFound, match=r"challenger com\.acme:churn:1\.0\.1 is withdrawn"):
        gavial.run_route(customers, Route.shadow(A, B), folder)
    with pytest.raises(ReleaseNotFound, match="is not released"):
        gavial.run_route(customers, Route.shadow(A, "com.acme:churn:1.0.7"), folder)


def test_the_route_kept_beside_an_alias_is_run_by_its_name(store, customers):
    models = repository(store)
    models.set_alias("com.acme:churn", "champion", "1.0.0")
    models.set_route("com.acme:churn", "champion", Route.shadow(A, B))
    scored = gavial.run_route(customers, "com.acme:churn@champion", store)
    assert counted(scored, "pipeline") == {(A,): 20, (B,): 20}


def test_what_is_no_route_is_refused(store, customers):
    with pytest.raises(ConfigurationError, match=r"expected a gavial\.Route"):
        gavial.run_route(customers, None, store)


def test_versions_whose_python_modules_differ_cannot_run_in_one_process(
    store, customers, tmp_path, monkeypatch
):
    folder = tmp_path / "models"
    model = gavial.resolve(A, store)
    for text in ("X = 1\n", "X = 2\n"):
        module = tmp_path / text[4] / "churn_parts_of_two.py"
        module.parent.mkdir()
        module.write_text(text)
        with monkeypatch.context() as path:
            path.syspath_prepend(module.parent)
            gavial.deploy(
                model, "com.acme:churn:1.0", folder, python_modules=["churn_parts_of_two"]
            )
    with pytest.raises(IncompatibleModel, match="One process holds one version of a module"):
        gavial.run_route(customers, Route.shadow(A, B), folder)


def test_within_each_batch_of_a_stream_a_route_runs_like_any_batch(spark, store, tmp_path):
    """The recipe of docs/how-to/compare.md."""
    spark.range(30).selectExpr("id", "double(id % 7) AS calls").write.parquet(str(tmp_path / "in"))
    route = Route.split({A: 0.5, B: 0.5}, key="id", salt="may")

    def score(batch, number):
        scored = gavial.run_route(batch, route, store)
        scored.drop("features", "rawPrediction").write.mode("overwrite").parquet(
            str(tmp_path / "out" / f"_batch={number}")
        )

    stream = spark.readStream.schema("id long, calls double").parquet(str(tmp_path / "in"))
    query = (
        stream.writeStream.foreachBatch(score)
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination(120)
    assert query.exception() is None
    found = spark.read.parquet(str(tmp_path / "out"))
    assert found.count() == 30
    assert set(counted(found, "pipeline")) == {(A,), (B,)}
    with pytest.raises(ConfigurationError, match="within foreachBatch"):
        gavial.run_route(stream, route, store)


def test_records_that_are_no_dataframe_are_refused(store):
    with pytest.raises(ConfigurationError, match=r"The records are builtins\.list: expected"):
        gavial.run_route([], Route.shadow(A, B), store)
