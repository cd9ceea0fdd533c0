"""How long the next number and the latest release take where a module has 10,000 versions.

    python benchmarks/versions.py [VERSIONS]

In a folder and over HTTP, beside a module of one version; and a catalogue of as many modules.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import measure

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))
from maven_server import MavenServer

from gavial.maven import catalog, layout, publish
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Module, Target, Version
from gavial.maven.drive import Driver
from gavial.maven.folder import FolderRepository
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.open import open_repository
from gavial.maven.repository import Repository
from gavial.maven.selector import Request
from gavial.maven.setting_values import RepositorySettings, Setting


def fill(folder: Path, module: Module, count: int) -> None:
    """The POMs and the list of a module, as so many deploys leave them."""
    versions = [Version(1, 0, build) for build in range(count)]
    for version in versions:
        pom = folder / layout.pom_path(Coordinate(module, version))
        pom.parent.mkdir(parents=True)
        pom.write_bytes(b"<project/>")
    listed = ModuleMetadata(module, tuple(map(str, versions))).render(datetime.now(UTC))
    (folder / layout.metadata_path(module)).write_bytes(listed)
    for algorithm in ("sha1", "md5"):
        beside = folder / f"{layout.metadata_path(module)}.{algorithm}"
        beside.write_text(Content.of_bytes(listed).digests[algorithm])


def next_number(repository: Repository, module: Module) -> Version:
    return Driver(repository, lambda _: None).run(  # type: ignore[arg-type, return-value]
        publish._next_version(Target.parse(f"{module}:1.0"))
    )


def latest(repository: Repository, module: Module) -> Coordinate:
    return catalog.select(repository, Request.parse(str(module)))


def main(count: int) -> None:
    races = []
    print(*measure.HEAD, sep="\n", flush=True)
    few, many = Module("com.acme", "few"), Module("com.acme", "many")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        fill(folder, few, 1)
        fill(folder, many, count)
        with MavenServer(folder) as server:
            over_http = open_repository(
                RepositorySettings("bench", Setting(server.url, "bench"), None, None)
            )
            for name, repository in {"folder": FolderRepository(folder), "HTTP": over_http}.items():
                for what, run in {"next number": next_number, "latest release": latest}.items():
                    ways = {
                        f"{size} versions": lambda run=run, one=one, at=repository: run(at, one)
                        for size, one in ((1, few), (count, many))
                    }
                    races.append(measure.race(f"{what}, {name}", ways, 15))
    with tempfile.TemporaryDirectory() as work:
        for number in range(count):
            fill(Path(work), Module("com.acme", f"model{number}"), 1)
        modules = FolderRepository(Path(work))
        ways = {f"{count} modules": lambda: catalog.modules(modules)}
        races.append(measure.race("list, folder", ways, 3))
    measure.report(races, measure.results(), "versions")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
