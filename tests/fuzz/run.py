"""Fuzz one target with atheris, which guides itself by what the code covers.

    python run.py TARGET CORPUS [libFuzzer's options, such as -max_total_time=60]

Findings are files `crash-…` in the working folder: copy them to corpus/TARGET, where
test_corpus.py runs them for ever.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gavial", "html", "zipfile", "tomllib", "pyhocon"]):
    from seeds import seeds
    from targets import TARGETS


def main() -> None:
    name, corpus, *options = sys.argv[1:]
    folder = Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (folder / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], corpus, *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
