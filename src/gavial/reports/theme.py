"""Colours and shapes of charts, for light and for dark.

A chart is described in the light colours. Drawn into a page, each becomes a variable of the page's
style, so that it follows the reader's mode; in a file of its own it keeps them. Series differ by
dash and shape as well: a print without colours can be read, and so can everybody who sees fewer.
Series are from the palette of Okabe and Ito, "Color Universal Design" (2008), made darker on white
and lighter on black until each stands out by 3:1.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Colour(NamedTuple):
    light: str
    dark: str


COLOURS: Final = {
    "ink": Colour("#1c2431", "#e4e8ef"),
    "soft-ink": Colour("#5b6676", "#9aa5b5"),
    "grid": Colour("#e3e7ed", "#2b333f"),
    "paper": Colour("#fefefe", "#14181f"),
    "bound": Colour("#6b7381", "#8f99a8"),
    "alert": Colour("#b3261e", "#ff8a80"),
    "alert-back": Colour("#fbe3e0", "#331d1f"),
    "band": Colour("#e9edf2", "#252d38"),
    "fill": Colour("#5a98c7", "#3a7cab"),
    "series-1": Colour("#0067a8", "#56b4e9"),
    "series-2": Colour("#a04f00", "#f0a23c"),
    "series-3": Colour("#00785a", "#2fc49b"),
    "series-4": Colour("#8f4a84", "#d99ac9"),
    "series-5": Colour("#5d6d1e", "#c2cf6b"),
    "series-6": Colour("#3d4756", "#b6c0cf"),
    "level-0": Colour("#eef2f6", "#20272f"),
    "level-1": Colour("#c6dbec", "#27445c"),
    "level-2": Colour("#86b3d6", "#2e6288"),
    "level-3": Colour("#2f73a8", "#62a9d8"),
    "level-4": Colour("#0b4f84", "#b9defa"),
}
SERIES: Final = tuple(COLOURS[f"series-{at}"].light for at in range(1, 7))
LEVELS: Final = tuple(COLOURS[f"level-{at}"].light for at in range(5))
DASHES: Final = ((1, 0), (7, 3), (2, 3), (9, 3, 2, 3), (4, 2), (12, 4))
SHAPES: Final = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross")
# Texts are measured in the first, which comes with vl-convert; the next two are as wide.
FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"


def light(name: str) -> str:
    """A colour as charts are described in."""
    return COLOURS[name].light


def variables() -> str:
    """The style that a page needs for its charts: a variable a colour, for both modes."""
    sides = [
        "".join(f"--c-{name}:{colour[side]};" for name, colour in COLOURS.items())
        for side in (0, 1)
    ]
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{sides[1]}}}}}"
    return f":root{{{sides[0]}}}\n{dark}\n"
