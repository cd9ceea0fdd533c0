"""The Python of the README and the manual runs as it is printed.

The blocks of a page run in order and share their names, in an empty folder with an empty home.

    ```python                     runs; what it prints is compared with its `#> ` lines, if any
    ```python title="capping.py"  becomes a file of that name, which later blocks can import
    ```python {.no-run}           is read, and must be Python, but does not run
"""

import contextlib
import io
import sys
import tomllib
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

sys.path.append(str(Path(__file__).parent))
from blocks import ROOT, Block, blocks_of

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def pages(language: str, *, running: bool = False) -> list[object]:
    """The pages that have such a block, each a parameter named by its path."""
    return [
        pytest.param(page, id=str(page.relative_to(ROOT)))
        for page in PAGES
        if any(
            block.language == language and (block.runs or not running)
            for block in blocks_of(page.read_text("utf-8"))
        )
    ]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    return (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and an empty home beside it."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.syspath_prepend(place)
    return place


@pytest.mark.parametrize("page", pages("python", running=True))
@pytest.mark.usefixtures("spark")
def test_the_python_of_a_page_runs_as_it_is_printed(page: Path, folder: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    before = set(sys.modules)
    for block in filter(lambda one: one.runs, blocks_of(page.read_text("utf-8"))):
        if block.file_name:
            (folder / block.file_name).write_text(block.code, "utf-8")
            continue
        output = io.StringIO()
        # Blank lines before it give a traceback the line numbers of the page.
        code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
        with contextlib.redirect_stdout(output):
            exec(code, names)
        if block.printed:
            assert output.getvalue().splitlines() == block.printed, f"{page}:{block.line}"
    for name in set(sys.modules) - before:
        if (folder / f"{name}.py").exists():
            del sys.modules[name]


@pytest.mark.parametrize("page", pages("python"))
def test_all_python_of_a_page_is_python(page: Path) -> None:
    for block in blocks_of(page.read_text("utf-8")):
        if block.language == "python":
            compile("\n" * (block.line - 1) + block.code, str(page), "exec")


@pytest.mark.parametrize("page", pages("toml"))
def test_all_toml_of_a_page_is_toml(page: Path) -> None:
    for block in blocks_of(page.read_text("utf-8")):
        if block.language == "toml":
            tomllib.loads(block.code)


def test_a_block_is_found_with_its_language_options_and_line() -> None:
    text = 'One\n\n```python title="a.py"\nx = 1\n```\n\n  ```python {.no-run}\n  y\n  ```\n'
    assert list(blocks_of(text)) == [
        Block("python", 'title="a.py"', "x = 1\n", 4),
        Block("python", "{.no-run}", "y\n", 8),
    ]
