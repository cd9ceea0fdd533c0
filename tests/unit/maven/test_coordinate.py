import pytest

from gavial.errors import InvalidCoordinate
from gavial.maven.coordinate import Coordinate, Line, Module, Target, Version, suggestion


def test_builds_are_ordered_by_number():
    assert Version.parse("1.0.10") > Version.parse("1.0.9")


def test_a_coordinate_reads_back_as_it_is_written():
    assert str(Coordinate.parse("com.acme:churn:1.0.3")) == "com.acme:churn:1.0.3"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("com.acme:Churn Model:1.0", "' ' at place 6"),
        ("com.acme:Churn Model:1.0", "Did you mean 'churn-model'?"),
        ("com..acme:churn:1.0", "two together"),
        (":churn:1.0", "is empty"),
        ("com.acme:churn:1.x", "'x' in version '1.x'"),
        ("com.acme:churn:01.0", "Write 1, without leading zeros"),
        ("com.acme:churn:1.0-SNAPSHOT", "no snapshots"),
        ("com.acme:churn:1.0.0.1", "at most three"),
        ("com.acme:churn:9999999999.0", "10 digits"),
        ("com.acme:churn:１.0", "'１' in version"),
        ("churn", "1 part(s)"),
        ("com.acme:../etc:1.0", "'/' at place 3"),
        ("com.acme:nul:1.0", "device name on Windows"),
        ("com.acme:-rf:1.0", "take for an option"),
        ("com.acme:" + "a" * 129 + ":1.0", "at most 128"),
        ("com.acme:chürn:1.0", "'ü' at place 3"),
    ],
)
def test_a_malformed_target_is_refused_with_the_part_that_does_not_fit(text, named):
    with pytest.raises(InvalidCoordinate) as refusal:
        Target.parse(text)
    assert named in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "line", "exact"),
    [
        ("com.acme:churn", None, None),
        ("com.acme:churn:1", Line(1, 0), None),
        ("com.acme:churn:1.2", Line(1, 2), None),
        ("com.acme:churn:1.2.7", Line(1, 2), Version(1, 2, 7)),
    ],
)
def test_a_target_names_as_much_of_the_version_as_the_caller_gave(text, line, exact):
    target = Target.parse(text)
    assert (target.line, target.exact) == (line, exact)


def test_a_version_that_is_not_ours_is_not_a_failure():
    assert Version.try_parse("1.1.0-rc1") is None


def test_a_module_with_a_version_is_refused():
    with pytest.raises(InvalidCoordinate, match=r"expected group:artifact"):
        Module.parse("com.acme:churn:1.0")


def test_a_suggestion_is_empty_where_nothing_can_be_saved():
    assert suggestion("???") == ""


@pytest.mark.parametrize("text", ["churn:1.0", "com.acme:2024", "com.acme:maven-metadata.xml"])
def test_an_artifact_that_cannot_be_meant_is_refused(text):
    with pytest.raises(InvalidCoordinate, match=r"version|Maven's own"):
        Module.parse(text)
