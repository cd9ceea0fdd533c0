"""A jar that somebody else made is refused or stays in its folder, whatever its bytes."""

import contextlib
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gavial.errors import GavialError
from gavial.maven.coordinate import Coordinate
from gavial.model.jar import artifacts, pack, python_members, read_manifest, unpack
from gavial.model.saved_model import SavedModel

FIXTURE = Path(__file__).parents[1] / "fixtures/saved_models/spark-4.3/churn"
MODEL = SavedModel.read(FIXTURE)
COORDINATE = Coordinate.parse("com.acme:churn:1.0.3")

names = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,2}\.py", fullmatch=True)
some_files = st.dictionaries(names, st.binary(max_size=100), max_size=4)


def packed(target, python_files):
    pack(
        target,
        MODEL,
        COORDINATE,
        overlay={},
        python_files=python_files,
        pom=b"<project/>",
        pom_properties=b"",
    )
    return target


def whole_jar():
    with tempfile.TemporaryDirectory() as folder:
        return packed(Path(folder, "a.jar"), {"acme.py": b"A = 1"}).read_bytes()


JAR = whole_jar()


@given(some_files)
@settings(max_examples=25, deadline=None)
def test_what_is_packed_comes_back(python_files):
    with tempfile.TemporaryDirectory() as folder:
        jar = packed(Path(folder, "a.jar"), python_files)
        assert SavedModel.read(unpack(jar, "churn", Path(folder, "out"))).digest() == MODEL.digest()
        assert python_members(jar).keys() == python_files.keys()
        manifest = read_manifest(jar)
        assert {name: manifest.members[name].size for name in python_files} == {
            name: len(data) for name, data in python_files.items()
        }


@given(st.lists(st.tuples(st.integers(0, len(JAR) - 1), st.integers(0, 255)), min_size=1))
@settings(max_examples=150, deadline=None)
def test_a_damaged_jar_is_refused_or_gives_the_model(changes):
    data = bytearray(JAR)
    for place, value in changes:
        data[place] = value
    with tempfile.TemporaryDirectory() as folder:
        jar = Path(folder, "a.jar")
        jar.write_bytes(data)
        try:
            if read_manifest(jar) is None:
                return  # as a jar by another tool, which promises nothing of its members
            out = unpack(jar, "churn", Path(folder, "out"))
        except GavialError:
            return
        assert SavedModel.read(out).digest() == MODEL.digest()


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_bytes_that_are_no_jar_are_refused(data):
    with tempfile.TemporaryDirectory() as folder:
        jar = Path(folder, "a.jar")
        jar.write_bytes(data)
        for read in (artifacts, read_manifest, python_members):
            try:
                read(jar)
            except GavialError:
                continue


paths = st.text(st.sampled_from("a./\\:~ \x00AcC\u0131"), min_size=1, max_size=12)


@given(st.lists(paths, min_size=1, max_size=4, unique=True))
@example(["../../a"])
@example(["a/../../../a"])
@settings(deadline=None)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_entry_is_written_outside_its_folder(entries):
    with tempfile.TemporaryDirectory() as folder:
        jar, outer = Path(folder, "a.jar"), Path(folder, "outer")
        outer.mkdir()
        with zipfile.ZipFile(jar, "w") as made:
            made.writestr("pipelines/m/metadata/part-00000", b"{}")
            for name in entries:
                info = zipfile.ZipInfo("a")
                info.filename = f"pipelines/m/{name}"  # as it is, with a NUL as well
                made.writestr(info, b"x")
        before = {path for path in Path(folder).rglob("*") if outer not in path.parents}
        with contextlib.suppress(GavialError):
            unpack(jar, "m", outer / "out")
        after = {path for path in Path(folder).rglob("*") if outer / "out" not in path.parents}
        assert after - {outer / "out"} == before
