"""A job on a cluster whose default file system is HDFS, and that is stopped in the end."""

from steps import (
    SETTING,
    Clock,
    attempt,
    deploy,
    pins,
    recommender,
    report,
    score,
    session,
    staged,
    tell,
    trip,
    wait,
)

spark = session()
clock = Clock()
HOME = "/user/root/.gavial-staging"
results = {"left by the crash": staged(spark, HOME)}
model = recommender(spark)
clock.lap("fit")
tell("first-ready")
wait("second-ready")
results["twin"] = attempt(deploy, model, "com.acme:twin:1.0")
results["left after a deploy"] = staged(spark, HOME)
clock.lap("deploy, with the probe")
results["unset"] = attempt(trip, spark, model, "com.acme:by-hdfs:1.0")
clock.lap("deploy, resolve, score")
spark.conf.set(SETTING, "hdfs://store:9000/tmp/staging")
results["set"] = attempt(trip, spark, model, "com.acme:by-hdfs:1.0")
clock.lap("the same, elsewhere")
results["pins"] = attempt(pins, spark, "hdfs://store:9000/tmp/pins")
clock.lap("pins")
spark.sparkContext._jsc.sc().stop()  # as a cluster does that takes its hosts back
results["deploy after its end"] = attempt(deploy, model, "com.acme:by-hdfs:1.0")
results["resolve after its end"] = attempt(score, spark, "com.acme:by-hdfs:1.0")
spark.stop()
results["deploy after stop"] = attempt(deploy, model, "com.acme:by-hdfs:1.0")
results["resolve after stop"] = attempt(score, spark, "com.acme:by-hdfs:1.0")
results["seconds"] = clock.taken
report("default_file_system", results)
