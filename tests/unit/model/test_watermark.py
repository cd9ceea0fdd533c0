import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavial.errors import ConfigurationError
from gavial.maven.coordinate import Coordinate
from gavial.model.watermark import (
    UNRELEASED,
    Watermark,
    check_column,
    is_uid,
    new_uid,
    parse_statement,
    statement,
)


def test_a_statement_is_exactly_that_of_the_design():
    assert statement("com.acme:churn:1.0.3", "pipeline") == (
        "SELECT *, 'com.acme:churn:1.0.3' AS `pipeline` FROM __THIS__"
    )


@pytest.mark.parametrize(
    "column", ["a`b", "`", "a.b", "a--b", "a;b", "my column", "größe", "'", "$"]
)
def test_a_column_that_needs_quoting_comes_back(column):
    assert parse_statement(statement(UNRELEASED, column)) == Watermark(UNRELEASED, column)


@pytest.mark.parametrize("column", ["", " ", "${a}", "a__THIS__", "a\nb", "a\x00", "\ud800"])
def test_a_column_that_spark_would_change_is_refused(column):
    with pytest.raises(ConfigurationError, match="watermark's column"):
        check_column(column)


@pytest.mark.parametrize("value", ["", "a'b", "a\\", "${a}", "com.acme:__THIS__:1.0.0", "a b"])
def test_a_value_that_spark_would_change_is_refused(value):
    with pytest.raises(ConfigurationError, match="cannot be a watermark"):
        statement(value, "pipeline")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM __THIS__",
        "SELECT *, 'a' AS `b` FROM __THIS__ WHERE 1 = 1",
        "SELECT *, 'a' AS `b`, c AS `d` FROM __THIS__",
        "SELECT *, 'a' AS `b``` FROM __THIS__``",
        "SELECT *, 'a' AS `b` FROM __THIS__\n",
        "select *, 'a' AS `b` FROM __THIS__",
        "SELECT *, 'a b' AS `b` FROM __THIS__",
    ],
)
def test_any_other_statement_is_no_watermark(sql):
    assert parse_statement(sql) is None


def test_a_watermark_names_its_release_once_there_is_one():
    assert Watermark("com.acme:churn:1.0.3", "x").coordinate == Coordinate.parse(
        "com.acme:churn:1.0.3"
    )
    assert Watermark(UNRELEASED, "x").coordinate is None


def test_uids_are_new_and_recognised():
    one, other = new_uid(), new_uid()
    assert one != other
    assert is_uid(one)
    assert not is_uid("SQLTransformer_0123456789ab")
    assert not is_uid("Watermark_0123456789ab\n")


@given(st.text())
@settings(deadline=None)
def test_every_column_is_refused_or_comes_back(column):
    try:
        sql = statement(UNRELEASED, column)
    except ConfigurationError:
        return
    assert parse_statement(sql) == Watermark(UNRELEASED, column)
