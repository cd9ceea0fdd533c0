"""Chromium as it is on this machine (tools/ensure-browser.sh brings it), and what to ask of a page.

`python tests/browser/chromium.py PAGE FOLDER` takes screenshots to look at.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = (360, 768, 1280)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def program() -> str:
    """Where Chromium is."""
    for name in (os.environ.get("CHROMIUM"), *_NAMES):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise FileNotFoundError("no Chromium: run tools/ensure-browser.sh")


@contextmanager
def started() -> Iterator[Browser]:
    """A headless Chromium, which asks nothing of any host."""
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    options = [*quiet, "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=options)
        try:
            yield browser
        finally:
            browser.close()


class Reader:
    """Opens pages, and keeps what they asked of the network and said on the console."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    @contextmanager
    def reads(self, content: str, width: int = 1280, *, dark: bool = False) -> Iterator[Page]:
        """A page that is open, as a file."""
        scheme = "dark" if dark else "light"
        context = self._browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            reduced_motion="reduce",
            offline=True,
        )
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.set_content(content, wait_until="load")
        try:
            yield page
        finally:
            context.close()

    def shoot(self, content: str, folder: Path) -> None:
        """Screenshots at each width, light and dark, and the page as it is printed."""
        for width in WIDTHS:
            for dark in (False, True):
                with self.reads(content, width, dark=dark) as page:
                    name = f"{width}-{'dark' if dark else 'light'}.png"
                    page.screenshot(path=str(folder / name), full_page=True)
        with self.reads(content, 794, dark=True) as page:
            page.pdf(path=str(folder / "print.pdf"), format="A4", print_background=False)


if __name__ == "__main__":
    target = Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    with started() as chromium:
        Reader(chromium).shoot(Path(sys.argv[1]).read_text("utf-8"), target)
