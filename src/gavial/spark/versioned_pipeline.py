"""A `Pipeline` whose models write their version into every record that they score."""

from __future__ import annotations

from typing import Any

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.pipeline import PipelineSharedReadWrite
from pyspark.ml.util import DefaultParamsReader, DefaultParamsWriter, MLReader, MLWriter
from pyspark.sql import DataFrame

from gavial.errors import IncompatibleModel
from gavial.model.watermark import DEFAULT_COLUMN, UNRELEASED, check_column
from gavial.spark import columns, watermark

_WATERMARK = "watermarkCol"


class VersionedPipeline(Pipeline):  # type: ignore[misc]
    """An estimator like `pyspark.ml.Pipeline`; its models end in a watermark.

    What `fit` returns is a stock `PipelineModel`, readable from every language of Spark. Its
    records name the version that scored them: `unreleased` until `gavial.deploy`.

    Args:
        stages: estimators and transformers, in order.
        watermarkCol: the name of the column that names the version.

    >>> pipeline = VersionedPipeline(stages=[]).setWatermarkCol("model_version")
    >>> pipeline.getWatermarkCol()
    'model_version'
    """

    watermarkCol: Any = Param(  # noqa: N815, as pyspark spells its parameters
        Params._dummy(),
        _WATERMARK,
        "the column that names the version of the model that scored a record",
        typeConverter=TypeConverters.toString,
    )

    def __init__(
        self,
        *,
        stages: list[Any] | None = None,
        watermarkCol: str | None = None,  # noqa: N803
    ) -> None:
        super().__init__()
        self._setDefault(watermarkCol=DEFAULT_COLUMN)
        self.setParams(stages=stages, watermarkCol=watermarkCol)

    def setParams(  # noqa: N802
        self,
        *,
        stages: list[Any] | None = None,
        watermarkCol: str | None = None,  # noqa: N803
    ) -> VersionedPipeline:
        """Set several parameters; `None` leaves one as it is."""
        if stages is not None:
            self.setStages(stages)
        return self if watermarkCol is None else self.setWatermarkCol(watermarkCol)

    def setWatermarkCol(self, value: str) -> VersionedPipeline:  # noqa: N802
        """Name the column that names the version.

        Raises:
            ConfigurationError: the name does not survive the way through Spark's SQL.
        """
        check_column(value)
        self._set(watermarkCol=value)
        return self

    def getWatermarkCol(self) -> str:  # noqa: N802
        """The name of the column that names the version."""
        return str(self.getOrDefault(self.watermarkCol))

    def _fit(self, dataset: DataFrame) -> PipelineModel:
        """Fit the stages, and add the watermark.

        Raises:
            ConfigurationError: the column's name does not survive the way through Spark's SQL.
            IncompatibleModel: the data or a stage has a column of that name, or a stage writes
                a watermark of its own. Found before anything is trained, where Spark can tell.
        """
        column = self.getWatermarkCol()
        self._check(column, dataset)
        fitted = super()._fit(dataset)
        _check_output(column, dataset, fitted.stages)
        return PipelineModel([*fitted.stages, watermark.stage(UNRELEASED, column)])

    def _check(self, column: str, dataset: DataFrame) -> None:
        check_column(column)
        if not self.isDefined(self.stages):
            raise IncompatibleModel(
                f"{self.uid} has no stages: give it some, VersionedPipeline(stages=[…])."
            )
        found = columns.same(column, dataset.columns)
        if found is not None:
            raise watermark.taken(column, f"the data has a column {found!r}")
        known = [one for one in self.getStages() if isinstance(one, Params)]
        watermark.refuse_nested(known)
        watermark.refuse_declared(known, column)

    @property
    def _to_java(self) -> Any:
        # Tuning takes any estimator that has this for one of the JVM's, and would save a plain
        # `org.apache.spark.ml.Pipeline` in place of this one.
        raise AttributeError("A VersionedPipeline has no counterpart in the JVM.")

    def write(self) -> MLWriter:
        """A writer that keeps the class and the watermark's column."""
        return _Writer(self)

    @classmethod
    def read(cls) -> MLReader:
        """A reader of what `write` wrote."""
        return _Reader(cls)


def _check_output(column: str, dataset: DataFrame, stages: list[Any]) -> None:
    """Refuse a column that only the fitted stages show, such as one that an SQL stage makes."""
    for stage in stages:
        dataset = stage.transform(dataset)
        found = columns.same(column, dataset.columns)
        if found is not None:
            raise watermark.taken(column, f"the stage {stage.uid} writes a column {found!r}")


class _Writer(MLWriter):  # type: ignore[misc]
    """Writes the layout of pyspark's own Python-written pipelines, and one parameter more."""

    def __init__(self, instance: VersionedPipeline) -> None:
        super().__init__()
        self.instance = instance

    def saveImpl(self, path: str) -> None:  # noqa: N802
        stages = self.instance.getStages()
        PipelineSharedReadWrite.validateStages(stages)
        params = {
            "stageUids": [stage.uid for stage in stages],
            "language": "Python",
            _WATERMARK: self.instance.getWatermarkCol(),
        }
        DefaultParamsWriter.saveMetadata(self.instance, path, _home(self), paramMap=params)
        for index, stage in enumerate(stages):
            place = PipelineSharedReadWrite.getStagePath(
                stage.uid, index, len(stages), f"{path}/stages"
            )
            stage.write().save(place)


class _Reader(MLReader):  # type: ignore[misc]
    def __init__(self, cls: type[VersionedPipeline]) -> None:
        super().__init__()
        self.cls = cls

    def load(self, path: str) -> VersionedPipeline:
        home = _home(self)
        metadata = DefaultParamsReader.loadMetadata(path, home)
        uid, stages = PipelineSharedReadWrite.load(metadata, home, path)
        pipeline = self.cls(stages=stages, watermarkCol=metadata["paramMap"].get(_WATERMARK))
        pipeline._resetUid(uid)
        return pipeline


def _home(where: MLReader | MLWriter) -> Any:
    """What pyspark's own helpers want: the context on 3.5, the session from 4.0 on."""
    spark = where.sparkSession
    return spark.sparkContext if spark.version.startswith("3.") else spark
