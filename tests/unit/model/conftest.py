import json
import shutil
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures" / "saved_models"


class Saved:
    """Saved models made by hand: a folder, and the stages written into it."""

    def __init__(self, folder):
        self.folder = folder

    def stage(self, where, class_name, uid, parameters=None, **more):
        """Write a stage as Spark 3.5 does."""
        folder = self.folder / where
        (folder / "metadata").mkdir(parents=True)
        content = {
            "class": class_name,
            "timestamp": 0,
            "sparkVersion": "4.3.0",
            "uid": uid,
            "paramMap": parameters or {},
            "defaultParamMap": {},
            **more,
        }
        (folder / "metadata" / "part-00000").write_text(json.dumps(content) + "\n")
        return folder

    def pipeline(self, *stages, where="", python=False):
        """Write a PipelineModel of `(class, uid, parameters)`."""
        name = (
            "pyspark.ml.pipeline.PipelineModel" if python else "org.apache.spark.ml.PipelineModel"
        )
        parameters = {"stageUids": [uid for _, uid, _ in stages]}
        if python:
            parameters["language"] = "Python"
        self.stage(where, name, f"PipelineModel_{len(where)}", parameters)
        prefix = f"{where}/stages" if where else "stages"
        for index, (class_name, uid, parameters) in enumerate(stages):
            if class_name is not None:
                digits = len(str(len(stages)))
                self.stage(f"{prefix}/{index:0{digits}d}_{uid}", class_name, uid, parameters)
        return self.folder

    def sql(self, statement, uid="SQLTransformer_1"):
        """A PipelineModel of one SQLTransformer."""
        name = "org.apache.spark.ml.feature.SQLTransformer"
        return self.pipeline((name, uid, {"statement": statement}))


@pytest.fixture
def saved(tmp_path):
    return Saved(tmp_path / "saved")


@pytest.fixture(params=["spark-4.3/churn", "spark-4.3/deflated", "spark-3.5/churn"])
def churn(request, tmp_path):
    """A copy of a model that Spark saved: two feature stages, a classifier, a watermark."""
    return shutil.copytree(FIXTURES / request.param, tmp_path / "churn")


@pytest.fixture
def churn4(tmp_path):
    return shutil.copytree(FIXTURES / "spark-4.3/churn", tmp_path / "churn")
