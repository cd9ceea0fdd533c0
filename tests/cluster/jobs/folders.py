"""A job on a cluster whose default file system is each host's own."""

import shutil

import slow_stage
from pyspark.ml import PipelineModel
from steps import (
    MODELS,
    SETTING,
    SHARED,
    Clock,
    attempt,
    deploy,
    jobs_run,
    large,
    pins,
    recommender,
    released,
    report,
    score,
    session,
    staged,
    tell,
    trip,
    wait,
)

import gavial

spark = session()
clock = Clock()
results = {}
model = recommender(spark)
clock.lap("fit")


def refused(name):
    """Both verbs where the staging folder is no good, and whether anything came of it."""
    results[name] = {
        "deploy": attempt(deploy, model, "com.acme:refused:1.0"),
        "resolve": attempt(score, spark, "com.acme:churn:1.0"),
        "released": released("refused"),
    }
    clock.lap(name)


results["jobs without staging"] = jobs_run(spark, lambda: deploy(model, "com.acme:refused:1.0"))
refused("without staging")
spark.conf.set(SETTING, "hdfs://store:9000/user/root/.gavial-staging")
tell("second-ready")
wait("first-ready")
results["twin"] = attempt(deploy, model, "com.acme:twin:1.0")
clock.lap("deploy, with the probe")

spark.conf.set(SETTING, "file:/tmp/private")
refused("not shared")
spark.conf.set(SETTING, f"file:{SHARED}/read-only/staging")
refused("read-only")
spark.conf.set(SETTING, "hdfs://store:9001/tmp/staging")
refused("gone")

SMALL = f"file:{SHARED}/small"
spark.conf.set(SETTING, SMALL)
results["too small"] = attempt(deploy, large(), "com.acme:refused:1.0")
results["too small, released"] = released("refused")
results["too small, left"] = staged(spark, SMALL)
clock.lap("too small")
try:
    with (SHARED / "small" / "filling").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
except OSError:  # it is full
    pass
refused("full")

spark.conf.set(SETTING, "s3a://gavial/staging")
results["s3"] = attempt(trip, spark, model, "com.acme:by-s3:1.0")
results["s3 pins"] = attempt(pins, spark, "s3a://gavial/pins")
clock.lap("s3: deploy, resolve, score, pins")

MOUNTED = SHARED / "staging"
spark.conf.set(SETTING, f"file:{MOUNTED}")
results["mounted"] = attempt(trip, spark, model, "com.acme:by-folder:1.0")
clock.lap("mounted: deploy, resolve, score")
shutil.rmtree(MOUNTED)
results["made again"] = attempt(deploy, model, "com.acme:by-folder:1.0")
clock.lap("made again")

slow = PipelineModel([slow_stage.Slow(str(SHARED / "told")), *model.stages])
results["killed"] = attempt(
    deploy, slow, "com.acme:slow:1.0", python_modules=["slow_stage"], watermark_col=None
)
clock.lap("a host dies while saving")
if "value" in results["killed"]:
    gavial.repository(MODELS).release("com.acme:slow:1.0").verify()
    results["after the kill"] = attempt(
        lambda: len(gavial.resolve("com.acme:slow:1.0", repository=MODELS).stages)
    )
results["seconds"] = clock.taken
report("folders", results)
