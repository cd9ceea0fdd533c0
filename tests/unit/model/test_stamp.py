import json
import shutil

import pytest

from gavial.errors import IncompatibleModel
from gavial.maven.coordinate import Coordinate
from gavial.model.saved_model import SavedModel
from gavial.model.stamp import overlay, watermark_of
from gavial.model.watermark import Watermark, statement

COORDINATE = Coordinate.parse("com.acme:churn:1.0.3")
SQL = "org.apache.spark.ml.feature.SQLTransformer"
MARK = (SQL, "Watermark_0123456789ab", {"statement": statement("unreleased", "pipeline")})
OTHER = (SQL, "SQLTransformer_1", {"statement": "SELECT * FROM __THIS__"})


def test_the_watermark_of_a_model_is_its_last_stage(churn):
    model = SavedModel.read(churn)
    stage, mark = watermark_of(model)
    assert stage is model.root.children[-1]
    assert mark == Watermark("unreleased", "pipeline")


def test_a_stamped_model_names_its_release_and_is_else_the_same(churn, tmp_path):
    model = SavedModel.read(churn)
    copy = shutil.copytree(churn, tmp_path / "copy")
    for name, data in overlay(model, COORDINATE).items():
        if data is None:
            (copy / name).unlink()
        else:
            (copy / name).write_bytes(data)
    stamped = SavedModel.read(copy)
    assert watermark_of(stamped)[1] == Watermark("com.acme:churn:1.0.3", "pipeline")
    before, after = model.root.children, stamped.root.children
    assert before[:-1] == after[:-1]
    assert (before[-1].uid, before[-1].class_name) == (after[-1].uid, after[-1].class_name)
    assert model.digest() == SavedModel.read(churn).digest()


def test_only_the_metadata_of_the_watermark_differs(churn4):
    ((name, data),) = overlay(SavedModel.read(churn4), COORDINATE).items()
    old = json.loads((churn4 / name).read_text())
    old["paramMap"]["statement"] = statement(str(COORDINATE), "pipeline")
    assert json.loads(data) == old
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1


def test_a_model_without_a_watermark_stays_as_it_is(saved):
    model = SavedModel.read(saved.pipeline(OTHER))
    assert watermark_of(model) is None
    assert overlay(model, COORDINATE) == {}


def test_a_model_without_stages_has_no_watermark(saved):
    assert watermark_of(SavedModel.read(saved.pipeline())) is None


@pytest.mark.parametrize("stages", [(MARK, OTHER), (MARK, MARK)])
def test_a_watermark_that_is_not_last_is_refused(saved, stages):
    if stages[1] is MARK:
        stages = (MARK, (SQL, "Watermark_ffffffffffff", MARK[2]))
    with pytest.raises(IncompatibleModel, match="not the last stage"):
        watermark_of(SavedModel.read(saved.pipeline(*stages)))


def test_a_nested_watermark_is_refused(saved):
    saved.pipeline((None, "inner", {}))
    saved.pipeline(MARK, where="stages/0_inner")
    with pytest.raises(IncompatibleModel, match="not the last stage"):
        overlay(SavedModel.read(saved.folder), COORDINATE)


def test_a_stage_with_the_uid_and_another_statement_is_no_watermark(saved):
    folder = saved.pipeline((SQL, MARK[1], {"statement": "SELECT a FROM __THIS__"}))
    assert watermark_of(SavedModel.read(folder)) is None
