"""The explorer's modules import each other by name, from tests and from run.py alike."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
