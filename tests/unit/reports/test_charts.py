"""Charts of what was watched and compared: drawn, without a browser."""

from __future__ import annotations

import re
import struct
import sys
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import watched_example
from hypothesis import given, settings
from hypothesis import strategies as st

from gavial.errors import ConfigurationError
from gavial.reports import chart_drift, charts, series, shifts, specs, theme
from gavial.reports.drawing import SVG, Drawing

TABLE = shifts.Histogram("a", ("b", "c", "d"), (0.5, 0.3, 0.2), (0.1, 0.1, 0.8), False, "then")
NAMES = {
    *("timeline-auc", "timeline-log-loss", "timeline-records", "drift", "histogram-1"),
    *("histogram-2", "calibration", "confusion"),
}


@pytest.fixture(scope="module")
def drawn(watched):
    return charts.drawings(watched)


def test_there_is_a_chart_of_each_thing_that_a_report_shows(drawn):
    assert set(drawn) >= NAMES
    assert len([one for one in drawn if one.startswith("timeline-")]) == series.CHARTS


def test_an_svg_is_xml_with_a_title_a_description_and_nothing_to_run_or_fetch(drawn):
    for drawing in drawn.values():
        root = ElementTree.fromstring(drawing.svg())
        assert root.tag == f"{{{SVG}}}svg"
        assert root.get("role") == "img"
        said = {one.get("id"): one.text for one in root if one.get("id")}
        assert set(root.get("aria-labelledby").split()) == set(said)
        assert list(said.values()) == [drawing.title, drawing.description]
        for element in root.iter():
            assert element.tag.rpartition("}")[2] not in ("script", "image", "use", "foreignObject")
            assert not any(name.startswith("on") or "href" in name for name in element.attrib)
            assert "style" not in element.attrib  # the policy of the page forbids it


def test_a_png_is_one_of_the_size_that_was_asked_for(drawn):
    drawing = drawn["timeline-auc"]
    for scale in (1, 2):
        made = drawing.png(scale)
        assert made.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", made[16:24])
        assert abs(width - specs.WIDE * scale) <= 2 * scale
        assert 200 * scale < height < 500 * scale
        assert 5_000 < len(made) < 500_000


def test_every_chart_is_what_the_schema_of_vega_lite_allows(drawn, compared):
    for drawing in [*drawn.values(), *charts.compared([compared]).values()]:
        specs.altair().Chart.from_dict(drawing.spec, validate=True)


def test_equal_values_give_equal_charts(drawn):
    again = charts.drawings(watched_example.watched())
    assert {name: one.svg() for name, one in drawn.items()} == {
        name: one.svg() for name, one in again.items()
    }


def test_a_chart_for_a_phone_is_as_wide_as_one(watched):
    root = ElementTree.fromstring(charts.drawings(watched, narrow=True)["drift"].svg())
    assert abs(float(root.get("width")) - specs.NARROW) <= 2


def test_in_a_page_every_colour_is_a_variable_of_its_style(drawn):
    style = theme.variables()
    for name, drawing in drawn.items():
        made = drawing.inline(name)
        colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', made))
        assert colours <= {"none", "transparent", *re.findall(r'"(var\([^"]*\))"', made)}, colours
        for variable in re.findall(r"var\((--c-[a-z0-9-]+)\)", made):
            assert style.count(f"{variable}:") == 2  # light and dark


def test_two_drawings_of_a_page_share_no_id(drawn):
    ids = [
        one
        for name, drawing in drawn.items()
        for one in re.findall(r' id="([^"]*)"', drawing.inline(name))
    ]
    assert len(ids) == len(set(ids))


def test_series_differ_without_their_colours_too():
    assert len(set(theme.SHAPES)) == len(set(theme.DASHES)) == len(theme.SERIES)


def _luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    """WCAG 2.2, contrast ratio."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_stand_out_as_the_guidelines_for_accessibility_ask(mode):
    found = {name: getattr(colour, mode) for name, colour in theme.COLOURS.items()}
    graphics = [name for name in found if name.startswith("series-")]
    for name in [*graphics, "alert", "bound", "fill"]:
        assert _contrast(found[name], found["paper"]) >= 3, name
        assert name in ("bound", "fill") or _contrast(found[name], found["alert-back"]) >= 3, name
    for name in ("ink", "soft-ink"):
        assert _contrast(found[name], found["paper"]) >= 4.5, name
    for at in range(5):  # what is written on a cell
        ink = "ink" if at < 3 else "paper"
        assert _contrast(found[f"level-{at}"], found[ink]) >= 4.5, at


def test_a_comparison_is_drawn_with_its_interval_margin_and_zero(compared):
    (name,) = charts.compared([compared])
    assert name == "difference-log-loss"
    drawing = charts.compared([compared])[name]
    root = ElementTree.fromstring(drawing.svg())
    assert "Verdict: better" in drawing.description
    lines = [one for one in root.iter(f"{{{SVG}}}line") if one.get("stroke-dasharray") == "4,4"]
    assert len(lines) == 2  # the margin on both sides of zero
    assert any(one.get("fill-opacity") or one.get("opacity") for one in root.iter(f"{{{SVG}}}path"))


def test_a_comparison_by_segments_has_a_chart_of_each(compared):
    more = [compared, *(replace(compared, segment=one) for one in ("carrier=AA", "carrier=a a"))]
    assert len(charts.compared(more)) == 3


def test_a_comparison_that_was_not_looked_at_has_no_chart(compared):
    assert charts.compared([replace(compared, looks=())]) == {}


def test_looks_without_windows_are_drawn_by_records(compared):
    looks = tuple(replace(one, window=None) for one in compared.looks)
    (drawing,) = charts.compared([replace(compared, looks=looks)]).values()
    assert ">records</" in drawing.svg()


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=60).filter(str.strip))
def test_any_name_is_shown_and_nothing_of_it_acts(text):
    found = replace(TABLE, column=text, bins=(text, f"{text}<script>", "]]>&amp;\u202e"))
    root = ElementTree.fromstring(chart_drift.histogram(found).svg())
    shown = [(one.text or "").strip() for one in root.iter(f"{{{SVG}}}text")]
    assert specs.label(text, 18).strip() in shown
    assert {one.tag.rpartition("}")[2] for one in root.iter()} <= {
        *("svg", "title", "desc", "rect", "g", "path", "line", "text", "tspan", "defs"),
        *("clipPath",),
    }
    assert not any("\u202e" in one for one in root.itertext())


def test_names_that_are_cut_stay_apart():
    assert specs.labels(["a" * 50, "a" * 51, "b"], 10) == ["aaaaaaaaa…", "aaaaaaaaa… (2)", "b"]


@pytest.mark.parametrize("library", ["altair", "vl_convert"])
def test_a_library_that_is_missing_names_the_line_that_installs_it(library, watched, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError, match=r'pip install "gavial\[monitor\]"'):
        charts.drawings(watched)["drift"].svg()


def test_a_drawing_says_what_is_to_be_seen(drawn):
    assert isinstance(drawn["drift"], Drawing)
    assert "hour: highest" in drawn["drift"].description
    assert "outside its bounds in 1" in drawn["timeline-auc"].description
