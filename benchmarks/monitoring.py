"""One scan of scored records beside Evidently and whylogs, on what each of them can hold.

    python benchmarks/monitoring.py [--rows 4000000] [--repeats 3] [--quick]

The records have ten numbers and a score, a label, 24 daily windows and two versions: Gavial counts
all of them by version and window, in one Spark job on two cores. The others take a pandas frame of
one window in memory, in a process each, in the environment build/bench-monitoring: Evidently its
drift preset against a reference of the same size, whylogs a profile. Ratios are of the time for
one record and column, since nobody else holds all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import measure
from pyspark.sql import DataFrame, SparkSession, functions

from gavial.maven.coordinate import Module
from gavial.monitoring.profile import Profile
from gavial.monitoring.windows import Windows
from gavial.spark.monitoring.reference import learn
from gavial.spark.monitoring.scan import scan

ROOT = Path(__file__).parents[1]
OTHERS = ROOT / "build" / "bench-monitoring" / "bin" / "python"
MODULE = Module("com.acme", "churn")
COLUMNS = [f"f{at}" for at in range(10)]
DAYS = 24


@dataclass
class Run:
    """What one contestant did: records and columns, seconds, and the peak of memory in MiB."""

    name: str
    rows: int
    columns: int
    seconds: float
    peak: int

    @property
    def nanoseconds(self) -> float:
        """For one record and column."""
        return self.seconds / self.rows / self.columns * 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--quick", action="store_true", help="a tenth of the records, once")
    parser.add_argument("--repeats", type=int, default=3, help="of each scan; the median counts")
    asked = parser.parse_args()
    rows = asked.rows // 10 if asked.quick else asked.rows
    with tempfile.TemporaryDirectory() as folder:
        runs = list(measured(Path(folder), rows, 1 if asked.quick else asked.repeats))
    lines = list(table(runs))
    print("\n".join(lines))
    results = measure.results()
    results.mkdir(parents=True, exist_ok=True)
    (results / "monitoring.md").write_text("\n".join(lines) + "\n")
    (results / "monitoring.json").write_text(json.dumps([vars(one) for one in runs], indent=1))


def measured(folder: Path, rows: int, repeats: int) -> Iterator[Run]:
    spark = started()
    try:
        path = str(folder / "scored")
        records(spark, rows).write.parquet(path)
        scored = spark.read.parquet(path)
        begin = time.perf_counter()
        few = scored.where("id % 20 = 0")
        profile = learn(
            few, label="label", score="score", features=COLUMNS, version="1.0.0"
        ).profile
        print(f"learn of {rows // 20} records: {time.perf_counter() - begin:.1f} s", flush=True)
        for count in (len(COLUMNS), 0, len(COLUMNS)):  # the first one is for warmth
            best = [one_scan(scored, part(profile, count), rows) for _ in range(repeats)]
            warm = sorted(best, key=lambda one: one.seconds)[len(best) // 2]
            print(f"{warm.name}: {warm.seconds:.1f} s", flush=True)
            if count:
                whole = warm
            else:
                base = warm
        yield whole
        yield base
        pandas = scored.where("at < timestamp'2013-01-02 00:00:00Z'").drop("at", "pipeline", "id")
        pandas.coalesce(1).write.parquet(str(folder / "day"))
    finally:
        spark.stop()
    for name, size in (("evidently", min(50_000, rows // DAYS)), ("whylogs", rows // DAYS)):
        yield other(name, folder / "day", size)


def started() -> SparkSession:
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def records(spark: SparkSession, rows: int) -> DataFrame:
    """Records that two versions scored, over as many days as there are windows."""
    day = functions.col("id") * DAYS / rows
    score = functions.rand(99)
    return spark.range(rows).select(
        "id",
        *[functions.randn(at).alias(name) for at, name in enumerate(COLUMNS)],
        score.alias("score"),
        (functions.rand(7) < score).cast("int").alias("label"),
        functions.timestamp_seconds(functions.lit(1356998400) + day * 86400).alias("at"),
        functions.concat(
            functions.lit(f"{MODULE}:1.0."), (functions.col("id") % 2).cast("string")
        ).alias("pipeline"),
    )


def part(profile: Profile, count: int) -> Profile:
    names = list(profile.features)[:count]
    return Profile(
        profile.task,
        {name: profile.features[name] for name in names},
        profile.label,
        profile.prediction,
        profile.score,
        profile.classes,
        profile.score_bins,
        profile.value_bins,
    )


def one_scan(scored: DataFrame, profile: Profile, rows: int) -> Run:
    columns = len(profile.features) + 1
    with peak() as memory:
        begin = time.perf_counter()
        found = scan(scored, MODULE, profile, Windows(), watermark="pipeline", time="at")
        seconds = time.perf_counter() - begin
    assert len(found.states) == 2 * DAYS, found.problems
    assert sum(one.records for one in found.states.values()) == rows
    return Run(f"gavial, {columns} columns x {DAYS} windows x 2", rows, columns, seconds, memory[0])


@contextmanager
def peak() -> Iterator[list[int]]:
    """The most memory that this process and those below it have at once, in MiB."""
    found, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            found[0] = max(found[0], sum(map(_resident, _family(os.getpid()))) // 1024)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _family(process: int) -> list[int]:
    found = [process]
    for task in Path(f"/proc/{process}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        found += [one for child in children for one in _family(int(child))]
    return found


def _resident(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(one.split()[1]) for one in text.splitlines() if "VmRSS" in one), 0)


EVIDENTLY = """
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
kinds = DataDefinition(numerical_columns=list(frame.columns))
halves = [Dataset.from_pandas(one, data_definition=kinds) for one in (frame, other)]
begin = time.perf_counter()
Report([DataDriftPreset()]).run(*halves).dict()
"""
WHYLOGS = """
import whylogs
begin = time.perf_counter()
whylogs.log(frame).view().to_pandas()
"""


def other(name: str, day: Path, size: int) -> Run:
    """A contestant in a process of its own, without what is needed to read the frame."""
    code = f"""
import json, resource, time, warnings
warnings.simplefilter("ignore")
import numpy, pandas
frame = pandas.DataFrame(numpy.load({str(day.parent / "day.npy")!r})[:{size}])
frame.columns = [f"f{{at}}" for at in range(frame.shape[1])]
other = frame.sample(frac=1.0, replace=True, random_state=1)
{EVIDENTLY if name == "evidently" else WHYLOGS}
seconds = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps([len(frame), frame.shape[1], seconds, peak]))
"""
    _as_numpy(day)
    ended = subprocess.run(
        [OTHERS, "-c", code], capture_output=True, text=True, check=False, timeout=1200
    )
    if ended.returncode:
        sys.exit(f"{name} failed:\n{ended.stderr[-3000:]}")
    return Run(name, *json.loads(ended.stdout.splitlines()[-1]))


def _as_numpy(day: Path) -> None:
    """The numbers of one window as a file that needs no reader of Parquet."""
    target = day.parent / "day.npy"
    if not target.exists():
        import numpy
        from pyarrow import dataset

        wanted = dataset.dataset(day).to_table(columns=[*COLUMNS, "score"])
        numpy.save(target, numpy.column_stack([one.to_numpy() for one in wanted.columns]))


def table(runs: list[Run]) -> Iterator[str]:
    yield "| what | records | columns | s | ns a record and column | ratio | peak MiB |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for one in runs:
        yield (
            f"| {one.name} | {one.rows:,} | {one.columns} | {one.seconds:.1f} | "
            f"{one.nanoseconds:.0f} | {one.nanoseconds / runs[0].nanoseconds:.1f} | {one.peak} |"
        )
    whole, base = runs[:2]
    each = (whole.seconds - base.seconds) / (whole.columns - base.columns)
    yield f"\nOne further column costs {each:.2f} s of {whole.rows:,} records."


if __name__ == "__main__":
    main()
