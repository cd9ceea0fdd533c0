"""What a notebook shows of a value."""

from __future__ import annotations

import sys
from html.parser import HTMLParser

import large_example
import watched_example

from gavial.monitoring.verdict import Watched
from gavial.reports.notebook import fragment

HOSTILE = "<script>alert(1)</script>\"'\u202e"
TAGS = {
    *("div", "p", "b", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"),
    *("svg", "path", "circle"),
}


class _Tags(HTMLParser):
    def __init__(self, content):
        super().__init__()
        self.found = []
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


def test_a_watched_module_is_its_verdict_and_a_line_a_metric(watched, monkeypatch):
    monkeypatch.setitem(sys.modules, "altair", None)  # nothing has to be installed for it
    made = fragment(watched)
    assert "▲ Alert since" in made
    assert "<td>AUC</td><td>1.0.3</td><td><svg" in made
    assert made.count("<circle") > 10
    assert len(made) < 30_000


def test_the_last_value_is_of_the_last_window_that_has_its_labels():
    html = fragment(watched_example.watched(8, 300, unlabelled=2))
    assert "<td>0.7851</td><td>≥ " in html


def test_nothing_watched_says_so(watched):
    assert "no records were counted" in fragment(Watched(HOSTILE, watched.profile, {}, {}, ()))


def test_what_comes_from_outside_is_shown_and_does_not_act():
    found = large_example.watched(large_example.profile([HOSTILE]), [HOSTILE], 4, HOSTILE)
    made = fragment(found)
    assert set(_Tags(made).found) <= TAGS
    assert "&lt;script&gt;" in made
    assert "\u202e" not in made


def test_many_metrics_and_windows_are_bounded():
    versions = [f"1.0.{at}" for at in range(8)]
    found = large_example.watched(large_example.profile(["a"]), versions, 150)
    made = fragment(found)
    assert len(made) < 80_000
    assert "more rows were left out" in made
