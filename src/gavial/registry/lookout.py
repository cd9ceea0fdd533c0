"""A thread that does something at intervals, until it is told to end."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Lookout:
    """Call `look` every `interval` seconds while `alive()`; the calls never overlap.

    Args:
        look: raises nothing.
        alive: asked before each look.
        interval: seconds.
    """

    def __init__(self, look: Callable[[], None], alive: Callable[[], bool], interval: float):
        self._look, self._alive, self._interval = look, alive, interval
        self._ended = threading.Event()
        # A process that ends does not wait for it.
        self._thread = threading.Thread(target=self._run, name="gavial-lookout", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Look no more. A look under way ends by itself."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._interval) and self._alive():
            self._look()
