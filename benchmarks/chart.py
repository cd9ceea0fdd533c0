"""A picture of what was measured: each way's time as a ratio to the first.

python benchmarks/chart.py
"""

from __future__ import annotations

import json
import statistics

import matplotlib
import measure

matplotlib.use("Agg")
from matplotlib import pyplot


def main() -> None:
    races = []
    for name in ("peers", "cold_start"):
        file = measure.results() / f"{name}.json"
        if file.is_file():
            races += json.loads(file.read_text())
    figure, axes = pyplot.subplots(
        len(races), 1, figsize=(8, 1.1 * sum(len(one["timings"]) for one in races) ** 0.5 * 2.2)
    )
    for axis, race in zip(axes, races, strict=True):
        names = [one["name"] for one in race["timings"]]
        medians = [statistics.median(one["seconds"]) for one in race["timings"]]
        colours = ["#607d8b" if n == 0 else "#2e7d32" for n in range(len(names))]
        colours = [
            "#b0bec5" if name.startswith("MLflow") else colour
            for name, colour in zip(names, colours, strict=True)
        ]
        bars = axis.barh(names, medians, color=colours)
        axis.bar_label(bars, [f"{one / medians[0]:.2f} ×" for one in medians], padding=3)
        axis.set_title(race["title"], loc="left", fontsize=10)
        axis.invert_yaxis()
        axis.set_xlim(0, 1.15 * max(medians))
        axis.set_xlabel("seconds", fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(measure.results() / "bench.svg")
    figure.savefig(measure.results() / "bench.png", dpi=110)


if __name__ == "__main__":
    main()
