"""Which columns a pipeline needs to score and which it makes, from the parameters of its stages.

No Spark: a stage's class says which of its parameters name columns that it reads and writes. A
class that is not known here is said to be so, and nothing is guessed of it.

Only what scoring reads counts. A label is read by `fit` alone, and so is the column of an indexer
that makes nothing but the label: a fitted one passes over a record without it.
Source: the `transform` and `transformSchema` of each class in Spark 3.5 and 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gavial.model import schemas, sql_columns
from gavial.model.parameters import jvm_class
from gavial.model.sql_tokens import Refused

_ML = "org.apache.spark.ml."
_TREES = ("DecisionTree", "RandomForest", "GBT")
_IN_OUT = (
    *("Binarizer", "BucketedRandomProjectionLSHModel", "Bucketizer", "CountVectorizerModel", "DCT"),
    *("ElementwiseProduct", "FeatureHasher", "HashingTF", "IDFModel", "ImputerModel"),
    *("IndexToString", "Interaction", "MaxAbsScalerModel", "MinHashLSHModel", "MinMaxScalerModel"),
    *("NGram", "Normalizer", "OneHotEncoderModel", "PCAModel", "PolynomialExpansion"),
    *("RegexTokenizer", "RobustScalerModel", "StandardScalerModel", "StopWordsRemover"),
    *("StringIndexerModel", "TargetEncoderModel", "Tokenizer", "VectorAssembler"),
    *("VectorIndexerModel", "VectorSlicer", "Word2VecModel"),
)
_SELECTORS = (
    *("ChiSqSelectorModel", "UnivariateFeatureSelectorModel", "VarianceThresholdSelectorModel"),
)
_REGRESSIONS = (
    *("AFTSurvivalRegressionModel", "DecisionTreeRegressionModel", "FMRegressionModel"),
    *("GBTRegressionModel", "GeneralizedLinearRegressionModel", "IsotonicRegressionModel"),
    *("LinearRegressionModel", "RandomForestRegressionModel"),
)
_CLASSIFIERS = (
    *("DecisionTreeClassificationModel", "FMClassificationModel", "GBTClassificationModel"),
    *("LinearSVCModel", "LogisticRegressionModel", "MultilayerPerceptronClassificationModel"),
    *("NaiveBayesModel", "OneVsRestModel", "RandomForestClassificationModel"),
)
_CLUSTERS = (
    *("BisectingKMeansModel", "DistributedLDAModel", "GaussianMixtureModel", "KMeansModel"),
    "LocalLDAModel",
)
_LDA = ("DistributedLDAModel", "LocalLDAModel")

# By class the parameters that name columns it reads, and those that name columns it writes.
_Rule = tuple[tuple[str, ...], tuple[str, ...]]


def _rules() -> Iterator[tuple[str, _Rule]]:
    for name in _IN_OUT:
        yield f"feature.{name}", ((), ())  # see `_in_out`
    yield "feature.VectorSizeHint", (("inputCol",), ())
    for name in _SELECTORS:
        yield f"feature.{name}", (("featuresCol",), ("outputCol",))
    for name in _REGRESSIONS:
        more = ("leafCol", "varianceCol", "linkPredictionCol", "quantilesCol")
        yield f"regression.{name}", (("featuresCol", "offsetCol"), ("predictionCol", *more))
    for name in _CLASSIFIERS:
        written = ("rawPredictionCol", "probabilityCol", "predictionCol", "leafCol")
        yield f"classification.{name}", (("featuresCol",), written)
    for name in _CLUSTERS:
        if name in _LDA:
            yield f"clustering.{name}", (("featuresCol",), ("topicDistributionCol",))
        else:
            yield f"clustering.{name}", (("featuresCol",), ("predictionCol", "probabilityCol"))
    yield "recommendation.ALSModel", (("userCol", "itemCol"), ("predictionCol",))
    yield "fpm.FPGrowthModel", (("itemsCol",), ("predictionCol",))


_RULES: Mapping[str, _Rule] = {f"{_ML}{name}": rule for name, rule in _rules()}
_SQL = f"{_ML}feature.SQLTransformer"
_PIPELINE = f"{_ML}PipelineModel"
_FORMULA = f"{_ML}feature.RFormulaModel"
_INDEXER = f"{_ML}feature.StringIndexerModel"
_TUNED = (f"{_ML}tuning.CrossValidatorModel", f"{_ML}tuning.TrainValidationSplitModel")
# What a formula is made of besides: they drop columns that the formula's own stages made.
_OF_FORMULAS = (f"{_ML}feature.ColumnPruner", f"{_ML}feature.VectorAttributeRewriter")


@dataclass(frozen=True)
class Unknown:
    """A stage whose columns cannot be told, and why."""

    stage: str
    class_name: str
    why: str


@dataclass(frozen=True)
class Flow:
    """The columns of a pipeline.

    Attributes:
        needs: what it must be given, in the order in which it is read; by name whether that is
            certain: a stage that is not known may make the column.
        makes: what is there afterwards by its doing, with a name that is known.
        passes: whether a record's other columns are kept.
        unknown: stages whose columns cannot be told.
    """

    needs: Mapping[str, bool]
    makes: tuple[str, ...]
    passes: bool
    unknown: tuple[Unknown, ...] = ()


def flow(stages: Sequence[Mapping[str, Any]]) -> Flow:
    """The columns of a pipeline.

    Args:
        stages: as in a card's `pipeline`: `class`, `parameters`, `defaults`, `stages` of each.

    >>> one = {"class": "org.apache.spark.ml.feature.Tokenizer",
    ...        "parameters": {"inputCol": "text", "outputCol": "words"}}
    >>> flow([one])
    Flow(needs={'text': True}, makes=('words',), passes=True, unknown=())
    """
    walk = _Walk(labels=frozenset(_labels(stages)))
    walk.all(stages)
    return Flow(
        dict(walk.needs.values()),
        tuple(walk.made.values()),
        walk.passes,
        tuple(walk.unknown),
    )


@dataclass
class _Walk:
    """What is known after the stages up to here. Spark takes names for one whatever their case."""

    labels: frozenset[str]
    needs: dict[str, tuple[str, bool]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    passes: bool = True
    unknown: list[Unknown] = field(default_factory=list)
    # What an indexer of a label reads, by what it makes: needed once somebody reads that.
    pending: dict[str, str] = field(default_factory=dict)

    def all(self, stages: Iterable[Mapping[str, Any]]) -> None:
        for stage in stages:
            self.one(stage)

    def one(self, stage: Mapping[str, Any]) -> None:
        name = jvm_class(str(stage.get("class", "")))
        if name == _PIPELINE:
            self.all(_inner(stage))
        elif name in _TUNED:
            self.all(_inner(stage)[:1])  # `bestModel`: the first by name
        elif name == _SQL:
            self.sql(stage)
        elif name == _FORMULA:
            self.formula(stage)
        elif name == _INDEXER:
            self.indexer(stage)
        elif name in _RULES:
            reads, writes = _columns(name, stage)
            self.read(reads)
            self.make(writes)
        else:
            self.cannot_tell(stage, "it is not one of the classes of Spark ML that are known here")

    def read(self, names: Iterable[str]) -> None:
        for name in names:
            key = name.lower()
            if key in self.pending:
                self.read([self.pending.pop(key)])
                self.make([name])
            elif key not in self.made and self.passes:
                spelling, certain = self.needs.get(key, (name, False))
                self.needs[key] = (spelling, certain or not self.unknown)

    def make(self, names: Iterable[str]) -> None:
        self.made |= {name.lower(): name for name in names}

    def indexer(self, stage: Mapping[str, Any]) -> None:
        reads, writes = _columns(_INDEXER, stage)
        for source, target in zip(reads, writes, strict=False):
            if target.lower() in self.labels:
                self.pending[target.lower()] = source
            else:
                self.read([source])
                self.make([target])

    def sql(self, stage: Mapping[str, Any]) -> None:
        try:
            found = sql_columns.selected(str(_parameter(stage, "statement")))
        except Refused as refused:
            self.cannot_tell(stage, f"its SQL is not plain: {refused}")
            return
        self.read(found.reads)
        if not found.passes:
            self.made.clear()
            self.pending.clear()
            self.passes = False
        self.make(found.makes)

    def formula(self, stage: Mapping[str, Any]) -> None:
        """Of what the stages within a formula make, the features alone stay."""
        inner = _Walk(labels=frozenset(_texts(stage, "labelCol")))
        for one in (leaf for child in _inner(stage) for leaf in _inner(child)):
            if jvm_class(str(one.get("class", ""))) not in _OF_FORMULAS:
                inner.one(one)
        self.read(name for name, _ in inner.needs.values())
        self.unknown += inner.unknown
        self.make(_texts(stage, "featuresCol"))
        # It makes the label where a record has what the label is made of.
        label = str(_parameter(stage, "formula")).partition("~")[0].strip()
        self.pending |= {name.lower(): label for name in _texts(stage, "labelCol")}

    def cannot_tell(self, stage: Mapping[str, Any], why: str) -> None:
        about = (str(stage.get("uid", "")), str(stage.get("class", "")))
        self.unknown.append(Unknown(*about, why))


def _labels(stages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for stage in stages:
        yield from (name.lower() for name in _texts(stage, "labelCol"))
        yield from _labels(_inner(stage))


def _columns(name: str, stage: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    reads, writes = _RULES[name]
    if not reads:
        return _in_out(stage)
    return (
        [one for parameter in reads for one in _texts(stage, parameter)],
        [one for parameter in writes for one in _texts(stage, parameter)],
    )


def _in_out(stage: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """One column or several: where both are set `inputCols` is what was asked for last.

    A single `outputCol` has a default, which counts only where there are no several.
    """
    reads = _texts(stage, "inputCols") or _texts(stage, "inputCol")
    several = _texts(stage, "outputCols") if _texts(stage, "inputCols") else []
    return reads, several or _texts(stage, "outputCol")


def _texts(stage: Mapping[str, Any], name: str) -> list[str]:
    value = _parameter(stage, name)
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str) and one]


def _parameter(stage: Mapping[str, Any], name: str) -> Any:
    for where in ("parameters", "defaults"):
        values = stage.get(where)
        if isinstance(values, Mapping) and name in values:
            return values[name]
    return None


def _inner(stage: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = stage.get("stages")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def inputs(found: Flow, schema: Any) -> dict[str, Any]:
    """A card's `inputs`: what is needed, with type and nullability where a schema has them.

    Args:
        found: what the stages say.
        schema: of records that the model scores or was fitted on, as Spark's JSON, or `None`.
    """
    columns: dict[str, dict[str, Any]] = {}
    for name, certain in found.needs.items():
        column = _described(name, schema)  # `a` of a schema for both `a.x` and `a.y`
        certain = certain or columns.get(column["name"], {}).get("certain", False)
        columns[column["name"]] = {**column, "certain": certain}
    return {
        "columns": list(columns.values()),
        "unknown": [
            {"stage": one.stage, "class": one.class_name, "why": one.why} for one in found.unknown
        ],
    }


def outputs(found: Flow, schema: Any, given: Any) -> dict[str, Any]:
    """A card's `outputs`: what is made, with types where the schema of what was made is known.

    Args:
        found: what the stages say.
        schema: of what the model made, as Spark's JSON, or `None`.
        given: of what it was given.
    """
    names = list(found.makes)
    if found.unknown:  # then what the others made is seen in the schema alone
        known = {name.lower() for name in (*names, *schemas.fields(given))}
        names += [name for name in schemas.fields(schema) if name.lower() not in known]
    return {"columns": [_described(name, schema) for name in names], "passes": found.passes}


def _described(name: str, schema: Any) -> dict[str, Any]:
    fields = schemas.fields(schema)
    same = [one for one in fields if one.lower() == name.lower()]
    top = same or [one for one in fields if one.lower() == name.partition(".")[0].lower()]
    if not top:
        return {"name": name, "type": None, "nullable": None}
    about = fields[top[-1]]
    nullable = about.get("nullable")
    return {
        "name": name if same else top[-1],
        "type": about.get("type"),
        "nullable": nullable if isinstance(nullable, bool) else None,
    }
