"""A model that is followed through its releases: one in service, a newer one loaded ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gavial.errors import (
    CorruptRelease,
    GavialError,
    NotFound,
    ReleaseNotFound,
    RepositoryError,
)
from gavial.maven import catalog, layout
from gavial.maven.coordinate import Coordinate
from gavial.registry import rollout, withdraw
from gavial.registry.chosen import choose
from gavial.registry.problems import Problems
from gavial.registry.release import Release
from gavial.registry.rollout import Failure

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel

    from gavial.maven.repository import Repository
    from gavial.maven.selector import Request
    from gavial.spark.streaming.pin import Pin

# Loads a release; `next_one` says that it would follow what is in service, and must fit it.
Load = Callable[[Release, bool], "PipelineModel"]


@dataclass(frozen=True)
class _Loaded:
    pin: Pin
    model: PipelineModel


class Followed:
    """The versions of one model, for a stream that runs.

    A batch's thread asks `choose` and `model`, another one calls `look`.

    Args:
        store: where its releases lie.
        request: which of them are meant.
        load: from a release to a model that is ready to score.
        interval: seconds between two looks, from which the wait after a failure grows.
        problems: what goes wrong is added there.
    """

    def __init__(
        self,
        store: Repository,
        request: Request,
        load: Load,
        *,
        interval: float,
        problems: Problems,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._request, self._load = store, request, load
        self._interval, self._problems, self._clock = interval, problems, clock
        self._back = bool(request.alias)
        self._state = threading.Lock()  # held for moments: a batch never waits for a load
        self._repository = threading.Lock()  # one thread at a time asks it
        self._in_service: _Loaded | None = None
        self._ready: _Loaded | None = None
        self._replayed: _Loaded | None = None
        self._failures: dict[Coordinate, Failure] = {}

    @property
    def in_service(self) -> Coordinate:
        """What the next batch runs on, unless a newer one is ready by then."""
        return self._serving().pin.coordinate

    def start(self, last: Pin | None, *, allow_older: bool = False) -> None:
        """Load the version to begin with.

        Args:
            last: what the last batch of an earlier run was pinned to.
            allow_older: an older version than that will do.

        Raises:
            ModelNotFound, ReleaseNotFound: nothing matches, or nothing that is new enough.
            CorruptRelease, IncompatibleModel: it cannot be used, and no earlier run used another.
        """
        with self._repository:
            newest = choose(self._store, self._request)
        before = last.coordinate if last else None
        first, *others = rollout.to_start(newest, before, allow_older=allow_older or self._back)
        try:
            self._in_service = self._loaded(first, next_one=False)
        except GavialError as error:
            if not others:
                raise
            self._in_service = self._loaded(others[0], next_one=False)
            self._failed(first, error)

    def look(self) -> None:
        """Look for a newer release, and load it. What goes wrong becomes a problem."""
        now_used = self.in_service
        try:
            with self._repository:
                newest = catalog.select(self._store, self._request)
        except NotFound as error:
            self._problems.add(self._gone(now_used, error))
            return
        except Exception as error:  # the stream goes on, whatever it is
            self._problems.add(
                f"The repository could not be asked for newer releases: {error} {now_used} stays "
                "in service."
            )
            return
        if newest.version < now_used.version and not self._back:
            self._problems.add(self._gone(now_used))
        with self._state:
            if self._back and newest == now_used:
                self._ready = None  # the alias was set back before a batch took what it meant
            ready = self._ready.pin.coordinate if self._ready else None
        failure = self._failures.get(newest)
        if not rollout.to_load(newest, now_used, ready, failure, self._clock(), back=self._back):
            return
        try:
            loaded = self._loaded(newest, next_one=True)
        except Exception as error:  # likewise: a stage's own code may raise anything
            self._failed(newest, error)
            return
        self._failures.clear()
        with self._state:
            self._ready = loaded

    def choose(self, pinned: Pin | None) -> Pin:
        """The version of the batch that begins now; a pinned one stays what it is."""
        with self._state:
            serving, ready = self._serving(), self._ready
            decided = rollout.route(
                pinned.coordinate if pinned else None,
                serving.pin.coordinate,
                ready.pin.coordinate if ready else None,
                back=self._back,
            )
            if ready is not None and decided.in_service == ready.pin.coordinate:
                self._in_service = ready
            self._ready = None
            if pinned is not None:
                return pinned
            self._replayed = None  # replays come first, so it is needed no more
            return self._serving().pin

    def model(self, pin: Pin) -> PipelineModel:
        """The model of a version; for a replay it may have to be loaded.

        Raises:
            ReleaseNotFound: it is in the repository no more.
            CorruptRelease: it is not what the batch was pinned to.
        """
        with self._state:
            for known in (self._in_service, self._replayed):
                if known is not None and known.pin == pin:
                    return known.model
        try:
            self._replayed = self._loaded(pin.coordinate, next_one=False)
        except ReleaseNotFound as error:
            raise ReleaseNotFound(
                f"A batch that has to be repeated was pinned to {pin.coordinate}, which the "
                f"repository has no more: {error} Put that release back."
            ) from error
        if self._replayed.pin != pin:
            raise CorruptRelease(
                f"A batch that has to be repeated was pinned to {pin.coordinate} with the sha256 "
                f"{pin.sha256}, and the repository has {self._replayed.pin.sha256}: a release "
                "never changes. Put the old one back."
            )
        return self._replayed.model

    def batch_failed(self, batch: int, pin: Pin, where: str, error: Exception) -> None:
        """Note that a batch could not be scored or written."""
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        self._problems.add(
            f"Batch {batch} failed on {pin.coordinate}: {first} A restart repeats it on that "
            f"version; to have it scored by another one, stop the stream and delete {where}."
        )

    def _serving(self) -> _Loaded:
        if self._in_service is None:
            raise AssertionError("start() comes first")
        return self._in_service

    def _loaded(self, coordinate: Coordinate, *, next_one: bool) -> _Loaded:
        from gavial.spark.streaming.pin import Pin

        with self._repository:
            release = Release.read(self._store, coordinate)
            jar = release.file(layout.jar_path(coordinate).rpartition("/")[2])
            return _Loaded(Pin(coordinate, jar.sha256), self._load(release, next_one))

    def _failed(self, coordinate: Coordinate, error: Exception) -> None:
        if not isinstance(error, RepositoryError):  # an outage says nothing of a release
            self._failures[coordinate] = rollout.failed(
                self._failures.get(coordinate), self._clock(), self._interval
            )
        what = f"is what {self._request} means" if self._back else "is newer"
        self._problems.add(
            f"{coordinate} {what} and cannot be used: {error} {self.in_service} stays in service."
        )

    def _gone(self, in_service: Coordinate, error: Exception | None = None) -> str:
        """What is said where the selector no longer means what is in service."""
        stays = f"{in_service} stays in service until"
        if self._back:
            return f"{error} {stays} the alias is set to another."
        try:
            with self._repository:
                is_out = in_service.version in catalog.withdrawn(self._store, in_service.module)
                warning = withdraw.warning(self._store, in_service) if is_out else ""
        except Exception:  # as any look: the stream goes on
            is_out = False
        if is_out:
            return (
                f"{warning} Versions never go back by themselves: {stays} a newer one is released. "
                "To go back now, start the stream again with allow_older=True."
            )
        return (
            f"{in_service} is in service and in the repository no more: it stays in service until "
            "a newer one is released."
        )
