"""Pages to hand to somebody: one file, which fetches nothing and runs nothing.

Jinja2 with autoescape writes them: cards come from outside, and a page put together by hand
would need one forgotten escape only.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from gavial.errors import ConfigurationError
from gavial.reports.plain import harmless

_FOLDER = "templates"
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d(?:T\d\d:\d\dZ)?\b")


def render(template: str, title: str, style: str = "", *, rules: str = "", **values: Any) -> str:
    """A page as text. Every value is made harmless and escaped.

    Args:
        template: a file of the folder `templates`, which extends `base.html`.
        title: of the page.
        style: a further file of styles there, on top of `page.css`.
        rules: further styles, which a module here made.
        values: what the template shows.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("gavial.reports", _FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else harmless(value),
    )
    folder = resources.files("gavial.reports").joinpath(_FOLDER)
    files = ("page.css", style) if style else ("page.css",)
    styles = "".join(folder.joinpath(one).read_text("utf-8") for one in files) + rules
    # `default-src 'none'` and this hash: what escaped the escaping could load and run nothing.
    digest = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode()
    text: str = environment.get_template(template).render(
        title=title, style=Markup(styles), style_hash=Markup(f"sha256-{digest}"), **values
    )
    return text + "\n"


def text(value: object) -> str:
    """A value as text of a page: markup is shown, controls are escapes.

    >>> text("<b> & \\x07")
    '&lt;b&gt; &amp; \\\\x07'
    """
    return escape(harmless(value), quote=True)


def dates(value: object) -> Any:
    """A text in which days and times are not broken at the ends of lines.

    >>> str(dates("since 2013-04-22"))
    'since <span class="whole">2013-04-22</span>'
    """
    from markupsafe import Markup

    return Markup(_DATE.sub(r'<span class="whole">\g<0></span>', text(value)))


def markup(lines: Iterable[str]) -> Any:
    """HTML that a module here made, with `text` around all that came from outside."""
    from markupsafe import Markup

    return Markup("\n".join(lines))


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
