"""Programs by others that verify a release by themselves, as `make test` installs them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PLACE = Path(__file__).parents[2] / "build" / "signing" / "bin"


@dataclass(frozen=True)
class Tool:
    """A program that is run, and what it needs in its environment."""

    program: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: object, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(self.program), *map(str, arguments)],
            input=data,
            env={**os.environ, **self.environment},
            capture_output=True,
            timeout=120,
            check=False,
        )


def tool(name: str) -> Tool:
    """A program of the environment that `requirements/signing.txt` locks."""
    program = PLACE / name
    assert program.is_file(), f"{program} is not there: make build/signing/.installed"
    return Tool(program)
