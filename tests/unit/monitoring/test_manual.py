"""What the manual says of rules and metrics is so."""

from __future__ import annotations

import re
from pathlib import Path

from gavial.monitoring.metrics import METRICS, Family, Level
from gavial.monitoring.rule_file import parse

DOCS = Path(__file__).parents[3] / "docs"
RULES = (DOCS / "how-to" / "rules.md").read_text("utf-8")
LEVELS = {
    "an alert": Level.ALERT,
    "an alert without labels": Level.WITHOUT_LABELS,
    "a note": Level.NOTE,
}


def test_the_file_of_rules_in_the_manual_is_read():
    (text,) = re.findall(r"```toml\n(.*?)```", RULES, re.S)
    settings, said = parse(text)
    assert settings.windows_to_alert == 3
    assert len(said) == 6


def test_the_floors_and_levels_of_the_manual_are_those_of_the_rules():
    rows = re.findall(r"^\| (`[^|]*) \| ([^|]*) \| ([^|]*) \|$", RULES, re.M)
    told = set()
    for names, floor, level in rows:
        for name in re.findall(r"`(\w+)`", names):
            if name not in METRICS or level.strip() not in LEVELS:
                continue
            metric = METRICS[name]
            told.add(name)
            assert metric.level is LEVELS[level.strip()], name
            if metric.floor is not None and "`" not in floor:
                shown = f"{metric.floor:.0%}" if metric.relative else f"{metric.floor:g}"
                assert floor.strip() == shown, name
    learned = {name for name, one in METRICS.items() if one.floor is not None}
    rest = {one for one in learned - told if METRICS[one].family is not Family.ESTIMATE}
    assert rest == set()


def test_every_metric_is_in_the_reference():
    page = (DOCS / "reference" / "metrics.md").read_text("utf-8")
    for one in ("score", "prediction", "label"):
        page = page.replace("`…_jensen_shannon`", f"`{one}_jensen_shannon` `…_jensen_shannon`")
    assert [one for one in METRICS if f"`{one}`" not in page] == []
