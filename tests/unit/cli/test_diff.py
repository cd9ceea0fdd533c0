"""How a difference is shown: on a terminal, as JSON, as a page."""

import json
import math
from html.parser import HTMLParser

import pytest

from gavial.cli import diff_page, diff_text, diff_view, documents
from gavial.model.difference import (
    ADDED,
    CHANGED,
    REMOVED,
    SAME,
    Change,
    Difference,
    LearnedChange,
    Move,
    Parameter,
    PartChange,
    StageChange,
)
from gavial.model.learned import Digest

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"
LEARNED = LearnedChange(
    CHANGED,
    10_000,
    10_001,
    (
        PartChange("labels of a", CHANGED, same=1, added=((2, "new"),), moved=(Move("b", 1, 0),)),
        PartChange("means", CHANGED, tuple(Change(f"x{at}", CHANGED, 0.0, at) for at in range(40))),
        PartChange("many", CHANGED, before=Digest(5, "a" * 64, 0, 1), after=Digest(6, "b" * 64)),
        PartChange("as it was", SAME, same=3),
    ),
)
STAGES = (
    StageChange("org.acme.A", SAME, "1", "1"),
    StageChange(
        "org.acme.B",
        CHANGED,
        "2",
        "3",
        "B_1",
        "B_2",
        moved=True,
        parameters=(
            Parameter("k", CHANGED, 1, math.nan, set_before=True),
            Parameter("seed", SAME, 7, 7),
        ),
        learned=LEARNED,
        stages=(StageChange("org.acme.Inner", ADDED, "", "3.1"),),
    ),
    StageChange(f"org.acme.{HOSTILE}", REMOVED, "3", ""),
)
FOUND = Difference(
    "com.acme:a:1.0.0",
    "com.acme:a:1.0.1",
    {
        "metrics": (Change("auc", CHANGED, 0.8, 0.9), Change("f1", SAME, 1.0, 1.0)),
        "labels": (Change(HOSTILE, ADDED, after=HOSTILE),),
        "input": (Change("x", CHANGED, {"type": "long"}, {"type": "double", "nullable": True}),),
    },
    STAGES,
    (Change("jar", CHANGED, 1000, 1001),),
)


def shown(capsys, everything=False):
    diff_view.render(FOUND, everything)
    return capsys.readouterr().out


def test_each_line_has_a_sign_so_that_colour_is_not_the_only_one(capsys):
    out = shown(capsys)
    assert "  ~  auc  0.8 → 0.9  +0.1\n" in out
    assert "  =  1 stage as before\n" in out
    assert "  ~  2 → 3  B (moved)\n" in out
    assert "  +  3.1  Inner\n" in out
    assert "      ~  k  1 → NaN (default)\n" in out
    assert "          +  new  – → 2\n" in out
    assert "          ~  b    1 → 0\n" in out
    assert "many  5 values, 0 to 1, sha256 aaaaaaaaaaaa → 6 values, sha256 bbbbbbbbbbbb\n" in out
    assert "  ~  x  long, never null → double\n" in out
    assert "  ~  jar  1000 B → 1001 B\n" in out


def test_what_is_the_same_is_left_out_unless_all_is_wanted(capsys):
    assert not {"f1", "seed", "as it was"} & set(shown(capsys).replace("  ", "\n").split("\n"))
    out = shown(capsys, everything=True)
    for name in ("f1", "seed", "as it was"):
        assert f"=  {name}" in out


def test_of_many_values_those_come_first_that_went_far(capsys):
    out = shown(capsys)
    assert "x39" in out
    assert "x3 " not in out
    assert "… 20 more: --all, or --json" in out
    assert "x3 " in shown(capsys, everything=True)


def test_nothing_of_a_model_steers_the_terminal(capsys):
    out = shown(capsys)
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "\\x1b[31m" in out


def test_no_difference_is_said(capsys):
    diff_view.render(Difference("a", "b", {"metrics": (Change("f1", SAME, 1, 1),)}), False)
    taken = capsys.readouterr()
    assert taken.out == "a → b\n"
    assert "no difference" in taken.err


def test_the_document_is_json_without_what_json_lacks():
    found = json.loads(json.dumps(documents.difference(FOUND), allow_nan=False))
    assert found["differs"] is True
    stage = found["stages"][1]
    assert stage["from"] == {"place": "2", "uid": "B_1"}
    assert stage["parameters"][0] == {
        "name": "k",
        "status": "changed",
        "from": 1,
        "to": "NaN",
        "set": {"from": True, "to": False},
    }
    parts = {one["name"]: one for one in stage["learned"]["parts"]}
    assert parts["labels of a"]["moved"] == [{"label": "b", "from": 1, "to": 0}]
    assert len(parts["means"]["values"]) == 40
    assert parts["many"]["many"]["from"]["count"] == 5
    assert found["stages"][2]["to"] is None


class _Page(HTMLParser):
    """The tags of a page, and whether each is closed where it ought to be."""

    VOID = ("meta", "!doctype")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], set(), [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_whole_and_stands_alone():
    page = _Page(diff_page.render(FOUND))
    assert page.open == []
    assert not page.tags & {"script", "link", "img", "iframe", "a", "form"}
    assert not [name for name, _ in page.attributes if name in ("src", "href", "style", "onclick")]


def test_what_is_hostile_is_text_of_the_page():
    text = "".join(_Page(diff_page.render(FOUND)).text)
    assert "<script>alert(1)</script>\\x1b[31m\\u202e" in text


def test_the_page_shows_both_sides_and_folds_what_is_the_same():
    made = diff_page.render(FOUND)
    assert made.count("<details open>") == 3
    assert "1 parameters as before" not in made
    assert '<td data-label="before"><code>0.8</code></td>' in made
    assert '<td data-label="after"><code>0.9</code></td>' in made


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (0.1 + 0.2, 0.3, ("0.30000000000000004", "0.3")),
        ([0.1 + 0.2], [0.3], ("[0.30000000000000004]", "[0.3]")),
        (1, 2, ("1", "2")),
        ("a", None, ("a", "null")),
    ],
)
def test_two_values_that_differ_never_look_alike(before, after, expected):
    assert diff_text.sides("", Change("a", CHANGED, before, after)) == expected
