"""`gavial compare route`: which versions run side by side, kept beside an alias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gavial.cli import documents, output, progress
from gavial.cli.options import (
    ExpectedOption,
    JsonOption,
    OwnerOption,
    RepositoryOption,
    WhyOption,
)

if TYPE_CHECKING:
    from gavial.maven.coordinate import Module
    from gavial.monitoring.route import Route
    from gavial.registry.catalog import ModelRepository
    from gavial.registry.route import Kept

_SET = (
    "\b\nExample:\n"
    "  gavial compare route set com.acme:churn@champion --challenger 1.0.4\n"
    "  gavial compare route set com.acme:churn@champion --split --challenger 1.0.4=0.1 \\\n"
    "    --key customer --salt churn-may"
)
_SHOW = "\b\nExample:\n  gavial compare route show com.acme:churn@champion"
_HISTORY = "\b\nExample:\n  gavial compare route history com.acme:churn@champion --json"
_END = '\b\nExample:\n  gavial compare route end com.acme:churn@champion --why "1.0.4 is promoted"'
_HEADERS = ("record", "mode", "champion", "challengers", "since", "who", "why")

AliasArgument = Annotated[
    str,
    typer.Argument(
        metavar="GROUP:ARTIFACT@ALIAS",
        help="The alias beside which it is kept, such as com.acme:churn@champion.",
        show_default=False,
    ),
]
route_app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Set, show, end and look back on routes: which versions run side by side.",
    epilog=_SET,
)


@route_app.command("set", epilog=_SET)
def set_(
    what: AliasArgument,
    challenger: Annotated[
        list[str],
        typer.Option(
            metavar="VERSION[=SHARE]",
            help="A release, such as 1.0.4; in a split with its share, as 1.0.4=0.1. Repeatable.",
            show_default=False,
        ),
    ],
    split: Annotated[
        bool, typer.Option("--split", help="Each key is served by one of them; not a shadow.")
    ] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="Challengers score stored records; not a shadow.")
    ] = False,
    key: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Of a split: who is treated alike. Repeatable."),
    ] = None,
    salt: Annotated[
        str,
        typer.Option(metavar="TEXT", help="Of a split: names this draw.", show_default=False),
    ] = "",
    why: WhyOption = "",
    owner: OwnerOption = None,
    expected: ExpectedOption = None,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let what an alias means run beside challengers. A split is ramped by another --challenger."""
    store, module, name = _opened(what, repository)
    if split and replay:
        raise typer.BadParameter("--split and --replay: a route is one of them")
    champion = str(store.alias(module, name).coordinate)
    route = _made(module, champion, challenger, tuple(key or ()), salt, split=split, replay=replay)
    with progress.shown(f"Setting the route of {what}"):
        found = store.set_route(module, name, route, why=why, owner=owner, expected=expected)
    _tell(store, found, as_json=as_json)


@route_app.command(epilog=_SHOW)
def show(
    what: AliasArgument, repository: RepositoryOption = None, as_json: JsonOption = False
) -> None:
    """Show the route that holds beside an alias."""
    store, module, name = _opened(what, repository)
    with progress.shown(f"Reading the route of {what}"):
        found = store.route(module, name)
    _tell(store, found, as_json=as_json)


@route_app.command(epilog=_HISTORY)
def history(
    what: AliasArgument, repository: RepositoryOption = None, as_json: JsonOption = False
) -> None:
    """Show what the route of an alias was, newest first."""
    store, module, name = _opened(what, repository)
    with progress.shown(f"Reading the route of {what}"):
        found = store.route_history(module, name)
    if as_json:
        described = list(map(document, found))
        output.document({"repository": documents.place(store), "history": described})
    else:
        output.table(_HEADERS, map(_row, found))


@route_app.command(epilog=_END)
def end(
    what: AliasArgument,
    why: WhyOption = "",
    owner: OwnerOption = None,
    expected: ExpectedOption = None,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """End the route of an alias: from now on what the alias means alone is served."""
    store, module, name = _opened(what, repository)
    with progress.shown(f"Ending the route of {what}"):
        found = store.set_route(module, name, None, why=why, owner=owner, expected=expected)
    _tell(store, found, as_json=as_json)


def document(one: Kept) -> dict[str, Any]:
    """A route that is kept, as JSON values."""
    return {
        "model": str(one.model),
        "alias": one.alias,
        "route": one.route.to_json() if one.route else None,
        "number": one.number,
        "who": one.who,
        "owner": one.owner,
        "when": one.when,
        "why": one.why,
    }


def _opened(what: str, repository: str | None) -> tuple[ModelRepository, Module, str]:
    from gavial.maven.selector import Request
    from gavial.registry.catalog import repository as opened

    request = Request.parse(what)
    if not request.alias:
        raise typer.BadParameter(f"{what!r} names no alias, as com.acme:churn@champion does")
    return opened(repository), request.module, request.alias


def _made(
    module: Module,
    champion: str,
    given: Sequence[str],
    key: tuple[str, ...],
    salt: str,
    *,
    split: bool,
    replay: bool,
) -> Route:
    from gavial.monitoring.route import Route

    if not split:
        if key or salt or any("=" in one for one in given):
            raise typer.BadParameter("--key, --salt and shares are of a --split")
        make = Route.replay if replay else Route.shadow
        return make(champion, *(f"{module}:{one}" for one in given))
    weights: dict[str, float] = {}
    for text in given:
        version, _, share = text.partition("=")
        try:
            weights[f"{module}:{version}"] = float(share)
        except ValueError as error:
            raise typer.BadParameter(
                f"--challenger {text!r}: expected its share too, as 1.0.4=0.1"
            ) from error
    rest = round(1 - sum(weights.values()), 9)
    return Route.split({champion: rest, **weights}, key=key, salt=salt)


def _tell(store: ModelRepository, found: Kept, *, as_json: bool) -> None:
    if as_json:
        output.document({"repository": documents.place(store), **document(found)})
        return
    output.note(f"{found} is at record {found.number} in {store.id!r} ({store.url})")
    output.line(str(found.route) if found.route else f"no route: what {found} means is served")


def _row(one: Kept) -> tuple[object, ...]:
    route, who = one.route, one.owner or one.who
    if route is None:
        return (one.number, "ended", "", "", one.when, who, one.why)

    def told(at: int) -> str:
        arm = route.arms[at]
        return f"{arm.version} ({arm.weight:.2%})" if arm.buckets else arm.version

    others = ", ".join(map(told, range(1, len(route.arms))))
    since = route.since.isoformat() if route.since else one.when
    return (one.number, str(route.mode), told(0), others, since, who, one.why)
