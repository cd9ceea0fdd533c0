"""The runtime jar."""

import io
import subprocess
import sys
import zipfile

import pytest

import gavial
from gavial.errors import CorruptRelease
from gavial.maven import layout
from gavial.maven.content import Content
from gavial.maven.folder import FolderRepository
from gavial.registry import runtime


def jar_bytes():
    return runtime.files().files[0][1].source


def test_it_holds_the_package_and_nothing_compiled():
    with zipfile.ZipFile(io.BytesIO(jar_bytes())) as jar:
        names = jar.namelist()
    assert {"gavial/__init__.py", "gavial/spark/", "gavial/py.typed"} <= set(names)
    assert not [name for name in names if name.endswith(".pyc") or "__pycache__" in name]
    assert names == sorted(names)


def test_the_package_inside_the_jar_makes_the_same_jar(tmp_path):
    place = tmp_path / "gavial.jar"
    place.write_bytes(jar_bytes())
    script = (
        "import hashlib, gavial; from gavial.registry import runtime; "
        "print(gavial.__file__); print(runtime.files().files[0][1].digests['sha256'])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={"PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        check=True,
    )
    origin, digest = done.stdout.split()
    assert origin.startswith(str(place))
    assert digest == Content.of_bytes(jar_bytes()).digests["sha256"]


def test_a_development_version_names_its_content():
    assert gavial.__version__.endswith(".dev0")
    assert runtime.library().version.startswith(gavial.__version__.removesuffix(".dev0") + "-dev.")
    assert runtime.content_hash({"a": b"1"}) != runtime.content_hash({"a": b"2"})


def test_it_is_brought_once_and_compared_afterwards(tmp_path):
    store = FolderRepository(tmp_path)
    runtime.bring(store)
    runtime.bring(store)
    jar = tmp_path / layout.jar_path(runtime.library())
    jar.write_bytes(b"something else")
    with pytest.raises(CorruptRelease, match="runs in every job"):
        runtime.bring(store)
