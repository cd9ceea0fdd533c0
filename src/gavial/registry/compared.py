"""A comparison that somebody made, read as the evidence of a promotion."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from gavial import limits
from gavial.errors import ConfigurationError, CorruptRelease
from gavial.model import json_values
from gavial.model.gates import Compared
from gavial.monitoring.comparison import Comparison


def read(given: Comparison | str | os.PathLike[str]) -> Compared:
    """A comparison, or the file that one was written to, as evidence.

    Raises:
        ConfigurationError: the file cannot be read.
        CorruptRelease: it holds no comparison.
        IncompatibleModel: a later Gavial wrote it.
    """
    found = given if isinstance(given, Comparison) else from_file(given)
    document = found.to_json()
    data = json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
    return Compared(
        f"{found.module}:{found.champion}",
        f"{found.module}:{found.challenger}",
        str(found.outcome),
        found.loss,
        found.margin,
        found.alpha,
        found.segment,
        _until(found),
        found.reasons[0] if found.reasons else str(found),
        document,
        hashlib.sha256(data).hexdigest(),
    )


def from_file(file: str | os.PathLike[str]) -> Comparison:
    """The comparison in a JSON file, such as `gavial compare check --json` writes.

    Raises:
        ConfigurationError, CorruptRelease, IncompatibleModel: as `read`.
    """
    path = Path(file).expanduser()
    try:
        with path.open("rb") as opened:
            data = opened.read(limits.RECORD + 1)
    except OSError as error:
        raise ConfigurationError(
            f"The comparison {str(path)!r} cannot be read: {error.strerror or error}."
        ) from error
    if len(data) > limits.RECORD:
        raise CorruptRelease(f"{path} has more than {limits.RECORD} bytes: no comparison has.")
    try:
        content: Any = json_values.loads(data)
    except ValueError as error:
        raise CorruptRelease(f"{path} is no JSON: {error!s:.200}.") from error
    return Comparison.from_json(content)


def _until(found: Comparison) -> str:
    """The end of the newest window; where there are none, when it was made."""
    window = found.looks[-1].window if found.looks else None
    return window.end.isoformat() if window else found.when
