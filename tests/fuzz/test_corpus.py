"""Every seed of the fuzzer, and every input that once broke something."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from seeds import seeds
from targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
FOUND = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_its_seeds_and_parts_of_them(name):
    for seed in seeds(name):
        for size in {len(seed), len(seed) // 2, 1, 0}:
            TARGETS[name](seed[:size])


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_broke_something_does_no_more(path):
    TARGETS[path.parent.name](path.read_bytes())
