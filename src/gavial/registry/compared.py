"""A comparison that somebody made, read as the evidence of a promotion."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gavial import limits
from gavial.errors import CorruptRelease, IncompatibleModel
from gavial.maven.coordinate import Coordinate
from gavial.model import json_values
from gavial.model.gates import Compared
from gavial.monitoring.comparison import Comparison
from gavial.registry import local


def read(given: Comparison | str | os.PathLike[str]) -> tuple[Comparison, ...]:
    """A comparison, or those in a JSON file, such as `gavial compare check --json` writes.

    Raises:
        ConfigurationError: the file cannot be read.
        CorruptRelease: it holds no comparison.
        IncompatibleModel: a later Gavial wrote it.
    """
    if isinstance(given, Comparison):
        return (given,)
    path = Path(given).expanduser()
    data = local.first_bytes(path, limits.SMALL_FILE, f"The comparison {str(path)!r}")
    if len(data) > limits.SMALL_FILE:
        raise CorruptRelease(f"{path} has more than {limits.SMALL_FILE} bytes: no comparison has.")
    try:
        content: Any = json_values.loads(data)
    except ValueError as error:
        raise CorruptRelease(f"{path} is no JSON: {error!s:.200}.") from error
    several = content.get("comparisons") if isinstance(content, dict) else None
    if not isinstance(several, list):
        several = [content]
    if not several:
        raise CorruptRelease(
            f"{path} holds no comparison: expected what gavial compare check wrote."
        )
    try:
        return tuple(map(Comparison.from_json, several))
    except (CorruptRelease, IncompatibleModel) as error:
        raise type(error)(f"{path}: {error}") from error


def evidence(found: Sequence[Comparison], release: Coordinate) -> Compared | None:
    """Of several comparisons the one of a release and all records; else the first, for the gate to
    say what it is of."""
    if not found:
        return None
    fits = (one for one in found if _challenger(one) == str(release) and not one.segment)
    one = next(fits, found[0])
    document = one.to_json()
    data = json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
    return Compared(
        f"{one.module}:{one.champion}",
        _challenger(one),
        str(one.outcome),
        one.loss,
        one.margin,
        one.alpha,
        one.segment,
        _until(one),
        one.reasons[0] if one.reasons else str(one),
        document,
        hashlib.sha256(data).hexdigest(),
    )


def _challenger(one: Comparison) -> str:
    return f"{one.module}:{one.challenger}"


def _until(found: Comparison) -> str:
    """The end of the newest window; where there are none, when it was made."""
    window = found.looks[-1].window if found.looks else None
    return window.end.isoformat() if window else found.when
