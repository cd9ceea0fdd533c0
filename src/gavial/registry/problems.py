"""What went wrong beside a stream that goes on: kept for whoever asks, and logged once."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime

_KEPT = 100

log = logging.getLogger("gavial.streaming")


@dataclass(frozen=True)
class Problem:
    """Something that went wrong, once or again and again.

    Attributes:
        what: what it was, and what became of the stream.
        since: when it was first seen.
        last: when it was last seen.
        times: how often.
    """

    what: str
    since: datetime
    last: datetime
    times: int = 1

    def __str__(self) -> str:
        return self.what


class Problems:
    """A list of problems that any thread may add to. The oldest of very many is forgotten.

    >>> problems = Problems()
    >>> problems.add("No answer."), problems.add("No answer.")
    (None, None)
    >>> [(one.what, one.times) for one in problems.all()]
    [('No answer.', 2)]
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_text: dict[str, Problem] = {}

    def add(self, what: str) -> None:
        """Add one; the same again is counted, and not logged again."""
        now = datetime.now(UTC)
        with self._lock:
            known = self._by_text.get(what)
            if known is not None:
                self._by_text[what] = replace(known, last=now, times=known.times + 1)
                return
            self._by_text[what] = Problem(what, now, now)
            if len(self._by_text) > _KEPT:
                del self._by_text[next(iter(self._by_text))]
        log.warning("%s", what)

    def all(self) -> tuple[Problem, ...]:
        """All that are kept, in the order in which they were first seen."""
        with self._lock:
            return tuple(self._by_text.values())
