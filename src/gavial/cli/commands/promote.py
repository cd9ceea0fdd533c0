"""`gavial promote`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gavial.cli import output, progress
from gavial.cli.options import GavArgument, JsonOption, OwnerOption

if TYPE_CHECKING:
    from gavial.model.decision import Decision

_EXAMPLE = (
    "\b\nExample:\n"
    "  gavial promote com.acme:churn:1.0.3 --from staging --to releases \\\n"
    "    --policy promotion.toml --dry-run"
)
_TOLD = {
    "promoted": "promoted to",
    "there": "there already, with the same bytes, in",
    "would be promoted": "would be promoted to",
    "refused": "refused for",
}


def promote(
    gav: GavArgument,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="R",
            help="Where it is: a configured id, a URL or a folder.",
            show_default=False,
        ),
    ],
    target: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="R",
            help="Where it is to go: a configured id, a URL or a folder.",
            show_default=False,
        ),
    ],
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The gates, in TOML. Without it: the configured ones, if any.",
            show_default=False,
        ),
    ] = None,
    comparison: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What gavial compare check --json said, for a policy that asks for it.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask every gate, and change nothing.")
    ] = False,
    why: Annotated[
        str, typer.Option(metavar="TEXT", help="A sentence for the record.", show_default=False)
    ] = "",
    owner: OwnerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a release to the next repository, by a policy."""
    from gavial.registry.golden import finding_here
    from gavial.registry.promote import promote

    with progress.shown(f"Promoting {gav}") as transferred:
        found = promote(
            gav,
            source,
            target,
            policy=policy,
            dry_run=dry_run,
            why=why,
            owner=owner,
            progress=transferred,
            score=partial(finding_here, source),
            comparison=comparison,
        )
    if as_json:
        output.document(found.to_json())
    else:
        _render(found)
    if not found.passed:
        raise typer.Exit(1)


def _render(found: Decision) -> None:
    output.heading(found.coordinate)
    output.table(
        ("gate", "passed", "evidence"),
        [(one.name, "yes" if one.passed else "NO", one.evidence) for one in found.gates],
    )
    for reason in found.reasons:
        output.note(reason)
    if found.policy is None:
        output.note("no policy was named or configured, so no more was asked for than that")
    output.note(f"{_TOLD[found.outcome]} {found.target.id!r} ({found.target.url})")


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(promote)
