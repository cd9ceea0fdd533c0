"""What all charts have in common: sizes, fonts, colours, and texts that are only shown."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from gavial.reports import theme
from gavial.reports.drawing import Drawing, missing
from gavial.reports.plain import harmless

WIDE: Final = 760
NARROW: Final = 330
_LONGEST: Final = 40  # characters of a name
Rows = list[dict[str, Any]]


def altair() -> Any:
    """Altair, which is imported where a chart is made.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        import altair
    except ModuleNotFoundError as error:
        raise missing(error) from error
    return altair


def finish(
    layers: Sequence[Any],
    title: str,
    subtitle: str,
    description: str,
    *,
    width: int,
    height: int | dict[str, int],
) -> Drawing:
    """The drawing of some layers, one on top of the other.

    Args:
        title, subtitle: what it is of, and how it is read; in a file of its own they are above it.
        description: what is to be seen.
        width: in pixels, with axes and legends.
        height: in pixels, without them; or such as `{"step": 20}`, for each of its rows.
    """
    # Altair would check each of ten thousand values against its schema; a test does so once.
    spec: dict[str, Any] = altair().layer(*layers).to_dict(validate=False)
    spec["width"], spec["height"] = width, height
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    spec["config"] = _config()
    lines = textwrap.wrap(harmless(subtitle), width // 6)
    spec["title"] = {
        "text": textwrap.wrap(harmless(title), width // 8) or [""],
        "subtitle": lines,
        "anchor": "start",
        "frame": "bounds",
        "offset": 10,
    }
    return Drawing(title, description, spec)


def data(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows as a chart takes them: a plain value, whose numbers Altair does not check one by one."""
    return {"values": [dict(one) for one in rows]}


def label(text: str, longest: int = _LONGEST) -> str:
    """A name from outside: one line, not too long.

    It is cut here, as Vega would cut through the middle of a character.

    >>> label("a" * 50, 5), label("一二三四五", 5)
    ('aaaa…', '一二…')
    """
    shown, left = "", longest
    whole = harmless(text)
    for at, character in enumerate(whole):
        left -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if left < 0 or (left == 0 and at < len(whole) - 1):
            return f"{shown}…"
        shown += character
    return shown


def labels(texts: Iterable[str], longest: int = _LONGEST) -> list[str]:
    """The same for several, which stay apart."""
    made: list[str] = []
    for text in texts:
        short, number = label(text, longest), 1
        found = short
        while found in made:
            number += 1
            found = f"{short} ({number})"
        made.append(found)
    return made


def instant(when: datetime) -> int:
    """A time as charts take it: milliseconds since 1970."""
    return round(when.timestamp() * 1000)


def scale(names: Sequence[str], values: Sequence[Any]) -> Any:
    """A value for each name."""
    return altair().Scale(domain=list(names), range=[*values][: len(names)])


def time_axis(narrow: bool, domain: tuple[int, int]) -> Any:
    """The axis of time, in UTC."""
    alt = altair()
    ticks = 4 if narrow else 8
    years = [str(datetime.fromtimestamp(one / 1000, UTC).year) for one in domain]
    title = " to ".join(dict.fromkeys(years)) + ", UTC"
    axis = alt.Axis(title=title, tickCount=ticks, grid=False, labelFlush=True)
    return alt.X("t:T", scale=alt.Scale(type="utc", domain=list(domain)), axis=axis)


def _config() -> dict[str, Any]:
    ink, soft = theme.light("ink"), theme.light("soft-ink")
    text = {"labelColor": soft, "titleColor": ink, "labelFont": theme.FONT, "titleFont": theme.FONT}
    return {
        "aria": False,
        "background": theme.light("paper"),
        "font": theme.FONT,
        "padding": {"left": 4, "right": 8, "top": 4, "bottom": 2},
        "view": {"stroke": None},
        "axis": {
            **text,
            "labelLimit": 0,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": 500,
            "domainColor": soft,
            "tickColor": soft,
            "gridColor": theme.light("grid"),
            "titlePadding": 8,
        },
        "legend": {
            **text,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": 500,
            "symbolStrokeWidth": 2,
            "symbolOpacity": 1,
            "symbolSize": 70,
            "labelLimit": 0,
            "columnPadding": 18,
            "orient": "top",
            "offset": 4,
        },
        "title": {
            "color": ink,
            "subtitleColor": soft,
            "fontSize": 14,
            "subtitleFontSize": 11,
            "font": theme.FONT,
            "subtitleFont": theme.FONT,
        },
    }
