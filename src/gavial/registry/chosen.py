"""The release that a request means, for somebody who is about to use it."""

from __future__ import annotations

from gavial.maven import catalog
from gavial.maven.coordinate import Coordinate
from gavial.maven.repository import Repository
from gavial.maven.selector import Request
from gavial.registry.warn import warn


def choose(store: Repository, request: Request) -> Coordinate:
    """As `catalog.select`, with a warning where that release is withdrawn.

    Raises:
        ModelNotFound, ReleaseNotFound: nothing there matches.
    """
    choice = catalog.choose(store, request)
    if choice.is_withdrawn:
        from gavial.registry import withdraw

        warn(withdraw.warning(store, choice.coordinate))
    return choice.coordinate
