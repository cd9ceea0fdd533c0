"""The watermark in a scored record: found by its form, whatever else stands there."""

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavial.errors import GavialError, InvalidCoordinate
from gavial.maven.coordinate import Coordinate
from gavial.model.scored import read

CHURN = Coordinate.parse("com.acme:churn:1.0.3")
UPSELL = Coordinate.parse("com.acme:upsell:2.1.0")

numbers = st.integers(0, 10**9 - 1)
coordinates = st.builds(
    lambda group, artifact, version: Coordinate.parse(
        f"{group}:{artifact}:{'.'.join(map(str, version))}"
    ),
    st.from_regex(r"[a-z]{4,6}(\.[a-z]{4,6}){0,2}", fullmatch=True),
    st.from_regex(r"[a-z]{4,8}(-[a-z0-9]{4,6})?", fullmatch=True),
    st.tuples(numbers, numbers, numbers),
)
# No value of these is of the form of a watermark: they have no colon.
words = st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"]), max_size=12)
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), words
)
records = st.dictionaries(words, values | st.lists(values, max_size=3), max_size=4)

QUICK = settings(deadline=None, max_examples=50)


def found(text, column=None):
    return [str(one) for one in read(text, column).versions]


@given(st.lists(st.tuples(records, coordinates), min_size=1, max_size=4), words)
@QUICK
def test_the_watermark_of_each_json_record_is_found_by_its_form(given_, column):
    lines = [json.dumps({**record, column: str(one)}) for record, one in given_]
    seen = read("\n".join(lines))
    assert seen.records == len(given_)
    assert list(seen.versions) == list(dict.fromkeys(one for _, one in given_))
    assert sum(seen.versions.values()) == len(given_)


@given(records, coordinates, words)
@QUICK
def test_one_record_may_stand_over_several_lines(record, one, column):
    assert found(json.dumps({**record, column: str(one)}, indent=2)) == [str(one)]


@given(st.lists(st.tuples(words, coordinates), min_size=1, max_size=4))
@QUICK
def test_the_watermark_of_each_row_of_csv_is_found(rows):
    place = io.StringIO()
    plain = [
        (word.replace("\n", " ").replace("\r", " ").replace("\0", ""), one) for word, one in rows
    ]
    csv.writer(place, lineterminator="\n").writerows([("plan", "version"), *plain])
    assert found(place.getvalue()) == [str(one) for one in dict.fromkeys(one for _, one in rows)]


@given(coordinates)
@QUICK
@pytest.mark.parametrize(
    "text",
    [
        "{0}",
        "Row(plan='a', calls=3.0, pipeline='{0}')",
        "[a,3.0,WrappedArray(1, 2),{0}]",
        "+----+--------+\n|plan|pipeline|\n+----+--------+\n|a   |{0}|\n+----+--------+",
        "{{a, 3.0, {0}}}",
        "scored at 12:30:10 by {0}.",
        "-RECORD 0---\n plan     | a   \n pipeline | {0} ",
    ],
)
def test_it_is_found_in_what_spark_shows(text, one):
    assert found(text.format(one)) == [str(one)]


@given(st.text(max_size=60) | st.text(alphabet='{}[]",:.\n\tab10-', max_size=60))
@settings(deadline=None, max_examples=200)
def test_any_text_gives_releases_or_an_error_of_ours(text):
    try:
        assert read(text).versions
    except GavialError as error:
        assert "\x1b" not in str(error)


def test_a_column_is_named_where_several_have_that_form():
    record = json.dumps({"pipeline": str(CHURN), "upsell": str(UPSELL), "in": {"v": str(CHURN)}})
    assert found(record) == [str(CHURN), str(UPSELL)]
    assert found(record, "upsell") == [str(UPSELL)]
    assert found(record, "in.v") == [str(CHURN)]
    table = f"a;upsell;pipeline\n1;{UPSELL};{CHURN}\n"
    assert found(table, "pipeline") == [str(CHURN)]


def test_a_library_of_two_numbers_is_no_watermark():
    assert found(json.dumps({"jar": "org.example:features:1.4", "v": str(CHURN)})) == [str(CHURN)]


def test_records_of_one_version_are_counted_and_it_is_looked_up_once():
    lines = [json.dumps({"v": str(one)}) for one in (CHURN, UPSELL, CHURN, CHURN)]
    assert read("\n".join([*lines, '{"v": "unreleased"}'])).versions == {CHURN: 3, UPSELL: 1}


def test_records_of_a_model_that_was_not_released_are_counted():
    seen = read(f'{{"v": "unreleased"}}\n{{"v": "{CHURN}"}}')
    assert (seen.records, seen.unreleased) == (2, 1)


def test_a_line_end_within_a_value_ends_no_record():
    record = json.dumps({"text": "a\u2028b\x85c", "v": str(CHURN)}, ensure_ascii=False)
    assert found(f"{record}\r\n{record}") == [str(CHURN)]


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", None, "There is no watermark: expected a value such as"),
        ("churn", None, "There is no watermark"),
        ('{"a": 1}', None, "None of 1 records has a watermark"),
        ('{"a": 1}', "pipeline", "No record has the column 'pipeline': there is 'a'"),
        ('{"a": "x"}', "a", "Column 'a' of record 1 has 'x': expected"),
        ('{"v": "unreleased"}', None, "fitted and not released"),
        ("unreleased", None, "fitted and not released"),
        ('{"v": "com.acme:churn:1.0.3"}\n{"v": ', None, "line 2 is no JSON"),
        (f"Row(a='{CHURN}', b='{UPSELL}')", None, "Line 1 names com.acme:churn:1.0.3, com.acme:u"),
        (f"|{CHURN}|", "pipeline", "There are no columns in"),
        ('{"v": "com.acme:churn:01.0.3"}', None, "None of 1 records"),
        ("[" * 100_000, None, "There is no watermark"),
    ],
)
def test_what_has_no_watermark_is_an_error_that_says_so(text, column, said):
    with pytest.raises(InvalidCoordinate) as raised:
        read(text, column)
    assert said in str(raised.value)
