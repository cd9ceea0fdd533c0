"""What a card says of a real model, and which releases are refused before a number is claimed."""

from __future__ import annotations

import pytest
from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.feature import StringIndexer, VectorAssembler
from spark_parts import Doubler, stages

import gavial
from gavial.errors import ConfigurationError, IncompatibleModel
from gavial.model.golden import Golden, compare
from gavial.spark import golden

NAMES = ("com.acme:churn:1.0", "com.acme:churn:1.1")


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture(scope="module")
def released(stamped, customers, tmp_path_factory):
    """A release with all that a card can have."""
    return gavial.deploy(
        stamped,
        "com.acme:churn:1.0",
        tmp_path_factory.mktemp("full"),
        metrics={"auc": 0.87},
        metrics_on={"source": "sales.holdout", "rows": 400},
        input_example=customers,
        intended_use="To call those who may leave.",
        limits="Not for business customers.",
        fields={"risk": {"class": 2}, "regions": ["eu"]},
        training_data=gavial.Dataset(customers, name="customers of 2024", time_col="calls"),
    )


@pytest.fixture(scope="module")
def wider(customers):
    """The same technique with one column more."""
    assembler = VectorAssembler(inputCols=["plan_index", "calls", "id"], outputCol="features")
    first, _, last = stages()
    return gavial.VersionedPipeline(stages=[first, assembler, last]).fit(customers)


def test_a_card_has_the_columns_that_the_pipeline_needs_with_their_types(released):
    assert released.card.inputs == {
        "columns": [
            {"name": "plan", "type": "string", "nullable": True, "certain": True},
            {"name": "calls", "type": "double", "nullable": True, "certain": True},
        ],
        "unknown": [],
    }


def test_a_card_has_the_columns_that_the_pipeline_makes_with_their_types(released):
    made = {one["name"]: one["type"] for one in released.card.outputs["columns"]}
    assert (made["prediction"], made["pipeline"]) == ("double", "string")
    assert made["probability"]["class"].endswith("VectorUDT")
    assert released.card.outputs["passes"]


def test_a_card_says_what_the_author_said(released):
    card = released.card
    assert (card.intended_use, card.limits) == (
        "To call those who may leave.",
        "Not for business customers.",
    )
    assert card.fields == {"risk": {"class": 2}, "regions": ["eu"]}
    assert card.metrics_on == {"source": "sales.holdout", "rows": 400}
    assert card.replaces is None


def test_a_card_describes_the_training_data(released):
    data = dict(released.card.training_data)
    assert [one["name"] for one in data.pop("schema")["fields"]] == ["id", "plan", "calls", "label"]
    assert data == {
        "name": "customers of 2024",
        "rows": 20,
        "time": {"column": "calls", "from": "0.0", "to": "6.0"},
    }


def test_the_golden_sample_is_what_the_released_model_makes_again(released):
    card = released.card
    expected = Golden.from_json(card.golden)
    assert "pipeline" not in expected.columns
    assert len(expected.rows) == 20
    model = released.load()
    actual = golden.score(model, card.input_example, card.input_schema, "pipeline")
    found = compare(expected, actual, tolerance=0.0)
    assert (found.same, found.problems) == (True, ())


def test_a_model_that_learnt_something_else_differs_from_the_golden_sample(released, customers):
    card = released.card
    other = gavial.VersionedPipeline(stages=stages()).fit(customers.where("id < 14"))
    actual = golden.score(other, card.input_example, card.input_schema, "pipeline")
    found = compare(Golden.from_json(card.golden), actual)
    assert not found.same
    assert found.largest > 1e-3


def test_a_file_of_data_is_named_counted_and_described(spark, customers, models, stamped, tmp_path):
    place = f"file:{tmp_path / 'customers.parquet'}"
    customers.write.parquet(place)
    release = gavial.deploy(stamped, NAMES[0], models, training_data=place)
    assert (release.card.training_data["source"], release.card.training_data["rows"]) == (place, 20)
    assert release.card.inputs["columns"][1]["type"] == "double"
    read = gavial.deploy(stamped, NAMES[0], models, training_data=spark.read.parquet(place))
    assert read.card.training_data["source"].endswith("customers.parquet")


def test_a_table_is_named_and_counted(customers, models, stamped):
    customers.createOrReplaceTempView("customers_of_card")
    release = gavial.deploy(stamped, NAMES[0], models, training_data="customers_of_card")
    assert release.card.training_data["rows"] == 20


def test_data_that_spark_cannot_read_are_named_with_the_reason(models, stamped):
    with pytest.warns(UserWarning, match="the card only names it"):
        release = gavial.deploy(stamped, NAMES[0], models, training_data="/no/such/place")
    assert release.card.training_data["source"] == "/no/such/place"
    assert "PATH_NOT_FOUND" in release.card.training_data["unread"].upper()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"training_data": 1}, "expected a DataFrame, a path or the name of a table"),
        ({"training_data": {"rows": "many"}}, "'training_data/rows' is a text"),
        ({"fields": {"a": object()}}, "expected values that JSON has"),
        ({"fields": {"a": "x" * 3_000_000}}, "GAVIAL_LIMIT_CARD_PART"),
        ({"freeze": ["regParam"]}, "a stage's class and a parameter"),
    ],
)
def test_what_no_card_can_hold_is_refused_before_anything_is_written(
    models, stamped, arguments, words
):
    with pytest.raises(ConfigurationError, match=words):
        gavial.deploy(stamped, NAMES[0], models, **arguments)
    assert not models.exists()


def test_a_time_column_that_the_data_lack_is_refused(models, stamped, customers):
    data = gavial.Dataset(customers, time_col="day")
    with pytest.raises(ConfigurationError, match=r"time_col='day': the data have \['id'"):
        gavial.deploy(stamped, NAMES[0], models, training_data=data)


def test_of_a_custom_stage_the_card_says_that_its_columns_are_not_known(models, customers):
    doubler = Doubler.of("calls", "twice")
    assembler = VectorAssembler(inputCols=["twice"], outputCol="features")
    fitted = gavial.VersionedPipeline(stages=[doubler, assembler]).fit(customers)
    release = gavial.deploy(
        fitted, NAMES[0], models, python_modules=["spark_parts"], input_example=customers
    )
    inputs = release.card.inputs
    assert [(one["name"], one["certain"]) for one in inputs["columns"]] == [("twice", False)]
    assert inputs["unknown"][0]["class"] == "spark_parts.Doubler"
    assert "twice" in [one["name"] for one in release.card.outputs["columns"]]


def test_a_build_that_needs_a_new_column_is_refused_before_a_number_is_claimed(
    models, stamped, wider, customers
):
    gavial.deploy(stamped, NAMES[0], models, input_example=customers)
    with pytest.raises(IncompatibleModel) as refused:
        gavial.deploy(wider, NAMES[0], models, input_example=customers)
    assert str(refused.value) == (
        "This model may not be a build after com.acme:churn:1.0.0:\n"
        "- it needs the column 'id' (long), which was not needed before\n"
        "Nothing was released. It may be released as com.acme:churn:2.0. If this is meant, and "
        "whoever uses com.acme:churn knows of it, pass allow= (--allow) with the reason, which "
        "the model card will show."
    )
    assert [path.name for path in (models / "com/acme/churn").iterdir() if path.is_dir()] == [
        "1.0.0"
    ]
    major = gavial.deploy(wider, "com.acme:churn:2.0", models, input_example=customers)
    assert major.card.replaces["coordinate"] == "com.acme:churn:1.0.0"
    assert major.card.replaces["schema"] == [
        "it needs the column 'id' (long), which was not needed before"
    ]


def test_a_reason_lets_a_refused_build_pass_and_the_card_shows_both(models, stamped, wider):
    gavial.deploy(stamped, NAMES[0], models)
    release = gavial.deploy(wider, NAMES[0], models, allow="all callers send id, see ML-9")
    assert release.card.replaces["allowed"] == "all callers send id, see ML-9"
    assert release.card.replaces["refused"] == [
        "it needs the column 'id', which was not needed before"
    ]


def test_another_technique_is_refused_as_a_build_and_taken_as_a_minor(models, stamped, customers):
    gavial.deploy(stamped, NAMES[0], models)
    first, assembler, _ = stages()
    forest = RandomForestClassifier(numTrees=2, maxDepth=2, seed=1)
    other = gavial.VersionedPipeline(stages=[first, assembler, forest]).fit(customers)
    with pytest.raises(IncompatibleModel, match=r"released as com\.acme:churn:1\.1 or com\."):
        gavial.deploy(other, NAMES[0], models)
    release = gavial.deploy(other, NAMES[1], models)
    assert release.card.replaces["stages"] == [
        "stage 3 is RandomForestClassificationModel, and was LogisticRegressionModel"
    ]


def test_a_parameter_that_changed_is_in_the_card_and_is_refused_where_it_is_frozen(
    models, stamped, customers
):
    gavial.deploy(stamped, NAMES[0], models)
    first, assembler, last = stages()
    other = gavial.VersionedPipeline(stages=[first, assembler, last.setMaxIter(3)]).fit(customers)
    text = "stage 3, LogisticRegressionModel.maxIter: 3, was 2"
    with pytest.raises(IncompatibleModel, match=f"- {text}, which is frozen"):
        gavial.deploy(other, NAMES[0], models, freeze=["LogisticRegression.*"])
    release = gavial.deploy(other, NAMES[0], models)
    assert release.card.replaces["parameters"] == [text]


def test_a_label_that_was_indexed_is_not_needed_to_score(models, customers):
    label = StringIndexer(inputCol="plan", outputCol="label")
    assembler = VectorAssembler(inputCols=["calls"], outputCol="features")
    fitted = gavial.VersionedPipeline(stages=[label, assembler, stages()[2]]).fit(
        customers.drop("label")
    )
    release = gavial.deploy(fitted, NAMES[0], models, input_example=customers.select("calls"))
    assert [one["name"] for one in release.card.inputs["columns"]] == ["calls"]
    assert len(release.card.golden["rows"]) == 20
