"""A release as a page of HTML: everything in it is shown, and nothing of it acts."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavial.cli import release_view
from gavial.maven.coordinate import Coordinate
from gavial.model.card import Card, File
from gavial.registry.release import Release

CHURN = Coordinate.parse("com.acme:churn:1.0.3")
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "h1", "h2"),
    *("h3", "p", "pre", "dl", "dt", "dd", "ul", "ol", "li", "b", "div", "span", "table", "thead"),
    *("tbody", "tr", "th", "td"),
}
HOSTILE = "<script src='//evil.example'>&\"</style>\u202e\x1b[0m"


one_line = st.text(st.characters(exclude_characters="\n"), min_size=1, max_size=20).filter(
    lambda text: text.strip()
)


def filled(text):
    """A card with one text in every place that can hold one."""
    column = {"name": text, "type": text, "nullable": None, "certain": False}
    data = {"name": text, text: [text], "rows": 3, "schema": {"fields": [column]}}
    stage = {"uid": text, "class": text, "parameters": {text: text}}
    return Card(
        str(CHURN),
        text,
        description=text,
        intended_use=text,
        limits=text,
        owner=text,
        author=text,
        labels={text: text},
        fields={text: {text: text}},
        metrics={text: 0.5},
        metrics_on=data,
        training_data={**data, "time": {"column": text, "from": text, "to": None}},
        pipeline=({**stage, "stages": [stage]},),
        inputs={"columns": [column], "unknown": [{"stage": text, "class": text, "why": text}]},
        outputs={"columns": [column], "passes": False},
        input_example=({text: text, "v": {"type": 1, "values": [1.0]}},),
        golden={"columns": [text], "rows": [{text: text}]},
        replaces={
            "coordinate": text,
            "compared": True,
            "why": text,
            "stages": [text],
            "refused": [text],
            "allowed": text,
        },
        environment={text: text},
        git={"commit": text, "remote": text, "dirty": True},
        script=text,
        libraries=(text,),
        files=(File("churn-1.0.3.jar", 10, text),),
    )


def release(card):
    place = SimpleNamespace(id="models", url="file:///models/")
    return Release(CHURN, place, card, card.files)


class Read(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


def page(card):
    return release_view.page(release(card), "models")


@given(one_line | st.just(HOSTILE))
@settings(deadline=None, max_examples=40)
def test_no_text_of_a_card_becomes_markup(text):
    read = Read(page(filled(text)))
    assert set(read.tags) <= TAGS
    assert read.tags == Read(page(filled("a"))).tags
    assert {name for name, _ in read.attributes} <= {
        *("lang", "charset", "content", "name", "class", "http-equiv")
    }


def test_texts_that_would_steer_a_reader_are_harmless():
    shown = page(filled(HOSTILE))
    assert "\u202e" not in shown
    assert "\x1b" not in shown
    assert "&lt;script src=" in shown


def test_the_page_fetches_nothing_and_allows_its_own_style_alone():
    shown = page(filled("a"))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', shown)[1]
    (style,) = re.findall(r"<style>(.*?)</style>", shown, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"url\(|@import|src=|href=", shown)


@pytest.mark.parametrize(
    "words",
    [
        *("Intended use", "Limits", "Metrics", "Measured on", "Training data", "Needs", "Makes"),
        *("Changes", "Example", "Stages", "Files", "Use", "Further facts", "Environment"),
        "Other columns of a record are not kept.",
        "with changes that are not in it",
        "Released although it may break who uses the one before it",
        "gavial run com.acme:churn:1.0.3 --repository models -- pyspark",
    ],
)
def test_everything_in_a_card_is_shown(words):
    assert words in " ".join(" ".join(Read(page(filled("a"))).text).split())


def test_a_card_of_few_words_is_a_page():
    text = " ".join(Read(page(Card(str(CHURN), "now"))).text)
    assert "com.acme:churn:1.0.3" in text
    assert "Metrics" not in text


@given(st.text(min_size=1, max_size=20) | st.just(HOSTILE))
@settings(deadline=None, max_examples=20)
def test_the_text_of_a_card_cannot_fail_on_a_terminal(text):
    release_view.render(release(filled(text)), None)


def test_a_terminal_shows_what_changed_and_why_it_was_allowed(capsys):
    release_view.render(release(filled("so it is")), None)
    shown = capsys.readouterr().out
    assert "Changes since so it is" in shown
    assert "released all the same, because: so it is" in shown
    assert "so it is  so it is, if no other stage makes it" in shown


def test_a_card_of_before_there_were_inputs_shows_its_schemas(capsys):
    schema = {"type": "struct", "fields": [{"name": "x", "type": "long", "nullable": False}]}
    old = replace(Card(str(CHURN), "now"), input_schema=schema)
    release_view.render(release(old), None)
    assert "Input\n  x  long, never null" in capsys.readouterr().out
