"""A stream's checkpoint folder: Spark's own files, and ours in `gavial/` beside them.

metadata, offsets/, commits/, …        Spark's
gavial/query.json                      whose checkpoint it is
gavial/pins/<query id>/<batch id>      the version of each batch
"""

from __future__ import annotations

import json

from pyspark.sql import SparkSession

from gavial.errors import ConfigurationError, GavialError
from gavial.spark.streaming.files import Files
from gavial.spark.streaming.pin import Owner, Pin

_OWNER = "gavial/query.json"
_PINS = "gavial/pins"
# Spark itself keeps the last hundred batches, to which one may go back by hand.
PINS_KEPT = 1000


class Checkpoint:
    """What Gavial reads and writes in a checkpoint folder.

    Args:
        spark: the session.
        uri: the folder, as `files.qualified` gives it.
    """

    def __init__(self, spark: SparkSession, uri: str) -> None:
        self.uri = uri
        self._files = Files(spark, uri)

    def owner(self) -> Owner | None:
        """Whose checkpoint it is; `None` where it is new.

        Raises:
            ConfigurationError: it is the checkpoint of a query that Gavial did not start.
        """
        data = self._files.read(_OWNER)
        if data is not None:
            return Owner.parse(data, self._where(_OWNER))
        if self.query_id() is not None:
            raise ConfigurationError(
                f"The checkpoint {self.uri!r} belongs to a query that gavial.streaming.score did "
                "not start: name a folder of its own, which need not exist."
            )
        return None

    def claim(self, owner: Owner) -> None:
        """Say whose checkpoint it is, where nobody did.

        Raises:
            ConfigurationError: it is another query's.
        """
        found = self.owner()
        if found is None and not self._files.create(_OWNER, owner.render()):
            found = self.owner()
        if found is not None and (differences := found.differences(owner)):
            raise ConfigurationError(
                f"The checkpoint {self.uri!r} belongs to another query, with {differences}. Each "
                "query has a checkpoint of its own: name another folder, or start that query."
            )

    def query_id(self) -> str | None:
        """The id that Spark gave the query at its first start; `None` before."""
        data = self._files.read("metadata")
        try:
            return None if data is None else str(json.loads(data)["id"])
        except (ValueError, LookupError, TypeError) as error:
            raise ConfigurationError(
                f"{self._where('metadata')} is not what Spark writes there: the checkpoint is "
                "damaged. Restore it from a copy, or start with a new one."
            ) from error

    def pin(self, query: str, batch: int) -> Pin | None:
        """The version that a batch was pinned to, if it was."""
        name = self.pin_name(query, batch)
        data = self._files.read(name)
        return None if data is None else Pin.parse(data, self._where(name))

    def create_pin(self, query: str, batch: int, pin: Pin) -> Pin:
        """Pin a batch, and return what it is pinned to: what another wrote first counts."""
        if self._files.create(self.pin_name(query, batch), pin.render()):
            return pin
        found = self.pin(query, batch)
        if found is None:
            raise ConfigurationError(
                f"{self._where(self.pin_name(query, batch))} came and went: another query uses "
                "this checkpoint. Stop one of them."
            )
        return found

    def forget(self, query: str, batch: int) -> None:
        """Remove the pin that lies far enough behind that batch."""
        if batch >= PINS_KEPT:
            try:
                self._files.delete(self.pin_name(query, batch - PINS_KEPT))
            except GavialError:
                return  # a store that keeps it costs a file, and the batch matters more

    def last_pin(self) -> Pin | None:
        """The version of the last batch that was begun; `None` where none was."""
        query = self.query_id()
        if query is None:
            return None
        names = [one for one in self._files.names(f"{_PINS}/{query}") if one.isdecimal()]
        return self.pin(query, max(map(int, names))) if names else None

    def pin_name(self, query: str, batch: int) -> str:
        """Where a batch's pin lies in the checkpoint."""
        return f"{_PINS}/{query}/{batch}"

    def _where(self, name: str) -> str:
        return f"{self.uri}/{name}"
