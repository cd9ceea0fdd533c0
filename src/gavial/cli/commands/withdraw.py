"""`gavial withdraw`."""

from __future__ import annotations

from typing import Annotated

import typer

from gavial.cli import documents, output, progress
from gavial.cli.options import JsonOption, OwnerOption, RepositoryOption

_EXAMPLE = (
    "\b\nExample:\n"
    '  gavial withdraw com.acme:churn:1.0.3 --why "trained on the wrong month"\n'
    '  gavial withdraw com.acme:churn:1.0.3 --undo --why "it was the right month"'
)


def withdraw(
    gav: Annotated[
        str,
        typer.Argument(
            metavar="GAV",
            help="group:artifact:major.minor.build, such as com.acme:churn:1.0.3",
            show_default=False,
        ),
    ],
    why: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="In a sentence: whoever uses it is told.", show_default=False
        ),
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Take the withdrawal back.")] = False,
    owner: OwnerOption = None,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a release out of what selectors and Ivy see. Its exact coordinate still resolves."""
    from gavial.registry.catalog import repository as opened

    store = opened(repository)
    with progress.shown(f"Withdrawing {gav}"):
        act = store.reinstate if undo else store.withdraw
        done = act(gav, why=why, owner=owner)
    if as_json:
        output.document(
            {
                "repository": documents.place(store),
                "coordinate": str(done.coordinate),
                "withdrawn": done.is_withdrawn,
                "number": done.number,
                "who": done.who,
                "owner": done.owner,
                "when": done.when,
                "why": done.why,
            }
        )
        return
    state = "is withdrawn" if done.is_withdrawn else "is withdrawn no more"
    output.note(f"{state} by record {done.number} in {store.id!r} ({store.url})")
    output.line(str(done.coordinate))


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(withdraw)
