"""`gavial compare`: a challenger against a champion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gavial.cli import output, progress
from gavial.cli.commands import compare_route
from gavial.cli.options import JsonOption, RepositoryOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gavial.monitoring.comparison import Comparison
    from gavial.monitoring.route import Route

_EXAMPLE = (
    "\b\nExample:\n"
    "  gavial compare check scored/ --champion com.acme:churn:1.0.3 \\\n"
    "    --challenger com.acme:churn:1.0.4 --id customer --label left --margin 0.001\n"
    "  gavial compare check scored/ --route com.acme:churn@champion --id customer --json\n"
    "  gavial compare check comparison.json"
)
_ENDS = "Exits with 0 for a verdict, 4 where a challenger is worse, 5 where one is to keep going."

compare_app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Compare a challenger with a champion, side by side.",
    epilog=_EXAMPLE,
)


@compare_app.command(epilog=_EXAMPLE, help=f"Say whether a challenger is better. {_ENDS}")
def check(
    scored: Annotated[
        str,
        typer.Argument(
            metavar="PATH|TABLE",
            help="The scored records. Or a comparison in JSON, as --json writes it.",
            show_default=False,
        ),
    ],
    id: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="COLUMN", help="What names a record. Repeatable."),
    ] = None,
    champion: Annotated[
        str, typer.Option(metavar="GAV", help="Its exact coordinate.", show_default=False)
    ] = "",
    challenger: Annotated[
        list[str] | None,
        typer.Option(metavar="GAV", help="An exact coordinate. Repeatable."),
    ] = None,
    route: Annotated[
        str,
        typer.Option(
            metavar="GROUP:ARTIFACT@ALIAS",
            help="The route kept beside that alias, in place of both.",
            show_default=False,
        ),
    ] = "",
    label: Annotated[str, typer.Option(metavar="COLUMN", help="What came true.")] = "label",
    labels: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="Parquet files with what came true, by --id, where the records do not have it.",
            show_default=False,
        ),
    ] = "",
    label_time: Annotated[
        str,
        typer.Option(metavar="COLUMN", help="When it was known, in --labels.", show_default=False),
    ] = "",
    loss: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="log_loss, brier, zero_one, squared_error or absolute_error."
        ),
    ] = "log_loss",
    margin: Annotated[
        float, typer.Option(help="The difference of mean losses that is not worth having.")
    ] = 0.0,
    alpha: Annotated[
        float, typer.Option(help="How often a verdict may be false, over all looks together.")
    ] = 0.05,
    intended: Annotated[
        int, typer.Option(help="Labelled records after which to be most exact.")
    ] = 10_000,
    prediction: Annotated[
        str, typer.Option(metavar="COLUMN", help="What the model predicts.")
    ] = "prediction",
    score: Annotated[
        str,
        typer.Option(metavar="COLUMN", help="The probability of class 1, or a vector of all."),
    ] = "probability",
    time: Annotated[
        str, typer.Option(metavar="COLUMN", help="When; with it one look a window.")
    ] = "",
    window: Annotated[str, typer.Option(help="hour, day, week, month, quarter or year.")] = "day",
    zone: Annotated[str, typer.Option(help="The time zone of the windows.")] = "UTC",
    segment: Annotated[
        str, typer.Option(metavar="COLUMN", help="Look at each of its values apart, too.")
    ] = "",
    watermark_col: Annotated[
        str, typer.Option(metavar="COLUMN", help="What names the version.")
    ] = "pipeline",
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    from gavial.monitoring.outcome import Terms
    from gavial.monitoring.windows import Windows
    from gavial.registry import compared

    terms, windows = Terms(loss, margin, alpha, intended), Windows(window, zone)
    if scored.endswith(".json") and not Path(scored).is_dir():
        found = compared.read(scored)
    else:
        from gavial.spark import dataset, local
        from gavial.spark.comparing.compare import compare_all
        from gavial.spark.comparing.rows import Columns

        asked = _route(route, champion, challenger or [], repository)
        if not id:
            raise typer.BadParameter("--id COLUMN: name the column that names a record")
        if label_time and not labels:
            raise typer.BadParameter("--label-time is of --labels, which is missing")
        from gavial.spark.monitoring.labels import Labels

        with progress.shown(f"Comparing on {scored}"), local.given_or_started():
            late = Labels(dataset.read(labels), id, label, label_time) if labels else None
            columns = Columns(
                tuple(id), label, late, prediction, score, watermark_col, time, segment
            )
            found = compare_all(dataset.read(scored), asked, columns, terms, windows)
    if as_json:
        output.document(document(found))
    else:
        render(found)
    raise typer.Exit(exit_code(found))


def document(found: Sequence[Comparison]) -> dict[str, Any]:
    """One comparison as it is; several under `comparisons`."""
    if len(found) == 1:
        return found[0].to_json()
    return {"format": 1, "comparisons": [one.to_json() for one in found]}


def render(found: Sequence[Comparison]) -> None:
    """For people: each verdict, the numbers of the newest look, and the reasons."""
    for one in found:
        segment = f" ({one.segment})" if one.segment else ""
        output.heading(f"{one}{segment}")
        rows = [
            (look.window or "all", look.n, f"{look.difference:+.4g}", f"{look.low:.4g}",
             f"{look.high:.4g}")
            for look in one.looks[:-11:-1]
        ]  # fmt: skip
        if rows:
            output.table(("until", "records", one.loss, "from", "to"), rows)
        for reason in one.reasons:
            output.note(reason)
        if one.needed is not None:
            output.note(f"about {one.needed} more labelled records may bring a verdict")


def exit_code(found: Sequence[Comparison]) -> int:
    """4 where a challenger is worse on all records, else 5 where one is to keep going, else 0."""
    codes = {one.outcome.exit_code for one in found if not one.segment} or {
        one.outcome.exit_code for one in found
    }
    return next((code for code in (4, 5) if code in codes), 0)


def _route(named: str, champion: str, challengers: Sequence[str], repository: str | None) -> Route:
    from gavial.monitoring.route import Route
    from gavial.registry import places, route

    if named:
        if champion or challengers:
            raise typer.BadParameter("--route says which versions: leave the others out")
        return route.named(places.open_named(repository), named)
    if not champion or not challengers:
        raise typer.BadParameter("name --champion and --challenger, or --route")
    return Route.shadow(champion, *challengers)


def register(app: typer.Typer) -> None:
    compare_app.add_typer(compare_route.route_app, name="route")
    app.add_typer(compare_app, name="compare")
