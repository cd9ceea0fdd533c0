"""`gavial keygen`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gavial.cli import output
from gavial.cli.options import JsonOption

_EXAMPLE = "\b\nExample:\n  gavial keygen --to ~/.config/gavial/alice.pem"


def keygen(
    to: Annotated[
        Path,
        typer.Option("--to", metavar="FILE", help="Where the private key goes; never over a file."),
    ],
    as_json: JsonOption = False,
) -> None:
    """Make a key that signs releases."""
    from gavial.registry import keys

    place = to.expanduser()
    made = keys.generate(place)
    beside = keys.public_file(place)
    if as_json:
        output.document(
            {"private": str(place), "public": str(beside), "fingerprint": made.fingerprint}
        )
        return
    output.note(
        f"{place} is your private key: it stays here, and only you can read it.\n"
        "To sign each deploy, in ~/.config/gavial/config.toml:\n"
        "[signing]\n"
        f'key = "{place.absolute()}"\n'
        f"{beside} is its public half, for those who verify. In their gavial.toml or config.toml:\n"
        "[[trust]]\n"
        'groups = ["com.acme"]\n'
        f'keys = ["{beside.name}"]'
    )
    output.line(made.fingerprint)


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(keygen)
