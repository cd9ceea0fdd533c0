"""Flags with which a driver's JVM is up sooner: for jobs whose start is most of their time.

A shared archive of the classes that Spark loads at its start (AppCDS) spares the JVM to find,
parse and verify them; the quick compiler and a collector without threads spare it their warm-up.
None changes a result. Long jobs want the JVM's own choices: do not use this for them.

Source: https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from gavial.errors import ConfigurationError
from gavial.registry import local
from gavial.registry.warn import warn

CONF = "spark.driver.extraJavaOptions"
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_SECONDS = 300
# What a first job does: start, read, fit, save, load, score.
_TRAINING = """
import tempfile
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import SQLTransformer, StringIndexer, VectorAssembler
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
df = spark.range(20).selectExpr("cast(id AS double) x", "concat('k', id % 3) k", "id % 2 label")
with tempfile.TemporaryDirectory() as folder:
    df.write.parquet(folder + "/rows")
    rows = spark.read.parquet(folder + "/rows")
    stages = [
        StringIndexer(inputCol="k", outputCol="i"),
        VectorAssembler(inputCols=["x", "i"], outputCol="features"),
        LogisticRegression(maxIter=2),
        SQLTransformer(statement="SELECT *, 'v' AS v FROM __THIS__"),
    ]
    Pipeline(stages=stages).fit(rows).write().save(folder + "/model")
    PipelineModel.load(folder + "/model").transform(rows).collect()
spark.stop()
"""


def java_options() -> str:
    """The value of `spark.driver.extraJavaOptions`; makes the archive of classes on first use.

    Making it takes as long as a small job, once for each Spark and Java of a machine.

    Raises:
        ConfigurationError: pyspark is not installed here, so nothing is known of its classes.
    """
    archive = _archive_place()
    if not archive.is_file():
        warn(f"Making an archive of Spark's classes, once for this machine: {archive}.")
        if not _make(archive):
            warn("No archive of classes could be made: Java's own flags alone are set.")
            return " ".join(_QUICK)
    # Quietly without it where it does not fit, as after an update of Java.
    return " ".join((*_QUICK, f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:cds=off"))


def _archive_place() -> Path:
    """A place for the archive that names the very Spark and Java that it is of."""
    spec = importlib.util.find_spec("pyspark")
    if spec is None or not spec.origin:
        raise ConfigurationError(
            "fast_start is for the pyspark of this Python, and none is installed here: leave it "
            "out."
        )
    jars = Path(spec.origin).parent / "jars"
    java = _java()
    parts = [str(jars), str(java)]
    parts += [f"{one.name} {one.stat().st_size}" for one in sorted(jars.glob("*.jar"))]
    parts += [str(java.stat().st_mtime_ns)] if java.exists() else []
    name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return local.cache_folder() / "class-archives" / f"{name}.jsa"


def _java() -> Path:
    home = os.environ.get("JAVA_HOME")
    found = Path(home, "bin", "java") if home else Path(shutil.which("java") or "java")
    return found.resolve()


def _make(archive: Path) -> bool:
    """Let a small job write the archive as it ends; others see it whole or not at all."""
    temporary = archive.with_name(f".{secrets.token_hex(8)}.jsa")
    options = f"-XX:ArchiveClassesAtExit={temporary} -Xlog:cds=off -Xlog:cds+dynamic=off"
    flags = shlex.join(["--conf", f"{CONF}={options}"])
    environment = {
        **os.environ,
        "PYSPARK_SUBMIT_ARGS": f"{flags} pyspark-shell",
        "SPARK_LOCAL_IP": os.environ.get("SPARK_LOCAL_IP", "127.0.0.1"),
    }
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        # Isolated from the folder that we are in: a project there is nobody's to run.
        subprocess.run(
            [sys.executable, "-P", "-c", _TRAINING],
            env=environment,
            cwd=archive.parent,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        temporary.replace(archive)
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True
