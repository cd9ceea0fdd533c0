"""`gavial run`."""

from __future__ import annotations

import typer
from typer.core import TyperCommand

from gavial.cli import launch, output, progress
from gavial.cli.options import FastStartOption, GavsArgument, RepositoryOption, VerifiedOption

_EXAMPLE = (
    "\b\nExample:\n  gavial run com.acme:churn:latest.release -- pyspark\n"
    "  gavial run com.acme:churn:1.+ -- spark-submit --master yarn job.py\n"
    "  gavial run com.acme:churn:1.+ -- python job.py"
)
_COMMAND = "gavial.command"


class _WithCommand(TyperCommand):
    """What stands after `--` is another program's and is not parsed."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if "--" in args:
            at = args.index("--")
            ctx.meta[_COMMAND] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return [*super().collect_usage_pieces(ctx), "-- COMMAND…"]


def run(
    context: typer.Context,
    gavs: GavsArgument,
    repository: RepositoryOption = None,
    verified: VerifiedOption = False,
    fast_start: FastStartOption = False,
) -> None:
    """Run a command of Spark's with models added to it.

    They are added to its own --packages, and credentials to its environment alone. A command that
    is none of Spark's gets PYSPARK_SUBMIT_ARGS. The exit code is the command's.
    """
    from gavial.registry.spark_conf import plan

    command = context.meta.get(_COMMAND)
    if not command:
        raise typer.BadParameter(
            "there is no command to run: put it after --, as in "
            f"gavial run {gavs[0]} -- {' '.join(gavs[1:]) or 'pyspark'}",
            ctx=context,
        )
    with progress.shown("Looking for the models") as transferred:
        made = plan(
            gavs, repository, verified=verified, fast_start=fast_start, progress=transferred
        )
    started = launch.prepared(command, made.conf, made.environment)
    for name in started.overruled:
        output.note(f"warning: the command's own {name} is used, and not that of gavial")
    raise typer.Exit(launch.become(started))


def register(app: typer.Typer) -> None:
    app.command(cls=_WithCommand, epilog=_EXAMPLE)(run)
