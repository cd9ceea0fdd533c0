"""How long `diff`, `show`, `list --where` and `promote` take on large models and many releases.

    python benchmarks/governance.py [STAGES [LABELS [RELEASES [MEGABYTES]]]]

`diff` and `show` beside a plain reading of the same bytes, with `json` and pyarrow alone; a search
of many releases for the first time, and again; a promotion from folder to folder beside a copy of
the jar. No Spark: a saved model is plain files.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import measure
import pyarrow
from pyarrow import parquet

from gavial.cli import release_view
from gavial.maven import layout
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.maven.folder import FolderRepository
from gavial.model.card import Card
from gavial.registry import find
from gavial.registry.deploy import deploy
from gavial.registry.diff import diff
from gavial.registry.promote import promote
from gavial.registry.release import Release

SPARK = "org.apache.spark.ml."


def stage(folder: Path, name: str, uid: str, parameters: dict[str, object]) -> None:
    (folder / "metadata").mkdir(parents=True)
    content = {
        "class": SPARK + name,
        "timestamp": 0,
        "sparkVersion": "4.3.0",
        "uid": uid,
        "paramMap": parameters,
        "defaultParamMap": {"handleInvalid": "error", "outputCol": f"{uid}__output"},
    }
    (folder / "metadata" / "part-00000").write_text(json.dumps(content) + "\n")


def pipeline(folder: Path, uids: list[str]) -> Path:
    stage(folder, "PipelineModel", "PipelineModel_1", {"stageUids": uids})
    return folder / "stages"


def scalers(folder: Path, count: int, seed: int) -> Path:
    """A model of many scalers; each has learnt another mean than that of another seed."""
    uids = [f"StandardScaler_{seed}_{at}" for at in range(count)]
    place, digits = pipeline(folder, uids), len(str(count))
    for at, uid in enumerate(uids):
        one = place / f"{at:0{digits}d}_{uid}"
        stage(
            one, "feature.StandardScalerModel", uid, {"inputCol": f"a{at}", "outputCol": f"b{at}"}
        )
        (one / "data").mkdir()
        vector = {"type": 1, "size": None, "indices": None, "values": [at + seed * 0.5] * 8}
        table = pyarrow.Table.from_pylist(
            [{"std": {**vector, "values": [1.0] * 8}, "mean": vector}]
        )
        parquet.write_table(table, one / "data" / "part-0.snappy.parquet")
    return folder


def indexer(folder: Path, count: int, seed: int) -> Path:
    """A model of one indexer with many labels."""
    uid = f"StringIndexer_{seed}"
    one = pipeline(folder, [uid]) / f"0_{uid}"
    stage(one, "feature.StringIndexerModel", uid, {"inputCol": "customer", "outputCol": "index"})
    (one / "data").mkdir()
    labels = [f"customer {at * 7919 % count + seed}" for at in range(count)]
    parquet.write_table(
        pyarrow.table({"labelsArray": [[labels]]}), one / "data" / "part-0.snappy.parquet"
    )
    return folder


def plain(releases: list[Release], folder: Path) -> None:
    """Read every value of models with the libraries alone."""
    for one in releases:
        path = folder / layout.jar_path(one.coordinate)
        with zipfile.ZipFile(path) as jar:
            for name in jar.namelist():
                if name.endswith(".parquet"):
                    parquet.ParquetFile(io.BytesIO(jar.read(name))).read().to_pylist()
                elif "/metadata/part-" in name:
                    json.loads(jar.read(name))


def plain_card(release: Release, folder: Path) -> None:
    json.loads((folder / layout.card_path(release.coordinate)).read_bytes())


def show(release: Release, folder: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        found = Release.read(FolderRepository(folder), release.coordinate)
        release_view.render(found, str(folder))


def anew(run: Callable[[], object]) -> None:
    """Run without what was unpacked before."""
    shutil.rmtree(Path(os.environ["XDG_CACHE_HOME"]) / "gavial", ignore_errors=True)
    run()


def models(work: Path, title: str, make: Callable[[Path, int], Path]) -> list[measure.Race]:
    """The races of one kind of model, which is released twice."""
    folder = work / "models"
    releases = [
        deploy(make(work / f"saved-{seed}", seed), f"com.acme:{title.split()[-1]}:1.0", folder)
        for seed in (1, 2)
    ]
    names = [str(one.coordinate) for one in releases]

    def compare() -> None:
        assert diff(*names, folder).differs

    return [
        measure.race(
            f"diff, {title}",
            {
                "plain reading": lambda: plain(releases, folder),
                "diff, first time": lambda: anew(compare),
                "diff again": compare,
            },
            5,
        ),
        measure.race(
            f"show, {title}",
            {
                "json.loads of the card": lambda: plain_card(releases[0], folder),
                "show": lambda: show(releases[0], folder),
            },
            9,
        ),
    ]


def fill(folder: Path, count: int, card: Card) -> None:
    """Many releases of ten models, each with a card like that one."""
    for at in range(count):
        coordinate = Coordinate(Module("com.acme", f"model{at % 10}"), Version(1, 0, at // 10))
        files = {
            layout.pom_path(coordinate): b"<project/>",
            layout.card_path(coordinate): Card(
                **{
                    **vars(card),
                    "coordinate": str(coordinate),
                    "metrics": {"auc": at / count},
                    "files": (),
                }
            ).to_json(),
        }
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    for at in range(10):
        module = Module("com.acme", f"model{at}")
        (folder / layout.metadata_path(module)).write_bytes(b"<metadata/>")


def search(folder: Path, count: int) -> None:
    found = find.find([FolderRepository(folder)], "metrics.auc>=0.9", "-metrics.auc").found
    assert abs(len(found) - count / 10) <= 1


def plain_cards(folder: Path) -> None:
    for path in folder.rglob("*-card.json"):
        json.loads(path.read_bytes())


def large(folder: Path, megabytes: int) -> Release:
    """A release of a model with one file of that size, which no compression makes smaller."""
    saved = scalers(folder / "saved", 1, 1)
    (data,) = saved.glob("stages/*/data")
    with (data / "part-1.snappy.parquet").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
    return deploy(saved, "com.acme:large:1.0", folder / "staging")


def promotion(folder: Path, megabytes: int) -> measure.Race:
    """A promotion beside a copy of the jar that is on disk at its end, as a released one is."""
    release = large(folder, megabytes)
    jar = folder / "staging" / layout.jar_path(release.coordinate)
    copy, target = folder / "copy.jar", folder / "releases"

    def copied() -> None:
        copy.unlink(missing_ok=True)
        shutil.copyfile(jar, copy)
        descriptor = os.open(copy, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def hashed() -> None:
        with jar.open("rb") as file:
            hashlib.file_digest(file, "sha256")

    def promoted() -> None:
        shutil.rmtree(target, ignore_errors=True)
        assert promote(str(release.coordinate), folder / "staging", target).outcome == "promoted"

    ways = {"copy the jar": copied, "sha256 of the jar": hashed, "promote": promoted}
    return measure.race(f"promote, {megabytes} MB", ways, 5)


def main(stages: int, labels: int, count: int, megabytes: int) -> None:
    warnings.simplefilter("ignore")
    races = []
    print(*measure.HEAD, sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as text:
        work = Path(text)
        os.environ["XDG_CACHE_HOME"] = str(work / "cache")
        kinds: dict[str, Callable[[Path, int], Path]] = {
            f"{stages} stages": lambda at, seed: scalers(at, stages, seed),
            f"{labels} labels": lambda at, seed: indexer(at, labels, seed),
        }
        for number, (title, make) in enumerate(kinds.items()):
            races += models(work / str(number), title, make)
        saved = scalers(work / "small", 20, 1)
        card = deploy(saved, "com.acme:small:1.0", work / "small-models").card
        many = work / "many"
        fill(many, count, card)
        races.append(
            measure.race(
                f"list --where, {count} releases",
                {
                    "json.loads of each card": lambda: plain_cards(many),
                    "first time": lambda: anew(lambda: search(many, count)),
                    "again": lambda: search(many, count),
                },
                3,
            )
        )
        races.append(promotion(work / "large", megabytes))
    measure.report(races, measure.results(), "governance")


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    main(*given, *(1_000, 1_000_000, 10_000, 300)[len(given) :])
