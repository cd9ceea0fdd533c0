"""Every class of pyspark.ml that can be saved is saved and loaded as Spark does it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ml_classes
import pytest
from pyspark.ml.param import Params
from pyspark.ml.wrapper import JavaParams
from pyspark.sql import functions

from gavial.model import card, columns, saved_stage
from gavial.spark import parallel, session, stage_reader, stage_writer

NAMES = ml_classes.names()
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "stages.md"
_ROW = re.compile(r"\| `([a-z]+\.\w+)` \| (plain file|Spark) \| (plain file|Spark) \|")

# Sums that depend on the order of a graph's partitions: two loads by Spark itself differ.
ROUGH = {"clustering.DistributedLDAModel": "topicDistribution"}
# Spark's own OneVsRest and tuning leave their thread pools to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
every_class = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def records(spark):
    made = ml_classes.records(spark).cache()
    yield made
    made.unpersist()


@dataclass(frozen=True)
class Case:
    """A stage of a class: saved and loaded by Spark, and by us."""

    theirs: Path
    ours: Path
    by_spark: list[str]
    expected: Any
    loaded: Any
    reloaded: Any
    stage: Any


@pytest.fixture(scope="module")
def case(spark, records, tmp_path_factory):
    """The case of each class, made when it is first asked for."""
    folder = tmp_path_factory.mktemp("classes")

    @cache
    def of(name):
        stage = ml_classes.instance(name, records)
        theirs, ours = folder / name / "theirs", folder / name / "ours"
        stage.write().save(f"file:{theirs}")
        with parallel.pool(spark) as executor:
            by_spark = stage_writer.write(spark, stage, ours, f"file:{ours}", executor)
            loaded = stage_reader.read(spark, theirs, f"file:{theirs}", executor)
        by_spark_again = [type(stage).load(f"file:{place}") for place in (theirs, ours)]
        expected, reloaded, read = (told(name, one, records) for one in (*by_spark_again, loaded))
        if name in ROUGH:
            expected = (expected[0], [pytest.approx(one, abs=1e-3) for one in expected[1]])
        return Case(theirs, ours, by_spark, expected, read, reloaded, stage)

    return of


@every_class
def test_what_is_loaded_is_what_spark_loads(case, name):
    assert case(name).loaded == case(name).expected


@every_class
def test_what_is_saved_is_loaded_by_spark_as_its_own(case, name):
    assert case(name).reloaded == case(name).expected


@every_class
def test_the_metadata_that_is_written_is_sparks(case, name):
    assert metadata(case(name).ours) == metadata(case(name).theirs)


@pytest.mark.parametrize("name", ml_classes.scoring())
def test_the_columns_that_a_fitted_class_needs_and_makes_are_told_without_spark(
    case, name, records
):
    stage = case(name).stage
    found = columns.flow([card.described(saved_stage.read(case(name).theirs), {})])
    assert not found.unknown
    needed = [one for one in found.needs if "." not in one]
    made = stage.transform(records.select(*needed)).columns
    assert set(made) - set(needed) == set(found.makes)
    for without in needed:
        rest = [one for one in needed if one != without]
        assert not makes_all(stage, records.select(*rest), found.makes)


def makes_all(stage, records, names):
    """Whether a stage makes columns of those names; an indexer passes over one that is missing."""
    try:
        return set(names) <= set(stage.transform(records).columns)
    except Exception:  # Spark's
        return False


def test_the_manual_says_how_each_class_is_loaded_and_saved(spark, case):
    written = dict(_table(spark, case))
    page = {name: ways for name, *ways in _ROW.findall(PAGE.read_text())}
    for name, ways in written.items():
        assert page[name] == ways
    assert page.keys() - written.keys() <= NEWER.keys()


# Classes of Spark 4 that 3.5 does not have.
NEWER = {"feature.TargetEncoder": 4, "feature.TargetEncoderModel": 4}


def _table(spark, case):
    for name in NAMES:
        leaves = list(stage_reader._leaves(stage_reader._saved(case(name).theirs, "")))
        alone = all(stage_reader._is_metadata_alone(spark, leaf) for leaf in leaves)
        written = "Spark" if case(name).by_spark else "plain file"
        yield name, ["plain file" if alone else "Spark", written]


def told(name, stage, records):
    """All that can be told of a stage: its parameters, and what it makes of the records."""
    return described(stage), scored(name, stage, records)


def described(stage):
    """All that can be told of a stage by its parameters, on both sides, and those inside it."""
    if not isinstance(stage, Params):
        return _plain(stage)
    return {
        "class": type(stage).__qualname__,
        "uid": stage.uid,
        "set": {one.name: described(value) for one, value in stage._paramMap.items()},
        "default": {one.name: _plain(value) for one, value in stage._defaultParamMap.items()},
        "jvm": _of_jvm(stage) if isinstance(stage, JavaParams) else None,
        "stages": [described(one) for one in _inner(stage)],
    }


def _of_jvm(stage):
    """Every parameter that the JVM's side of a stage has, as Spark itself writes it."""
    text = stage_writer.encoded(session.current(), stage._java_obj)
    return _plain(re.sub(r'"timestamp":\d+,', "", text))


def _plain(value):
    """Text; without the random uid that Python's default of an output column has in it."""
    if isinstance(value, list):
        return [described(one) for one in value]
    if isinstance(value, dict):
        return [(str(key), described(one)) for key, one in value.items()]
    return re.sub(r"_[0-9a-f]{12}", "_uid", value if isinstance(value, str) else repr(value))


def _inner(stage):
    found = [getattr(stage, name, None) for name in ("stages", "models", "bestModel")]
    return [one for some in found if some for one in (some if isinstance(some, list) else [some])]


def scored(name, stage, records):
    """What a stage makes of the records, where it makes something of them."""
    if not ml_classes.scores(name, stage):
        return None
    whole = functions.to_json(functions.struct("*"), {"ignoreNullFields": "false"})
    made = [_plain(row[0]) for row in stage.transform(records).select(whole).collect()]
    return [json.loads(text)[ROUGH[name]]["values"] for text in made] if name in ROUGH else made


def metadata(folder):
    """Each stage's metadata by its folder, without the time of the save."""
    found = {}
    for part in sorted(folder.rglob("metadata/part-*")):
        content = json.loads(part.read_text())
        content.pop("timestamp", None)
        found[part.parent.relative_to(folder).as_posix()] = content
    return found
