"""Adds two windows to a store and dies by kill -9 once the first is in its place.

Arguments: the store's folder.
"""

from __future__ import annotations

import os
import signal
import sys

from pyspark.sql import SparkSession
from states_parts import PROFILE, states

from gavial.spark.monitoring.store import StateStore


class Dying(StateStore):
    def _put(self, written: str, name: str) -> None:
        super()._put(written, name)
        os.kill(os.getpid(), signal.SIGKILL)


spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
Dying(spark, sys.argv[1]).add(states(10, 20), PROFILE, query="q", batch=1)
