"""`gavial list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gavial.cli import documents, output, progress
from gavial.cli.options import JsonOption, RepositoryOption

if TYPE_CHECKING:
    from gavial.registry.catalog import ModelRepository
    from gavial.registry.find import Findings

_EXAMPLE = (
    "\b\nExample:\n  gavial list --repository models\n  gavial list com.acme:churn --json\n"
    "  gavial list --where 'metrics.auc>0.8' --where labels.team=risk --sort -metrics.auc\n"
    "  gavial list com.acme:churn --where 'created>=2026-10 and stage=KMeansModel'"
)


def list_(
    module: Annotated[
        str | None,
        typer.Argument(
            metavar="[GROUP:ARTIFACT]", help="A model, for its versions.", show_default=False
        ),
    ] = None,
    repository: RepositoryOption = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="CONDITION",
            help="Releases whose card meets it, such as 'metrics.auc>0.8'; all of several.",
        ),
    ] = None,
    sort: Annotated[
        list[str] | None,
        typer.Option(
            "--sort",
            metavar="FIELD",
            help="Releases by a field, such as created; -metrics.auc for the highest first.",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="So many releases at most.")
    ] = None,
    all_repositories: Annotated[
        bool, typer.Option("--all-repositories", help="Releases of every configured repository.")
    ] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Read every card again, and not what was kept.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the models, versions of one, or what meets conditions."""
    if where or sort or limit is not None or all_repositories or refresh:
        _found(module, repository, where, sort, limit, all_repositories, refresh, as_json)
        return
    from gavial.registry.catalog import repository as opened

    store = opened(repository)
    if module is None:
        _models(store, as_json)
    else:
        _versions(store, module, as_json)


def _found(
    module: str | None,
    repository: str | None,
    where: list[str] | None,
    sort: list[str] | None,
    limit: int | None,
    all_repositories: bool,
    refresh: bool,
    as_json: bool,
) -> None:
    from gavial.registry import find, places

    if all_repositories and repository is not None:
        raise typer.BadParameter("--all-repositories and --repository: name one of them")
    stores = places.open_all() if all_repositories else (places.open_named(repository),)
    with progress.shown("Reading model cards", counted=True) as transferred:
        findings = find.find(
            stores,
            where or (),
            sort or (),
            module=module,
            limit=limit,
            refresh=refresh,
            progress=transferred,
        )
    if as_json:
        output.document(
            {
                "repositories": [documents.place(one) for one in stores],
                "unavailable": dict(findings.unavailable),
                "releases": [
                    {
                        "coordinate": str(one.coordinate),
                        "repository": one.repository.id,
                        "facts": documents.plain(one.facts),
                    }
                    for one in findings.found
                ],
            }
        )
    else:
        _render(findings, [*(where or ()), *(sort or ())], several=len(stores) > 1)
    for name, problem in findings.unavailable.items():
        output.note(f"repository {name!r} was left out: {problem}")
    if findings.unavailable:
        raise typer.Exit(1)


def _render(findings: Findings, asked: list[str], *, several: bool) -> None:
    """A table with a column for each field that was asked about."""
    from gavial.model.query import fields_of

    if not findings.found:
        output.note("no release meets these conditions")
        return
    shown = ("model", "version", "repository", "created", "owner")
    fields = [one for one in fields_of(asked) if one.name not in shown]
    rows = []
    for one in findings.found:
        row = [str(one.coordinate), *([one.repository.id] if several else [])]
        row += [str(one.facts.get(name, "")) for name in ("created", "owner")]
        rows.append(row + [", ".join(map(_text, field.values(one.facts))) for field in fields])
    place = ("repository",) if several else ()
    output.table(("release", *place, "created", "owner", *map(str, fields)), rows)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


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
