"""Where a model was made, as its card tells."""

from __future__ import annotations

import platform

from pyspark.sql import SparkSession

from gavial.spark import session


def describe(spark: SparkSession) -> dict[str, str]:
    """Versions of Spark, Scala, Python and Java, and the operating system.

    A Spark Connect session has no JVM to ask: Scala and Java are left out there.

    >>> sorted(describe(session.current()))
    ['java', 'os', 'python', 'scala', 'spark']
    """
    if remote := session.remote(spark):
        return remote.environment()
    jvm = spark.sparkContext._jvm
    return {
        "spark": str(spark.version),
        "python": platform.python_version(),
        "os": f"{platform.system()} {platform.machine()}",
        "scala": str(jvm.scala.util.Properties.versionNumberString()),
        "java": str(jvm.java.lang.System.getProperty("java.version")),
    }
