"""Pages to hand to somebody: one file, which fetches nothing and runs nothing.

Jinja2 with autoescape writes them: cards come from outside, and a page put together by hand
would need one forgotten escape only.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import Any

from gavial.cli.text import harmless

_FOLDER = "templates"


def render(template: str, title: str, **values: Any) -> str:
    """A page as text. Every value is made harmless and escaped.

    Args:
        template: a file of the folder `templates`.
        title: of the page.
        values: what the template shows.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("gavial.cli", _FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else harmless(value),
    )
    style = resources.files("gavial.cli").joinpath(_FOLDER, "page.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    text: str = environment.get_template(template).render(
        title=title, style=Markup(style), style_hash=Markup(f"sha256-{digest}"), **values
    )
    return text + "\n"
