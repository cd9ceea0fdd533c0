"""`gavial monitor report` over states that a scan kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import SparkSession, functions
from typer.testing import CliRunner

import gavial
from gavial.cli.app import app

CHURN = "com.acme:churn"


@pytest.fixture(scope="module")
def kept(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A repository, and the states of four days on which the model was wrong."""
    folder = tmp_path_factory.mktemp("reported")
    rows = spark.range(1200, numPartitions=2).select(
        functions.rand(1).alias("x"),
        functions.expr(
            "timestamp'2026-03-01 00:00:00Z' + make_dt_interval(CAST(id DIV 300 AS INT), 1)"
        ).alias("at"),
    )
    good = rows.withColumn("label", (functions.rand(2) < functions.col("x")).cast("int"))
    statement = "SELECT *, x AS score, CAST(x > 0.5 AS DOUBLE) AS prediction FROM __THIS__"
    model = gavial.VersionedPipeline(stages=[SQLTransformer(statement=statement)]).fit(good)
    columns = {"label": "label", "prediction": "prediction", "score": "score"}
    models, states = folder / "models", folder / "states"
    gavial.deploy(model, f"{CHURN}:1.0", models, reference=good, time="at", **columns)
    bad = model.transform(good.withColumn("label", 1 - functions.col("label")))
    bad = bad.withColumn("pipeline", functions.lit(f"{CHURN}:1.0.1"))
    gavial.monitor(bad, CHURN, models, time="at", states=states)
    return models, states


def run(kept: tuple[Path, Path], *more: object) -> tuple[int, str]:
    models, states = kept
    given = ["monitor", "report", CHURN, "--states", states, "--repository", models, *more]
    found = CliRunner().invoke(app, list(map(str, given)))
    return found.exit_code, found.stdout


def test_a_page_and_its_charts_are_written_and_named(
    kept: tuple[Path, Path], tmp_path: Path
) -> None:
    page, charts = tmp_path / "churn.html", tmp_path / "new" / "charts"

    code, said = run(kept, "--output", page, "--charts", charts, "--format", "png", "--title", "T")

    assert code == 0
    content = page.read_text("utf-8")
    assert "<h1>T</h1>" in content
    assert "Alert since" in content
    assert f"made {datetime.now(UTC):%Y}" in content.replace('<span class="whole">', "")
    assert said.splitlines()[0] == str(page)
    assert (charts / "timeline-auc.png").read_bytes().startswith(b"\x89PNG")


def test_json_says_what_was_written(kept: tuple[Path, Path], tmp_path: Path) -> None:
    code, said = run(kept, "--output", tmp_path / "a.html", "--json")

    assert (code, json.loads(said)) == (
        0,
        {"module": CHURN, "status": "alert", "files": [str(tmp_path / "a.html")]},
    )


def test_nothing_to_judge_is_a_page_that_says_so(kept: tuple[Path, Path], tmp_path: Path) -> None:
    page = tmp_path / "a.html"

    assert run(kept, "--output", page, "--since", "2030-01-01")[0] == 0
    assert "There is nothing to tell yet" in page.read_text("utf-8")


def test_a_place_that_cannot_be_written_is_told(kept: tuple[Path, Path], tmp_path: Path) -> None:
    models, states = kept
    given = ["monitor", "report", CHURN, "--states", states, "--repository", models]
    gone = tmp_path / "gone" / "a.html"
    found = CliRunner().invoke(app, list(map(str, [*given, "--output", gone])))

    assert isinstance(found.exception, gavial.errors.ConfigurationError)
    assert "cannot be written" in str(found.exception)
