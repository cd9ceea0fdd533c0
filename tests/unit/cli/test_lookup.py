"""What a lookup shows: every answer, and nothing that acts."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gavial.cli import lookup_view
from gavial.maven.coordinate import Coordinate
from gavial.model.card import Card
from gavial.model.decision import Approval, Decision, GateResult, PolicyText
from gavial.model.decision import Place as Named
from gavial.registry.looked_up import Following, Lookup, Place
from gavial.registry.records import Author
from gavial.registry.tenure import Tenure
from gavial.registry.testimony import Approved, Decided, Seal
from gavial.registry.verdict import Verdict
from gavial.registry.withdraw import Withdrawal

CHURN = Coordinate.parse("com.acme:churn:1.0.3")
NEXT = Coordinate.parse("com.acme:churn:1.0.4")
HOSTILE = "<script src='//evil.example'>&\"</style>\u202e\x1b[31m"
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section"),
    *("h1", "h2", "h3", "p", "dl", "dt", "dd", "div", "table", "thead", "tbody", "tr", "th", "td"),
    *("ul", "li"),
}
one_line = st.text(st.characters(exclude_characters="\n"), min_size=1, max_size=20).filter(
    lambda text: text.strip()
)


def filled(text):
    """A lookup with one text in every place that can hold one."""
    author = Author(text, text, text, text)
    data = {"name": text, text: text, "time": {"column": text, "from": text, "to": text}}
    card = Card(
        str(CHURN),
        text,
        description=text,
        intended_use=text,
        limits=text,
        owner=text,
        author=text,
        labels={text: text},
        fields={text: text},
        metrics={text: 0.5},
        metrics_on=data,
        training_data=data,
        pipeline=({"uid": text, "class": text, "parameters": {}},),
        environment={text: text},
        git={"commit": text, "remote": text, "dirty": True},
        script=text,
        libraries=(text,),
        watermark=text,
        replaces={
            "coordinate": text,
            "compared": True,
            "stages": [text],
            "refused": [text],
            "allowed": text,
        },
    )
    gates = (GateResult(text, True, text), GateResult(f"{text}2", False, text, (text,)))
    decision = Decision(
        str(CHURN),
        text,
        "refused",
        Named(text, text),
        Named(text, text),
        gates,
        PolicyText(text, text, text),
        (),
        text,
        text,
        text,
        text,
    )
    withdrawal = Withdrawal(CHURN, True, 1, text, text, text, text)
    place = Place(
        text,
        text,
        True,
        card,
        text,
        Verdict(False, text, text, text),
        withdrawal,
        (withdrawal, replace(withdrawal, is_withdrawn=False)),
        (Tenure(text, 1, author, author, NEXT), Tenure(text, 2, author)),
        (Decided(1, decision, Seal(text, False, text)),),
        (Approved(Approval(str(CHURN), text, text, text, text, text, 1), Seal(text, True)),),
        Following(NEXT, text, text),
        NEXT,
        (text,),
        (text,),
    )
    return Lookup(CHURN, (place, replace(place, sha256=f"{text}2")), {text: text})


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


@given(one_line | st.just(HOSTILE))
@example(".")  # a class without a name
@settings(deadline=None, max_examples=30)
def test_no_text_from_outside_becomes_markup(text):
    read = Read(lookup_view.page(filled(text)))
    assert set(read.tags) <= TAGS
    assert read.tags == Read(lookup_view.page(filled("a"))).tags
    assert {name for name, _ in read.attributes} <= {
        *("lang", "charset", "content", "name", "class", "http-equiv", "data-label")
    }


def test_what_would_steer_a_terminal_or_a_reader_is_shown_as_text(capsys):
    lookup_view.render(filled(HOSTILE))
    shown, page = capsys.readouterr().out, lookup_view.page(filled(HOSTILE))
    for text in (shown, page):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\x1b[31m" in text
    assert "&lt;script src=" in page


@given(st.text(max_size=20) | st.just(HOSTILE))
@settings(deadline=None, max_examples=20)
def test_no_text_can_make_it_fail(text):
    lookup_view.render(filled(text))
    lookup_view.page(filled(text))


@pytest.mark.parametrize(
    "words",
    [
        "What scored this?",
        "Withdrawn in it: it (it, it)",
        "Who made it, on what data, from which code?",
        "it of it, with changes that are not in it",
        "Who signed it?",
        "NO: it",
        "Who approved it, and who promoted it?",
        "refused, it to it",
        "By which policy, and what did it find?",
        "Which names did it have, and when?",
        "What did it replace?",
        "released all the same, because: it",
        "What replaced it?",
        "com.acme:churn:1.0.4, it by it",
        "The alias it in it went to 1.0.4, it, by it. it",
        "What could not be found out?",
        "it: it gave no answer. it",
    ],
)
def test_every_question_is_answered_in_text_and_on_the_page(words, capsys):
    lookup_view.render(filled("it"))
    page = " ".join(" ".join(Read(lookup_view.page(filled("it"))).text).split())
    assert words in capsys.readouterr().out
    assert words in page


def test_what_is_not_known_is_said():
    found = Lookup(CHURN, (Place("models", "file:///models/", released=True),))
    told = {one.question: one for one in lookup_view.answers(found)}
    assert told["Who signed it?"].texts == ("That could not be found out.",)
    (said,) = told["Who approved it, and who promoted it?"].texts
    assert said == "No promotion on record brought it to models."
    assert "No alias was ever set" in told["Which names did it have, and when?"].texts[0]
    assert "Who made it, on what data, from which code?" not in told
