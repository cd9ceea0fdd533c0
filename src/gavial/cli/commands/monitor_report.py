"""`gavial monitor report`."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gavial.cli import output, progress
from gavial.cli.commands.monitor import (
    ReferenceOption,
    RulesOption,
    SinceOption,
    StatesOption,
    VersionOption,
    WhatArgument,
    asked_of,
    monitor_app,
)
from gavial.cli.options import JsonOption, RepositoryOption
from gavial.errors import ConfigurationError
from gavial.reports import html as pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gavial.monitoring.verdict import Watched
    from gavial.reports.drawing import Drawing

_EXAMPLE = (
    "\b\nExample:\n  gavial monitor report com.acme:churn --states states/ --output churn.html\n"
    "  gavial monitor report com.acme:churn --states states/ --charts charts/ --format png"
)


class Format(StrEnum):
    """Of a chart in a file of its own."""

    SVG = "svg"
    PNG = "png"


OutputOption = Annotated[
    Path, typer.Option("--output", metavar="FILE", help="Where the page is written.")
]
ChartsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Write each chart into this folder as well.", show_default=False
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="Of those charts.")]


def report(
    what: WhatArgument,
    states: StatesOption,
    output_: OutputOption = Path("report.html"),
    charts: ChartsOption = None,
    format_: FormatOption = Format.SVG,
    title: Annotated[
        str, typer.Option(metavar="TEXT", help="Of the page.", show_default=False)
    ] = "",
    rules: RulesOption = None,
    version: VersionOption = None,
    since: SinceOption = None,
    reference_until: ReferenceOption = None,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what is kept as one page to hand to somebody, and its charts if they are wanted.

    Versions that count in other bins, as those of another major may, have a page of their own.
    Exits with 0 whatever the verdict is: that is for check.
    """
    from gavial.registry import monitor
    from gavial.reports import charts as drawn
    from gavial.reports import page

    asked = asked_of(what, repository, rules, version, since, reference_until)
    with progress.shown(f"Judging {what}"):
        found = monitor.check(states, asked)
    made = datetime.now(UTC)
    written: list[Path] = []
    with progress.shown(f"Drawing {what}"):
        for number, part in enumerate(_newest_first(found.parts) or (_nothing(found.module),), 1):
            place = numbered(output_, number)
            pages.write(place, page.monitoring(part, made=made, title=title))
            written.append(place)
            if charts is not None:
                written += write(drawn.drawings(part), numbered(charts, number), format_)
    tell(written, {"module": found.module, "status": found.status.value}, as_json=as_json)


def numbered(place: Path, number: int) -> Path:
    """The first is what was asked for; the others are beside it.

    >>> str(numbered(Path("a/report.html"), 1)), str(numbered(Path("a/report.html"), 2))
    ('a/report.html', 'a/report-2.html')
    """
    return place if number == 1 else place.with_name(f"{place.stem}-{number}{place.suffix}")


def write(drawings: Mapping[str, Drawing], folder: Path, kind: Format) -> list[Path]:
    """Write charts into a folder, which is made.

    Raises:
        ConfigurationError: it cannot be written there.
    """
    written = []
    for name, drawing in drawings.items():
        data = drawing.png() if kind is Format.PNG else drawing.svg().encode()
        place = folder / f"{name}.{kind}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        except OSError as error:
            raise ConfigurationError(
                f"{str(place)!r} cannot be written: {error.strerror or error}."
            ) from error
        written.append(place)
    return written


def tell(written: list[Path], facts: Mapping[str, object], *, as_json: bool) -> None:
    """Say what was written."""
    if as_json:
        output.document({**facts, "files": list(map(str, written))})
        return
    for place in written:
        output.line(str(place))


def _newest_first(parts: tuple[Watched, ...]) -> list[Watched]:
    """By the last window that a version has a record in."""
    from gavial.reports import series

    def last(part: Watched) -> tuple[object, ...]:
        return tuple(max((series.windows(one)[-1:] for one in part.verdicts), default=[]))

    return sorted(parts, key=last, reverse=True)


def _nothing(module: str) -> Watched:
    from gavial.monitoring.profile import UNLABELLED, Profile
    from gavial.monitoring.verdict import Watched

    return Watched(module, Profile(UNLABELLED), {}, {}, ())


def register(_: typer.Typer) -> None:
    monitor_app.command(epilog=_EXAMPLE)(report)
