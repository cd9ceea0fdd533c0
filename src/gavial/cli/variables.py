"""What is said of the environment variables that Spark's JVM needs."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gavial.cli import output


def tell(names: Iterable[str]) -> None:
    """Name the variables, and never what they hold."""
    needed = sorted(names)
    if not needed:
        return
    output.note(f"Spark's JVM needs in its environment: {', '.join(needed)}")
    missing = [name for name in needed if name not in os.environ]
    if missing:
        output.note(
            f"not set here: {', '.join(missing)}. Set them, or let gavial run do so for the one "
            "command."
        )
