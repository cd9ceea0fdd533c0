"""Streams that are killed at each step of a batch, and what their output has to be then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import gavial

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
STEPS = ("begun", "pinned", "scored", "writing", "written", "returned")
LONG = 1_800  # seconds that no run takes, on a machine with much else to do


@dataclass
class Stream:
    """One query over its many lives, with the folder that holds all of it."""

    folder: Path
    format: str = "parquet"
    jars: tuple[str, ...] = ()
    python: Path = Path(sys.executable)

    def release(self):
        saved = self.folder / "saved"
        if not saved.exists():
            _save(saved)
        return gavial.deploy(saved, "com.acme:churn:1.0", self.folder / "models")

    def arrive(self, ids):
        """A file for each record, of which a batch takes one."""
        place = self.folder / "in"
        place.mkdir(exist_ok=True)
        for one in ids:
            hidden = place / f".{one}"
            hidden.write_text(json.dumps({"id": one, "city": "Bern", "x": float(one)}))
            hidden.rename(place / f"{one:04}.json")

    def run(self, source, die=None):
        """One life; of one that is not killed, the scored records."""
        job = {
            "source": source,
            "models": str(self.folder / "models"),
            "output": str(self.folder / "scored"),
            "checkpoint": str(self.folder / "checkpoint"),
            "format": self.format,
            "jars": self.jars,
            "die": die,
        }
        done = subprocess.run(
            [str(self.python), str(HERE / "dying_stream.py"), json.dumps(job)],
            env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": str(SOURCE)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONG,
        )
        assert done.returncode == (-9 if die else 0), done.stderr[-8000:]
        return None if die else json.loads(done.stdout.splitlines()[-1])

    def pins(self):
        """The build that each batch is pinned to."""
        pins = (self.folder / "checkpoint" / "gavial" / "pins").glob("*/[0-9]*")
        return {
            int(one.name): int(json.loads(one.read_text())["coordinate"].rpartition(".")[2])
            for one in pins
        }

    def committed(self):
        return {int(one.name) for one in (self.folder / "checkpoint" / "commits").glob("[0-9]*")}


def check(scored, ids, pins):
    """Every record once, one version per batch, the one it was pinned to, and never going back."""
    assert sorted(one for one, _, _ in scored) == sorted(ids)
    versions = {}
    for _, build, batch in scored:
        versions.setdefault(batch, set()).add(build)
    assert {batch: {pins[batch]} for batch in versions} == versions
    in_order = [build for _, build in sorted(pins.items())]
    assert in_order == sorted(in_order)


def _save(folder):
    """A saved model as Spark writes it, with the least that there is to load."""
    sql = {
        "SQLTransformer_0123456789ab": "SELECT *, x * 2 AS prediction FROM __THIS__",
        "Watermark_0123456789ab": "SELECT *, 'unreleased' AS `pipeline` FROM __THIS__",
    }
    _write(folder, "PipelineModel_0123456789ab", "PipelineModel", {"stageUids": list(sql)})
    for number, (uid, statement) in enumerate(sql.items()):
        place = folder / "stages" / f"{number}_{uid}"
        _write(place, uid, "feature.SQLTransformer", {"statement": statement})


def _write(folder, uid, class_name, params):
    metadata = {
        "class": f"org.apache.spark.ml.{class_name}",
        "timestamp": 1795479249639,
        "sparkVersion": "4.3.0",
        "uid": uid,
        "paramMap": params,
        "defaultParamMap": {},
    }
    (folder / "metadata").mkdir(parents=True)
    (folder / "metadata" / "part-00000").write_text(json.dumps(metadata) + "\n")
