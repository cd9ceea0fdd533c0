"""The shell of an HTML page to hand to somebody: one file, no script, nothing from elsewhere.

Light and dark, narrow and wide, screen and paper. What is put into a page is escaped by `text`.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from gavial.cli.text import harmless
from gavial.errors import ConfigurationError

# `default-src 'none'`: even what escaped the escaping could load nothing and run nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

STYLE = """
:root { color-scheme: light dark; --back: #fff; --front: #1b1f24; --soft: #57606a;
  --line: #d0d7de; --panel: #f6f8fa; --add: #dafbe1; --add-ink: #0a5323; --gone: #ffebe9;
  --gone-ink: #8c1620; --change: #fff4d6; --change-ink: #6b4600; --accent: #0a56b8 }
@media screen and (prefers-color-scheme: dark) { :root {
  --back: #0d1117; --front: #e6edf3; --soft: #9aa4b0; --line: #30363d; --panel: #161b22;
  --add: #12341d; --add-ink: #7ee2a0; --gone: #43181b;
  --gone-ink: #ffb3ad; --change: #3a2d0b; --change-ink: #f2cc60; --accent: #79b8ff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--front);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; padding-bottom: .25rem;
  border-bottom: 1px solid var(--line) }
h3 { font-size: .95rem; margin: 1rem 0 .35rem }
p { margin: .25rem 0 .75rem }
.soft { color: var(--soft) }
code, td, th { overflow-wrap: anywhere }
code { font: .92em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
table { width: 100%; border-collapse: collapse; font-size: .93rem }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem;
  border-bottom: 1px solid var(--line) }
thead th { color: var(--soft); font-weight: 600 }
details { border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0;
  background: var(--back) }
details > div { padding: 0 .9rem .75rem }
summary { cursor: pointer; padding: .55rem .9rem; border-radius: 8px; background: var(--panel);
  overflow-wrap: anywhere }
summary:focus-visible { outline: 2px solid var(--accent) }
.tag { display: inline-block; min-width: 5.2em; text-align: center; border-radius: 1em;
  padding: 0 .6em; margin-right: .5em; font-size: .8rem; font-weight: 600;
  border: 1px solid var(--line) }
.added { background: var(--add); color: var(--add-ink) }
.removed { background: var(--gone); color: var(--gone-ink) }
.changed { background: var(--change); color: var(--change-ink) }
@media (max-width: 40rem) { main { padding: 1rem .75rem 3rem }
  table, tbody, tr, td { display: block }
  thead { position: absolute; left: -200vw }
  tr { border-bottom: 1px solid var(--line); padding: .35rem 0 }
  td { border: 0; padding: .1rem .25rem }
  td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); font-size: .8rem } }
@media print { body { font-size: 9pt } main { max-width: none; padding: 0 }
  h2, h3, summary, thead { break-after: avoid } tr { break-inside: avoid }
  th, td { padding: .15rem .5rem } .tag { border-color: #888 } }
"""


def text(value: object) -> str:
    """A value as text of a page: markup is shown, controls are escapes.

    >>> text("<b> & \\x07")
    '&lt;b&gt; &amp; \\\\x07'
    """
    return escape(harmless(value), quote=True)


def page(title: str, body: Iterable[str], style: str = "") -> str:
    """A whole page. `body` and `style` are HTML and CSS as they are; the title is any text."""
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{text(title)}</title>",
            f"<style>{STYLE}{style}</style>",
            "</head>",
            "<body>",
            "<main>",
            *body,
            "</main>",
            "</body>",
            "</html>",
            "",
        )
    )


def write(place: Path, content: str) -> None:
    """Write a page to a file.

    Raises:
        ConfigurationError: it cannot be written there.
    """
    try:
        place.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{str(place)!r} cannot be written: {error.strerror or error}."
        ) from error
