"""Which version a running stream uses, and when it takes a newer one: decisions alone.

The rules: a batch that was pinned runs on its pin, whatever is newer. Any other runs on the newest
that is loaded, and never on an older one than the batch before. That holds after a withdrawal too:
whoever withdraws a release says that it is bad, not which older one a stream shall go back to; the
stream tells of it, and a newer release or a restart with `allow_older` ends it. An alias does say
which one: what it means is what runs, older or not. What fails to load is tried again, later each
time.
"""

from __future__ import annotations

from dataclasses import dataclass

from gavial.errors import ReleaseNotFound
from gavial.maven.coordinate import Coordinate, Version

LONGEST_WAIT = 3600.0  # seconds between two attempts to load a release that failed


@dataclass(frozen=True)
class Route:
    """What a batch runs on, and what is in service after it."""

    batch: Coordinate
    in_service: Coordinate


@dataclass(frozen=True)
class Failure:
    """How often a release failed to load, and when to try again, on the caller's clock."""

    times: int
    again: float


def route(
    pin: Coordinate | None,
    in_service: Coordinate,
    ready: Coordinate | None,
    *,
    back: bool = False,
) -> Route:
    """The version of one batch.

    Args:
        pin: what an earlier run pinned for this very batch.
        in_service: what the batch before ran on, or what the stream started with.
        ready: the newest that was loaded ahead.
        back: an alias is followed, so that it may be older.

    >>> old, new = map(Coordinate.parse, ("com.acme:churn:1.0.1", "com.acme:churn:1.0.2"))
    >>> route(None, old, new).batch, route(old, new, None).batch
    (Coordinate('com.acme:churn:1.0.2'), Coordinate('com.acme:churn:1.0.1'))
    """
    newest = in_service
    if ready is not None:
        newest = ready if back else max(in_service, ready, key=_version)
    # A replay is of the past: what is in service stays there for the batch that follows.
    return Route(newest if pin is None else pin, newest)


def to_load(
    newest: Coordinate,
    in_service: Coordinate,
    ready: Coordinate | None,
    failure: Failure | None,
    now: float,
    *,
    back: bool = False,
) -> bool:
    """Whether to load the newest release that a repository has, or what an alias means.

    Args:
        back: an alias is followed.
        failure: what came of earlier attempts with that very release.
        now: seconds on the clock that `Failure.again` is of.
    """
    known = route(None, in_service, ready, back=back).in_service
    due = failure is None or now >= failure.again
    other = newest != known if back else newest.version > known.version
    return other and due


def failed(before: Failure | None, now: float, interval: float) -> Failure:
    """What is known after one more failure: the wait doubles, up to an hour.

    >>> failed(failed(None, 0.0, 60.0), 60.0, 60.0)
    Failure(times=2, again=180.0)
    """
    times = before.times + 1 if before else 1
    wait = min(interval * 2.0 ** min(times - 1, 32), max(LONGEST_WAIT, interval))
    return Failure(times, now + wait)


def to_start(
    newest: Coordinate, last: Coordinate | None, *, allow_older: bool
) -> tuple[Coordinate, ...]:
    """The versions that a stream may start with, best first.

    Args:
        newest: what the selector means now.
        last: what the last batch of an earlier run was pinned to.
        allow_older: the caller wants to go back, or follows an alias.

    Raises:
        ReleaseNotFound: the newest is older than what ran before, and that is not allowed.
    """
    if last is None or newest == last:
        return (newest,)
    if newest.version > last.version:
        return (newest, last)
    if allow_older:
        return (newest,)
    raise ReleaseNotFound(
        f"The last batch of this stream ran on {last}, and the newest that matches now is "
        f"{newest}: versions never go back by themselves. Release a newer one, ask for {last} by "
        "its version, or say allow_older=True."
    )


def _version(coordinate: Coordinate) -> Version:
    return coordinate.version
