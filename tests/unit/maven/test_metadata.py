from datetime import UTC, datetime

import pytest

from gavial.errors import CorruptRelease
from gavial.maven.coordinate import Module, Version
from gavial.maven.metadata import ModuleMetadata

CHURN = Module("com.acme", "churn")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def metadata(*versions: str) -> ModuleMetadata:
    return ModuleMetadata(CHURN, versions)


def test_the_highest_release_is_release_and_latest():
    text = metadata("1.0.10", "1.0.9", "0.1-beta").render(NOW).decode()
    assert "<release>1.0.10</release>" in text
    assert "<latest>1.0.10</latest>" in text


def test_what_is_written_reads_back():
    written = metadata("2024-05", "1.0.0", "1.0.1")
    assert ModuleMetadata.parse(written.render(NOW), CHURN) == written


def test_a_missing_file_is_a_module_without_versions():
    assert ModuleMetadata.parse(None, CHURN) == metadata()


def test_a_union_keeps_versions_by_others():
    union = metadata("1.0.1", "rc1").including(["1.0.0", "1.0.10"])
    assert union.versions == ("rc1", "1.0.0", "1.0.1", "1.0.10")
    assert union.foreign == ("rc1",)
    assert union.releases[-1] == Version(1, 0, 10)


def test_a_file_with_the_namespace_of_some_tools_is_read():
    data = metadata("1.0.0").render(NOW).replace(b"<metadata>", b'<metadata xmlns="http://m/1">')
    assert ModuleMetadata.parse(data, CHURN).versions == ("1.0.0",)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "not XML"),
        (b"<metadata><versioning>", "not XML"),
        (b"<project/>", "root <project>"),
        (b"\xff\xfe\x00", "not XML"),
        (b'<!DOCTYPE m [<!ENTITY e "x">]><metadata>&e;</metadata>', "DOCTYPE"),
        (b'<!DOCTYPE m SYSTEM "file:///etc/passwd"><metadata/>', "DOCTYPE"),
        (b"<metadata><groupId>org.other</groupId></metadata>", "org.other"),
    ],
)
def test_a_file_that_is_no_metadata_of_the_module_is_refused(data, named):
    with pytest.raises(CorruptRelease) as refusal:
        ModuleMetadata.parse(data, CHURN)
    assert named in str(refusal.value)
