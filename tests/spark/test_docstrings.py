"""The examples in docstrings run, and print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import gavial

MODULES = sorted(
    found.name
    for found in pkgutil.walk_packages(gavial.__path__, "gavial.")
    if not found.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.usefixtures("spark")
def test_its_examples_are_true(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tried = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert tried.failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = [importlib.import_module(name) for name in MODULES]
    found = [test for module in modules for test in finder.find(module) if test.examples]
    assert len(found) > 20
