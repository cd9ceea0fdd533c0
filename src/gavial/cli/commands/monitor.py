"""`gavial monitor`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gavial.cli import documents, monitor_view, output, progress
from gavial.cli.options import JsonOption, RepositoryOption
from gavial.errors import ConfigurationError

if TYPE_CHECKING:
    from gavial.registry.monitor import Asked
    from gavial.registry.monitored import Monitored

_CHECK = (
    "\b\nExample:\n  gavial monitor check com.acme:churn --states states/ --tell\n"
    "  gavial monitor check com.acme:churn@champion --states s3://lake/states --json"
)
_SCAN = (
    "\b\nExample:\n  gavial monitor scan com.acme:churn --scored scored/ --time scored_at \\\n"
    "    --labels outcomes/ --on order_id --label left --states states/ --tell"
)
_TEST = "\b\nExample:\n  gavial monitor test-channels"

monitor_app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Watch how a model does, and be told when it fails.",
    epilog=_CHECK,
)

WhatArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODULE",
        help="group:artifact; with a selector or @alias, only the versions that it means.",
        show_default=False,
    ),
]
StatesOption = Annotated[
    str,
    typer.Option(
        metavar="URI", help="The folder or URI that keeps what was counted.", show_default=False
    ),
]
RulesOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A TOML file of rules. Without it: what the references teach.",
        show_default=False,
    ),
]
VersionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--version",
        metavar="SELECTOR",
        help="Versions to look at alone, such as 1.0.+.",
        show_default=False,
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Leave out windows that began earlier: a day, or a time, in UTC.",
        show_default=False,
    ),
]
ReferenceOption = Annotated[
    str | None,
    typer.Option(
        "--reference-until",
        metavar="TIME",
        help="Windows until then are the reference of versions that were released without one.",
        show_default=False,
    ),
]
TellOption = Annotated[
    bool,
    typer.Option("--tell/--no-tell", help="Tell the configured channels, and publish gauges."),
]


@monitor_app.command(epilog=_CHECK)
def check(
    what: WhatArgument,
    states: StatesOption,
    rules: RulesOption = None,
    version: VersionOption = None,
    since: SinceOption = None,
    reference_until: ReferenceOption = None,
    tell: TellOption = False,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge what is kept, without Spark. Exits with 0 (ok), 4 (alert) or 5 (not enough data)."""
    from gavial.registry import monitor

    asked = asked_of(what, repository, rules, version, since, reference_until, tell=tell)
    with progress.shown(f"Judging {what}"):
        found = monitor.check(states, asked)
    _end(found, as_json=as_json)


@monitor_app.command(epilog=_SCAN)
def scan(
    what: WhatArgument,
    scored: Annotated[
        str,
        typer.Option(
            metavar="PATH|TABLE", help="The records that the model scored.", show_default=False
        ),
    ],
    time: Annotated[
        str,
        typer.Option(metavar="COLUMN", help="When a record was scored.", show_default=False),
    ],
    states: StatesOption,
    window: Annotated[
        str,
        typer.Option(metavar="PERIOD", help="hour, day, week, month, quarter or year."),
    ] = "day",
    zone: Annotated[
        str, typer.Option(metavar="ZONE", help="Whose clocks, such as Europe/Paris.")
    ] = "UTC",
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="PATH|TABLE",
            help="What came true, where the records do not have it.",
            show_default=False,
        ),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="What names a record, in records and labels.",
            show_default=False,
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="What came true, in the labels.", show_default=False),
    ] = None,
    label_time: Annotated[
        str,
        typer.Option(
            metavar="COLUMN", help="When it was known, in the labels.", show_default=False
        ),
    ] = "",
    segment: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Count also apart by its values.", show_default=False),
    ] = None,
    watermark_col: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="What names the version. Without it: as the release says.",
            show_default=False,
        ),
    ] = None,
    rules: RulesOption = None,
    tell: TellOption = False,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count scored records, keep that, and judge all that is kept, as check does.

    Starts Spark on this machine; under spark-submit its session is taken.
    """
    from gavial.registry.monitor import monitor
    from gavial.spark import dataset, local
    from gavial.spark.monitoring.labels import Labels

    if labels is None and (on or label or label_time):
        raise typer.BadParameter("--on, --label and --label-time are of --labels, which is missing")
    if labels is not None and not (on and label):
        raise typer.BadParameter("--labels needs --on and --label beside it")
    with progress.shown(f"Counting what {what} scored"), local.given_or_started():
        late = None
        if labels is not None:
            late = Labels(dataset.read(labels), on or (), label or "", label_time)
        found = monitor(
            dataset.read(scored),
            what,
            repository,
            time=time,
            window=window,
            zone=zone,
            labels=late,
            segments=segment or (),
            watermark_col=watermark_col,
            states=states,
            rules=rules,
            tell=tell,
        )
    _end(found, as_json=as_json)


@monitor_app.command("test-channels", epilog=_TEST)
def try_channels(as_json: JsonOption = False) -> None:
    """Send a test message through every configured channel. Commands are not run."""
    from gavial.registry import places, tell

    settings = places.settings().monitor
    if not settings.channels:
        raise ConfigurationError(f"{tell.NO_CHANNELS}.")
    with progress.shown("Telling the channels"):
        found = tell.try_out(settings)
    if as_json:
        output.document({"deliveries": [one.to_json() for one in found]})
    else:
        rows = [(one.channel, one.kind, one.outcome, one.problem) for one in found]
        output.table(("channel", "kind", "outcome", "problem"), rows)
    if any(one.outcome == tell.FAILED for one in found):
        raise typer.Exit(1)


def asked_of(
    what: str,
    repository: str | None,
    rules: Path | None,
    versions: list[str] | None,
    since: str | None,
    reference_until: str | None,
    *,
    tell: bool = False,
) -> Asked:
    """What the options of a command ask of kept states."""
    from gavial.registry.monitor import Asked

    return Asked(
        what,
        repository,
        rules,
        tuple(versions or ()),
        _instant(since, "--since"),
        _instant(reference_until, "--reference-until"),
        tell,
    )


def _instant(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{option} {text!r}: expected a day or a time, such as 2026-03-01"
        ) from error
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when


def _end(found: Monitored, *, as_json: bool) -> None:
    if as_json:
        output.document(documents.plain(found.to_json()))
    else:
        monitor_view.render(found)
    monitor_view.notes(found)
    raise typer.Exit(found.status.exit_code)


def register(app: typer.Typer) -> None:
    app.add_typer(monitor_app, name="monitor")
