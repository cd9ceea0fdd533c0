"""The columns that a pipeline needs and makes, told from its stages' parameters."""

import pytest

from gavial.maven.coordinate import Coordinate
from gavial.model import columns
from gavial.model.card import stages_of
from gavial.model.columns import Unknown, flow
from gavial.model.saved_model import SavedModel

CHURN = Coordinate.parse("com.acme:churn:1.0.3")


def stage(name, *inner, defaults=None, **parameters):
    name = name if name.startswith("com.") else f"org.apache.spark.ml.{name}"
    found = {"uid": "u", "class": name, "parameters": parameters, "defaults": defaults or {}}
    return {**found, "stages": list(inner)} if inner else found


def sql(statement):
    return stage("feature.SQLTransformer", statement=statement)


INDEXER = stage("feature.StringIndexerModel", inputCol="plan", outputCol="plan_index")
ASSEMBLER = stage("feature.VectorAssembler", inputCols=["plan_index", "x"], outputCol="features")
REGRESSION = stage(
    "classification.LogisticRegressionModel",
    defaults={
        "featuresCol": "features",
        "labelCol": "label",
        "predictionCol": "prediction",
        "probabilityCol": "probability",
        "rawPredictionCol": "",
    },
)
LABEL = stage("feature.StringIndexerModel", inputCol="species", outputCol="label")


def test_a_column_that_an_earlier_stage_makes_and_the_label_are_not_needed():
    found = flow([INDEXER, ASSEMBLER, REGRESSION])
    assert found.needs == {"plan": True, "x": True}
    assert found.makes == ("plan_index", "features", "probability", "prediction")
    assert found.passes


def test_a_column_that_only_the_label_is_made_of_is_not_needed():
    assert flow([LABEL, REGRESSION]).needs == {"features": True}


def test_a_label_that_a_later_stage_reads_is_needed():
    check = sql("SELECT *, label = prediction AS right FROM __THIS__")
    assert flow([LABEL, REGRESSION, check]).needs == {"features": True, "species": True}


def test_a_column_made_in_other_case_is_that_column():
    assert flow([sql("SELECT *, a AS X FROM __THIS__"), ASSEMBLER]).needs.keys() == {
        "a",
        "plan_index",
    }


def test_after_a_select_of_some_columns_the_others_are_gone():
    found = flow([sql("SELECT id, x * 2 AS y FROM __THIS__")])
    assert (found.needs, found.makes, found.passes) == (
        {"id": True, "x": True},
        ("id", "y"),
        False,
    )


def test_of_a_stage_that_is_not_known_nothing_is_guessed():
    doubler = stage("com.acme.Doubler", inputCol="x", outputCol="twice")
    found = flow([INDEXER, doubler, ASSEMBLER])
    assert found.needs == {"plan": True, "x": False}
    why = "it is not one of the classes of Spark ML that are known here"
    assert found.unknown == (Unknown("u", "com.acme.Doubler", why),)


def test_sql_that_is_not_plain_is_said_to_be_so():
    (unknown,) = flow([sql("SELECT * FROM __THIS__ JOIN plans")]).unknown
    assert "the word JOIN" in unknown.why


def test_stages_within_stages_are_read_in_order():
    inner = stage("PipelineModel", INDEXER, ASSEMBLER)
    tuned = stage("tuning.CrossValidatorModel", stage("PipelineModel", REGRESSION), LABEL)
    found = flow([inner, tuned])
    assert found.needs == {"plan": True, "x": True}
    assert "prediction" in found.makes


def test_a_formula_needs_its_terms_and_makes_the_features():
    pruner = stage("feature.ColumnPruner")
    terms = stage("PipelineModel", INDEXER, ASSEMBLER, LABEL, pruner)
    formula = stage(
        "feature.RFormulaModel",
        terms,
        formula="species ~ plan + x",
        defaults={"featuresCol": "features", "labelCol": "label"},
    )
    found = flow([formula, REGRESSION])
    assert found.needs == {"plan": True, "x": True}
    assert "plan_index" not in found.makes


def test_pythons_name_of_a_class_is_the_same_class():
    assert flow([{**INDEXER, "class": "pyspark.ml.feature.StringIndexerModel"}]) == flow([INDEXER])


def test_a_saved_model_is_read(churn):
    found = flow(stages_of(SavedModel.read(churn), CHURN))
    assert found.needs == {"city": True, "x": True}
    assert found.makes[-1] == "pipeline"


SCHEMA = {
    "type": "struct",
    "fields": [
        {"name": "Plan", "type": "string", "nullable": True, "metadata": {}},
        {"name": "x", "type": "double", "nullable": False, "metadata": {}},
    ],
}


def test_inputs_have_types_where_a_schema_tells_them():
    described = columns.inputs(flow([INDEXER, ASSEMBLER]), SCHEMA)
    assert described == {
        "columns": [
            {"name": "plan", "type": "string", "nullable": True, "certain": True},
            {"name": "x", "type": "double", "nullable": False, "certain": True},
        ],
        "unknown": [],
    }


def test_inputs_have_no_types_where_nothing_tells_them():
    (first, _) = columns.inputs(flow([INDEXER, ASSEMBLER]), None)["columns"]
    assert first == {"name": "plan", "type": None, "nullable": None, "certain": True}


def test_two_parts_of_a_struct_are_one_column():
    two = stage("feature.VectorAssembler", inputCols=["a.x", "a.y"], outputCol="features")
    schema = {"fields": [{"name": "a", "type": {"type": "struct", "fields": []}}]}
    assert [one["name"] for one in columns.inputs(flow([two]), schema)["columns"]] == ["a"]


def test_what_an_unknown_stage_made_is_told_by_the_schema_of_an_example():
    found = flow([stage("com.acme.Doubler")])
    made = {"fields": [*SCHEMA["fields"], {"name": "twice", "type": "double", "nullable": True}]}
    assert columns.outputs(found, made, SCHEMA) == {
        "columns": [{"name": "twice", "type": "double", "nullable": True}],
        "passes": True,
    }


@pytest.mark.parametrize("bad", [{}, {"class": 1}, {"class": "x", "parameters": [], "stages": {}}])
def test_a_hostile_pipeline_is_only_unknown(bad):
    assert len(flow([bad]).unknown) == 1
