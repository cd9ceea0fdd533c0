import sys
import zipfile

import pytest

from gavial.errors import IncompatibleModel
from gavial.model.python_module import find


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder on the module path."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def written(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_module_is_one_file_and_is_not_imported(place):
    path = written(place / "acme_one.py", "raise SystemExit")
    assert find("acme_one") == {"acme_one.py": path}
    assert "acme_one" not in sys.modules


def test_a_package_comes_with_its_data_and_without_what_was_compiled(place):
    init = written(place / "acme_pkg/__init__.py", "raise SystemExit")
    deep = written(place / "acme_pkg/sub/deep.py")
    data = written(place / "acme_pkg/words.txt")
    written(place / "acme_pkg/__pycache__/deep.cpython-311.pyc")
    written(place / "acme_pkg/old.pyc")
    written(place / "acme_pkg/.git/config")
    written(place / "acme_pkg/.hidden")
    expected = {
        "acme_pkg/__init__.py": init,
        "acme_pkg/sub/deep.py": deep,
        "acme_pkg/words.txt": data,
    }
    assert find("acme_pkg") == expected
    assert find("acme_pkg.sub.deep") == expected
    assert "acme_pkg" not in sys.modules


def test_a_namespace_package_comes_from_all_its_places(tmp_path, monkeypatch):
    one = written(tmp_path / "1/acme_ns/a.py")
    other = written(tmp_path / "2/acme_ns/b.py")
    second = written(tmp_path / "2/acme_ns/a.py")
    monkeypatch.syspath_prepend(tmp_path / "2")
    monkeypatch.syspath_prepend(tmp_path / "1")
    assert find("acme_ns") == {"acme_ns/a.py": one, "acme_ns/b.py": other}
    assert second.is_file()


@pytest.mark.parametrize("suffix", [".so", ".cpython-311-x86_64-linux-gnu.so", ".pyd", ".dylib"])
def test_a_package_with_a_compiled_extension_is_refused(place, suffix):
    written(place / "acme_fast/__init__.py")
    written(place / f"acme_fast/core{suffix}")
    with pytest.raises(IncompatibleModel, match="install the package on the cluster"):
        find("acme_fast")


@pytest.mark.parametrize("name", ["os", "json.decoder", "pyspark.ml", "py4j", "gavial", "__main__"])
def test_what_is_there_anyway_is_refused(name):
    with pytest.raises(IncompatibleModel, match="wherever one runs"):
        find(name)


def test_a_module_that_is_not_there_is_refused():
    with pytest.raises(IncompatibleModel, match="can be imported here"):
        find("acme_nowhere")


@pytest.mark.parametrize("name", ["", ".", "a-b", "a/b", "..a", "a..b", "a.py "])
def test_what_is_no_module_name_is_refused(name):
    with pytest.raises(IncompatibleModel, match="not the name of a Python module"):
        find(name)


def test_a_folder_without_python_files_is_refused(place):
    written(place / "acme_data/a.csv")
    with pytest.raises(IncompatibleModel, match="nothing to import"):
        find("acme_data")


@pytest.mark.parametrize("member", ["acme_zipped.py", "acme_zipped/__init__.py"])
def test_a_module_in_an_archive_is_refused(tmp_path, monkeypatch, member):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr(member, "")
    monkeypatch.syspath_prepend(tmp_path / "a.zip")
    with pytest.raises(IncompatibleModel, match="is imported from"):
        find("acme_zipped")
