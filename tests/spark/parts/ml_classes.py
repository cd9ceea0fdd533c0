"""An instance of every class of pyspark.ml that can be saved, each fitted on a few records."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from pyspark.ml import Pipeline, PipelineModel, Transformer, evaluation, feature
from pyspark.ml.classification import (
    DecisionTreeClassifier,
    FMClassifier,
    GBTClassifier,
    LinearSVC,
    LogisticRegression,
    MultilayerPerceptronClassifier,
    NaiveBayes,
    OneVsRest,
    RandomForestClassifier,
)
from pyspark.ml.clustering import LDA, BisectingKMeans, GaussianMixture, KMeans
from pyspark.ml.fpm import FPGrowth
from pyspark.ml.linalg import Vectors
from pyspark.ml.param import TypeConverters
from pyspark.ml.recommendation import ALS
from pyspark.ml.regression import (
    AFTSurvivalRegression,
    DecisionTreeRegressor,
    FMRegressor,
    GBTRegressor,
    GeneralizedLinearRegression,
    IsotonicRegression,
    LinearRegression,
    RandomForestRegressor,
)
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit
from pyspark.ml.util import MLWritable
from pyspark.sql import DataFrame, SparkSession

_MODULES = (
    "classification",
    "clustering",
    "evaluation",
    "feature",
    "fpm",
    "pipeline",
    "recommendation",
    "regression",
    "tuning",
)


def names() -> list[str]:
    """Every concrete class of pyspark.ml that can be saved, such as `feature.Bucketizer`."""
    return sorted(f"{module}.{kind.__name__}" for module, kind in _classes())


def _classes() -> Iterator[tuple[str, type]]:
    for module in _MODULES:
        whole = importlib.import_module(f"pyspark.ml.{module}")
        for name, kind in vars(whole).items():
            ours = inspect.isclass(kind) and kind.__module__ == whole.__name__
            if ours and issubclass(kind, MLWritable) and not inspect.isabstract(kind):
                assert not name.startswith("_")
                yield module, kind


def records(spark: SparkSession) -> DataFrame:
    """Twelve records with something for each estimator."""
    rows = [
        (
            n,
            n % 4,
            n % 3,
            float(n % 2),
            float(n) + 0.5,
            1.0 + n % 3,
            float(n % 5 > 0),
            Vectors.dense([float(n % 2), float(n % 5), float(n % 3)]),
            Vectors.dense([1.0 + n % 2, float(n % 5), 2.0]),
            f"word{n % 3} word{n % 2} other",
            [f"word{n % 3}", f"item{n % 2}", "other"],
            f"kind{n % 3}",
        )
        for n in range(12)
    ]
    columns = ["id", "user", "item", "label", "value", "weight", "censor"]
    columns += ["features", "counts", "text", "words", "kind"]
    return spark.createDataFrame(rows, columns)


def instance(name: str, df: DataFrame) -> Any:
    """An instance of a class: fitted where it is a model, else with each column named."""
    module, _, kind = name.partition(".")
    make = _MADE.get(name)
    if make is not None:
        return make(df)
    return _with_columns(getattr(importlib.import_module(f"pyspark.ml.{module}"), kind)())


def scoring() -> list[str]:
    """The classes whose instance makes something of the records."""
    kinds = {f"{module}.{kind.__name__}": kind for module, kind in _classes()}
    return [name for name in names() if name in _MADE and issubclass(kinds[name], Transformer)]


def scores(name: str, stage: Any) -> bool:
    """Whether the instance of a class makes something of the records."""
    return isinstance(stage, Transformer) and name in _MADE


def _with_columns(stage: Any) -> Any:
    for param in stage.params:
        if not param.name.endswith(("Col", "Cols")):
            continue
        if param.typeConverter is TypeConverters.toString:
            stage._set(**{param.name: f"my {param.name}"})
        elif param.typeConverter is TypeConverters.toListString:
            stage._set(**{param.name: [f"my {param.name}", "x"]})
    return stage


def _fitted(estimator: Any) -> Callable[[DataFrame], Any]:
    return lambda df: estimator().fit(df)


def _lda(optimizer: str) -> LDA:
    return LDA(k=2, maxIter=2, featuresCol="counts", optimizer=optimizer, seed=1)


def _validated(kind: Any, df: DataFrame, **settings: Any) -> Any:
    regression = LinearRegression(labelCol="value", maxIter=2)
    grid = ParamGridBuilder().addGrid(regression.regParam, [0.1, 0.2]).build()
    evaluator = evaluation.RegressionEvaluator(labelCol="value")
    chosen = kind(
        estimator=regression, estimatorParamMaps=grid, evaluator=evaluator, seed=1, **settings
    )
    return chosen.fit(df) if df is not None else chosen


_TREE = {"maxDepth": 2, "seed": 1}
_IN = {"inputCol": "features", "outputCol": "out"}

_MADE: dict[str, Callable[[DataFrame], Any]] = {
    "classification.DecisionTreeClassificationModel": _fitted(
        lambda: DecisionTreeClassifier(**_TREE)
    ),
    "classification.FMClassificationModel": _fitted(lambda: FMClassifier(maxIter=2, seed=1)),
    "classification.GBTClassificationModel": _fitted(lambda: GBTClassifier(maxIter=2, **_TREE)),
    "classification.LinearSVCModel": _fitted(lambda: LinearSVC(maxIter=2)),
    "classification.LogisticRegressionModel": _fitted(lambda: LogisticRegression(maxIter=2)),
    "classification.MultilayerPerceptronClassificationModel": _fitted(
        lambda: MultilayerPerceptronClassifier(maxIter=2, layers=[3, 2, 2], seed=1)
    ),
    "classification.NaiveBayesModel": _fitted(NaiveBayes),
    "classification.OneVsRest": lambda _: OneVsRest(classifier=LinearSVC(maxIter=2)),
    "classification.OneVsRestModel": _fitted(
        lambda: OneVsRest(classifier=LinearSVC(maxIter=2), labelCol="label")
    ),
    "classification.RandomForestClassificationModel": _fitted(
        lambda: RandomForestClassifier(numTrees=3, **_TREE)
    ),
    "clustering.BisectingKMeansModel": _fitted(lambda: BisectingKMeans(k=2, seed=1)),
    "clustering.DistributedLDAModel": _fitted(lambda: _lda("em")),
    "clustering.GaussianMixtureModel": _fitted(lambda: GaussianMixture(k=2, maxIter=2, seed=1)),
    "clustering.KMeansModel": _fitted(lambda: KMeans(k=2, seed=1)),
    "clustering.LocalLDAModel": _fitted(lambda: _lda("online")),
    "feature.Bucketizer": lambda _: feature.Bucketizer(
        inputCol="value", outputCol="out", splits=[float("-inf"), 0.0, 1.5, float("inf")]
    ),
    "feature.BucketedRandomProjectionLSHModel": _fitted(
        lambda: feature.BucketedRandomProjectionLSH(bucketLength=2.0, seed=1, **_IN)
    ),
    "feature.ChiSqSelectorModel": _fitted(
        lambda: feature.ChiSqSelector(numTopFeatures=1, outputCol="out")
    ),
    "feature.CountVectorizerModel": _fitted(
        lambda: feature.CountVectorizer(inputCol="words", outputCol="out")
    ),
    "feature.ElementwiseProduct": lambda _: feature.ElementwiseProduct(
        scalingVec=Vectors.dense([1.0, 2.5, -0.0]), **_IN
    ),
    "feature.IDFModel": _fitted(lambda: feature.IDF(**_IN)),
    "feature.ImputerModel": _fitted(
        lambda: feature.Imputer(inputCols=["value"], outputCols=["out"])
    ),
    "feature.IndexToString": lambda _: feature.IndexToString(
        inputCol="label", outputCol="out", labels=["a", 'é "quoted"', ""]
    ),
    "feature.MaxAbsScalerModel": _fitted(lambda: feature.MaxAbsScaler(**_IN)),
    "feature.MinHashLSHModel": _fitted(
        lambda: feature.MinHashLSH(inputCol="counts", outputCol="out", seed=1)
    ),
    "feature.MinMaxScalerModel": _fitted(lambda: feature.MinMaxScaler(**_IN)),
    "feature.OneHotEncoderModel": _fitted(
        lambda: feature.OneHotEncoder(inputCols=["user"], outputCols=["out"])
    ),
    "feature.PCAModel": _fitted(lambda: feature.PCA(k=1, **_IN)),
    "feature.RFormula": lambda _: feature.RFormula(formula="label ~ kind + value"),
    "feature.RFormulaModel": _fitted(
        lambda: feature.RFormula(formula="label ~ kind + value", featuresCol="out")
    ),
    "feature.RobustScalerModel": _fitted(lambda: feature.RobustScaler(**_IN)),
    "feature.SQLTransformer": lambda _: feature.SQLTransformer(
        statement="SELECT *, value * 2 AS `out` FROM __THIS__"
    ),
    "feature.StandardScalerModel": _fitted(lambda: feature.StandardScaler(withMean=True, **_IN)),
    "feature.StringIndexerModel": _fitted(
        lambda: feature.StringIndexer(inputCol="kind", outputCol="out")
    ),
    "feature.TargetEncoderModel": _fitted(
        lambda: feature.TargetEncoder(inputCols=["user"], outputCols=["out"], labelCol="label")
    ),
    "feature.UnivariateFeatureSelectorModel": _fitted(
        lambda: (
            feature.UnivariateFeatureSelector(outputCol="out")
            .setFeatureType("continuous")
            .setLabelType("categorical")
            .setSelectionThreshold(1)
        )
    ),
    "feature.VarianceThresholdSelectorModel": _fitted(
        lambda: feature.VarianceThresholdSelector(outputCol="out")
    ),
    "feature.VectorIndexerModel": _fitted(lambda: feature.VectorIndexer(maxCategories=2, **_IN)),
    "feature.VectorSlicer": lambda _: feature.VectorSlicer(indices=[2, 0], **_IN),
    "feature.Word2VecModel": _fitted(
        lambda: feature.Word2Vec(
            vectorSize=2, minCount=0, maxIter=1, seed=1, inputCol="words", outputCol="out"
        )
    ),
    "fpm.FPGrowthModel": _fitted(lambda: FPGrowth(itemsCol="words", minSupport=0.3)),
    "pipeline.Pipeline": lambda _: Pipeline(
        stages=[feature.Tokenizer(inputCol="text", outputCol="out"), Pipeline(stages=[])]
    ),
    "pipeline.PipelineModel": lambda df: PipelineModel(
        [
            feature.Tokenizer(inputCol="text", outputCol="split"),
            PipelineModel([feature.StringIndexer(inputCol="kind", outputCol="out").fit(df)]),
        ]
    ),
    "recommendation.ALSModel": _fitted(lambda: ALS(maxIter=1, rank=2, ratingCol="value", seed=1)),
    "regression.AFTSurvivalRegressionModel": _fitted(
        lambda: AFTSurvivalRegression(labelCol="value", maxIter=2)
    ),
    "regression.DecisionTreeRegressionModel": _fitted(
        lambda: DecisionTreeRegressor(labelCol="value", **_TREE)
    ),
    "regression.FMRegressionModel": _fitted(
        lambda: FMRegressor(labelCol="value", maxIter=2, seed=1)
    ),
    "regression.GBTRegressionModel": _fitted(
        lambda: GBTRegressor(labelCol="value", maxIter=2, **_TREE)
    ),
    "regression.GeneralizedLinearRegressionModel": _fitted(
        lambda: GeneralizedLinearRegression(labelCol="value", maxIter=2)
    ),
    "regression.IsotonicRegressionModel": _fitted(lambda: IsotonicRegression(labelCol="value")),
    "regression.LinearRegressionModel": _fitted(
        lambda: LinearRegression(labelCol="value", maxIter=2)
    ),
    "regression.RandomForestRegressionModel": _fitted(
        lambda: RandomForestRegressor(labelCol="value", numTrees=3, **_TREE)
    ),
    "tuning.CrossValidator": lambda _: _validated(CrossValidator, None, numFolds=2),
    "tuning.CrossValidatorModel": lambda df: _validated(CrossValidator, df, numFolds=2),
    "tuning.TrainValidationSplit": lambda _: _validated(TrainValidationSplit, None),
    "tuning.TrainValidationSplitModel": lambda df: _validated(TrainValidationSplit, df),
}
