"""Whether files are as they were when their bytes were compared: by what the system tells of them.

To hash a large model again takes longer than to load it. A file's size, its number and the times
of its last changes tell as much of a file in a user's own cache: every write changes them, and
no program sets the time of the last change of a file's state. Git's index relies on the same.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from gavial.registry import local

Seen = dict[str, list[int]]


def look(place: Path) -> Seen | None:
    """What the system tells of a file, or of all files in a folder; `None` where there is none."""
    if place.is_file():
        return {"": _tells(place.stat())}
    if not place.is_dir():
        return None
    return {
        path.relative_to(place).as_posix(): _tells(path.lstat())
        for path in sorted(place.rglob("*"))
        if not path.is_dir() or path.is_symlink()
    }


def remember(note: Path, what: str, seen: Seen) -> None:
    """Note that `what` was compared when it looked like that."""
    local.write_whole(note, json.dumps({"what": what, "seen": seen}).encode())


def is_known(note: Path, what: str, seen: Seen | None) -> bool:
    """Whether that was noted, and it looks the same now."""
    try:
        return seen is not None and json.loads(note.read_bytes()) == {"what": what, "seen": seen}
    except (OSError, ValueError):
        return False


def _tells(stat: os.stat_result) -> list[int]:
    return [stat.st_mode, stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns]
