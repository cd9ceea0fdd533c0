"""Several of Spark's calls at a time, each in a thread that stands in for the caller's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial, reduce
from typing import Any

from py4j.clientserver import ClientServer
from pyspark import SparkContext, inheritable_thread_target
from pyspark.sql import SparkSession

# Most of what Spark does to read or write a stage is the driver's own work around a tiny job. Two
# at a time take little more than half of it; on two cores, three and four gained nothing.
_THREADS = 2


class _Pool(ThreadPoolExecutor):
    def __init__(self, spark: SparkSession) -> None:
        super().__init__(_THREADS, initializer=_adopt, initargs=(spark,))
        self._spark = spark

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        # With the caller's job group, properties and tags: what cancels those cancels this.
        call = partial(fn, *args, **kwargs)
        if not isinstance(SparkContext._gateway, ClientServer):
            return super().submit(call)  # PYSPARK_PIN_THREAD=false: threads share the JVM's
        if self._spark.version.startswith("3."):
            return super().submit(inheritable_thread_target(call))
        return super().submit(inheritable_thread_target(self._spark)(call))


@contextmanager
def pool(spark: SparkSession) -> Iterator[Executor]:
    """An executor whose threads have `spark` as their session, in the JVM too.

    What was not begun is left out once something failed.

    >>> from gavial.spark import session
    >>> with pool(session.current()) as executor:
    ...     executor.submit(session.current().range(3).count).result()
    3
    """
    made = _Pool(spark)
    try:
        yield made
    finally:
        made.shutdown(wait=True, cancel_futures=True)


def _adopt(spark: SparkSession) -> None:
    # Readers and writers ask their own thread's session, and pool threads inherit none.
    session = spark._jsparkSession
    kind = reduce(getattr, session.getClass().getName().split("."), spark._jvm)
    kind.setActiveSession(session)
