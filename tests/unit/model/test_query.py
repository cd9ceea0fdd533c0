import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gavial.errors import InvalidSelector
from gavial.model import facts
from gavial.model.card import Card
from gavial.model.query import FAMILIES, FIELDS, Condition, Field, Kind, Order, Where, ordered
from gavial.registry import find

ROW = {
    "version": "1.0.10",
    "created": "2026-11-24T01:23:46+00:00",
    "owner": "Ann",
    "stage": ["org.acme.KMeansModel", "KMeansModel", "SQLTransformer"],
    "size": 1234,
    "metrics": {"auc": 0.87, "lost": math.nan},
    "labels": {"team": "risk", "cost centre": "a b"},
    "environment": {"spark": "4.3.0", "java": "17.0.19+10", "os": "Linux"},
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
fields = st.sampled_from(sorted(FIELDS)).map(Field) | st.builds(
    Field, st.sampled_from(sorted(FAMILIES)), texts
)
fitting = {
    Kind.NUMBER: st.floats(allow_nan=False, allow_infinity=False).map(str),
    Kind.VERSION: st.lists(st.integers(0, 10**9), min_size=1).map(lambda v: ".".join(map(str, v))),
    Kind.DATE: st.dates(min_value=date(1000, 1, 1)).map(str),
}
conditions = fields.flatmap(
    lambda field: st.builds(
        Condition,
        st.just(field),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]),
        fitting.get(field.kind, texts),
    )
)


@given(st.lists(conditions, min_size=1, max_size=3))
def test_what_is_written_is_read_as_the_same(several):
    where = Where(tuple(several))
    assert Where.parse(str(where)) == where


@given(fields, st.booleans())
def test_an_order_is_read_as_it_is_written(field, descending):
    order = Order(field, descending)
    assert Order.parse(str(order)) == order


@given(st.text(max_size=60))
def test_any_text_is_conditions_or_a_clear_error(text):
    try:
        Where.parse(text)
    except InvalidSelector as error:
        assert str(error).count("^") >= 1


@pytest.mark.parametrize(
    "text",
    [
        "metrics.auc>0.8",
        "metrics.auc = .87",
        "metrics.auc<=8.7e-1",
        "metrics.auc!=1",
        "labels.team=risk",
        'labels."cost centre"="a b"',
        "labels.team~RIS",
        "owner>=Ann",
        "version>1.0.9",
        "version=1.0",
        "version<1.1",
        "created=2026-11",
        "created=2026-11-24",
        "created>2026-11-24T00",
        "environment.os!=4.0",
        "created<=2026",
        "created<2026-11-24T01:23:47Z",
        "stage=KMeansModel",
        "stage~acme",
        "stage!=PCAModel",
        "environment.spark>=4",
        "environment.spark<4.10",
        "environment.java=17",
        "environment.os=Linux",
        "size>1000 and owner=Ann AND labels.team!=growth",
    ],
)
def test_these_hold(text):
    assert Where.parse(text.replace(" AND ", " and ")).matches(ROW)


@pytest.mark.parametrize(
    "text",
    [
        "metrics.auc>0.87",
        "labels.team=Risk",
        "version>1.0",
        "version<1.0",
        "created>2026-11-24",
        "created>2026-11-24T01",
        "created<2026",
        "stage!=KMeansModel",
        "environment.spark<4",
        "environment.os>=4.0",
        "owner=Ann and size=1",
    ],
)
def test_these_do_not_hold(text):
    assert not Where.parse(text).matches(ROW)


@pytest.mark.parametrize("operator", ["=", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("field", ["metrics.f1", "metrics.lost"])
def test_what_is_not_said_matches_nothing(field, operator):
    assert not Where.parse(f"{field}{operator}0.5").matches(ROW)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("metrics.auc>>0.8", 13, "a value, such as 0.8"),
        ("metrics.auc>high", 13, "a number"),
        ("metric.auc>0.8", 1, "did you mean metrics?"),
        ("metrics>0.8", 8, "a dot and a name"),
        ("owner.name=Ann", 6, "owner has no parts"),
        ("owner Ann", 7, "one of !="),
        ("owner=Ann Lee", 11, "in quotes"),
        ('owner="Ann', 7, "not closed"),
        ("created>yesterday", 9, "a date"),
        ("created=2026-13", 9, "a date"),
        ("version>1.x", 9, "numbers with dots"),
        ("", 1, "expected a field: model, group"),
        ("owner=Ann and", 14, "expected a field"),
    ],
)
def test_an_error_shows_the_place_and_what_fits(text, place, says):
    with pytest.raises(InvalidSelector) as caught:
        Where.parse(text)
    message, shown, caret = str(caught.value).split("\n")
    assert says in message
    assert (shown, caret.index("^") + 1) == (text, place)


def test_what_does_not_say_it_sorts_last_both_ways():
    rows = [{}, {"metrics": {"auc": 1}}, {"metrics": {"auc": math.nan}}, {"metrics": {"auc": 2}}]
    up = ordered(rows, [Order.parse("metrics.auc")])
    down = ordered(rows, [Order.parse("-metrics.auc")])
    assert [one.get("metrics", {}).get("auc") for one in up][:2] == [1, 2]
    assert [one.get("metrics", {}).get("auc") for one in down][:2] == [2, 1]


def test_versions_sort_by_number_and_equal_ones_stay():
    rows = [
        {"version": v, "owner": o} for v, o in [("1.0.9", "b"), ("1.0.10", "a"), ("1.0.9", "a")]
    ]
    found = ordered(rows, [Order.parse("version")])
    assert [(one["version"], one["owner"]) for one in found] == [
        ("1.0.9", "b"),
        ("1.0.9", "a"),
        ("1.0.10", "a"),
    ]


def test_the_first_order_decides():
    rows = [{"owner": "b", "size": 1}, {"owner": "a", "size": 1}, {"owner": "a", "size": 2}]
    found = ordered(rows, [Order.parse("owner"), Order.parse("-size")])
    assert [(one["owner"], one["size"]) for one in found] == [("a", 2), ("a", 1), ("b", 1)]


def test_facts_name_the_classes_of_stages_in_stages():
    inner = {"class": "org.apache.spark.ml.clustering.KMeansModel"}
    card = Card("com.acme:churn:1.0.3", "", pipeline=({"class": "a.B", "stages": [inner, 3]},))
    assert facts.of(card)["stage"] == ["a.B", "B", inner["class"], "KMeansModel"]


def test_each_fact_can_be_asked_for():
    card = Card(
        "com.acme:churn:1.0.3",
        "2026-01-02T03:04:05Z",
        description="d",
        owner="o",
        author="a",
        labels={"a": "b"},
        metrics={"auc": 1},
        pipeline=({"class": "a.B"},),
        watermark="pipeline",
        environment={"spark": "4.3.0"},
        git={"commit": "c"},
        libraries=("a:b:1",),
    )
    assert facts.of(card).keys() == {*FIELDS, *FAMILIES} - {"repository", *find.LIVE}
