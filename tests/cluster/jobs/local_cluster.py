"""A job whose executors are processes of their own on the driver's host."""

from steps import Clock, attempt, recommender, report, session, trip

clock = Clock()
spark = session()
clock.lap("session")
results = {
    "master": spark.sparkContext.master,
    "trip": attempt(trip, spark, recommender(spark), "com.acme:here:1.0"),
}
clock.lap("fit, deploy, resolve, score")
results["seconds"] = clock.taken
report("local_cluster", results)
