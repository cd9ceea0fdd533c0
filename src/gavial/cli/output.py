"""Results on the standard output: tables for people, aligned text for pipes, JSON for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from gavial.reports.plain import harmless


def document(value: Any) -> None:
    """Write the one JSON document. It is ASCII, so nothing in it can steer a terminal."""
    line(json.dumps(value, indent=2, allow_nan=False))


def line(text: str = "") -> None:
    """Write a line as it is: the caller knows what is in it."""
    sys.stdout.write(f"{text}\n")


def heading(text: str) -> None:
    """Write a line that stands out on a terminal; it is made harmless."""
    text = harmless(text)
    if not _styled():
        line(text)
        return
    from rich.text import Text

    _console().print(Text(text, style="bold"), soft_wrap=True)


def styled(text: str, style: str) -> None:
    """Write a line that has a colour on a terminal: one of rich's styles, "" for none."""
    if not style or not _styled():
        line(text)
        return
    from rich.text import Text

    _console().print(Text(text, style=style), soft_wrap=True)


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table; every cell is made harmless."""
    cells = [[harmless(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        named = [[header.upper() for header in headers]] if len(headers) > 1 else []
        for text in aligned([*named, *cells]):
            line(text)
        return
    from rich.box import ROUNDED
    from rich.table import Table
    from rich.text import Text

    made = Table(box=ROUNDED, header_style="bold")
    for header in headers:
        made.add_column(header, overflow="fold")
    for row in cells:
        made.add_row(*(Text(cell) for cell in row))
    _console().print(made)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with their columns one below the other, each as wide as it needs.

    >>> aligned([["model", "newest"], ["com.acme:churn", "1.0.3"]])
    ['model           newest', 'com.acme:churn  1.0.3']
    """
    columns = max(map(len, rows), default=0)
    widths = [max(len(row[at]) for row in rows if at < len(row)) for at in range(columns)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    ]


def note(text: str) -> None:
    """Write a diagnostic to the standard error; further lines of it are indented."""
    first, *rest = (harmless(part.rstrip("\r")) for part in text.rstrip().split("\n"))
    message = "\n  ".join([f"gavial: {first}", *rest])
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def _styled() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _console() -> Any:
    from rich.console import Console

    # Rich keeps bold where NO_COLOR is set; no styles at all is what is asked for.
    return Console(file=sys.stdout, color_system="auto" if _styled() else None, highlight=False)
