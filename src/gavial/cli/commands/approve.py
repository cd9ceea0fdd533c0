"""`gavial approve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gavial.cli import output, progress
from gavial.cli.options import GavArgument, JsonOption, OwnerOption, RepositoryOption

_EXAMPLE = (
    "\b\nExample:\n"
    "  gavial approve com.acme:churn:1.0.3 --repository staging --key keys/bob.pem \\\n"
    '    --why "reviewed with the risk team"'
)


def approve(
    gav: GavArgument,
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why, in a sentence.")],
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="KEY",
            help="The file of the private key that signs it. Without it: the configured one.",
            show_default=False,
        ),
    ] = None,
    owner: OwnerOption = None,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve a release with a signature, for a policy that asks."""
    from gavial.registry.approve import approve

    with progress.shown(f"Approving {gav}"):
        found = approve(gav, repository, key=key, why=why, owner=owner)
    if as_json:
        output.document(found.to_json())
        return
    output.note(f"approved by the key {found.key}, as record {found.number}")
    output.line(found.coordinate)


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(approve)
