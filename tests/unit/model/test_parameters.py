import importlib.util
from pathlib import Path

import pyspark
import pytest

from gavial.model.parameters import description, read_table, table, write_table
from gavial.model.saved_model import SavedModel

TOOL = Path(__file__).parents[3] / "tools" / "generate_parameters.py"


def test_the_shipped_table_is_what_the_generator_makes():
    if table().pyspark != pyspark.__version__:
        pytest.skip(f"the table is of pyspark {table().pyspark}")
    spec = importlib.util.spec_from_file_location("generate_parameters", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.TARGET.read_text("utf-8") == tool.generate()


def test_every_parameter_of_a_saved_model_is_described(churn):
    for stage in SavedModel.read(churn).root.children:
        for name in {**stage.parameters, **stage.defaults}:
            assert description(stage.class_name, name), (stage.class_name, name)


def test_a_class_or_parameter_of_others_has_no_description():
    assert description("org.example.Encoder", "inputCol") == ""
    assert description("org.apache.spark.ml.feature.StringIndexer", "none") == ""


def test_classes_of_pyspark_and_the_jvm_have_one_description():
    jvm = description("org.apache.spark.ml.feature.Bucketizer", "splits")
    assert jvm == description("pyspark.ml.feature.Bucketizer", "splits") != ""


def test_the_table_comes_back():
    assert read_table(write_table(table())) == table()
