"""`gavial list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gavial.cli import documents, output, progress
from gavial.cli.options import JsonOption, RepositoryOption

if TYPE_CHECKING:
    from gavial.registry.catalog import ModelRepository

_EXAMPLE = "\b\nExample:\n  gavial list --repository models\n  gavial list com.acme:churn --json"


def list_(
    module: Annotated[
        str | None,
        typer.Argument(
            metavar="[GROUP:ARTIFACT]", help="A model, for its versions.", show_default=False
        ),
    ] = None,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the models, or the versions of one, newest first."""
    from gavial.registry.catalog import repository as opened

    store = opened(repository)
    if module is None:
        _models(store, as_json)
    else:
        _versions(store, module, as_json)


def _models(store: ModelRepository, as_json: bool) -> None:
    with progress.shown(f"Listing {store.id}"):
        found = [(str(module), str(store.versions(module)[-1])) for module in store.modules()]
    if as_json:
        models = [{"module": module, "newest": newest} for module, newest in found]
        output.document({"repository": documents.place(store), "models": models})
    elif found:
        output.table(("model", "newest"), found)
    else:
        output.note(f"no models in repository {store.id!r} ({store.url})")


def _versions(store: ModelRepository, module: str, as_json: bool) -> None:
    with progress.shown(f"Listing {module}"):
        there = store.all_versions(module)
    newest_first = [str(version) for version in reversed(there.releases)]
    if there.foreign:
        output.note(
            f"warning: {module} has versions by others, which no selector means here but Ivy may "
            f"take: {', '.join(there.foreign)}"
        )
    if there.withdrawn:
        output.note(f"withdrawn: {', '.join(map(str, there.withdrawn))}")
    if as_json:
        output.document(
            {
                "repository": documents.place(store),
                "module": module,
                "versions": newest_first,
                "foreign": list(there.foreign),
                "withdrawn": list(map(str, there.withdrawn)),
            }
        )
    else:
        output.table(("version",), [(version,) for version in newest_first])


def register(app: typer.Typer) -> None:
    app.command("list", epilog=_EXAMPLE)(list_)
