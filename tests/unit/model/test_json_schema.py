"""The small interpreter of JSON Schema says what the real one says, over cards."""

import copy
import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavial.model import json_schema
from gavial.model.card import SCHEMA, Card

CARD_SCHEMA = json_schema.shipped(SCHEMA)
VALIDATOR = jsonschema.Draft202012Validator(CARD_SCHEMA)

# No line breaks: there the library's `$` is Python's, and ours is that of JSON Schema.
short = st.text("aAé0_.-/", max_size=4)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([1.0, -0.5, 1e300]) | short,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(short, inner, max_size=2),
    max_leaves=4,
)
FULL = {
    "format": 1,
    "coordinate": "a:b:1.0.0",
    "created": "now",
    "labels": {"a": "b"},
    "fields": {"risk": {"class": 2}},
    "metrics": {"auc": 0.5, "loss": "NaN"},
    "metrics_on": {"source": "s", "rows": 3},
    "training_data": {
        "name": "n",
        "version": 3,
        "rows": 1,
        "time": {"column": "t", "from": None, "to": "x"},
    },
    "pipeline": [{"uid": "u", "class": "c", "parameters": {}, "stages": [{"uid": "v"}]}],
    "inputs": {
        "columns": [{"name": "a", "type": "long", "nullable": True, "certain": True}],
        "unknown": [{"stage": "s", "class": "c", "why": "w"}],
    },
    "outputs": {"columns": [{"name": "p", "type": None}], "passes": True},
    "input_example": [{"a": 1}],
    "golden": {"columns": ["p"], "rows": [{"p": 1.5}]},
    "watermark": "pipeline",
    "replaces": {"coordinate": "a:b:0.9.0", "compared": True, "stages": ["x"]},
    "environment": {"spark": "4"},
    "git": {"commit": "c", "dirty": None},
    "runtime": {"coordinate": "r", "sha256": "s"},
    "files": [{"name": "f.jar", "size": 1, "sha256": "s"}],
}


@st.composite
def mutated(draw):
    """A card in which one value, anywhere, is replaced, left out or added."""
    card = copy.deepcopy(FULL)
    place = card
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return card
        key = draw(st.sampled_from(keys))
        inner = place[key]
        if isinstance(inner, dict | list) and draw(st.booleans()):
            place = inner
            continue
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "remove":
            del place[key]
        elif change == "add" and isinstance(place, dict):
            place[draw(short)] = draw(anything)
        else:
            place[key] = draw(anything)
        return card


def test_the_schema_of_cards_is_a_json_schema():
    jsonschema.Draft202012Validator.check_schema(CARD_SCHEMA)


def test_a_card_with_everything_in_it_is_valid():
    assert list(json_schema.problems(FULL, CARD_SCHEMA)) == []
    assert json.loads(Card.from_json(json.dumps(FULL).encode()).to_json()).items() >= FULL.items()


@given(mutated())
@settings(deadline=None, max_examples=200)
def test_a_changed_card_is_valid_here_where_it_is_by_the_library(card):
    assert (not list(json_schema.problems(card, CARD_SCHEMA))) == VALIDATOR.is_valid(card)


def test_the_schema_names_every_member_of_a_card():
    assert json.loads(Card("a:b:1.0.0", "now").to_json()).keys() == CARD_SCHEMA["properties"].keys()


@pytest.mark.parametrize(
    ("value", "schema", "problem"),
    [
        (True, {"type": "integer"}, "the whole is true or false, not an integer"),
        ({"a": [1, "x"]}, {"properties": {"a": {"items": {"type": "number"}}}}, "'a/1' is a text"),
        ({"a": 1}, {"additionalProperties": False}, "'a' is not allowed"),
        ("a\n", {"pattern": "^a$"}, "does not match"),
        (1, {"enum": [True, "a"]}, "not one of True, 'a'"),
        (-1, {"minimum": 0}, "less than 0"),
        ("x", {"anyOf": [{"type": "null"}, {"type": "object"}]}, "a text, not null or an object"),
        ({"a": 1}, {"anyOf": [{"type": "null"}, {"additionalProperties": False}]}, "'a' is not"),
    ],
)
def test_a_problem_is_told_with_its_place(value, schema, problem):
    (found,) = json_schema.problems(value, schema)
    assert problem in found


def test_a_keyword_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="'maxLength' of a JSON Schema is not known"):
        json_schema.check("a", {"maxLength": 3})
