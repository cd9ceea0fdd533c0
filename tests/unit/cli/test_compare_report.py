"""`gavial compare report`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner

from gavial.cli.app import app
from gavial.errors import CorruptRelease

sys.path.append(str(Path(__file__).parents[1] / "reports"))
import watched_example


def run(*given):
    return CliRunner().invoke(app, ["compare", "report", *map(str, given)])


def test_a_page_and_its_chart_are_written_and_named(tmp_path):
    file, page, charts = tmp_path / "c.json", tmp_path / "c.html", tmp_path / "charts"
    file.write_text(json.dumps(watched_example.compared().to_json()))

    found = run(file, "--output", page, "--charts", charts)

    assert found.exit_code == 0
    assert "1.0.4 is better than 1.0.3" in page.read_text("utf-8")
    assert found.stdout.splitlines() == [str(page), str(charts / "difference-log-loss.svg")]


def test_several_comparisons_are_one_page(tmp_path):
    one = watched_example.compared()
    both = [one.to_json(), replace(one, segment="plan=gold").to_json()]
    file, page = tmp_path / "c.json", tmp_path / "c.html"
    file.write_text(json.dumps({"format": 1, "comparisons": both}))

    found = run(file, "--output", page, "--json")

    assert json.loads(found.stdout) == {"outcomes": ["better", "better"], "files": [str(page)]}
    assert page.read_text("utf-8").count("<figure>") == 2


def test_what_is_no_comparison_is_told(tmp_path):
    file = tmp_path / "c.json"
    file.write_text('["no", "comparison"]')
    assert isinstance(run(file, "--output", tmp_path / "c.html").exception, CorruptRelease)
