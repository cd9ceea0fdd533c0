"""`gavial verify`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gavial.cli import documents, output, progress
from gavial.cli.options import GavArgument, JsonOption, RepositoryOption

if TYPE_CHECKING:
    from gavial.registry.verify import Report

_EXAMPLE = (
    "\b\nExample:\n  gavial verify com.acme:churn:1.0.3\n"
    "  gavial verify com.acme:churn:1.0.3 --key keys/alice.pub --json\n"
    "  gavial verify com.acme:churn:1.0.3 --golden"
)
_OUTCOMES = {True: "yes", False: "NO", None: "-"}


def verify(
    gav: GavArgument,
    repository: RepositoryOption = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="A public key that must have signed it; one of several. Repeatable.",
        ),
    ] = None,
    authority: Annotated[
        Path | None,
        typer.Option(
            "--ca",
            metavar="FILE",
            help="The authority of the certificate that must have signed it.",
            show_default=False,
        ),
    ] = None,
    golden: Annotated[
        bool,
        typer.Option(
            "--golden",
            help="Start Spark here, score the release's example records again, and compare.",
        ),
    ] = False,
    allow_sql: Annotated[
        bool, typer.Option("--allow-sql", help="Let --golden run the model's own SQL.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check all that a release says of itself, and who signed it."""
    from gavial.registry import golden as sample
    from gavial.registry import verify as registry
    from gavial.registry.catalog import repository as opened

    with progress.shown(f"Verifying {gav}") as transferred:
        release = opened(repository).release(gav)
        with sample.session(release, repository) if golden else nullcontext():
            report = registry.verify(
                release,
                keys=key or (),
                authority=authority,
                golden=golden,
                allow_sql=allow_sql,
                progress=transferred,
            )
    if as_json:
        output.document(
            {
                "coordinate": report.coordinate,
                "repository": documents.place(release.repository),
                "passed": report.passed,
                "checks": [
                    {
                        "name": one.name,
                        "passed": one.passed,
                        "detail": one.detail,
                        "problems": list(one.problems),
                    }
                    for one in report.checks
                ],
            }
        )
    else:
        _render(report)
    if not report.passed:
        raise typer.Exit(1)


def _render(report: Report) -> None:
    output.heading(report.coordinate)
    output.table(
        ("check", "passed", "what was found"),
        [(one.name, _OUTCOMES[one.passed], one.detail) for one in report.checks],
    )
    for one in report.checks:
        for problem in one.problems:
            output.note(f"{one.name}: {problem}")


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(verify)
