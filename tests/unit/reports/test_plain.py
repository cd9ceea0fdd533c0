"""Text from outside cannot steer a terminal."""

import io
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from gavial.reports.plain import harmless, harmless_lines, human_size

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@given(st.text())
@example("\x1b]0;title\x07")
@example("\x9b31m")
@example(BIDI)
@example("a\r\nb\tc\x7f")
@example("\ud800")
@example("\U000e0041\ufeff\u2028")
def test_no_control_character_is_left(text):
    shown = harmless(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(BIDI) & set(shown)
    shown.encode("utf-8")


@given(st.text())
def test_what_was_made_harmless_stays_as_it_is(text):
    assert harmless(harmless(text)) == harmless(text)


@given(st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs"))))
def test_ordinary_text_is_shown_as_it_is(text):
    assert harmless(text) == text


@given(st.text(alphabet="[]/boldrelink=#1 "))
@example("[bold]a[/bold]")
@example("[link=file:///etc/passwd]a[/link]")
def test_rich_shows_markup_and_does_not_follow_it(text):
    screen = io.StringIO()
    Console(file=screen, force_terminal=True, width=500, highlight=False).print(
        Text(harmless(text)), soft_wrap=True
    )
    assert screen.getvalue().rstrip("\n") == text


def test_the_lines_of_a_description_stay_lines():
    assert harmless_lines("\nOne\r\n\x1btwo\n\n") == ["One", "\\x1btwo"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (9_999, "10.0 kB"),
        (99_949, "99.9 kB"),
        (99_999, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (1_234_567_890, "1.23 GB"),
        (10**18, "1000 PB"),
    ],
)
def test_a_size_has_three_digits_and_a_unit(count, text):
    assert human_size(count) == text
