"""`gavial alias`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gavial.cli import documents, output, progress
from gavial.cli.options import (
    ExpectedOption,
    JsonOption,
    ModuleArgument,
    OwnerOption,
    RepositoryOption,
    WhyOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gavial.registry.alias import Alias

_SET = (
    "\b\nExample:\n"
    '  gavial alias set com.acme:churn champion 1.0.3 --why "best on the holdout of May"'
)
_LIST = "\b\nExample:\n  gavial alias list com.acme:churn"
_HISTORY = "\b\nExample:\n  gavial alias history com.acme:churn champion --json"
_HEADERS = ("alias", "version", "record", "when", "who", "why")

NameArgument = Annotated[
    str,
    typer.Argument(metavar="ALIAS", help="Its name, such as champion.", show_default=False),
]


def set_(
    module: ModuleArgument,
    name: NameArgument,
    version: Annotated[
        str,
        typer.Argument(metavar="VERSION", help="A release, such as 1.0.3.", show_default=False),
    ],
    why: WhyOption = "",
    owner: OwnerOption = None,
    expected: ExpectedOption = None,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an alias mean a release. To roll back is the same."""
    from gavial.registry.catalog import repository as opened

    store = opened(repository)
    with progress.shown(f"Setting {name} of {module}"):
        found = store.set_alias(module, name, version, why=why, owner=owner, expected=expected)
    if as_json:
        output.document({"repository": documents.place(store), **document(found)})
        return
    output.note(f"{found} is at record {found.number} in {store.id!r} ({store.url})")
    output.line(str(found.coordinate))


def list_(
    module: ModuleArgument, repository: RepositoryOption = None, as_json: JsonOption = False
) -> None:
    """List the aliases of a model, and what they mean now."""
    from gavial.registry.catalog import repository as opened

    store = opened(repository)
    with progress.shown(f"Listing the aliases of {module}"):
        found = store.aliases(module)
    if as_json:
        described = list(map(document, found))
        output.document({"repository": documents.place(store), "aliases": described})
    elif found:
        _table(found)
    else:
        output.note(f"no aliases of {module} in repository {store.id!r} ({store.url})")


def history(
    module: ModuleArgument,
    name: NameArgument,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an alias has meant, newest first."""
    from gavial.registry.catalog import repository as opened

    store = opened(repository)
    with progress.shown(f"Reading {name} of {module}"):
        found = store.alias_history(module, name)
    if as_json:
        described = list(map(document, found))
        output.document({"repository": documents.place(store), "history": described})
    else:
        _table(found)


def document(one: Alias) -> dict[str, Any]:
    """An alias as JSON values."""
    return {
        "model": str(one.model),
        "alias": one.name,
        "coordinate": str(one.coordinate),
        "number": one.number,
        "who": one.who,
        "owner": one.owner,
        "when": one.when,
        "why": one.why,
    }


def _table(found: Sequence[Alias]) -> None:
    rows = [
        (one.name, one.coordinate.version, one.number, one.when, one.owner or one.who, one.why)
        for one in found
    ]
    output.table(_HEADERS, rows)


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        rich_markup_mode=None,
        no_args_is_help=True,
        help="Set, list and look back on names for releases.",
        epilog=_SET,
    )
    group.command("set", epilog=_SET)(set_)
    group.command("list", epilog=_LIST)(list_)
    group.command(epilog=_HISTORY)(history)
    app.add_typer(group, name="alias")
