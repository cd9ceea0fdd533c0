"""`gavial deploy`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gavial.cli import documents, output, progress
from gavial.cli.options import JsonOption, RepositoryOption, numbers, pairs, values

_EXAMPLE = (
    "\b\nExample:\n"
    "  gavial deploy saved/churn com.acme:churn:1.0 --metric auc=0.87 \\\n"
    '    --description "Who leaves within three months"'
)


def deploy(
    saved_model: Annotated[
        Path,
        typer.Argument(metavar="SAVED_MODEL", help="The directory of a saved PipelineModel."),
    ],
    gav: Annotated[
        str,
        typer.Argument(
            metavar="GAV",
            help="group:artifact:major.minor gets the next build of that line; with all three "
            "numbers, that very version.",
        ),
    ],
    repository: RepositoryOption = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="What the model achieved. Repeatable."),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TEXT", help="A further fact for the model card. Repeatable."),
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=JSON", help="A further fact that may be any JSON value. Repeatable."
        ),
    ] = None,
    training_data: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="A path or table that the card names as such."),
    ] = None,
    metrics_on: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Likewise what the metrics were measured on."),
    ] = None,
    description: Annotated[
        str, typer.Option(metavar="TEXT", help="What the model does.", show_default=False)
    ] = "",
    owner: Annotated[
        str, typer.Option(metavar="TEXT", help="Who answers for it.", show_default=False)
    ] = "",
    intended_use: Annotated[
        str, typer.Option(metavar="TEXT", help="What it is for, and for whom.", show_default=False)
    ] = "",
    limits: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="What it is not for, and where it is known to fail.",
            show_default=False,
        ),
    ] = "",
    licence: Annotated[
        str,
        typer.Option(metavar="SPDX", help="Its licence, such as Apache-2.0.", show_default=False),
    ] = "",
    requires: Annotated[
        list[str] | None,
        typer.Option(metavar="G:A:V", help="A JVM library that its stages need. Repeatable."),
    ] = None,
    python_module: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODULE",
            help="A Python module that its stages need, which travels in the jar. Repeatable.",
        ),
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(
            metavar="KEY",
            help="The file of the private key that signs the release. Without it: the configured.",
            show_default=False,
        ),
    ] = None,
    gpg: Annotated[
        str | None,
        typer.Option(
            metavar="KEYID",
            help="A key of gpg's, for an .asc beside each file.",
            show_default=False,
        ),
    ] = None,
    allow: Annotated[
        str,
        typer.Option(
            metavar="REASON",
            help="Release a build or a minor that breaks whoever uses the one before it; the card "
            "shows why.",
            show_default=False,
        ),
    ] = "",
    freeze: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS.PARAM",
            help="A parameter that no build may change, such as LogisticRegression.regParam or "
            "'*.maxIter'. Repeatable.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a release of a saved PipelineModel. Needs no Java."""
    from gavial.registry.deploy import deploy

    if python_module:
        sys.path.append(str(Path.cwd()))  # a script is not found from where it is called
    with progress.shown(f"Deploying {gav}") as transferred:
        release = deploy(
            saved_model,
            gav,
            repository,
            metrics=numbers(metric or [], "--metric", "auc=0.87"),
            description=description,
            owner=owner,
            intended_use=intended_use,
            limits=limits,
            fields=values(field or [], "--field", "regions='[\"eu\"]'"),
            training_data=training_data,
            metrics_on=metrics_on,
            licence=licence,
            labels=pairs(label or [], "--label", "team=retention"),
            requires=requires or (),
            python_modules=python_module or (),
            sign=sign,
            gpg=gpg,
            allow=allow,
            freeze=freeze or (),
            progress=transferred,
        )
    if as_json:
        output.document(documents.release(release))
        return
    output.note(f"released in {release.repository.id!r} ({release.repository.url})")
    output.line(str(release.coordinate))


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(deploy)
