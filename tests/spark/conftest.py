"""One Spark session and a few small models for all tests of `gavial.spark`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from gavial.spark.versioned_pipeline import VersionedPipeline

# Spark imports a Python-written stage by its module's name.
sys.path.insert(0, str(Path(__file__).parent / "parts"))

from spark_parts import stages


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    warehouse = tmp_path_factory.mktemp("warehouse")
    session = (
        SparkSession.builder.master("local[2]")
        .appName("gavial tests")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.default.parallelism", "2")
        .config("spark.sql.warehouse.dir", str(warehouse))
        .config("spark.gavial.owner", "the tests")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def customers(spark: SparkSession) -> DataFrame:
    """Twenty customers of two plans; the second half of them leave."""
    records = [(n, "basic" if n % 3 else "gold", float(n % 7), float(n >= 10)) for n in range(20)]
    return spark.createDataFrame(records, "id long, plan string, calls double, label double")


@pytest.fixture(scope="session")
def stamped(customers: DataFrame) -> PipelineModel:
    """A fitted model with a watermark in the column `pipeline`."""
    return VersionedPipeline(stages=stages()).fit(customers)


@pytest.fixture(scope="session")
def plain(stamped: PipelineModel) -> PipelineModel:
    """A fitted model without a watermark."""
    return PipelineModel(stamped.stages[:-1])
