"""`gavial repositories repair`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gavial.cli import output, progress
from gavial.cli.options import JsonOption, RepositoryOption

if TYPE_CHECKING:
    from gavial.registry.repair import Findings

EXAMPLE = (
    "\b\nExample:\n  gavial repositories repair com.acme:churn --repository models --dry-run\n"
    "  gavial repositories repair com.acme:churn --repository models"
)


def repair(
    module: Annotated[
        str,
        typer.Argument(metavar="GROUP:ARTIFACT", help="The model to look at.", show_default=False),
    ],
    repository: RepositoryOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Rebuild the list of a model's versions from what is there.

    Names abandoned claims, and releases whose bytes do not match; changes nothing else.
    """
    from gavial.maven.coordinate import Module
    from gavial.registry import repair as registry
    from gavial.registry.catalog import repository as opened

    store = opened(repository).store
    with progress.shown(f"Looking at {module}") as transferred:
        found = registry.examine(store, Module.parse(module), transferred)
    repaired = found.needs_repair and not dry_run
    if repaired:
        registry.repair(store, found)
    if as_json:
        output.document(_document(found, repaired))
    else:
        _render(found, repaired)
    if found.corrupt:
        raise typer.Exit(1)


def _document(found: Findings, repaired: bool) -> dict[str, object]:
    return {
        "module": str(found.module),
        "releases": list(map(str, found.releases)),
        "foreign": list(found.foreign),
        "missing": list(found.missing),
        "phantom": list(found.phantom),
        "stale": found.stale,
        "withdrawn": list(map(str, found.withdrawn)),
        "relisted": list(found.relisted),
        "claims": list(map(str, found.claims)),
        "corrupt": dict(found.corrupt),
        "whole": found.whole,
        "repaired": repaired,
    }


def _render(found: Findings, repaired: bool) -> None:
    rows = [
        ("releases", len(found.releases), _shown(found.releases)),
        ("versions by others", len(found.foreign), _shown(found.foreign)),
        ("released, not listed", len(found.missing), _shown(found.missing)),
        ("listed, not there", len(found.phantom), _shown(found.phantom)),
        ("withdrawn", len(found.withdrawn), _shown(found.withdrawn)),
        ("withdrawn, and yet listed", len(found.relisted), _shown(found.relisted)),
        ("claims without a release", len(found.claims), _shown(found.claims)),
        ("bytes that do not match", len(found.corrupt), _shown([v for v, _ in found.corrupt])),
    ]
    output.table(("what", "number", "versions"), rows)
    for version, problem in found.corrupt:
        output.note(f"{version}: {problem}")
    if repaired:
        state = "was rebuilt"
    elif found.needs_repair:
        state = "needs to be rebuilt: run again without --dry-run"
    else:
        state = "is right, and was left as it is"
    output.note(f"maven-metadata.xml of {found.module} {state}")
    if not found.whole:
        output.note(
            "the repository lists no folders: no line beyond 9.9 was looked for, but those listed"
        )


def _shown(versions: object) -> str:
    texts = list(map(str, versions))  # type: ignore[call-overload]
    return ", ".join(texts if len(texts) <= 8 else [*texts[:3], "…", *texts[-3:]])
