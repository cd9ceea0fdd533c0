"""A page, read as a browser reads it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

HTML = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section"),
    *("nav", "h1", "h2", "h3", "p", "a", "dl", "dt", "dd", "ul", "li", "div", "span", "figure"),
    *("figcaption", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td"),
}
SVG = {"svg", "title", "desc", "g", "path", "line", "rect", "text", "tspan", "defs", "clippath"}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "data-label"),
    *("aria-labelledby", "aria-label", "aria-hidden", "scope", "role", "version", "viewbox"),
    *("fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "fill-opacity"),
    *("stroke-miterlimit", "opacity", "transform", "d", "width", "height", "x", "y", "x2", "y2"),
    *("text-anchor", "font-family", "font-size", "font-weight", "clip-path", "xmlns"),
    *("stroke-dashoffset", "stroke-linejoin", "stroke-linecap", "xmlns:xlink"),
}
_VOID = {"meta"}


class Page(HTMLParser):
    """Tags with their attributes, in their order, and the texts of each tag."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.content = content
        self.feed(content)
        self.close()

    def handle_starttag(self, tag, attrs):
        assert tag in HTML | SVG, tag
        assert {name for name, _ in attrs} <= ATTRIBUTES, attrs
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_data(self, data):
        if self.open:
            self.texts.append((self.open[-1], data))

    def handle_decl(self, decl):
        assert decl == "DOCTYPE html"

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, tag: str = "") -> str:
        return " ".join(data for name, data in self.texts if tag in ("", name) and name != "style")


def read(content: str) -> Page:
    """A page that keeps the rules that every page keeps."""
    page = Page(content)
    assert page.open == []
    _one_heading_below_the_other(page)
    _what_is_named_is_there(page)
    _nothing_comes_from_elsewhere(page)
    _every_row_is_as_long_as_its_head(page)
    for number in (character for character in content if ord(character) < 32):
        assert number == "\n"
    return page


def _one_heading_below_the_other(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def _every_row_is_as_long_as_its_head(page: Page) -> None:
    wide, cells = 0, 0
    for tag, _ in [*page.tags, ("tr", {})]:
        if tag in ("tr", "table"):
            assert cells in (0, wide)
            wide, cells = (0 if tag == "table" else wide), 0
        wide += tag == "th"
        cells += tag == "td"


def _what_is_named_is_there(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in ids
        href = attributes.get("href")
        assert href is None or (href.startswith("#") and href[1:] in ids), href
    for attributes in page.all("svg"):
        assert attributes["role"] == "img"
        assert len((attributes["aria-labelledby"] or "").split()) == 2


def _nothing_comes_from_elsewhere(page: Page) -> None:
    (policy,) = [one["content"] for one in page.all("meta") if one.get("http-equiv")]
    (style,) = re.findall(r"<style>(.*?)</style>", page.content, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "url(" not in style
    assert "@import" not in style
