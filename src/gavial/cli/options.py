"""Options and arguments that several commands share."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

RepositoryOption = Annotated[
    str | None,
    typer.Option(
        "--repository",
        metavar="R",
        help="A configured id, a URL or a folder. Without it: the default.",
        show_default=False,
    ),
]
VerifiedOption = Annotated[
    bool,
    typer.Option(
        "--verified",
        help="Fetch and verify the models first, and let Spark take those files and no other.",
    ),
]
FastStartOption = Annotated[
    bool,
    typer.Option(
        "--fast-start",
        help="Java flags for a short job: Spark starts in about half of the time.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Write one JSON document and nothing else.")
]
OwnerOption = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="Who answers for it. Without it: what GAVIAL_OWNER says.",
        show_default=False,
    ),
]
WhyOption = Annotated[
    str, typer.Option(metavar="TEXT", help="Why, in a sentence.", show_default=False)
]
ExpectedOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        help="The record that you saw, 0 for none: if another is the newest, nothing is set.",
        show_default=False,
    ),
]
ModuleArgument = Annotated[
    str,
    typer.Argument(metavar="GROUP:ARTIFACT", help="The model.", show_default=False),
]
GavArgument = Annotated[
    str,
    typer.Argument(
        metavar="GAV",
        help="group:artifact[:selector] or group:artifact@alias, such as com.acme:churn:1.0.+",
        show_default=False,
    ),
]
GavsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="GAV",
        help="group:artifact[:selector] or group:artifact@alias of each model, such as "
        "com.acme:churn:1.0.+",
        show_default=False,
    ),
]


def pairs(given: list[str], option: str, example: str) -> dict[str, str]:
    """The `name=value` of a repeated option.

    Raises:
        typer.BadParameter: one has no name or no `=`, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{option} {text!r}: expected name=value, such as {example}")
        if name in found:
            raise typer.BadParameter(f"{option} names {name!r} twice: keep one value")
        found[name] = value
    return found


def numbers(given: list[str], option: str, example: str) -> dict[str, float]:
    """The `name=number` of a repeated option.

    Raises:
        typer.BadParameter: as `pairs`, or a value is no number.
    """
    found: dict[str, float] = {}
    for name, value in pairs(given, option, example).items():
        try:
            found[name] = float(value)
        except ValueError as error:
            raise typer.BadParameter(
                f"{option} {name}={value!r}: expected a number, such as {example}"
            ) from error
    return found


def values(given: list[str], option: str, example: str) -> dict[str, Any]:
    """The `name=json` of a repeated option; what is no JSON is a text.

    Raises:
        typer.BadParameter: as `pairs`.
    """
    found: dict[str, Any] = {}
    for name, value in pairs(given, option, example).items():
        try:
            found[name] = json.loads(value)
        except (ValueError, RecursionError):
            found[name] = value
    return found
