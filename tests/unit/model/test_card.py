import json
import math

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavial.errors import CorruptRelease, IncompatibleModel
from gavial.maven.coordinate import Coordinate
from gavial.model import json_schema
from gavial.model.card import SCHEMA, Card, File, stages_of
from gavial.model.saved_model import SavedModel

VALIDATOR = jsonschema.Draft202012Validator(json_schema.shipped(SCHEMA))
CHURN = Coordinate.parse("com.acme:churn:1.0.3")
CARD = Card(
    coordinate=str(CHURN),
    created="2025-01-02T03:04:05Z",
    metrics={"auc": 0.87},
    files=(File("churn-1.0.3.jar", 10, "ab"),),
)

text = st.text(st.characters(exclude_categories=["Cs"]))
texts = st.dictionaries(text, text, max_size=3)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(text, json_values, max_size=3)
several = st.lists(text, max_size=3).map(tuple)
file_names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,20}", fullmatch=True)
cards = st.builds(
    Card,
    coordinate=text,
    created=text,
    description=text,
    intended_use=text,
    limits=text,
    owner=text,
    author=text,
    labels=texts,
    fields=objects,
    training_data=st.none() | st.fixed_dictionaries({"source": text, "rows": st.integers(0)}),
    metrics=st.dictionaries(text, st.floats(allow_nan=False) | st.integers(), max_size=3),
    pipeline=st.lists(objects, max_size=2).map(tuple),
    input_schema=st.none() | objects,
    output_schema=st.none() | objects,
    input_example=st.none() | st.lists(objects, max_size=2).map(tuple),
    watermark=st.none() | text,
    environment=texts,
    git=st.none() | st.fixed_dictionaries({"commit": text, "dirty": st.booleans()}),
    libraries=several,
    python_modules=several,
    runtime=st.none() | st.fixed_dictionaries({"coordinate": st.text(), "sha256": st.text()}),
    files=st.lists(st.builds(File, file_names, st.integers(0), text), max_size=3).map(tuple),
    digest=text,
)


@given(cards)
@settings(deadline=None)
def test_a_card_comes_back(card):
    data = card.to_json()
    assert Card.from_json(data) == card
    assert Card.from_json(data).to_json() == data


@given(cards)
@settings(deadline=None, max_examples=40)
def test_what_is_written_is_valid_by_the_published_schema(card):
    VALIDATOR.validate(json.loads(card.to_json()))


def test_a_metric_that_is_not_finite_is_a_text():
    card = Card("a:b:1.0.0", "now", metrics={"a": math.nan, "b": math.inf, "c": -math.inf})
    assert json.loads(card.to_json())["metrics"] == {"a": "NaN", "b": "Infinity", "c": "-Infinity"}
    back = Card.from_json(card.to_json()).metrics
    assert math.isnan(back["a"])
    assert (back["b"], back["c"]) == (math.inf, -math.inf)


@pytest.mark.parametrize("value", [True, "0.9", None])
def test_a_metric_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="not a number"):
        Card("a:b:1.0.0", "now", metrics={"auc": value}).to_json()


def test_the_order_of_what_was_given_does_not_matter():
    one = Card("a:b:1.0.0", "now", labels={"a": "1", "b": "2"}, metrics={"x": 1.0, "y": 2.0})
    other = Card("a:b:1.0.0", "now", labels={"b": "2", "a": "1"}, metrics={"y": 2.0, "x": 1.0})
    assert one.to_json() == other.to_json()


def changed(**values):
    return json.dumps({**json.loads(CARD.to_json()), **values}).encode()


def test_additions_of_later_versions_are_ignored():
    assert Card.from_json(changed(new={"a": 1})) == CARD


def test_a_card_with_fewer_fields_is_read():
    data = b'{"format": 1, "coordinate": "a:b:1.0.0", "created": "now"}'
    assert Card.from_json(data) == Card("a:b:1.0.0", "now")


def test_a_card_of_a_later_gavial_names_what_is_needed():
    with pytest.raises(IncompatibleModel, match=r"has format 2.*upgrade"):
        Card.from_json(changed(format=2, coordinate=1))


@pytest.mark.parametrize(
    "values",
    [
        {"format": None},
        {"format": True},
        {"format": 0},
        {"coordinate": 1},
        {"labels": []},
        {"labels": {"a": 1}},
        {"metrics": {"auc": "high"}},
        {"metrics": {"auc": None}},
        {"metrics": {"auc": True}},
        {"watermark": 1},
        {"training_data": {"rows": -1}},
        {"golden": {"rows": []}},
        {"replaces": {"compared": True}},
        {"inputs": {"columns": [{}], "unknown": []}},
        {"libraries": "abc"},
        {"pipeline": [1]},
        {"files": [{}]},
        {"files": [{"name": "a", "size": "1", "sha256": ""}]},
        {"files": [{"name": "../a", "size": 1, "sha256": ""}]},
        {"files": [{"name": "/a", "size": 1, "sha256": ""}]},
        {"files": [{"name": "..", "size": 1, "sha256": ""}]},
        {"files": [{"name": "a", "size": -1, "sha256": ""}]},
    ],
)
def test_a_damaged_card_is_refused(values):
    with pytest.raises(CorruptRelease, match="card is damaged"):
        Card.from_json(changed(**values))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"\xff", b'{"format": 1}', b"[" * 100_000, b'{"format": NaN}']
)
def test_what_is_no_card_is_refused(data):
    with pytest.raises(CorruptRelease, match="card is damaged"):
        Card.from_json(data)


@given(st.binary())
@settings(deadline=None)
def test_garbage_is_refused(data):
    with pytest.raises(CorruptRelease):
        Card.from_json(data)


def test_the_stages_of_a_model_are_described(churn):
    stages = stages_of(SavedModel.read(churn), CHURN)
    assert [stage["class"].rpartition(".")[2] for stage in stages] == [
        "StringIndexerModel",
        "VectorAssembler",
        "LogisticRegressionModel",
        "SQLTransformer",
    ]
    assert stages[3]["parameters"]["statement"].startswith("SELECT *, 'com.acme:churn:1.0.3'")
    assert stages[2]["parameters"] == {"maxIter": 3, "regParam": 0.01}
    assert stages[2]["defaults"]["maxIter"] == 100
    card = Card("a:b:1.0.0", "now", pipeline=stages)
    assert Card.from_json(card.to_json()) == card


def test_stages_in_stages_and_numbers_that_json_lacks_are_described(saved):
    folder = saved.pipeline(("org.example.Outer", "outer", {"a": [math.nan, {"b": math.inf}]}))
    saved.stage("stages/0_outer/in", "org.example.Inner", "inner")
    (outer,) = stages_of(SavedModel.read(folder), CHURN)
    assert outer["parameters"] == {"a": ["NaN", {"b": "Infinity"}]}
    assert [stage["uid"] for stage in outer["stages"]] == ["inner"]
