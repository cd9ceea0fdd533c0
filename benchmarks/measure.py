"""Timings side by side: what is compared runs in turns, in one process, on one machine.

Only ratios within one run mean something: another machine, or the same one an hour later, is
another number of seconds.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Timing:
    """All runs of one contestant, in seconds, and the peak memory of this process, in MiB."""

    name: str
    seconds: list[float] = field(default_factory=list)
    peak: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass
class Race:
    """One thing done in several ways. Ratios are to the first of them."""

    title: str
    timings: list[Timing]

    def ratio(self, timing: Timing) -> float:
        """The median of the ratios of turns, which a machine that slows down spoils least."""
        pairs = zip(timing.seconds, self.timings[0].seconds, strict=False)
        return statistics.median(mine / theirs for mine, theirs in pairs)

    def rows(self) -> list[str]:
        return [
            f"| {self.title} | {one.name} | {one.median:.3f} | {min(one.seconds):.3f} to "
            f"{max(one.seconds):.3f} | {self.ratio(one):.2f} | {one.peak} |"
            for one in self.timings
        ]


HEAD = (
    "| what | how | median s | spread s | ratio | peak MiB |",
    "|---|---|--:|---|--:|--:|",
)


def race(
    title: str, ways: Mapping[str, Callable[[], object]], repeats: int, warm_up: int = 1
) -> Race:
    """Run every way in turns: `warm_up` rounds that do not count, then `repeats` that do."""
    found = Race(title, [Timing(name) for name in ways])
    for turn in range(warm_up + repeats):
        for timing, run in zip(found.timings, ways.values(), strict=True):
            _forget_peak()
            start = time.perf_counter()
            run()
            seconds = time.perf_counter() - start
            if turn >= warm_up:
                timing.seconds.append(seconds)
                timing.peak = max(timing.peak, _peak())
    for row in found.rows():
        print(row, flush=True)
    return found


def report(races: list[Race], folder: Path, name: str) -> None:
    """Write a table, and all numbers as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [*HEAD, *(row for one in races for row in one.rows())]
    (folder / f"{name}.md").write_text("\n".join(lines) + "\n")
    (folder / f"{name}.json").write_text(json.dumps([asdict(one) for one in races], indent=1))


def results() -> Path:
    """Where results go: `build/bench`."""
    return Path(os.environ.get("GAVIAL_BENCH", "build/bench"))


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0
