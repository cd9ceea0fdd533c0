"""Score records by a route: several releases of one module at once, in one session."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gavial.errors import ConfigurationError
from gavial.monitoring.comparison import Mode
from gavial.monitoring.route import Route

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from gavial.registry.release import Release
    from gavial.spark.comparing.side_by_side import Ready


def run_route(
    records: DataFrame,
    route: Route | str,
    repository: str | os.PathLike[str] | None = None,
    *,
    watermark_col: str | None = None,
    allow_sql: bool = False,
) -> DataFrame:
    """Score records by a champion and its challengers, side by side.

    What comes back has one row for each record and version that scored it, with the records' own
    columns, those of the model, its watermark, `role` (champion or challenger) and `served`: the
    one row of each record that counts for whoever asked. Columns that a model would write, and that
    the records have from being scored before, are left out; their watermark is kept, under its name
    with `earlier_` before. A replay takes stored records, keeps those that the champion scored as
    they are, and adds what the challengers make of them.

    Args:
        records: a batch; within `foreachBatch`, one of a stream. Each version reads them anew:
            cache what is not the same each time, such as a sample.
        route: or `"group:artifact@alias"`: the route that is kept beside that alias.
        repository: where the versions lie: a configured id, a URL or a folder.
        watermark_col: the column that names the version; that of the champion's card without.
        allow_sql: load models that have SQL statements other than plain column expressions.

    Raises:
        ConfigurationError: a key is null, a column is missing, or the route is no more.
        ReleaseNotFound: a version is not there, or is withdrawn.
        IncompatibleModel: a version cannot score such records, or two of them cannot run in one
            process.

    >>> route = Route.shadow("com.acme:churn:1.0.3", "com.acme:churn:1.0.4")
    >>> scored = run_route(records, route, "models")  # doctest: +SKIP
    """
    from gavial.registry import places
    from gavial.registry import route as routes
    from gavial.registry.release import Release
    from gavial.spark.comparing import side_by_side
    from gavial.spark.monitoring.table import check_dataframe

    check_dataframe(records, "the records")
    store = places.open_named(repository)
    asked = routes.named(store, route) if isinstance(route, str) else route
    _check(asked)
    for arm in asked.arms:
        routes.check_in_force(store, arm)
    releases = {arm: Release.read(store, arm.coordinate) for arm in asked.arms}
    column = watermark_col or _column(releases[asked.champion])
    scoring = asked.challengers if asked.mode is Mode.REPLAY else asked.arms
    ready = {arm: _ready(releases[arm], column, allow_sql=allow_sql) for arm in scoring}
    return side_by_side.score(records, asked, ready, column)


def _check(route: object) -> None:
    if not isinstance(route, Route):
        raise ConfigurationError(
            f"{route!r:.100} is a {type(route).__name__}: expected a gavial.Route, or the alias "
            "that has one, such as 'com.acme:churn@champion'."
        )


def _ready(release: Release, column: str, *, allow_sql: bool) -> Ready:
    from gavial.registry import resolve
    from gavial.spark.comparing.side_by_side import Ready
    from gavial.spark.streaming import records

    model = resolve.load_release(release, allow_sql=allow_sql)
    stamped = records.stamped(model, release.coordinate, column)
    return Ready(stamped, _names(release.card.inputs), _names(release.card.outputs) | {column})


def _column(champion: Release) -> str:
    from gavial.model.watermark import DEFAULT_COLUMN

    return champion.card.watermark or DEFAULT_COLUMN


def _names(part: Mapping[str, Any] | None) -> frozenset[str]:
    """The columns that a card says are read or made."""
    return frozenset(str(one["name"]) for one in (part or {}).get("columns", ()))
