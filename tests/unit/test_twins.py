"""Two gavials on `sys.path`."""

import warnings
import zipfile

import pytest

from gavial import twins


@pytest.fixture
def make(tmp_path):
    def make(name, content):
        if name.endswith(".jar"):
            with zipfile.ZipFile(tmp_path / name, "w") as jar:
                jar.writestr("gavial/__init__.py", content)
        else:
            (tmp_path / name / "gavial").mkdir(parents=True)
            (tmp_path / name / "gavial/__init__.py").write_text(content)
        return str(tmp_path / name)

    return make


def test_two_with_other_content_are_told(make):
    with pytest.warns(UserWarning, match="2 different gavials"):
        twins.warn([make("site", "new"), make("io.gavial_gavial-1.jar", "old")])


def test_copies_of_one_are_not_told(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        twins.warn([make("site", "same"), make("a.jar", "same"), make("b.jar", "same")])


def test_what_cannot_be_read_is_no_gavial(make, tmp_path):
    (tmp_path / "broken.jar").write_bytes(b"PK")
    twins.warn([make("site", "one"), str(tmp_path / "broken.jar"), str(tmp_path / "missing.zip")])
