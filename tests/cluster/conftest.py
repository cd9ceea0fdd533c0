"""Where the parts of a cluster, and what starts them, are found."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.extend(
    str(Path(__file__).parents[1] / folder) for folder in ("clusters", "servers", "e2e")
)
