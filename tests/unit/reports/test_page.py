"""Reports as pages: what they say, in what order, and that nothing in them acts."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta

import large_example
import pytest
import watched_example
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pages import read
from watched_example import BEGIN, MADE

from gavial.errors import ConfigurationError
from gavial.monitoring.comparison import Outcome, SampleRatio
from gavial.monitoring.verdict import Status, Watched
from gavial.reports import page

HOSTILE = "<script src='//evil.example'>&\"</style>]]>\u202e\x1b[0m\ufffe"


@pytest.fixture(scope="module")
def content(watched):
    return page.monitoring(watched, made=MADE)


@pytest.fixture(scope="module")
def found(content):
    return read(content)


def test_the_verdict_comes_first_with_its_time_reasons_and_what_to_do(found):
    headings = [text for tag, text in found.texts if tag in ("h2", "h3") and text.strip()]
    assert headings[:4] == [" Alert since ", ": version 1.0.3", "Why", "What to do next"]
    text = found.text()
    assert "area under the ROC curve" in text
    assert "at release it was 0." in text
    assert "Retrain on newer records and deploy" in text
    assert text.index("Retrain on newer") < text.index("The rules that are broken")


def test_a_page_says_when_it_was_made_and_of_what(found):
    text = found.text()
    assert "2013-12-31" in text
    assert "08:30 UTC" in text
    assert "40 states" in text
    assert watched_example.PROFILE.digest in text


def test_every_chart_has_the_table_behind_it(found):
    figures = len(found.all("figure"))
    assert figures == len(found.all("summary")) - 1  # the rules are folded as well
    assert figures == 11
    assert all(one.get("scope") == "col" for one in found.all("th"))
    assert len(found.all("caption")) == len(found.all("table"))


def test_timelines_and_drift_are_there_for_wide_and_for_narrow_screens(found):
    kinds = [one["class"] for one in found.all("svg")]
    assert kinds.count("chart wide-only") == kinds.count("chart narrow-only") == 7
    assert kinds.count("chart") == 4


def test_what_happened_is_listed_with_the_letters_of_the_charts(found):
    cells = [text for tag, text in found.texts if tag == "td"]
    for letter in "ABC":
        assert letter in cells
    assert "alias champion" in cells


def test_problems_of_the_records_are_said(found):
    assert "12 records carry no watermark" in found.text("li")


def test_equal_values_give_equal_pages(content):
    assert page.monitoring(watched_example.watched(), made=MADE) == content


def test_a_title_may_be_given(watched):
    text = read(page.monitoring(watched, made=MADE, title="Delays, weekly")).text("h1")
    assert text == "Delays, weekly"


def test_a_reader_without_a_mouse_can_skip_to_the_verdict(found):
    first = found.all("a")[0]
    assert first == {"class": "skip", "href": "#verdict"}


def test_an_estimate_is_named_as_one_and_says_what_it_cannot_see(watched):
    unlabelled = _without_labels(watched)
    text = read(page.monitoring(unlabelled, made=MADE)).text()
    assert "AUC, estimated without labels" in text
    assert "cannot see that the same features came to mean something else" in text


def test_a_version_that_scores_no_more_is_idle_and_no_alert_of_others(watched):
    old, new = watched.verdicts
    gone = replace(old, results=old.results[:-2])
    content = page.monitoring(replace(watched, verdicts=(gone, new)), made=MADE)
    assert "alert, idle" in content
    assert "other verdicts alert" not in content


def test_nothing_watched_is_a_page_that_says_so():
    nothing = Watched(watched_example.MODULE, watched_example.PROFILE, {}, {}, ())
    text = read(page.monitoring(nothing, made=MADE)).text()
    assert "There is nothing to tell yet" in text


def test_not_enough_data_says_what_to_wait_for(watched):
    (verdict,) = [one for one in watched.verdicts if one.version == "1.0.4"]
    little = replace(verdict, status=Status.NOT_ENOUGH_DATA, reasons=("too few labels",))
    text = read(page.monitoring(replace(watched, verdicts=(little,)), made=MADE)).text()
    assert "There is not enough data on version 1.0.4" in text
    assert "Wait for more records, or for their labels" in text


def test_a_state_without_a_reference_is_shown_all_the_same(watched):
    alone = replace(watched, references={})
    assert "none: drift cannot be told" in read(page.monitoring(alone, made=MADE)).text()


@settings(max_examples=3, deadline=None)
@given(st.text(min_size=1, max_size=30).filter(str.strip))
@example(HOSTILE)
def test_any_text_is_shown_and_nothing_of_it_acts(text):
    of = large_example.profile([text, f"{text}2"], (text, f"not {text}"), text)
    hostile = large_example.watched(
        of,
        [text],
        5,
        text,
        ("", text),
        marks=((BEGIN + timedelta(days=1), text, text),),
        problems=(text,),
    )
    read(page.monitoring(hostile, made=MADE, title=text))


def test_a_page_of_many_versions_features_and_windows_is_bounded_and_says_what_is_left_out():
    columns = [f"feature_{at:03}" for at in range(500)]
    of = large_example.profile(columns)
    versions = [f"1.0.{at}" for at in range(8)]
    marks = tuple((BEGIN + timedelta(days=at), "released", "1.0.1") for at in range(90))
    content = page.monitoring(large_example.watched(of, versions, 100, marks=marks), made=MADE)
    text = read(content).text()
    assert len(content) < 1_500_000
    assert "The 15 features that drifted most, of 500; the others are left out." in text
    assert "2 older versions are not drawn." in text
    assert "1.0.7 and 2 older" in text
    assert "more rows were left out" in text


def test_a_comparison_says_who_is_better_by_how_much_and_what_follows(compared):
    text = read(page.comparison([compared], made=MADE)).text()
    assert "1.0.4 is better than 1.0.3" in text
    assert "log loss is lower by 0.0321 over 14\u202f400 records" in text
    assert "between −0.0521 and −0.0121, with 95% confidence at every look so far" in text
    assert "Promote 1.0.4" in text
    assert "shadow: each version scored every record" in text


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.WORSE, "1.0.4 is worse than 1.0.3"),
        (Outcome.NO_DIFFERENCE, "differ by less than is worth having"),
        (Outcome.KEEP_GOING, "Nothing can be said yet of 1.0.4 against 1.0.3"),
    ],
)
def test_every_outcome_is_said_in_words(compared, outcome, said):
    text = read(page.comparison([replace(compared, outcome=outcome)], made=MADE)).text()
    assert said in text


def test_what_is_still_needed_is_said(compared):
    going = replace(compared, outcome=Outcome.KEEP_GOING, needed=12_000)
    text = read(page.comparison([going], made=MADE)).text()
    assert "About 12\u202f000 more labelled records" in text


def test_a_first_look_that_knows_nothing_yet_is_drawn(compared):
    inf = float("inf")
    looks = (replace(compared.looks[0], low=-inf, high=inf), *compared.looks[1:3])
    read(page.comparison([replace(compared, looks=looks)], made=MADE))
    text = read(page.comparison([replace(compared, looks=looks[:1])], made=MADE)).text()
    assert "the true difference is not known yet" in text


def test_a_split_that_went_wrong_gives_no_advice_but_to_mend_it(compared):
    broken = replace(compared, ratio=SampleRatio((0.5, 0.5), (9000, 5000), 1e-9))
    text = read(page.comparison([broken], made=MADE)).text()
    assert "no verdict can be trusted until it is mended" in text
    assert "Promote" not in text


def test_comparisons_of_segments_come_below_that_of_all_records(compared):
    segment = replace(compared, segment=HOSTILE, outcome=Outcome.KEEP_GOING)
    found = read(page.comparison([compared, segment], made=MADE))
    assert len(found.all("figure")) == 2
    assert "Nothing can be said yet" in found.text()


def test_nothing_compared_is_a_page_that_says_so(compared):
    assert "Nothing was compared" in read(page.comparison([], made=MADE)).text()
    early = read(page.comparison([replace(compared, looks=())], made=MADE))
    assert "No window has been looked at" in early.text()


def test_a_library_that_is_missing_names_the_line_that_installs_it(watched, monkeypatch):
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(ConfigurationError, match=r'pip install "gavial\[monitor\]"'):
        page.monitoring(watched, made=MADE)


def _without_labels(watched):
    """The same records before their labels came."""
    from gavial.monitoring.bins import NULL
    from gavial.monitoring.judge import judge
    from gavial.monitoring.rules import RuleSet
    from gavial.monitoring.state import CONFUSION, LOG_LOSS, SCORE, Cell, State

    def late(state):
        cells = {}
        for key, cell in state.items():
            if key.kind == LOG_LOSS:
                continue
            new = key._replace(label=NULL) if key.kind in (SCORE, CONFUSION) else key
            cells[new] = cells.get(new, Cell(0)) + cell
        return State(cells)

    states = {slot: late(one) for slot, one in watched.states.items()}
    rules = RuleSet.of(watched.references["1.0.3"])
    verdicts = judge(states, watched.profile, watched.references, rules)
    return replace(watched, states=states, verdicts=verdicts)
