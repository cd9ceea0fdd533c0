"""The names in a server's HTML listing of a folder. Pure."""

from __future__ import annotations

from contextlib import suppress
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit


def names(url: str, page: str) -> tuple[str, ...]:
    """What a listing links to directly below itself, each name once, sorted.

    >>> names("https://m.test/com/", '<a href="../">up</a> <a href="acme/">acme</a>')
    ('acme',)
    """
    links = _Links(url)
    with suppress(AssertionError):  # CPython's parser, at a declaration that is none: `<![>`
        links.feed(page)
    return tuple(sorted(links.names))


class _Links(HTMLParser):
    """The names in an HTML listing: each link to something directly below the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._page = page
        self._folder = urlsplit(page).path
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href") if tag == "a" else None
        if not target:
            return
        try:
            path = urlsplit(urljoin(self._page, target)).path
        except ValueError:  # no URL at all
            return
        name = unquote(path.removeprefix(self._folder).rstrip("/"))
        if path.startswith(self._folder) and name not in ("", ".", "..") and "/" not in name:
            self.names.add(name)
