"""`gavial lookup`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gavial import limits
from gavial.cli import lookup_view, output, progress
from gavial.cli.options import JsonOption, RepositoryOption
from gavial.errors import ConfigurationError, NotFound
from gavial.reports import html as pages

if TYPE_CHECKING:
    from gavial.model.scored import Scored
    from gavial.registry.looked_up import Lookup

_EXAMPLE = (
    "\b\nExample:\n  gavial lookup com.acme:churn:1.0.3\n"
    "  head -n 100 scored.jsonl | gavial lookup - --column pipeline\n"
    "  gavial lookup com.acme:churn:1.0.3 --html churn.html"
)
_MOST = 20  # releases of one call


def lookup(
    watermark: Annotated[
        str,
        typer.Argument(
            metavar="WATERMARK",
            help="Its value, such as com.acme:churn:1.0.3; or - for records on the standard input.",
            show_default=False,
        ),
    ],
    repository: RepositoryOption = None,
    column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Where records have it. Without it: wherever a value has its form.",
            show_default=False,
        ),
    ] = None,
    alias: Annotated[
        list[str] | None,
        typer.Option(
            "--alias", metavar="NAME", help="An alias to look for where none can be listed."
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page to hand to somebody.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell who answers for what scored a record."""
    from gavial.model import scored

    given = scored.read(_records() if watermark == "-" else watermark, column)
    if len(given.versions) > _MOST:
        raise ConfigurationError(
            f"These records were scored by {len(given.versions)} releases: {_MOST} are looked up "
            "at once. Pass fewer records."
        )
    if html is not None and len(given.versions) > 1:
        raise typer.BadParameter(f"--html shows one release, and there are {len(given.versions)}")
    if watermark == "-":
        _tell(given)
    found, missing = _found(given, repository, alias or [])
    if as_json:
        output.document(
            {
                "records": given.records,
                "unreleased": given.unreleased,
                "releases": [
                    {**one.to_json(), "records": given.versions[one.coordinate]} for one in found
                ],
                "missing": missing,
            }
        )
    for at, one in enumerate(found):
        if html is not None:
            pages.write(html, lookup_view.page(one))
            output.note(f"{one.coordinate} is shown in {html}")
        elif not as_json:
            if at:
                output.line()
            lookup_view.render(one)
    _end(found, missing)


def _found(
    given: Scored, repository: str | None, aliases: list[str]
) -> tuple[list[Lookup], dict[str, str]]:
    from gavial.registry.lookup import lookup as looked_up

    found: list[Lookup] = []
    missing: dict[str, str] = {}
    for one in given.versions:
        with progress.shown(f"Looking up {one}"):
            try:
                found.append(looked_up(one, repository, aliases=aliases))
            except NotFound as error:
                missing[str(one)] = str(error)
    return found, missing


def _end(found: list[Lookup], missing: dict[str, str]) -> None:
    """Say on the standard error what a reader of the result may pass over; and the exit code."""
    code = 0
    for text in missing.values():
        output.note(text)
        code = NotFound.exit_code
    for one in found:
        for name, problem in one.unavailable.items():
            output.note(f"repository {name!r} gave no answer: {problem}")
            code = 1
        for alarm in one.alarms:
            output.note(f"{one.coordinate}: {alarm}")
            code = 1
    if code:
        raise typer.Exit(code)


def _records() -> str:
    """What stands on the standard input."""
    data = sys.stdin.buffer.read(limits.SMALL_FILE + 1)
    if len(data) > limits.SMALL_FILE:
        raise ConfigurationError(
            f"More than {limits.SMALL_FILE} bytes of records: pass fewer, as with head -n 1000."
        )
    return data.decode("utf-8", errors="replace")


def _tell(given: Scored) -> None:
    several = [f"{one} ({count})" for one, count in given.versions.items()]
    if given.unreleased:
        several.append(f"unreleased ({given.unreleased})")
    output.note(f"records: {given.records}, scored by {', '.join(several)}")


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(lookup)
