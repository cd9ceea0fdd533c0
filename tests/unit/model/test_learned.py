"""What stages learnt, read from models that Spark saved, and from Parquet made by hand."""

import json
import shutil
from pathlib import Path

import pyarrow as arrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from gavial.errors import CorruptRelease
from gavial.model.learned import Digest, Features, Labels, Pipeline, Values
from gavial.model.parquet import Table
from gavial.model.saved_model import SavedModel

FIXTURES = Path(__file__).parents[2] / "fixtures" / "saved_models"
SPARK = "org.apache.spark.ml"
FEATURES = ["age2", "income"]
FEATURES += ["colour_index=green", "colour_index=blue", "colour_index=teal", "colour_index=red"]
FEATURES += ["rate2"]


@pytest.fixture(scope="module")
def many():
    """By class, the parts of what each stage of one pipeline learnt."""
    model = SavedModel.read(FIXTURES / "spark-4.3" / "many-stages-1")
    pipeline = Pipeline(model.folder, model.root.children)
    found = {}
    for stage in model.root.children:
        name = stage.class_name.rpartition(".")[2]
        found[name if name not in found else f"{name} 2"] = pipeline.learned(stage).parts
    return found


def only(model):
    return Pipeline(model.folder, model.root.children).learned(model.root.children[0])


@pytest.mark.parametrize("version", ["spark-3.5/churn", "spark-4.3/churn", "spark-4.3/deflated"])
def test_each_version_of_spark_is_read(version):
    model = SavedModel.read(FIXTURES / version)
    pipeline = Pipeline(model.folder, model.root.children)
    indexer, assembler, classifier, _ = map(pipeline.learned, model.root.children)
    assert indexer.parts == {"labels of city": Labels(("a", "b", "c"))}
    assert (assembler.size, assembler.parts) == (0, {})
    assert list(classifier.parts["coefficientMatrix"].values) == ["city_index", "x"]
    assert classifier.parts["interceptVector"].values.keys() == {"0"}


def test_labels_are_named_by_their_column(many):
    assert many["StringIndexerModel 2"].keys() == {"labels of kind", "labels of colour"}


@pytest.mark.parametrize(
    ("stage", "part"),
    [
        ("StandardScalerModel", "mean"),
        ("StandardScalerModel", "std"),
        ("MinMaxScalerModel", "originalMin"),  # a sparse vector
        ("MaxAbsScalerModel", "maxAbs"),
        ("RobustScalerModel", "median"),
        ("LogisticRegressionModel", "coefficientMatrix"),
        ("LinearSVCModel", "coefficients"),
        ("LinearRegressionModel", "coefficients"),
    ],
)
def test_vectors_are_named_by_the_features_of_the_assembler(many, stage, part):
    assert list(many[stage][part].values) == FEATURES


@pytest.mark.parametrize(
    ("stage", "part", "names"),
    [
        ("KMeansModel", "clusterCenter", [f"{c} · {f}" for c in range(3) for f in FEATURES]),
        ("NaiveBayesModel", "theta", [f"row {c} · {f}" for c in range(2) for f in FEATURES]),
        ("GaussianMixtureModel", "mus", [f"{c} · {f}" for c in range(2) for f in FEATURES]),
        ("PCAModel", "pc", [f"{f} · column {c}" for c in range(2) for f in FEATURES]),
        (
            "LogisticRegressionModel 2",
            "coefficientMatrix",
            [f"row {c} · {f}" for c in range(3) for f in FEATURES],
        ),
    ],
)
def test_matrices_and_centres_are_named_on_both_sides(many, stage, part, names):
    assert sorted(many[stage][part].values) == sorted(names)


def test_terms_name_their_frequencies(many):
    terms = many["CountVectorizerModel"]["vocabulary"].labels
    assert list(many["IDFModel"]["idf"].values) == list(terms)
    assert many["IDFModel"]["values"] == Values({"numDocs": 60})


def test_surrogates_are_named_by_their_columns(many):
    assert many["ImputerModel"]["values"].values.keys() == {"rate", "age"}


def test_selected_features_are_named(many):
    assert set(many["UnivariateFeatureSelectorModel"]["selectedFeatures"].labels) < set(FEATURES)


@pytest.mark.parametrize(
    ("stage", "trees"),
    [
        ("RandomForestClassificationModel", 3),
        ("DecisionTreeRegressionModel", 1),
        ("GBTRegressionModel", 3),
    ],
)
def test_trees_are_counted(many, stage, trees):
    found = many[stage]["trees"].values
    splits = many[stage]["splits by feature"].values
    assert found["trees"] == trees
    # Each inner node has two children, and every tree one leaf more than inner nodes.
    assert found["leaves"] == (found["nodes"] + trees) / 2
    assert sum(splits.values()) == found["nodes"] - found["leaves"]
    assert set(splits) <= set(FEATURES)
    assert 1 <= found["depth"] <= 5


def test_more_values_than_the_limit_are_a_digest(saved):
    folder = saved.pipeline((f"{SPARK}.feature.StringIndexerModel", "a", {"inputCol": "x"}))
    data = folder / "stages" / "0_a" / "data"
    data.mkdir()
    table = arrow.table({"labelsArray": [[[f"label {at}" for at in range(100_001)]]]})
    parquet.write_table(table, data / "part-0.parquet")
    (part,) = only(SavedModel.read(folder)).parts.values()
    assert isinstance(part, Digest)
    assert part.count == 100_001


def test_data_in_another_form_is_told(saved):
    folder = saved.pipeline(("com.acme.Model", "a", {}))
    data = folder / "stages" / "0_a" / "weights"
    data.mkdir()
    (data / "weights.bin").write_bytes(b"12345")
    found = only(SavedModel.read(folder))
    assert found.size == 5
    assert "not Spark's" in found.unread


@pytest.mark.parametrize(
    "row",
    [
        {"nodeData": {"id": 0}, "treeID": 0},
        {"nodeData": 3},
        {"leftChild": "a", "split": None, "id": 0, "rightChild": 0},
        {"m": {"numRows": None, "numCols": "x", "values": [1.0]}},
        {"m": {"type": 0, "values": [1.0], "indices": ["a"], "size": 3}},
        {"m": {"type": 0, "values": [1.0], "indices": [7], "size": -3}},
    ],
)
def test_a_table_with_some_of_sparks_names_breaks_nothing(saved, row):
    folder = saved.pipeline(("com.acme.Model", "a", {"inputCol": "x"}))
    data = folder / "stages" / "0_a" / "data"
    data.mkdir()
    parquet.write_table(arrow.Table.from_pylist([row]), data / "part-0.parquet")
    found = only(SavedModel.read(folder))
    assert found.unread or found.parts.keys() == {"m"}


def test_a_damaged_file_is_told(saved):
    folder = saved.pipeline((f"{SPARK}.feature.PCAModel", "a", {}))
    data = folder / "stages" / "0_a" / "data"
    data.mkdir()
    (data / "part-0.parquet").write_bytes(b"PAR1 and nothing more")
    assert "cannot be read" in only(SavedModel.read(folder)).unread


def test_a_half_file_is_a_corrupt_release(tmp_path):
    source = next(FIXTURES.glob("spark-4.3/churn/stages/0_*/data/*.parquet"))
    shutil.copy(source, tmp_path / "a.parquet")
    with (tmp_path / "a.parquet").open("r+b") as file:
        file.truncate(400)
    with pytest.raises(CorruptRelease, match="cannot be read"):
        Table([tmp_path / "a.parquet"])


def test_nodes_that_come_out_of_order_have_no_depth(saved):
    folder = saved.pipeline((f"{SPARK}.regression.DecisionTreeRegressionModel", "a", {}))
    data = folder / "stages" / "0_a" / "data"
    data.mkdir()
    split = {"featureIndex": 0, "leftCategoriesOrThreshold": [1.0], "numCategories": -1}
    leaf = {"featureIndex": -1, "leftCategoriesOrThreshold": [], "numCategories": -1}
    rows = [
        {"id": 0, "prediction": 0.0, "leftChild": 1, "rightChild": 2, "split": split},
        {"id": 3, "prediction": 0.0, "leftChild": -1, "rightChild": -1, "split": leaf},
        {"id": 1, "prediction": 0.0, "leftChild": -1, "rightChild": -1, "split": leaf},
    ]
    parquet.write_table(arrow.Table.from_pylist(rows), data / "part-0.parquet")
    found = only(SavedModel.read(folder)).parts["trees"].values
    assert found == {"trees": 1, "nodes": 3, "leaves": 2}


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        # [[1, 3], [2, 4]] by columns, by rows, and sparse both ways
        ({"type": 1, "values": [1.0, 2.0, 3.0, 4.0], "isTransposed": False}, [1, 2, 3, 4]),
        ({"type": 1, "values": [1.0, 3.0, 2.0, 4.0], "isTransposed": True}, [1, 2, 3, 4]),
        (
            {"type": 0, "colPtrs": [0, 1, 2], "rowIndices": [1, 0], "values": [2.0, 3.0]},
            [None, 2, 3, None],
        ),
        (
            {
                "type": 0,
                "colPtrs": [0, 1, 2],
                "rowIndices": [1, 0],
                "values": [3.0, 2.0],
                "isTransposed": True,
            },
            [None, 2, 3, None],
        ),
    ],
)
def test_a_matrix_is_read_in_each_of_its_forms(saved, matrix, expected):
    folder = saved.pipeline((f"{SPARK}.classification.Some", "a", {}))
    data = folder / "stages" / "0_a" / "data"
    data.mkdir()
    whole = {"numRows": 2, "numCols": 2, "colPtrs": None, "rowIndices": None, "isTransposed": False}
    parquet.write_table(
        arrow.Table.from_pylist([{"m": {**whole, **matrix}}]), data / "part-0.parquet"
    )
    found = only(SavedModel.read(folder)).parts["m"].values
    names = [f"row {row} · column {column}" for column in range(2) for row in range(2)]
    assert [found.get(name) for name in names] == expected


def test_features_of_one_unknown_width_are_filled_in():
    assert Features(["a", None, "b"]).of(4) == ["a", "[1]", "[2]", "b"]
    assert Features([None, None]).of(4) is None
    assert Features(["a", "a"]).of(2) == ["a [0]", "a [1]"]


def test_rows_are_read_a_few_at_a_time(tmp_path):
    """8 MB in one row group, of which no more than a part is in memory."""
    place = tmp_path / "part-0.parquet"
    features = arrow.array([[float(at)] * 20 for at in range(50_000)], arrow.list_(arrow.float64()))
    table = arrow.table({"features": features})
    parquet.write_table(table, place, use_dictionary=False, compression="NONE")
    del table
    del features
    before, most, rows = arrow.total_allocated_bytes(), 0, 0
    for some in Table([place]).some(["features"]):
        rows += len(some)
        most = max(most, arrow.total_allocated_bytes() - before)
    assert rows == 50_000
    assert most < 5_000_000


values = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.none() | st.text(max_size=5),
            "numbers": st.none() | st.lists(st.integers(-9, 9), max_size=4),
            "inner": st.fixed_dictionaries(
                {"x": st.floats(allow_nan=False), "y": st.none() | st.booleans()}
            ),
        }
    ),
    min_size=1,
    max_size=12,
)
SCHEMA = arrow.schema(
    {
        "text": arrow.string(),
        "numbers": arrow.list_(arrow.int32()),
        "inner": arrow.struct({"x": arrow.float64(), "y": arrow.bool_()}),
    }
)


def digests(folder, rows, cut):
    """The digests of rows in two files."""
    places = [folder / "part-0.parquet", folder / "part-1.parquet"]
    for place, some in zip(places, (rows[:cut], rows[cut:]), strict=True):
        parquet.write_table(arrow.Table.from_pylist(some, SCHEMA), place)
    found = Table(places).summaries()
    return {name: (one.count, one.sha256) for name, one in found.items()}


@settings(max_examples=40)
@given(values, st.data())
def test_how_values_are_cut_into_files_does_not_change_their_digest(tmp_path_factory, rows, data):
    folder = tmp_path_factory.mktemp("cut")
    cut = data.draw(st.integers(0, len(rows)))
    assert digests(folder, rows, cut) == digests(folder, rows, 0)


@settings(max_examples=40)
@given(values, values)
def test_other_values_have_other_digests(tmp_path_factory, one, other):
    folder = tmp_path_factory.mktemp("other")
    # -0.0 is another number than 0.0, though they are equal
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digests(folder, one, 0) == digests(folder, other, 0)) == same
