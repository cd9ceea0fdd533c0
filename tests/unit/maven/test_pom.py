from xml.etree import ElementTree

import pytest

from gavial.errors import InvalidCoordinate
from gavial.maven.coordinate import Coordinate, Library
from gavial.maven.pom import Pom, pom_properties

NS = {"m": "http://maven.apache.org/POM/4.0.0"}


def rendered(**fields):
    pom = Pom(Coordinate.parse("com.acme:churn:1.0.3"), **fields)
    return ElementTree.fromstring(pom.render())


def test_a_pom_names_its_release():
    root = rendered(description="Who leaves?")
    found = [root.findtext(f"m:{n}", namespaces=NS) for n in ("groupId", "artifactId", "version")]
    assert found == ["com.acme", "churn", "1.0.3"]


def test_a_pom_names_its_dependencies_in_their_order():
    root = rendered(
        description="",
        dependencies=(Library.parse("io.gavial:gavial:1"), Library.parse("b:a_2.13:2-rc1")),
    )
    names = [
        d.findtext("m:artifactId", namespaces=NS)
        for d in root.iterfind("m:dependencies/m:dependency", NS)
    ]
    assert names == ["gavial", "a_2.13"]


def test_text_that_xml_cannot_hold_does_not_break_a_pom():
    assert rendered(description="a\x00b <&>").findtext("m:description", namespaces=NS) == (
        "a\ufffdb <&>"
    )


@pytest.mark.parametrize("text", ["com.acme:lib", "com.acme:lib:1.+", "a:b:[1,2)", "a:b:1:jar"])
def test_a_library_without_an_exact_version_is_refused(text):
    with pytest.raises(InvalidCoordinate, match="exact version"):
        Library.parse(text)


def test_pom_properties_name_the_release():
    assert b"version=1.0.3\n" in pom_properties(Coordinate.parse("com.acme:churn:1.0.3"))
