"""A thousand resolves in one process: what each takes, and what stays behind.

python benchmarks/resolves.py [TIMES]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import measure
import models

import gavial


def _state() -> dict[str, int]:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "resident MiB": int(status["VmRSS"].split()[0]) // 1024,
        "threads": threading.active_count(),
        "open files": len(list(Path("/proc/self/fd").iterdir())),
    }


def main(times: int) -> None:
    spark = models.session()
    lines = [
        "| resolves | median s of the last tenth | resident MiB | threads | open files |",
        "|--:|--:|--:|--:|--:|",
    ]
    with tempfile.TemporaryDirectory(prefix="gavial-bench-") as work:
        os.environ["XDG_CACHE_HOME"] = f"{work}/cache"
        model = models.hello(spark)[0]
        gavial.deploy(model, "com.acme:model:1.0", f"{work}/models", watermark_col="pipeline")
        seconds: list[float] = []
        step = max(1, times // 10)
        for number in range(1, times + 1):
            start = time.perf_counter()
            gavial.resolve("com.acme:model", f"{work}/models")
            seconds.append(time.perf_counter() - start)
            if number % step == 0:
                state = _state()
                lines.append(
                    f"| {number} | {statistics.median(seconds[-step:]):.3f} | "
                    + " | ".join(map(str, state.values()))
                    + " |"
                )
    print(*lines, sep="\n")
    measure.results().mkdir(parents=True, exist_ok=True)
    (measure.results() / "resolves.md").write_text("\n".join(lines) + "\n")
    spark.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
