"""A stage whose save waits: its tasks are under way on the executors when something happens."""

from __future__ import annotations

from pyspark.ml import Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import (
    DefaultParamsReader,
    DefaultParamsWriter,
    MLReadable,
    MLWritable,
    MLWriter,
)


class Slow(Transformer, MLReadable, MLWritable):
    """Says `saving-<host>` in a folder that all hosts share, and goes on when it is told."""

    folder = Param(Params._dummy(), "folder", "where it says so", TypeConverters.toString)

    def __init__(self, folder=None):
        super().__init__()
        if folder is not None:
            self._set(folder=folder)

    def _transform(self, dataset):
        return dataset

    def write(self):
        return _Writer(self)

    @classmethod
    def read(cls):
        return DefaultParamsReader(cls)


class _Writer(MLWriter):
    def __init__(self, instance):
        super().__init__()
        self.instance = instance

    def saveImpl(self, path):  # noqa: N802, as Spark names it
        DefaultParamsWriter(self.instance).saveImpl(path)
        folder = self.instance.getOrDefault(self.instance.folder)

        def write_slowly(number):
            import socket
            import time
            from pathlib import Path

            told = Path(folder)
            (told / f"saving-{socket.gethostname()}").touch()
            end = time.monotonic() + 120
            while not (told / "go-on").exists() and time.monotonic() < end:
                time.sleep(0.05)
            return f"part {number}"

        context = self.sparkSession.sparkContext
        context.parallelize(range(4), 4).map(write_slowly).saveAsTextFile(f"{path}/data")
