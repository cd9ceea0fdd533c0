"""The Spark session that is there already: none is ever started here."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from pyspark.sql import SparkSession

from gavial.errors import ConfigurationError

if TYPE_CHECKING:
    from gavial.spark.connect import Remote

PREFIX = "spark.gavial."


def has_active() -> bool:
    """Whether there is a Spark session in this process."""
    return _active() is not None


def current() -> SparkSession:
    """The active Spark session.

    Raises:
        ConfigurationError: there is none, or it has been stopped.

    >>> current().version[0] in "34"
    True
    """
    spark = _active()
    if spark is None:
        raise ConfigurationError(
            "There is no active Spark session, and Gavial starts none of its own: make one with "
            "`from pyspark.sql import SparkSession; spark = SparkSession.builder.getOrCreate()`."
        )
    if not is_connect(spark) and _is_stopped(spark):
        raise ConfigurationError(
            "The Spark session has been stopped, by this process or by its cluster: stop it here "
            "too, make another one with SparkSession.builder.getOrCreate(), and fit or load the "
            "model there."
        )
    return spark


def classic() -> SparkSession:
    """The active session, where it has its driver in this process's JVM.

    Raises:
        ConfigurationError: there is no session, or it is one of Spark Connect.
    """
    spark = current()
    if is_connect(spark):
        raise ConfigurationError(
            "This is a Spark Connect session, which shares neither files nor classes with this "
            "process, and what was asked for needs a classic one. Unset SPARK_REMOTE and build "
            "the session with SparkSession.builder.master(…), or use spark-submit."
        )
    return spark


def is_connect(spark: SparkSession) -> bool:
    """Whether a session talks to a Spark Connect server, and so has no JVM here."""
    # By name: to import the Connect client needs grpc, which a classic driver may not have.
    return "connect" in type(spark).__module__.split(".")


def remote(spark: SparkSession) -> Remote | None:
    """What does the work for a session of Spark Connect; `None` where a session is classic.

    >>> print(remote(current()))
    None
    """
    if not is_connect(spark):
        return None
    from gavial.spark.connect import Remote

    return Remote(spark)


def gavial_conf() -> dict[str, str]:
    """The `spark.gavial.*` settings of the session; none where no session runs."""
    spark = _active()
    if spark is None or (not is_connect(spark) and _is_stopped(spark)):
        return {}
    # `SET` and `getAll` show what looks like a secret blackened, or take a query: `get` does not.
    return {name: spark.conf.get(name) for name in _names(spark) if name.startswith(PREFIX)}


def _names(spark: SparkSession) -> list[str]:
    """The names of all settings of a session."""
    if is_connect(spark):
        return [row["key"] for row in spark.sql("SET").collect()]
    text = spark._jsparkSession.conf().getAll().keys().mkString("\n")
    return str(text).split("\n")


def setting(spark: SparkSession, name: str) -> str:
    """One `spark.gavial.*` setting, or an empty text. `name` is without that prefix."""
    return str(spark.conf.get(PREFIX + name, "") or "").strip()


def _is_stopped(spark: SparkSession) -> bool:
    context = getattr(spark.sparkContext, "_jsc", None)
    return context is None or bool(context.sc().isStopped())


_inherited = False


def _after_fork() -> None:
    """A forked process has its parent's connection to the JVM, which two cannot use."""
    global _inherited
    context: Any = getattr(sys.modules.get("pyspark"), "SparkContext", None)
    _inherited = getattr(context, "_gateway", None) is not None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _active() -> SparkSession | None:
    """The thread's session, or where it has none the one that the process built last."""
    if _inherited:
        return None
    found = SparkSession.getActiveSession()
    if found is None:
        found = _default_of_connect()
    if found is not None:
        return found
    found = getattr(SparkSession, "_instantiatedSession", None)
    # A stopped session stays there on some versions, with its context gone.
    if found is None or getattr(found.sparkContext, "_jsc", None) is None:
        return None
    return found


def _default_of_connect() -> SparkSession | None:
    """The session of Spark Connect that another thread built, if any."""
    module: Any = sys.modules.get("pyspark.sql.connect.session")
    found = getattr(module.SparkSession, "_default_session", None) if module else None
    return None if found is None or getattr(found, "is_stopped", False) else found
