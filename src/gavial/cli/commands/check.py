"""`gavial repositories check`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gavial.cli import output, progress
from gavial.cli.options import JsonOption
from gavial.reports.plain import harmless

if TYPE_CHECKING:
    from gavial.maven.behaviour import Behaviour
    from gavial.maven.promises import Promise
    from gavial.maven.repository import Repository

EXAMPLE = "\b\nExample:\n  gavial repositories check models\n  gavial repositories check --json"


def check(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[R]",
            help="A configured id, a URL or a folder. Without it: the default.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find out what a repository can do, and what you may do there.

    Reads, writes a few bytes under io.gavial:check, and removes them where that is allowed.
    """
    from gavial.maven.behaviour import observe
    from gavial.maven.promises import promises
    from gavial.registry.catalog import repository

    opened = repository(name)
    with progress.shown(f"Checking {opened.id}"):
        anonymous = _anonymous(opened.store)
        seen = observe(opened.store)
    kept = promises(seen)
    if as_json:
        output.document(
            {
                "repository": {"id": opened.id, "url": opened.url},
                "anonymous": anonymous,
                "behaviour": {**asdict(seen), "may_release": seen.may_release},
                "promises": [asdict(one) for one in kept],
            }
        )
        return
    output.heading(f"{harmless(opened.id)}  {harmless(opened.url)}")
    output.table(("may you", "answer"), _abilities(seen, anonymous))
    output.line()
    output.table(("promise", "kept", "why"), [_row(one) for one in kept])
    for mend in dict.fromkeys(one.mend for one in kept if one.mend):
        output.note(mend)
    for path in seen.left:
        output.note(f"left behind, for you may not delete: {path}")


def _anonymous(store: Repository) -> bool | None:
    """Whether one may read without credentials; of a folder, the file system decides."""
    return None if store.lists_itself else store.realm() is None


def _abilities(seen: Behaviour, anonymous: bool | None) -> list[tuple[str, str]]:
    who = {True: ", without credentials too", False: ", with credentials", None: ""}[anonymous]
    rows = [("read", f"yes{who}")]
    if seen.refusal:
        return [*rows, ("release", f"no: {seen.refusal}"), ("list models", _yes(seen.lists))]
    return [
        *rows,
        ("release", _yes(seen.may_release)),
        ("delete", _yes(seen.may_delete)),
        ("list models", _yes(seen.lists)),
        ("shows a file as soon as it is written", _yes(seen.shows_claims)),
        ("lets you overwrite", _yes(seen.overwrites)),
        *([("honours If-None-Match", _yes(seen.conditional))] if seen.overwrites else []),
        ("makes folders (MKCOL)", _yes(seen.makes_folders)),
        ("maven-metadata.xml", _metadata(seen)),
    ]


def _metadata(seen: Behaviour) -> str:
    if seen.keeps_metadata is None:
        return "cannot be written again"
    return "as it was written" if seen.keeps_metadata else "kept by the server itself"


def _row(promise: Promise) -> tuple[Any, ...]:
    return (promise.name, {True: "yes", False: "NO", None: "-"}[promise.kept], promise.why)


def _yes(answer: bool | None) -> str:
    return {True: "yes", False: "no", None: "-"}[answer]
