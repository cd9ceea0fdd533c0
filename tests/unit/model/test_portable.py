"""Pipelines as Spark Connect saves them, made readable for Scala and Java."""

import pytest

from gavial.model.portable import make_portable
from gavial.model.saved_model import SavedModel

PYTHON, JVM = "pyspark.ml.pipeline.PipelineModel", "org.apache.spark.ml.PipelineModel"
ASSEMBLER = ("org.apache.spark.ml.feature.VectorAssembler", "VectorAssembler_1", {"outputCol": "x"})
OF_PYTHON = ("acme.Scaler", "Scaler_1", {})


def test_a_pipeline_of_spark_s_own_stages_is_written_as_the_jvm_writes_it(saved):
    saved.pipeline(ASSEMBLER, python=True)
    model = make_portable(SavedModel.read(saved.folder))
    assert (model.root.class_name, model.root.language) == (JVM, None)
    assert model.root.parameters == {"stageUids": ["VectorAssembler_1"]}
    assert model.root.children[0].parameters == {"outputCol": "x"}


def test_pipelines_inside_are_written_so_as_well(saved):
    inner = saved.pipeline(ASSEMBLER, where="stages/0_PipelineModel_23", python=True)
    saved.pipeline((None, "PipelineModel_23", {}), python=True)
    assert inner == saved.folder
    model = make_portable(SavedModel.read(saved.folder))
    pipelines = [one.class_name for one in model.stages() if one.children]
    assert pipelines == [JVM, JVM]


@pytest.mark.parametrize("stage", [OF_PYTHON, ("pyspark.ml.tuning.Best", "Best_1", {})])
def test_a_pipeline_with_a_stage_of_python_stays_as_it_is(saved, stage):
    saved.pipeline(ASSEMBLER, stage, python=True)
    model = SavedModel.read(saved.folder)
    assert make_portable(model) is model
    assert model.root.class_name == PYTHON


def test_what_the_jvm_wrote_stays_as_it_is(saved):
    saved.pipeline(ASSEMBLER)
    model = SavedModel.read(saved.folder)
    assert make_portable(model) is model
