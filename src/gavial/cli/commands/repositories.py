"""`gavial repositories`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from gavial.cli import output, progress
from gavial.cli.commands import check, repair
from gavial.cli.options import JsonOption, RepositoryOption
from gavial.cli.probe import probed
from gavial.errors import ConfigurationError

if TYPE_CHECKING:
    from gavial.maven.settings import RepositorySettings, Settings

_EXAMPLE = "\b\nExample:\n  gavial repositories\n  gavial repositories --repository models --json"


def repositories(
    context: typer.Context, repository: RepositoryOption = None, as_json: JsonOption = False
) -> None:
    """Show what is configured, and what answers.

    Names the source of each setting, and shows no secret.
    """
    if context.invoked_subcommand is not None:
        return
    from gavial.maven.exposure import exposures
    from gavial.registry import places

    settings = places.settings()
    if repository is None:
        chosen, default = _configured(settings)
    else:
        chosen, default = [settings.find(repository)], _default(settings)
    with progress.shown("Asking the repositories"):
        answers = probed(chosen)
    found = [
        _described(one, one == default, answer) for one, answer in zip(chosen, answers, strict=True)
    ]
    if as_json:
        output.document({"repositories": found})
    else:
        _render(found)
    for problem in dict.fromkeys(problem for one in chosen for problem in exposures(one)):
        output.note(f"warning: {problem}")
    for name, sources in settings.without_url.items() if repository is None else ():
        output.note(f"repository {name!r} has no URL, only {sources}")


def _configured(settings: Settings) -> tuple[list[RepositorySettings], RepositorySettings | None]:
    """What is configured, with a default that is a URL and has no id."""
    chosen = list(settings.repositories.values())
    default = _default(settings)
    if default is not None and default not in chosen:
        chosen.append(default)
    return chosen, default


def _default(settings: Settings) -> RepositorySettings | None:
    try:
        return settings.find()
    except ConfigurationError as error:
        output.note(f"no default: {error}")
        if settings.default is not None:
            return settings.repositories.get(settings.default.value)
        return None


def _described(one: RepositorySettings, default: bool, answer: str) -> dict[str, Any]:
    from gavial.maven.setting_values import PARTS

    parts = {part: getattr(one, part) for part in PARTS}
    return {
        "id": one.id,
        "url": one.url.value,
        "default": default,
        "answer": answer,
        "settings": {
            # A Secret shows itself as stars, wherever it is written.
            part: {"value": str(setting.value), "from": setting.source}
            for part, setting in parts.items()
            if setting is not None
        },
    }


def _render(found: list[dict[str, Any]]) -> None:
    output.table(
        ("", "repository", "url", "user", "answer"),
        [
            ("*" if one["default"] else " ", one["id"], one["url"], _user(one), one["answer"])
            for one in found
        ],
    )
    output.line()
    output.table(
        ("repository", "setting", "value", "from"),
        [
            (one["id"], part, setting["value"], setting["from"])
            for one in found
            for part, setting in one["settings"].items()
        ],
    )


def _user(one: dict[str, Any]) -> str:
    if "username" in one["settings"]:
        return str(one["settings"]["username"]["value"])
    return "(token)" if "token" in one["settings"] else "-"


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True, epilog=_EXAMPLE)(repositories)
    group.command(epilog=check.EXAMPLE)(check.check)
    group.command(epilog=repair.EXAMPLE)(repair.repair)
    app.add_typer(group, name="repositories")
