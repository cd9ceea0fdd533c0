"""What was read of model cards, kept on this machine so that the next search is quick.

A helper and no authority: which releases there are is always asked of the repository, and whatever
is done with a release reads its card there. So an index that is damaged, locked, or cannot be
written is thrown away or done without, with a warning.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gavial.model import facts
from gavial.registry import local
from gavial.registry.warn import warn

FORMAT = 1  # of the tables
_WAIT_SECONDS = 5.0
_TABLE = (
    "CREATE TABLE IF NOT EXISTS cards (repository TEXT NOT NULL, module TEXT NOT NULL, "
    "version TEXT NOT NULL, stamp TEXT NOT NULL, facts TEXT NOT NULL, "
    "PRIMARY KEY (repository, module, version)) WITHOUT ROWID"
)

# By version: what the repository tells of the card's file, and what was read from it.
Known = dict[str, tuple[str, dict[str, Any]]]


class CardIndex:
    """The index; one that cannot be used knows nothing and keeps nothing.

    Args:
        place: the file; `None` is this user's own. Other formats have files of other names, so
            that two versions of Gavial do not throw each other's away.
        wait: seconds for another process that is writing.
    """

    def __init__(self, place: Path | None = None, wait: float = _WAIT_SECONDS) -> None:
        self._wait = wait
        name = f"cards-{FORMAT}.{facts.FORMAT}.sqlite"
        self._place = place or local.cache_folder() / name
        self._database: sqlite3.Connection | None = None
        self._open()

    def known(self, repository: str, module: str) -> Known:
        """What is kept of a module in the repository of that URL."""
        question = "SELECT version, stamp, facts FROM cards WHERE repository = ? AND module = ?"
        found: Known = {}
        for version, stamp, text in self._run(question, (repository, module)):
            with suppress(ValueError, TypeError, RecursionError):  # then it is read again
                content = json.loads(text)
                if isinstance(content, dict):
                    found[version] = (stamp, content)
        return found

    def keep(
        self, repository: str, module: str, new: Mapping[str, tuple[str, Mapping[str, Any]]]
    ) -> None:
        """Keep what was read of some versions."""
        rows = [
            (repository, module, version, stamp, json.dumps(content))
            for version, (stamp, content) in new.items()
        ]
        self._write("INSERT OR REPLACE INTO cards VALUES (?, ?, ?, ?, ?)", rows)

    def forget(self, repository: str, module: str, gone: Collection[str]) -> None:
        """Forget versions that the repository no longer has."""
        self._write(
            "DELETE FROM cards WHERE repository = ? AND module = ? AND version = ?",
            [(repository, module, version) for version in gone],
        )

    def close(self) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def __enter__(self) -> CardIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, again: bool = True) -> None:
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True)
            # No write-ahead log: a home folder may lie on a network, where that does not work.
            self._database = sqlite3.connect(self._place, timeout=self._wait)
            self._database.execute(_TABLE)
            self._database.execute("SELECT repository, module, version, stamp, facts FROM cards")
            self._database.commit()
        except (sqlite3.Error, OSError) as error:
            self._given_up(error, again)

    def _run(self, statement: str, values: tuple[str, ...]) -> list[Any]:
        if self._database is None:
            return []
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            self._given_up(error, again=True)
            return []

    def _write(self, statement: str, rows: Iterable[tuple[str, ...]]) -> None:
        rows = list(rows)
        if self._database is None or not rows:
            return
        try:
            with self._database:
                self._database.executemany(statement, rows)
        except sqlite3.Error as error:
            self._given_up(error, again=False)

    def _given_up(self, error: Exception, again: bool) -> None:
        """Throw a damaged index away and start another; do without one that is only in use."""
        self.close()
        if _is_damaged(error) and again and self._removed():
            warn(f"The index of cards {self._place} was damaged ({error}) and is made anew.")
            self._open(again=False)
            return
        warn(
            f"The index of cards {self._place} cannot be used ({error}): cards are read from the "
            "repository, which takes longer."
        )

    def _removed(self) -> bool:
        try:
            self._place.unlink(missing_ok=True)
            self._place.with_name(f"{self._place.name}-journal").unlink(missing_ok=True)
        except OSError:
            return False
        return True


def _is_damaged(error: Exception) -> bool:
    """Whether the file is no index at all, or not ours: in use and read-only are other things."""
    text = str(error)
    if isinstance(error, sqlite3.OperationalError):
        return "no such column" in text or "no such table" in text or "already" in text
    return isinstance(error, sqlite3.DatabaseError)
