from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavial.maven.coordinate import Coordinate
from gavial.model.metadata_xml import Claim, read_claim, render
from gavial.model.saved_model import SavedModel

COORDINATE = Coordinate.parse("com.acme:churn:1.0.3")


def rendered(folder, **options):
    return render(SavedModel.read(folder), COORDINATE, token="t1", digest="d1", **options)


def parameter(stage, name):
    (found,) = [one for one in stage.iterfind("params/param") if one.findtext("name") == name]
    return found


def test_the_claim_comes_back(churn):
    assert read_claim(rendered(churn)) == Claim("t1", "d1", "com.acme:churn:1.0.3")


def test_every_parameter_of_every_stage_is_there_with_value_and_description(churn):
    model = SavedModel.read(churn)
    root = ElementTree.fromstring(rendered(churn))
    assert root.tag == "metadata"
    assert root.find("pipeline").get("id") == model.root.uid
    stages = root.findall("pipeline/stages/stage")
    assert [stage.get("id") for stage in stages] == [stage.uid for stage in model.root.children]
    for element, stage in zip(stages, model.root.children, strict=True):
        assert element.findtext("class") == stage.class_name
        names = [one.findtext("name") for one in element.iterfind("params/param")]
        assert names == sorted({**stage.parameters, **stage.defaults})
        assert all(one.findtext("description") for one in element.iterfind("params/param"))


def test_explicit_and_default_parameters_are_told_apart(churn):
    stage = ElementTree.fromstring(rendered(churn)).findall("pipeline/stages/stage")[2]
    explicit, default = parameter(stage, "maxIter"), parameter(stage, "fitIntercept")
    assert (explicit.get("explicit"), explicit.findtext("value")) == ("true", "3")
    assert (default.get("explicit"), default.findtext("value")) == ("false", "true")


def test_a_list_is_shown_as_json_and_text_as_it_is(churn):
    stage = ElementTree.fromstring(rendered(churn)).findall("pipeline/stages/stage")[1]
    assert parameter(stage, "inputCols").findtext("value") == '["city_index", "x"]'
    assert parameter(stage, "outputCol").findtext("value") == "features"


def test_the_watermark_is_shown_as_it_is_in_the_jar(churn):
    stage = ElementTree.fromstring(rendered(churn)).findall("pipeline/stages/stage")[3]
    statement = parameter(stage, "statement").findtext("value")
    assert statement == "SELECT *, 'com.acme:churn:1.0.3' AS `pipeline` FROM __THIS__"


def test_stages_in_stages_are_shown_within_them(saved):
    folder = saved.pipeline(("org.example.Outer", "outer", {"a": "<&\x1b>"}))
    saved.stage("stages/0_outer/in", "org.example.Inner", "inner")
    root = ElementTree.fromstring(rendered(folder))
    outer = root.find("pipeline/stages/stage")
    assert outer.find("stages/stage").get("id") == "inner"
    assert parameter(outer, "a").findtext("value") == "<&\ufffd>"


def test_equal_values_give_equal_bytes(churn):
    assert rendered(churn) == rendered(churn)


def test_a_claim_without_a_pipeline_or_with_additions_is_read():
    data = (
        b'<metadata new="1"><gavial format="2"><token>t</token><x/><digest>d</digest>'
        b"<coordinate>c</coordinate></gavial><y/></metadata>"
    )
    assert read_claim(data) == Claim("t", "d", "c")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<metadata>",
        b"<metadata/>",
        b"<other><gavial><token>t</token><digest>d</digest><coordinate>c</coordinate></gavial>"
        b"</other>",
        b"<metadata><gavial><token>t</token><digest/><coordinate>c</coordinate></gavial></metadata>",
        b'<!DOCTYPE m [<!ENTITY e "t">]><metadata><gavial><token>&e;</token><digest>d</digest>'
        b"<coordinate>c</coordinate></gavial></metadata>",
        '<!DOCTYPE m [<!ENTITY e "t">]><metadata/>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="utf-7"?><metadata/>',
        b"<a>" * 100_000,
        b"\xff\xfe",
    ],
)
def test_whatever_is_not_ours_is_no_claim(data):
    assert read_claim(data) is None


@given(st.binary() | st.text().map(str.encode))
@settings(deadline=None)
def test_garbage_never_raises(data):
    assert read_claim(data) is None
    read_claim(b"<metadata><gavial>" + data + b"</gavial></metadata>")
