"""Deploy and resolve beside Spark's own save and load, and beside MLflow: models A, B and C.

    python benchmarks/peers.py [--quick] [--models ABC]

Over HTTP the server is this process too, and a deploy waits a second or more until its claim has
settled. All run in turns in one process. A deploy saves, packs, hashes, claims a number and
stores; a resolve finds the version, verifies and loads. The first resolve of a release also
fetches and unpacks it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import measure
import models
from pyspark.ml import PipelineModel

import gavial

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))
from maven_server import MavenServer

NAMES = {
    "A": "A: 3 stages, 6 kB",
    "B": "B: 12 stages, 100 trees",
    "C": "C: ALS, 330 MB",
}
Ways = dict[str, Callable[[], object]]


class Contest:
    """One model, and the folders that it is saved to."""

    def __init__(self, model: PipelineModel, work: Path) -> None:
        self.model = model
        self.work = work
        self.numbers = count()
        self.repository = work / "repository"
        self.plain = work / "plain"
        model.write().save(str(self.plain))

    def spark_save(self) -> None:
        place = self.work / f"plain-{next(self.numbers)}"
        self.model.write().save(str(place))
        shutil.rmtree(place)

    def spark_load(self) -> Any:
        return PipelineModel.load(str(self.plain))

    def deploy(self) -> Any:
        return gavial.deploy(
            self.model, "com.acme:model:1.0", self.repository, watermark_col="pipeline"
        )

    def deploy_http(self) -> Any:
        return gavial.deploy(self.model, "com.acme:model:1.0", "served", watermark_col="pipeline")

    def resolve(self) -> Any:
        return gavial.resolve("com.acme:model", self.repository)

    def resolve_first(self) -> Any:
        shutil.rmtree(Path(os.environ["XDG_CACHE_HOME"]))
        return self.resolve()


def mlflow_ways(contest: Contest) -> tuple[Ways, Ways, Ways]:
    """How MLflow logs and registers the model, told what it needs or not, and loads it."""
    import mlflow
    import mlflow.spark
    import pyspark

    mlflow.set_tracking_uri(f"sqlite:///{contest.work}/mlflow.db")
    if mlflow.get_experiment_by_name("bench") is None:
        mlflow.create_experiment("bench", artifact_location=f"file:{contest.work}/mlruns")
    mlflow.set_experiment("bench")
    needed = [f"pyspark=={pyspark.__version__}"]

    def log(requirements: list[str] | None) -> None:
        with mlflow.start_run():
            mlflow.spark.log_model(
                contest.model,
                artifact_path="model",
                registered_model_name="model",
                pip_requirements=requirements,
                dfs_tmpdir=str(contest.work / "mlflow-tmp"),
            )

    def load() -> Any:
        return mlflow.spark.load_model(
            "models:/model/latest", dfs_tmpdir=str(contest.work / "mlflow-tmp")
        )

    told: Ways = {"MLflow, requirements given": lambda: log(needed)}
    return told, {"MLflow, by default": lambda: log(None)}, {"MLflow": load}


def contend(name: str, contest: Contest, repeats: int, *, by_default: bool) -> list[measure.Race]:
    told, untold, load = mlflow_ways(contest)
    writing: Ways = {
        "Spark's save": contest.spark_save,
        "deploy": contest.deploy,
        "deploy over HTTP, its settle time in it": contest.deploy_http,
        **told,
    }
    reading: Ways = {
        "Spark's load": contest.spark_load,
        "resolve": contest.resolve,
        "resolve, first time": contest.resolve_first,
        **load,
    }
    races = [
        measure.race(f"{NAMES[name]}: write", writing, repeats),
        measure.race(f"{NAMES[name]}: read", reading, repeats),
    ]
    if by_default:  # half a minute each
        ways = {"deploy": contest.deploy, **untold}
        races.append(measure.race(f"{NAMES[name]}: write, nothing given", ways, 2, 0))
    return races


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="fewer repeats, and MLflow is told what a model needs"
    )
    parser.add_argument("--models", default="ABC")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    spark = models.session("4g")
    makers = {
        "A": lambda: models.hello(spark)[0],
        "B": lambda: models.forest(spark)[0],
        "C": lambda: models.recommender(spark, 330),
    }
    races = []
    print(*measure.HEAD, sep="\n", flush=True)
    for name in options.models:
        with tempfile.TemporaryDirectory(prefix="gavial-bench-") as work:
            os.environ["XDG_CACHE_HOME"] = f"{work}/cache"
            contest = Contest(makers[name](), Path(work))
            repeats = 3 if options.quick or name == "C" else 7
            with MavenServer(Path(work, "served")) as server:
                os.environ["GAVIAL_REPOSITORIES_SERVED_URL"] = server.url
                races += contend(name, contest, repeats, by_default=not options.quick)
    measure.report(races, measure.results(), "peers")
    spark.stop()


if __name__ == "__main__":
    main()
