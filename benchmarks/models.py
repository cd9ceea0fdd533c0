"""The three models of the benchmarks: small, typical, large. Each is fitted on data made here."""

from __future__ import annotations

from typing import Any

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import (
    PCA,
    Bucketizer,
    HashingTF,
    Imputer,
    MinMaxScaler,
    OneHotEncoder,
    SQLTransformer,
    StandardScaler,
    StringIndexer,
    Tokenizer,
    VectorAssembler,
)
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import DataFrame, SparkSession

RANK = 100
BYTES_PER_USER = 4 * RANK


def session(memory: str = "1g") -> SparkSession:
    """A session on two cores of this machine that prints nothing by itself."""
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", memory)
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def hello(spark: SparkSession) -> tuple[PipelineModel, DataFrame]:
    """A: three stages, as in the first example of Spark ML's guide."""
    texts = spark.createDataFrame(
        [(0, "a b c d e spark", 1.0), (1, "b d", 0.0), (2, "spark f g h", 1.0), (3, "hadoop", 0.0)],
        "id long, text string, label double",
    )
    stages = [
        Tokenizer(inputCol="text", outputCol="words"),
        HashingTF(inputCol="words", outputCol="features"),
        LogisticRegression(maxIter=10, regParam=0.001),
    ]
    return Pipeline(stages=stages).fit(texts), texts


def forest(spark: SparkSession) -> tuple[PipelineModel, DataFrame]:
    """B: twelve stages, one of them a random forest of 100 trees."""
    rows = spark.range(5_000).selectExpr(
        "concat('c', id % 40) AS carrier",
        "concat('d', (id * 7) % 90) AS dest",
        "cast((id * 13) % 24 AS double) AS hour",
        "CASE WHEN id % 11 = 0 THEN NULL ELSE cast((id * 31) % 500 AS double) END AS distance",
        "cast((id * 17) % 60 AS double) AS minute",
        "CASE WHEN (id * 13) % 24 + (id * 7) % 90 / 9 > 20 THEN 'late' ELSE 'early' END AS status",
    )
    stages = [
        StringIndexer(inputCols=["carrier", "dest"], outputCols=["carrier_i", "dest_i"]),
        OneHotEncoder(inputCols=["carrier_i"], outputCols=["carrier_v"]),
        Imputer(inputCols=["distance"], outputCols=["distance_f"]),
        Bucketizer(
            inputCol="hour",
            outputCol="part",
            splits=[float("-inf"), 6.0, 12.0, 18.0, float("inf")],
        ),
        SQLTransformer(statement="SELECT *, minute / 60 AS share FROM __THIS__"),
        VectorAssembler(inputCols=["distance_f", "share", "minute"], outputCol="numbers"),
        StandardScaler(inputCol="numbers", outputCol="standard", withMean=True),
        MinMaxScaler(inputCol="numbers", outputCol="ranged"),
        PCA(inputCol="standard", outputCol="main", k=2),
        StringIndexer(inputCol="status", outputCol="label"),
        VectorAssembler(
            inputCols=["carrier_v", "dest_i", "part", "main", "ranged"], outputCol="features"
        ),
        RandomForestClassifier(numTrees=100, maxDepth=5, maxBins=128, seed=1),
    ]
    return Pipeline(stages=stages).fit(rows), rows


def recommender(spark: SparkSession, megabytes: int) -> PipelineModel:
    """C: an ALS model with random factors of about that size, kept in memory before any save."""

    def factors(count: int) -> Any:
        numbers = f"transform(sequence(1, {RANK}), x -> cast(rand() AS float)) AS features"
        made = spark.range(count).selectExpr("cast(id AS int) AS id", numbers)
        made.cache().count()
        return made

    users, items = factors(megabytes * 1_000_000 // BYTES_PER_USER), factors(1_000)
    java = spark._jvm.org.apache.spark.ml.recommendation.ALSModel(
        "ALS_large", RANK, users._jdf, items._jdf
    )
    return PipelineModel([ALSModel(java)])
