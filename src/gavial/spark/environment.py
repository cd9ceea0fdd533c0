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
    known = {
        "spark": str(spark.version),
        "python": platform.python_version(),
        "os": f"{platform.system()} {platform.machine()}",
    }
    if not session.is_connect(spark):
        jvm = spark.sparkContext._jvm
        known["scala"] = str(jvm.scala.util.Properties.versionNumberString())
        known["java"] = str(jvm.java.lang.System.getProperty("java.version"))
    return known
