import pytest

from gavial.errors import InvalidSelector
from gavial.maven.coordinate import Version
from gavial.maven.selector import Request, Selector

VERSIONS = [Version.parse(v) for v in ("0.9.0", "1.0.9", "1.0.10", "1.1.0", "2.0.0", "2.0.1")]


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("", "2.0.1"),
        ("latest.release", "2.0.1"),
        ("+", "2.0.1"),
        ("1.0.9", "1.0.9"),
        ("1.0", "1.0.10"),
        ("1.0.+", "1.0.10"),
        ("1", "1.1.0"),
        ("1.+", "1.1.0"),
        ("[1.0.9]", "1.0.9"),
        ("[1.0,2.0)", "1.1.0"),
        ("[1.0,2.0]", "2.0.0"),
        ("(,1.0]", "0.9.0"),
        ("[1.1,)", "2.0.1"),
        ("(2.0.0,)", "2.0.1"),
        ("[0.1,1.0),[1.0.9,1.0.9]", "1.0.9"),
        ("3.+", None),
        ("[5,6]", None),
    ],
)
def test_a_selector_takes_the_highest_version_that_it_means(selector, selected):
    found = Selector.parse(selector).select(VERSIONS)
    assert (str(found) if found else None) == selected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("latest", "write latest.release"),
        ("RELEASE", "write latest.release"),
        ("1.0-SNAPSHOT", "snapshot"),
        ("1.0.3.+", "1.0.+"),
        ("1.x", "expected 1.0.3"),
        ("[1.0", "not a range"),
        ("(1.0)", "square brackets"),
        ("[2.0,1.0]", "holds no version"),
        ("[1.0,2.0)3", "goes on"),
        ("[1.a,2.0)", "'1.a'"),
        ("[,1.0],", "goes on"),
    ],
)
def test_a_malformed_selector_is_refused_with_what_would_fit(text, named):
    with pytest.raises(InvalidSelector) as refusal:
        Selector.parse(text)
    assert named in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "ivy"),
    [("1.0", "1.0.+"), ("latest.release", "latest.release"), ("[1.0.3]", "1.0.3"), ("[1,2)", None)],
)
def test_a_selector_knows_the_form_that_ivy_understands(text, ivy):
    assert Selector.parse(text).ivy == ivy


def test_a_request_without_selector_means_the_latest_release():
    assert str(Request.parse("com.acme:churn")) == "com.acme:churn:latest.release"
