"""A release's Python modules on driver and executors, and what stands in their way."""

from __future__ import annotations

import hashlib
import importlib
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from gavial.errors import CorruptRelease, IncompatibleModel
from gavial.spark import modules

Pack = Callable[..., tuple[Path, dict[str, str]]]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    def make(**sources: str) -> tuple[Path, dict[str, str]]:
        """A jar with a module `a/b.py` for each argument `a_in_b`."""
        files = {f"{name.replace('_in_', '/')}.py": text for name, text in sources.items()}
        jar = tmp_path / "release.jar"
        with zipfile.ZipFile(jar, "w") as opened:
            opened.writestr("pipelines/churn/metadata/part-00000", "{}")
            for name, text in files.items():
                opened.writestr(name, text)
        digests = {n: hashlib.sha256(t.encode()).hexdigest() for n, t in files.items()}
        return jar, digests

    return make


@pytest.fixture(autouse=True)
def _as_before(spark: SparkSession) -> Iterator[None]:
    path, names = list(sys.path), set(sys.modules)
    includes = list(spark.sparkContext._python_includes)
    yield
    sys.path[:] = path
    spark.sparkContext._python_includes[:] = includes
    for name in set(sys.modules) - names:
        del sys.modules[name]
    importlib.invalidate_caches()


def _on_executors(spark: SparkSession, name: str) -> Any:
    def value(_: int) -> Any:
        return importlib.import_module(name).VALUE

    return spark.sparkContext.parallelize([0], 1).map(value).first()


def test_modules_reach_the_driver_and_the_executors(spark: SparkSession, pack: Pack) -> None:
    jar, members = pack(gm_one="VALUE = 1", gm_two_in_deep_in_inner="VALUE = 2")
    modules.bring(spark, jar, members)
    assert importlib.import_module("gm_one").VALUE == 1
    assert importlib.import_module("gm_two.deep.inner").VALUE == 2
    assert _on_executors(spark, "gm_one") == 1
    assert _on_executors(spark, "gm_two.deep.inner") == 2


def test_bringing_modules_again_changes_nothing(spark: SparkSession, pack: Pack) -> None:
    jar, members = pack(gm_three="VALUE = 3")
    modules.bring(spark, jar, members)
    before = (list(sys.path), list(spark.sparkContext._python_includes))
    modules.bring(spark, jar, members)
    assert (list(sys.path), list(spark.sparkContext._python_includes)) == before


def test_modules_that_packages_brought_stay_as_they_are(spark: SparkSession, pack: Pack) -> None:
    jar, members = pack(gm_four="VALUE = 4")
    spark.sparkContext.addPyFile(str(jar))
    before = list(spark.sparkContext._python_includes)
    modules.bring(spark, jar, members)
    assert spark.sparkContext._python_includes == before


def test_the_same_bytes_elsewhere_are_fine_and_reach_the_executors(
    spark: SparkSession, pack: Pack, tmp_path: Path
) -> None:
    jar, members = pack(gm_five="VALUE = 5")
    (tmp_path / "gm_five.py").write_text("VALUE = 5")
    sys.path.insert(0, str(tmp_path))
    modules.bring(spark, jar, members)
    assert _on_executors(spark, "gm_five") == 5


@pytest.mark.parametrize("imported", [False, True])
def test_other_bytes_elsewhere_are_refused_with_what_mends_it(
    spark: SparkSession, pack: Pack, tmp_path: Path, imported: bool
) -> None:
    jar, members = pack(gm_six_in___init__="", gm_six_in_core="VALUE = 6")
    folder = tmp_path / "site" / "gm_six"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "core.py").write_text("VALUE = 5")
    sys.path.insert(0, str(folder.parent))
    if imported:
        importlib.import_module("gm_six.core")
    includes = list(spark.sparkContext._python_includes)
    with pytest.raises(IncompatibleModel, match=r"'gm_six/core.py' differs") as error:
        modules.bring(spark, jar, members)
    assert f"PYTHONPATH={str(jar)!r}" in str(error.value)
    assert str(folder.parent) in str(error.value)
    assert spark.sparkContext._python_includes == includes


def test_a_module_that_a_package_elsewhere_lacks_is_refused(
    spark: SparkSession, pack: Pack, tmp_path: Path
) -> None:
    jar, members = pack(gm_seven_in___init__="", gm_seven_in_new="VALUE = 7")
    (tmp_path / "gm_seven").mkdir()
    (tmp_path / "gm_seven" / "__init__.py").write_text("")
    sys.path.insert(0, str(tmp_path))
    with pytest.raises(IncompatibleModel, match=r"gm_seven/new\.py"):
        modules.bring(spark, jar, members)


def test_a_shared_package_gets_the_release_s_part_beside_its_own(
    spark: SparkSession, pack: Pack, tmp_path: Path
) -> None:
    jar, members = pack(gm_eight_in_theirs="VALUE = 8")
    (tmp_path / "gm_eight").mkdir()
    (tmp_path / "gm_eight" / "ours.py").write_text("VALUE = 80")
    sys.path.insert(0, str(tmp_path))
    assert importlib.import_module("gm_eight.ours").VALUE == 80
    modules.bring(spark, jar, members)
    assert importlib.import_module("gm_eight.theirs").VALUE == 8


def test_a_module_of_python_itself_is_never_replaced(spark: SparkSession, pack: Pack) -> None:
    for name in ("sys", "os", "json"):
        jar, members = pack(**{name: "VALUE = 9"})
        with pytest.raises(IncompatibleModel, match=f"'{name}'"):
            modules.bring(spark, jar, members)


def test_bytes_that_were_not_released_are_refused(spark: SparkSession, pack: Pack) -> None:
    jar, members = pack(gm_ten="VALUE = 10")
    members["gm_ten.py"] = "0" * 64
    with pytest.raises(CorruptRelease, match=r"gm_ten\.py"):
        modules.bring(spark, jar, members)
    with pytest.raises(CorruptRelease, match=r"gm_ten\.py"):
        modules.bring(spark, jar, members)


def test_a_release_without_modules_adds_nothing(spark: SparkSession, tmp_path: Path) -> None:
    before = list(sys.path)
    modules.bring(spark, tmp_path / "absent.jar", {})
    assert sys.path == before
