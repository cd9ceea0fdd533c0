"""Delta Lake for the Spark that the tests run on."""

from __future__ import annotations

from pathlib import Path

import fetch

# delta-spark for Spark 4.2, the newest there is; it works on 4.3.
JARS = fetch.locked(Path(__file__).with_name("delta.lock"))


def jars() -> tuple[str, ...]:
    """The jars with which Spark reads and writes Delta tables, without what Spark has itself."""
    return tuple(str(fetch.fetched(one)) for one in JARS)
