"""`gavial.compare`: from scored records to the verdict on a challenger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gavial.errors import ConfigurationError
from gavial.maven.coordinate import Coordinate
from gavial.monitoring import losses
from gavial.monitoring.comparison import Comparison
from gavial.monitoring.outcome import INTENDED, Terms, judge
from gavial.monitoring.route import Route
from gavial.monitoring.state import Slot, State
from gavial.monitoring.windows import Windows
from gavial.spark.comparing import scan
from gavial.spark.comparing.rows import Columns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from gavial.spark.monitoring.labels import Labels


def compare(
    scored: DataFrame,
    route: Route | None = None,
    *,
    champion: str = "",
    challenger: str = "",
    id: str | Sequence[str],
    label: str = "label",
    labels: Labels | None = None,
    loss: str = losses.LOG_LOSS,
    margin: float = 0.0,
    alpha: float = 0.05,
    intended: int = INTENDED,
    prediction: str = "prediction",
    score: str = "probability",
    time: str = "",
    windows: Windows | str = "day",
    watermark_col: str = "pipeline",
) -> Comparison:
    """Compare a challenger with the champion on records that they scored side by side.

    The verdict may be asked for daily: over all looks together it is false in `alpha` of cases at
    most, however long one goes on. Each record counts once: its two losses are subtracted, or of a
    split the mean losses of the keys of each version.

    Args:
        scored: one row for each record and version, as `gavial.run_route` gives them. Records of
            other versions do not count.
        route: how the versions ran. `None` is a shadow of `champion` and `challenger`.
        champion: its coordinate, where no route is given.
        challenger: its coordinate; of a route with several which of them.
        id: the column, or columns, that name a record.
        label: the column with what came true: the index of a class, or a number. A null is one
            that is not known yet.
        labels: labels of a table of their own, in place of that column.
        loss: `log_loss` or `brier` of the score, `zero_one`, `squared_error` or `absolute_error`
            of the prediction; less is better.
        margin: the difference of mean losses that is not worth having. With 0 the verdict is
            never that there is none.
        alpha: how often a verdict may be false; the challengers of a route share it.
        intended: the labelled records after which the interval is to be narrowest.
        prediction: the column with what the model predicts.
        score: the column with the probability of class 1, or a vector with one of each class.
        time: the column that says when; with it there is one look a window, and records from
            before `route.since` do not count.
        windows: `hour`, `day`, `week` and so on, or a `Windows` with a time zone.
        watermark_col: the column that names the version.

    Raises:
        ConfigurationError: a column is not there, or an argument does not fit.

    >>> found = compare(scored, route, id="order", label="late", margin=0.001)  # doctest: +SKIP
    >>> str(found.outcome), found.needed  # doctest: +SKIP
    ('keep going', 2140)
    """
    if not isinstance(route, Route | None):
        raise ConfigurationError(
            f"route= is of type {type(route).__name__}: expected a gavial.Route, such as "
            "Route.shadow(champion, challenger)."
        )
    if labels is not None and not hasattr(labels, "on"):
        raise ConfigurationError(
            f"labels= is of type {type(labels).__name__}: expected gavial.Labels(df, on=[…], "
            "label=…)."
        )
    if route is None:
        if not champion or not challenger:
            raise ConfigurationError(
                "Nothing says what to compare: pass a route, or champion= and challenger=, such as "
                "'com.acme:churn:1.0.3' and 'com.acme:churn:1.0.4'."
            )
        route = Route.shadow(champion, challenger)
    elif champion:
        raise ConfigurationError(
            "The route says which version is the champion: leave champion out."
        )
    version = _challenger(route, challenger)
    ids = (id,) if isinstance(id, str) else tuple(id)
    columns = Columns(ids, label, labels, prediction, score, watermark_col, time)
    terms = Terms(loss, margin, alpha, intended)
    cut = windows if isinstance(windows, Windows) else Windows(windows)
    return judge(states(scored, route, columns, terms, cut), route, version, terms, when=_now())


def compare_all(
    scored: DataFrame, route: Route, columns: Columns, terms: Terms, windows: Windows | None = None
) -> tuple[Comparison, ...]:
    """Every challenger of a route, and each of its segments, in one scan.

    The first ones are of all records. Challengers share `terms.alpha`. Segments are looks of their
    own: of twenty, one may be wrong where none differs.
    """
    found = states(scored, route, columns, terms, windows or Windows())
    segments = sorted({slot.segment for slot in found} | {""})
    return tuple(
        judge(found, route, arm.version, terms, segment, _now())
        for segment in segments
        for arm in route.challengers
    )


def states(
    scored: DataFrame, route: Route, columns: Columns, terms: Terms, windows: Windows
) -> Mapping[Slot, State]:
    """What scored records add up to; sums of such go to `judge`."""
    if not columns.id or not all(columns.id):
        raise ConfigurationError(
            f"id={columns.id!r}: expected the column, or columns, that name a record."
        )
    return scan.states(scored, route, terms.loss, columns, windows)


def _challenger(route: Route, named: str) -> str:
    if not named:
        if len(route.challengers) > 1:
            there = ", ".join(str(one.coordinate) for one in route.challengers)
            raise ConfigurationError(f"The route has several challengers: pick one of {there}.")
        return route.challengers[0].version
    if ":" not in named:
        return named
    coordinate = Coordinate.parse(named)
    if coordinate.module != route.module:
        raise ConfigurationError(f"{named} is no version of {route.module}.")
    return str(coordinate.version)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
