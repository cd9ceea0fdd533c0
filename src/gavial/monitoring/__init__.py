"""What scored records say of a model's versions: state, metrics, rules and verdicts.

All of it is pure: functions of values, with nothing of Spark, of files or of a network. A scan of
scored records (`gavial.spark.monitoring`) gives `State`, which adds up; every metric is a function
of that; rules turn metrics into findings, and findings into a verdict.
"""
