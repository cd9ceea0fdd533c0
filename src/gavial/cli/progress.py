"""A display of what takes longer than a second, on the standard error of a terminal."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gavial.reports.plain import harmless

PATIENCE_SECONDS = 1.0

# What the use cases call: a file's name or path, bytes since the last call, its size.
Transferred = Callable[[str, int, int], None]


@contextmanager
def shown(doing: str, *, counted: bool = False) -> Iterator[Transferred | None]:
    """Show that something is being done, and how far each file is.

    With `counted`, things are counted and not bytes, all in one bar.

    Yields what the use case calls for each part of a file, or `None` where nobody looks.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    colours = None if os.environ.get("NO_COLOR") else "auto"
    display = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn() if counted else DownloadColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True, color_system=colours),  # type: ignore[arg-type]
        transient=True,
    )
    whole = display.add_task(harmless(doing), total=None)
    tasks: dict[str, int] = {}
    known: dict[str, int] = {}
    total = 0

    def transferred(path: str, count: int, size: int) -> None:
        nonlocal total
        if counted:
            total += size - known.get(path, 0)
            known[path] = size
            display.update(whole, advance=count, total=total)
            return
        name = harmless(path.rpartition("/")[2])
        if name not in tasks:
            tasks[name] = display.add_task(name, total=size)
        display.advance(tasks[name], count)  # type: ignore[arg-type]
        display.advance(whole, count)

    starter = threading.Timer(PATIENCE_SECONDS, display.start)
    starter.daemon = True
    starter.start()
    try:
        yield transferred
    finally:
        starter.cancel()
        starter.join()
        display.stop()
