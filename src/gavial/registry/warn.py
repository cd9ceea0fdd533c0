"""Warnings that name the caller's line and not one of ours."""

from __future__ import annotations

import sys
import warnings
from types import FrameType


def warn(message: str) -> None:
    """Warn with the first line outside of this package as the place."""
    level, frame = 2, sys._getframe().f_back
    while frame is not None and _is_ours(frame):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=level)


def _is_ours(frame: FrameType) -> bool:
    # A context manager's `__enter__` stands between our own frames.
    name = str(frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] in ("gavial", "contextlib")
