"""Reports as a reader sees them: on a phone, in the dark, by keyboard, and printed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from chromium import WIDTHS

sys.path.append(str(Path(__file__).parents[1] / "unit" / "reports"))
import large_example
import watched_example

from gavial.reports import page

LONG = "a_feature_whose_name_somebody_generated_" * 6
SCHEMES = [pytest.param(False, id="light"), pytest.param(True, id="dark")]
# The colours of a text and of what is behind it, of all texts that are seen; WCAG 2.2 asks for 4.5,
# and for 3 where the text is large. https://www.w3.org/TR/WCAG22/#contrast-minimum
CONTRASTS = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const channel = one => { const c = one / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const found = parse(getComputedStyle(one).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *:not(svg):not(svg *)')) {
    const own = [...element.childNodes].some(one => one.nodeType === 3 && one.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const sides = [light(parse(style.color)), light(behind(element))].sort((a, b) => a - b);
    const large = parseFloat(style.fontSize) >= 24
      || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = (sides[1] + 0.05) / (sides[0] + 0.05);
    if (ratio < (large ? 3 : 4.5)) found.push([element.tagName, element.textContent, ratio]);
  }
  return found;
}"""
# Texts of one chart that are drawn over one another, or beyond its edge.
COLLISIONS = """() => {
  const found = [];
  for (const svg of document.querySelectorAll('svg')) {
    if (!svg.checkVisibility()) continue;
    const edge = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].filter(one => one.textContent.trim());
    const boxes = texts.map(one => one.getBoundingClientRect());
    boxes.forEach((box, at) => {
      if (box.left < edge.left - 1 || box.right > edge.right + 1)
        found.push(['cut', texts[at].textContent]);
      const turned = one => /rotate/.test(one.getAttribute('transform'));
      for (let other = 0; other < at; other++) {
        const b = boxes[other];
        const wide = Math.min(box.right, b.right) - Math.max(box.left, b.left);
        const high = Math.min(box.bottom, b.bottom) - Math.max(box.top, b.top);
        if (wide > 2 && high > 3 && !turned(texts[at]) && !turned(texts[other]))
          found.push(['over', texts[other].textContent, texts[at].textContent]);
      }
    });
  }
  return found;
}"""


def _hostile():
    of = large_example.profile([LONG, "<b>x</b>", *(f"column {at}" for at in range(30))])
    return page.monitoring(
        large_example.watched(of, [f"1.0.{at}" for at in range(7)], 80), made=watched_example.MADE
    )


@pytest.fixture(scope="module")
def contents():
    made = watched_example.MADE
    return {
        "monitoring": page.monitoring(watched_example.watched(), made=made),
        "comparison": page.comparison([watched_example.compared()], made=made),
        "hostile": _hostile(),
    }


PAGES = ["monitoring", "comparison", "hostile"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_fits_its_width_and_no_text_is_cut_or_written_over(reader, contents, name, width):
    with reader.reads(contents[name], width) as seen:
        wide = seen.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        seen.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert seen.evaluate("document.documentElement.scrollWidth") <= width
        assert seen.evaluate(COLLISIONS) == []


@pytest.mark.parametrize("dark", SCHEMES)
@pytest.mark.parametrize("name", PAGES[:2])
def test_every_text_stands_out_from_what_is_behind_it(reader, contents, name, dark):
    with reader.reads(contents[name], dark=dark) as seen:
        seen.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert seen.evaluate(CONTRASTS) == []
        back = seen.evaluate("getComputedStyle(document.body).backgroundColor")
        assert back == ("rgb(20, 24, 30)" if dark else "rgb(255, 255, 255)")
        ink = seen.evaluate(
            "getComputedStyle([...document.querySelectorAll('svg text')]"
            ".find(one => one.checkVisibility())).fill"
        )
        assert ink != "rgb(0, 0, 0)"


def test_a_page_asks_nothing_of_the_network_and_the_console_is_quiet(reader, contents):
    for content in contents.values():
        with reader.reads(content, 768) as seen:
            assert seen.asked == []
            assert seen.said == []


def test_whoever_has_a_keyboard_reaches_everything_in_the_order_of_the_page(reader, contents):
    with reader.reads(contents["monitoring"], 768) as seen:
        every = "[...document.querySelectorAll('a, summary')].map(one => one.textContent.trim())"
        wanted = seen.evaluate(every)
        assert len(wanted) > 15
        reached = []
        for _ in wanted:
            seen.keyboard.press("Tab")
            reached.append(seen.evaluate("document.activeElement.textContent.trim()"))
            shown = seen.evaluate(
                "getComputedStyle(document.activeElement).outlineStyle"
                " + document.activeElement.checkVisibility()"
            )
            assert shown == "solidtrue"
        assert reached == wanted
        seen.keyboard.press("Enter")
        opened = "document.activeElement.parentElement.open"
        assert seen.evaluate(opened) is True


def test_the_skip_link_is_seen_when_it_is_reached_and_leads_to_the_verdict(reader, contents):
    with reader.reads(contents["monitoring"], 360) as seen:
        seen.keyboard.press("Tab")
        box = seen.locator(".skip").bounding_box()
        assert box["x"] >= 0
        seen.keyboard.press("Enter")
        assert seen.url.endswith("#verdict")


def test_headings_are_in_order_and_images_have_names_as_assistive_technology_has_them(
    reader, contents
):
    with reader.reads(contents["monitoring"], 1280) as seen:
        assert seen.get_by_role("heading", level=1).count() == 1
        assert seen.get_by_role("heading", level=2).count() > 6
        images = seen.get_by_role("img")
        assert images.count() == 11
        assert "AUC over time. Version 1.0.3: from" in images.first.aria_snapshot()


def test_a_printed_page_is_dark_on_white_with_its_wide_charts(reader, contents):
    with reader.reads(contents["monitoring"], 794, dark=True) as seen:
        seen.emulate_media(media="print", color_scheme="dark")
        assert seen.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        assert seen.evaluate(CONTRASTS) == []
        assert seen.locator(".wide-only").first.is_visible()
        assert not seen.locator(".narrow-only").first.is_visible()
        assert not seen.locator("nav").is_visible()
        assert seen.pdf(format="A4").startswith(b"%PDF-")


def test_screenshots_are_taken_at_each_width_in_both_modes_and_in_print(reader, contents, tmp_path):
    reader.shoot(contents["comparison"], tmp_path)
    assert len(list(tmp_path.glob("*.png"))) == 2 * len(WIDTHS)
    assert (tmp_path / "print.pdf").stat().st_size > 5_000
