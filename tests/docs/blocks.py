"""The fenced blocks of a page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^( *)(```+)(\w*)[ \t]*([^\n]*)\n(.*?)^\1\2[ \t]*$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """One fenced block. `line` is the first line of its code in the page, counted from 1."""

    language: str
    options: str
    code: str
    line: int

    @property
    def runs(self) -> bool:
        return self.language == "python" and "no-run" not in self.options

    @property
    def file_name(self) -> str | None:
        found = re.search(r'title="([\w.]+\.py)"', self.options)
        return found[1] if found else None

    @property
    def printed(self) -> list[str]:
        return re.findall(r"^#> ?(.*)$", self.code, re.M)


def blocks_of(text: str) -> Iterator[Block]:
    for found in FENCE.finditer(text):
        indent, _, language, options, code = found.groups()
        code = re.sub(f"^{indent}", "", code, flags=re.M)
        yield Block(language, options, code, text.count("\n", 0, found.start()) + 2)
