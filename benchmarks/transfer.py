"""Upload and download of a gigabyte over loopback, beside curl, to and from the same nginx.

    python benchmarks/transfer.py [MEGABYTES]

curl sends the bytes and no more. Ours hashes what comes, and writes checksums beside what went
only where a release is made, which is not measured here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

import measure

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))
import nginx

from gavial.maven.content import Content, Hashing
from gavial.maven.open import open_repository
from gavial.maven.setting_values import RepositorySettings, Secret, Setting


def main(megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as work, nginx.start(Path(work, "nginx")) as server:
        file = Path(work, "model.jar")
        with file.open("wb") as target:
            for _ in range(megabytes):
                target.write(os.urandom(1_000_000))
        content = Content.of_file(file)
        repository = open_repository(
            RepositorySettings(
                "bench",
                Setting(server.url, "bench"),
                Setting(server.username, "bench"),
                Setting(Secret(server.password), "bench"),
            )
        )
        numbers = count()
        login = f"{server.username}:{server.password}"

        def forget(path: str) -> None:
            repository.delete(path)

        def curl_up() -> None:
            path = f"curl-{next(numbers)}.jar"
            command = ["curl", "-sf", "-u", login, "-T", str(file), server.url + path]
            subprocess.run(command, check=True)
            forget(path)

        def our_up() -> None:
            path = f"ours-{next(numbers)}.jar"
            assert repository.write(path, content) is None
            forget(path)

        assert repository.write("down.jar", content) is None

        def curl_down() -> None:
            target = Path(work, "curl")
            subprocess.run(["curl", "-sf", "-o", str(target), server.url + "down.jar"], check=True)
            target.unlink()

        def our_down() -> None:
            target = Path(work, "ours")
            with target.open("w+b") as opened:
                assert repository.download("down.jar", Hashing(opened, content.size))  # type: ignore[arg-type]
            target.unlink()

        print(*measure.HEAD, sep="\n", flush=True)
        races = [
            measure.race(f"upload {megabytes} MB", {"curl": curl_up, "ours": our_up}, 5),
            measure.race(f"download {megabytes} MB", {"curl": curl_down, "ours": our_down}, 5),
        ]
        measure.report(races, measure.results(), "transfer")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
