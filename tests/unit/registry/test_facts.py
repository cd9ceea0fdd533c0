"""What a caller says of a model, and what ran, made fit for a card."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gavial.errors import ConfigurationError
from gavial.model.dataset import Dataset
from gavial.registry import facts

SHOW = (
    "from pathlib import Path; from gavial.registry import facts; print(facts.script(Path.cwd()))"
)


def ran(folder, *command, **variables):
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_script_is_named_by_its_place_in_its_repository(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    job = tmp_path / "jobs" / "fit.py"
    job.parent.mkdir()
    job.write_text(SHOW)
    assert ran(job.parent, "fit.py") == "jobs/fit.py"


def test_a_script_outside_a_repository_is_named_without_its_folder(tmp_path):
    (tmp_path / "fit.py").write_text(SHOW)
    assert ran(tmp_path, str(tmp_path / "fit.py")) == "fit.py"


def test_a_notebook_is_named_by_what_its_front_end_says(tmp_path):
    (tmp_path / "launcher.py").write_text(SHOW)
    notebook = str(tmp_path / "work" / "fit.ipynb")
    assert ran(tmp_path, "launcher.py", JPY_SESSION_NAME=notebook) == "fit.ipynb"


def test_a_session_that_is_typed_has_no_script(tmp_path):
    assert ran(tmp_path, "-c", SHOW) == ""


@pytest.mark.parametrize(
    ("given", "card"),
    [
        (None, None),
        ("s3://lake/c", {"source": "s3://lake/c"}),
        (Path("data/c"), {"source": str(Path("data/c"))}),
        (
            Dataset("sales.c", name="customers", version="7"),
            {"name": "customers", "source": "sales.c", "version": "7"},
        ),
        ({"source": "s", "rows": 3}, {"source": "s", "rows": 3}),
    ],
)
def test_without_spark_data_are_named_as_they_are_told(given, card):
    assert facts.data(given, "training_data", live=False) == card


@pytest.mark.parametrize("bad", [7, ["a"], object()])
def test_what_names_no_data_is_refused(bad):
    with pytest.raises(ConfigurationError, match="training_data="):
        facts.data(bad, "training_data", live=False)


@pytest.mark.parametrize("bad", [{"a": float("nan")}, {"a": {1, 2}}, {"a": "\ud800"}])
def test_fields_that_no_json_has_are_refused(bad):
    with pytest.raises(ConfigurationError, match="fields: expected values that JSON has"):
        facts.free(bad, "fields")
