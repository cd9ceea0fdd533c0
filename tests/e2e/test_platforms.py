"""Sessions as hosted platforms start them: what is missing there, and what is there besides."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

import gavial

SAVED = Path(__file__).parent.parent / "fixtures" / "saved_models" / "spark-4.3" / "churn"
SOURCE = Path(__file__).parents[2] / "src"
# Where nobody may write, root included.
NOWHERE = "/proc"

BEFORE = """
import json, warnings
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    import gavial

def marks(model):
    rows = spark.createDataFrame([("a", 1.0), ("b", 2.0)], ["city", "x"])
    return sorted({row["pipeline"] for row in model.transform(rows).collect()})

def report(**found):
    print("RESULT", json.dumps({"warned": [str(one.message) for one in warned], **found}))
"""
CLASS_PATH = """
report(
    configured=[spark.conf.get(name, "") for name in ("spark.jars", "spark.submit.pyFiles")],
    available=[str(one) for one in gavial.available()],
    marks=marks(gavial.resolve("churn")),
    gavial=gavial.__file__,
)
"""
REPOSITORY = """
import os
report(
    folder=os.getcwd(),
    home=os.path.exists(os.path.expanduser("~")),
    marks=marks(gavial.resolve("com.acme:churn:1.+", repository=MODELS)),
)
"""


def result(output):
    lines = [line.partition("RESULT ")[2] for line in output.splitlines() if "RESULT " in line]
    return json.loads(lines[-1])


def python_path(driver):
    """Gavial installed beside pyspark, as a cluster library or by pip."""
    return os.pathsep.join((driver.environment["PYTHONPATH"], str(SOURCE)))


@pytest.fixture(scope="module")
def jars(tmp_path_factory):
    """The jars of two models and of their runtime."""
    folder = tmp_path_factory.mktemp("platform")
    for gav in ("com.acme:churn:1.0", "com.acme:upsell:2.1"):
        gavial.deploy(SAVED, gav, repository=folder)
    found = sorted(folder.rglob("*.jar"))
    assert len(found) == 3
    return found


def older_runtime(folder):
    """A runtime of an earlier Gavial."""
    jar = folder / "gavial-0.0.1.jar"
    with zipfile.ZipFile(jar, "w") as made:
        made.writestr("gavial/__init__.py", '__version__ = "0.0.1"\n')
    return jar


def test_a_model_on_the_jvm_s_class_path_alone_is_resolved_beside_others_and_an_older_runtime(
    driver, jars, tmp_path
):
    older = older_runtime(tmp_path)
    output = driver.submit(
        {"spark.driver.extraClassPath": os.pathsep.join(map(str, [older, *jars]))},
        BEFORE + CLASS_PATH,
        PYTHONPATH=os.pathsep.join((python_path(driver), str(older))),
    )
    found = result(output)
    assert [str(older) in one for one in found.pop("warned")] == [True]
    assert found == {
        "configured": ["", ""],
        "available": ["com.acme:churn:1.0.0", "com.acme:upsell:2.1.0"],
        "marks": ["com.acme:churn:1.0.0"],
        "gavial": str(SOURCE / "gavial" / "__init__.py"),
    }


def test_neither_a_writable_working_folder_nor_a_home_is_needed(driver, tmp_path):
    gavial.deploy(SAVED, "com.acme:churn:1.0", repository=tmp_path / "models")
    script = tmp_path / "job.py"
    script.write_text(f"MODELS = {str(tmp_path / 'models')!r}\n{BEFORE}{REPOSITORY}")
    output = driver.run(
        *("sh", "-c", f'cd {NOWHERE} && exec "$@"', "sh"),
        str(driver.bin / "spark-submit"),
        f"--conf=spark.driver.extraJavaOptions=-Duser.home={NOWHERE}/no-home",
        str(script),
        HOME=f"{NOWHERE}/no-home",
        PYTHONPATH=python_path(driver),
    )
    assert result(output) == {
        "warned": [],
        "folder": NOWHERE,
        "home": False,
        "marks": ["com.acme:churn:1.0.0"],
    }
