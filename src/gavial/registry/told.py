"""What channels were told, kept in a file: nobody is told twice, and nothing is forgotten."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gavial import limits
from gavial.channels import news
from gavial.channels.news import Told
from gavial.errors import GavialError
from gavial.model.manifest import check_format
from gavial.registry import local

try:
    import fcntl
except ImportError:  # Windows: two runs at once may both tell
    fcntl = None  # type: ignore[assignment]

FORMAT = 1
PATIENCE_SECONDS = 600.0  # as long as another run may take to tell
_LOOK_SECONDS = 0.1


class Ledger:
    """What each channel was told of one module.

    Attributes:
        problems: what is not as it ought to be, in words.
    """

    def __init__(self, folder: Path, module: str) -> None:
        # The name is for people; a module's own may be too long for a file.
        digest = hashlib.sha256(module.encode()).hexdigest()[:8]
        self.file = folder / f"{module.replace(':', '_')[:150]}-{digest}.json"
        self._module = module
        self._known: dict[str, dict[str, Told]] = {}
        self.problems: list[str] = []

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Read it, and let no other run tell meanwhile. Yields whether that is so."""
        with _locked(self.file.with_suffix(".lock"), PATIENCE_SECONDS, self.problems) as alone:
            if alone:
                self._read()
            yield alone

    def of(self, channel: str) -> Mapping[str, Told]:
        """What a channel knows, by topic."""
        return self._known.get(channel, {})

    def keep(self, channel: str, known: Mapping[str, Told]) -> None:
        """Note what a channel knows now, on disk.

        Raises:
            OSError: it cannot be written.
        """
        if self._known.get(channel, {}) == dict(known):
            return
        self._known[channel] = dict(known)
        content = {
            "format": FORMAT,
            "module": self._module,
            "channels": {name: news.kept_of(one) for name, one in sorted(self._known.items())},
        }
        local.write_whole(self.file, json.dumps(content, indent=1).encode())

    def _read(self) -> None:
        try:
            with self.file.open("rb") as opened:
                data = opened.read(limits.SMALL_FILE + 1)
        except FileNotFoundError:
            return
        except OSError as error:
            self._begin_anew(error.strerror or str(error))
            return
        try:
            if len(data) > limits.SMALL_FILE:
                raise ValueError("it is too large")
            content: Any = json.loads(data)
            check_format(content.get("format"), FORMAT, str(self.file))
            self._known = {
                str(name): news.known_of(one) for name, one in content["channels"].items()
            }
        except GavialError as error:
            self._begin_anew(str(error))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            self._begin_anew(f"it is damaged: {error!s:.100}")

    def _begin_anew(self, why: str) -> None:
        self._known = {}
        self.problems.append(
            f"What was told before cannot be read in {self.file} ({why.rstrip('.')}): it is told "
            "again."
        )


@contextmanager
def _locked(place: Path, patience: float, problems: list[str]) -> Iterator[bool]:
    """Whether nobody else has the lock; the kernel takes it from whoever dies."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        file = place.open("ab")
    except OSError as error:
        # To tell twice is better than not to tell.
        problems.append(
            f"{place.parent} cannot be written ({error.strerror or error}): what is told now will "
            "be told again."
        )
        yield True
        return
    with file:
        end = time.monotonic() + patience
        while not _lock(file.fileno()):
            if time.monotonic() > end:
                problems.append(f"Another run holds {place}: this one told nothing.")
                yield False
                return
            time.sleep(_LOOK_SECONDS)
        yield True


def _lock(descriptor: int) -> bool:
    if fcntl is None:
        return True
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
