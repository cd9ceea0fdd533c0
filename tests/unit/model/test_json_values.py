"""JSON from outside."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.model import json_values

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_what_json_holds_comes_back(value):
    assert json_values.loads(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1e999", "out of range"),
        ("9" * 400, "out of range"),
        (r'["\ud800"]', "half a character"),
        (r'{"\ud800": 1}', "half a character"),
        ("[" * 200 + "]" * 200, "too deeply"),
        ("[" * 100_000, "too deeply"),
        ("{", "Expecting"),
    ],
    ids=["float", "integer", "value", "key", "deep", "very deep", "no JSON"],
)
def test_what_would_break_a_reader_is_refused(text, problem):
    with pytest.raises(ValueError, match=problem):
        json_values.loads(text)
