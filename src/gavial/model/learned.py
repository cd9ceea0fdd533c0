"""What a stage of a saved model learnt, in a form that two can be compared in.

A stage's data is a table, or several. Small ones become named values: coefficients by feature,
labels in their order; of trees there are counts; of large ones the number, range and digest.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gavial import limits
from gavial.errors import ConfigurationError, CorruptRelease
from gavial.model import parquet
from gavial.model.parquet import Table
from gavial.model.saved_metadata import FOLDER, is_hidden
from gavial.model.saved_stage import Stage

# Uids and times of trees: they differ in each save, and say nothing of what was learnt.
_NOT_LEARNT = ("treesMetadata",)
_OTHER_FORM = "it is in a form that is not Spark's"
_NOT_AS_SPARK = (
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    RuntimeError,  # too deep, or not implemented by the reader
)
_SPLIT = "split.featureIndex"
_SQUARE = ("sigmas",)  # a feature along both sides


@dataclass(frozen=True)
class Values:
    """Numbers (or truths, or texts) by name."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class Labels:
    """Texts in an order that means something: the index of each is what the model works with."""

    labels: tuple[str, ...]


@dataclass(frozen=True)
class Digest:
    """Many values: how many, between what, and a sha256 of all of them in order."""

    count: int
    sha256: str
    least: float | None = None
    greatest: float | None = None


Part = Values | Labels | Digest


@dataclass(frozen=True)
class Learned:
    """What one stage learnt.

    Attributes:
        size: bytes of its files.
        parts: by name, such as "coefficients".
        unread: why there are no parts, though something was learnt.
    """

    size: int
    parts: Mapping[str, Part] = field(default_factory=dict)
    unread: str = ""


def files(model: Path, stage: Stage) -> dict[str, list[Path]]:
    """A stage's own data: the files of each folder in it, but those of its metadata and stages."""
    top = os.path.join(model, stage.folder)  # noqa: PTH118 a model may have thousands of stages
    inner = {os.path.join(model, child.folder) for child in stage.children}  # noqa: PTH118
    found: dict[str, list[Path]] = {}
    waiting = [("", top)]
    while waiting:
        above, folder = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if is_hidden(name) or name in _NOT_LEARNT or entry.path in inner:
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    if above:
                        found.setdefault(above, []).append(Path(entry.path))
                elif name != FOLDER:
                    waiting.append((f"{above}/{name}" if above else name, entry.path))
    return {name: sorted(parts) for name, parts in sorted(found.items())}


def size(found: Mapping[str, Sequence[Path]]) -> int:
    return sum(path.stat().st_size for paths in found.values() for path in paths)


class Pipeline:
    """The stages of one pipeline and what they learnt, each read once, when it is asked for."""

    def __init__(self, model: Path, stages: Iterable[Stage]) -> None:
        self._model = model
        self._producers: dict[str, Stage] = {}
        self._files: dict[str, dict[str, list[Path]]] = {}
        self._read: dict[str, Learned] = {}
        for one in stages:
            for name in _outputs(one):
                self._producers[name] = one

    def files(self, stage: Stage) -> dict[str, list[Path]]:
        """A stage's own data, as `files` finds it."""
        if stage.folder not in self._files:
            self._files[stage.folder] = files(self._model, stage)
        return self._files[stage.folder]

    def learned(self, stage: Stage) -> Learned:
        """What a stage learnt."""
        if stage.folder not in self._read:
            self._read[stage.folder] = self._learned(stage)
        return self._read[stage.folder]

    def _learned(self, stage: Stage) -> Learned:
        found = self.files(stage)
        whole = size(found)
        tables = {
            name: [path for path in paths if path.name.endswith(".parquet")]
            for name, paths in found.items()
        }
        if any(len(tables[name]) != len(paths) for name, paths in found.items()):
            return Learned(whole, {}, _OTHER_FORM)
        parts: dict[str, Part] = {}
        try:
            for name, paths in tables.items():
                made = self._parts(stage, Table(paths))
                above = "" if name == "data" else name
                parts |= {" ".join(filter(None, (above, one))): part for one, part in made.items()}
        except parquet.TooLarge:
            return Learned(whole, {}, "it is larger than is read (GAVIAL_LIMIT_DIFF_BYTES)")
        except (ConfigurationError, CorruptRelease) as error:
            return Learned(whole, {}, str(error))
        except _NOT_AS_SPARK:  # tables of somebody else's that have some of Spark's names
            return Learned(whole, {}, _OTHER_FORM)
        return Learned(whole, parts)

    def _parts(self, stage: Stage, table: Table) -> dict[str, Part]:
        if "nodeData" in table.columns or {"leftChild", "split"} <= set(table.columns):
            return _trees(table, self.features(stage))
        rows = table.read(limits.DIFF_VALUES)
        if rows is None:
            return {
                name: Digest(one.count, one.sha256, one.least, one.greatest)
                for name, one in table.summaries().items()
            }
        return dict(_Shaper(stage, self.features(stage)).parts(rows, table.columns))

    # -- the names of features --------------------------------------------------------------

    def features(self, stage: Stage) -> Features:
        """The names of the features that a stage takes, as far as the stages before it tell."""
        for name in ("featuresCol", "inputCol"):
            column = _value(stage, name)
            if isinstance(column, str):
                return Features(self._names(column, 0))
        return Features([])

    def _names(self, column: str, depth: int) -> list[str | None]:
        """The features in a column; `None` stands for as many as nobody knows."""
        stage = self._producers.get(column)
        if stage is None or depth > limits.STAGE_DEPTH:
            return [column]
        name = stage.class_name.rpartition(".")[2]
        source = _value(stage, "inputCol")
        if name == "VectorAssembler":
            inputs = _value(stage, "inputCols")
            return [
                one
                for each in (inputs if isinstance(inputs, list) else [])
                for one in self._names(str(each), depth + 1)
            ]
        if name in _PASSING and isinstance(source, str):
            return self._names(source, depth + 1)
        if name == "OneHotEncoderModel":
            return self._encoded(stage, column)
        if name == "PCAModel":
            count = _value(stage, "k")
            return _indexed(column, count) if isinstance(count, int) else [None]
        if name == "CountVectorizerModel":
            part = self.learned(stage).parts.get("vocabulary")
            return list(part.labels) if isinstance(part, Labels) else [None]
        return [None] if name in _VECTORS else [column]

    def _encoded(self, stage: Stage, column: str) -> list[str | None]:
        """The columns that a OneHotEncoder makes of one, by the labels where they were texts."""
        part = self.learned(stage).parts.get("categorySizes")
        place = _outputs(stage).index(column)
        count = part.values.get(str(place)) if isinstance(part, Values) else None
        if not isinstance(count, int):
            return [None]
        keeps, drops = _value(stage, "handleInvalid") == "keep", _value(stage, "dropLast")
        width = min(count + bool(keeps) - bool(drops), limits.DIFF_VALUES)
        source = _inputs(stage)[place] if place < len(_inputs(stage)) else column
        labels = self._labels_of(source)
        if not labels:
            return _indexed(source, width)
        return [
            f"{source}={labels[at]}" if at < len(labels) else f"{source}[{at}]"
            for at in range(width)
        ]

    def _labels_of(self, column: str) -> tuple[str, ...]:
        stage = self._producers.get(column)
        if stage is None or not stage.class_name.endswith(".StringIndexerModel"):
            return ()
        at = _outputs(stage).index(column)
        inputs = _inputs(stage)
        part = self.learned(stage).parts.get(_labels_name(inputs[at] if at < len(inputs) else ""))
        return part.labels if isinstance(part, Labels) else ()


class Features:
    """Names of features, of which the width of one at most is not known."""

    def __init__(self, names: Sequence[str | None]) -> None:
        self._names = names

    def of(self, count: int) -> list[str] | None:
        """So many names, or `None` where they do not fit.

        >>> Features(["age", "income"]).of(2)
        ['age', 'income']
        >>> Features(["age", None]).of(3)
        ['age', '[1]', '[2]']
        >>> Features(["features"]).of(2)
        """
        names, unknown = list(self._names), self._names.count(None)
        if unknown == 1 and count >= len(names):
            at = names.index(None)
            width = count - len(names) + 1
            names[at : at + 1] = [f"[{number}]" for number in range(at, at + width)]
        elif unknown:
            return None
        if len(names) != count:
            return None
        known = [str(one) for one in names]
        if len(set(known)) == count:
            return known
        return [f"{one} [{at}]" for at, one in enumerate(known)]


# The output has the input's features, whatever became of their values.
_PASSING = (
    "StandardScalerModel",
    "MinMaxScalerModel",
    "MaxAbsScalerModel",
    "RobustScalerModel",
    "VectorIndexerModel",
    "IDFModel",
    "Normalizer",
    "ElementwiseProduct",
)
# The output is a vector whose features nothing names.
_VECTORS = (
    "HashingTF",
    "FeatureHasher",
    "Word2VecModel",
    "PolynomialExpansion",
    "Interaction",
    "DCT",
    "VectorSlicer",
    "ChiSqSelectorModel",
    "UnivariateFeatureSelectorModel",
    "VarianceThresholdSelectorModel",
    "RFormulaModel",
)


class _Shaper:
    """Rows of one stage's data as named parts."""

    def __init__(self, stage: Stage, features: Features) -> None:
        self._stage, self._features = stage, features
        self._plain: dict[str, Any] = {}

    def parts(
        self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
    ) -> Iterator[tuple[str, Part]]:
        if len(rows) == 1:
            for name, value in rows[0].items():
                part = self._part(name, value)
                if part is None:
                    self._plain[name] = value
                elif isinstance(part, Part):
                    yield name, part
                else:
                    yield from part
            if self._plain:
                yield "values", Values(self._plain)
            return
        key, *rest = columns or [""]
        keyed = sorted(((str(row[key]), row) for row in rows), key=lambda pair: _natural(pair[0]))
        for name in rest:
            values: dict[str, Any] = {}
            for label, row in keyed:
                values |= {
                    _joined(label, inner): value for inner, value in self._flat(name, row[name])
                }
            yield name, Values(values)

    def _part(self, name: str, value: Any) -> Part | Iterable[tuple[str, Part]] | None:
        """The part that a value makes, or several; `None` for a plain one."""
        if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            return Labels(tuple(value))
        if name == "labelsArray" and isinstance(value, list):
            inputs = _inputs(self._stage)
            return [
                (_labels_name(inputs[at] if at < len(inputs) else str(at)), Labels(tuple(one)))
                for at, one in enumerate(value)
            ]
        if name == "selectedFeatures" and isinstance(value, list):
            return self._selected(value)
        if isinstance(value, dict | list):
            return Values(dict(self._flat(name, value)))
        return None

    def _selected(self, value: list[Any]) -> Labels:
        source = _value(self._stage, "featuresCol")
        names = self._features.of(len(self._features._names)) if source else None
        return Labels(
            tuple(names[at] if names and at < len(names) else str(at) for at in sorted(value))
        )

    def _flat(self, field: str, value: Any) -> Iterator[tuple[str, Any]]:
        """A vector, a matrix, a list or a map as values by name."""
        if isinstance(value, dict) and {"numRows", "numCols", "values"} <= value.keys():
            yield from self._matrix(field, value)
        elif isinstance(value, dict) and {"type", "values", "indices"} <= value.keys():
            yield from self._flat(field, _dense(value))
        elif isinstance(value, dict):
            for name, inner in value.items():
                yield from ((_joined(name, below), one) for below, one in self._flat(field, inner))
        elif isinstance(value, list):
            pairs = value and all(isinstance(one, tuple) and len(one) == 2 for one in value)
            names = None if pairs else self._features.of(len(value))
            for at, inner in enumerate(value):
                label, inner = inner if pairs else (names[at] if names else at, inner)
                yield from (
                    (_joined(str(label), below), one) for below, one in self._flat(field, inner)
                )
        else:
            yield "", value

    def _matrix(self, field: str, matrix: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        height, width = matrix["numRows"], matrix["numCols"]
        columns = self._features.of(width)
        lines = None if columns and field not in _SQUARE else self._features.of(height)
        for (line, column), value in _entries(matrix):
            above = "" if height == 1 else lines[line] if lines else f"row {line}"
            below = columns[column] if columns else "" if width == 1 else f"column {column}"
            yield _joined(above, below), value


def _trees(table: Table, features: Features) -> dict[str, Part]:
    """Counts of trees and nodes, the greatest depth, and how often each feature splits."""
    many = "nodeData" in table.columns
    above = "nodeData." if many else ""
    wanted = [f"{above}{name}" for name in ("id", "leftChild", "rightChild", _SPLIT)]
    count = _TreeCount()
    for batch in table.some(["treeID", *wanted] if many else wanted):
        for row in batch:
            count.add(row.get("treeID", 0), row["nodeData"] if many else row)
    known = [one for one in features._names if one is not None]
    named = len(known) == len(features._names) and max(count.splits, default=0) < len(known)
    digests = {
        f"{name} of nodes": Digest(one.count, one.sha256, one.least, one.greatest)
        for name, one in table.summaries().items()
        if name.removeprefix(above) in ("prediction", "split.leftCategoriesOrThreshold")
    }
    splits = {
        (known[at] if named else f"feature {at}"): number
        for at, number in sorted(count.splits.items())
    }
    return {
        "trees": Values(count.numbers()),
        "splits by feature": Values(splits),
        **{name.removeprefix(above): one for name, one in digests.items()},
    }


class _TreeCount:
    """Counts the nodes of trees, parents before their children, as Spark saves them."""

    def __init__(self) -> None:
        self.trees: set[int] = set()
        self.nodes = self.leaves = 0
        self.depth: int | None = 0
        self.splits: dict[int, int] = {}
        self._tree: int | None = None
        self._waiting: dict[int, int] = {}  # depth of the nodes to come, of one tree

    def add(self, tree: int, node: Mapping[str, Any]) -> None:
        if tree != self._tree:
            self._tree, self._waiting = tree, {node["id"]: 0}
            if tree in self.trees:
                self.depth = None  # they come mixed: the depth is not worth the memory
            self.trees.add(tree)
        self.nodes += 1
        depth = self._waiting.pop(node["id"], None)
        if depth is None or self.depth is None:
            self.depth = None
        else:
            self.depth = max(self.depth, depth)
        if node["leftChild"] < 0:
            self.leaves += 1
            return
        at = node["split"]["featureIndex"]
        self.splits[at] = self.splits.get(at, 0) + 1
        for child in (node["leftChild"], node["rightChild"]):
            self._waiting[child] = (depth or 0) + 1

    def numbers(self) -> dict[str, int]:
        found = {"trees": len(self.trees), "nodes": self.nodes, "leaves": self.leaves}
        return found if self.depth is None else {**found, "depth": self.depth}


def _entries(matrix: Mapping[str, Any]) -> Iterator[tuple[tuple[int, int], Any]]:
    """The entries of a matrix, by row and column; of a sparse one those that are there.

    Source: `org.apache.spark.ml.linalg.MatrixUDT`.
    """
    height, width, values = matrix["numRows"], matrix["numCols"], matrix["values"] or []
    turned = bool(matrix.get("isTransposed"))
    if matrix.get("type") == 0:
        starts, indices = matrix["colPtrs"] or [], matrix["rowIndices"] or []
        for major in range(len(starts) - 1):
            for at in range(starts[major], min(starts[major + 1], len(values), len(indices))):
                minor = indices[at]
                yield ((major, minor) if turned else (minor, major)), values[at]
        return
    for at, value in enumerate(values[: height * width]):
        yield (divmod(at, width) if turned else divmod(at, height)[::-1]), value


def _dense(vector: Mapping[str, Any]) -> list[Any]:
    """A vector's values. Source: `org.apache.spark.ml.linalg.VectorUDT`."""
    values = vector["values"] or []
    if vector["type"] != 0:
        return list(values)
    whole = [0.0] * min(vector["size"] or 0, limits.DIFF_VALUES)
    for at, value in zip(vector["indices"] or [], values, strict=False):
        if 0 <= at < len(whole):
            whole[at] = value
    return whole


def _value(stage: Stage, name: str) -> Any:
    return stage.parameters.get(name, stage.defaults.get(name))


def _inputs(stage: Stage) -> list[str]:
    return _columns(stage, "inputCols", "inputCol")


def _outputs(stage: Stage) -> list[str]:
    return _columns(stage, "outputCols", "outputCol")


def _columns(stage: Stage, several: str, one: str) -> list[str]:
    """Columns by the parameter for several, where somebody set it, else by that for one."""
    found = _value(stage, several)
    if isinstance(found, list) and found and one not in stage.parameters:
        return [str(name) for name in found]
    single = _value(stage, one)
    return [single] if isinstance(single, str) else []


def _labels_name(column: str) -> str:
    return f"labels of {column}"


def _indexed(column: str, count: int) -> list[str | None]:
    return [f"{column}[{at}]" for at in range(min(count, limits.DIFF_VALUES))]


def _joined(above: object, below: str) -> str:
    return f"{above} · {below}" if above != "" and below else str(above) or below


def _natural(text: str) -> tuple[int, int, str]:
    number = text.isascii() and text.isdigit() and len(text) < 19
    return (0, int(text), "") if number else (1, 0, text)
