"""The reference that a release gets: counted of records that its model scored."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gavial.errors import ConfigurationError, CorruptRelease, IncompatibleModel, ReleaseNotFound
from gavial.maven import catalog, publish
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Target
from gavial.maven.repository import Repository
from gavial.model import columns
from gavial.model.card import stages_of
from gavial.model.saved_model import SavedModel
from gavial.monitoring.profile import Profile, Reference
from gavial.registry.reference import reference_of
from gavial.registry.release import Release
from gavial.registry.warn import warn

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame

MAJOR, NEW = "major", "new"
EDGES: Final = (MAJOR, NEW)
# What Spark's own stages call what they make, where nobody names it.
_PREDICTION, _SCORE = "prediction", "probability"
_EARLIER = 10  # releases of a major that are asked for a reference


@dataclass(frozen=True)
class Records:
    """What a caller says of the records of a reference.

    Attributes:
        records: a DataFrame, or what `learn` made of one.
        label, prediction, score, time: their columns; "" where nobody says.
        edges: "major" counts in the bins of the newest release of the same major that has a
            reference; "new" learns them.
    """

    records: DataFrame | Reference | None = None
    label: str = ""
    prediction: str = ""
    score: str = ""
    time: str = ""
    edges: str = MAJOR

    def __post_init__(self) -> None:
        if self.edges not in EDGES:
            raise ConfigurationError(
                f"reference_edges={self.edges!r}: expected 'major', for the bins that other "
                "releases of this major have, or 'new'."
            )
        told = self.label or self.prediction or self.score or self.time
        if told and not hasattr(self.records, "schema"):
            raise ConfigurationError(
                "label, prediction, score and time name columns of reference=, which is "
                + ("not there." if self.records is None else "no DataFrame.")
            )


def learnt(
    given: Records,
    target: Target,
    store: Repository,
    saved: SavedModel,
    model: Callable[[], PipelineModel],
) -> Reference | None:
    """The reference of a release; `None` where no records are given.

    Args:
        given: the records, scored or to be scored.
        target: what is released.
        store: where other releases of its major are.
        saved: the model.
        model: the same, to score records with.

    Raises:
        ConfigurationError: there is no session, a column is not there, or the records are none.
        IncompatibleModel: the model cannot score the records.
    """
    if given.records is None or isinstance(given.records, Reference):
        return given.records
    if not hasattr(given.records, "schema"):
        raise ConfigurationError(
            f"reference={given.records!r:.80}: expected a DataFrame of records that the model "
            "scored or can score, or what gavial.spark.monitoring.reference.learn made of one."
        )
    from gavial.spark import session
    from gavial.spark.monitoring import reference
    from gavial.spark.monitoring.table import check_batch

    check_batch(given.records, "the reference")
    if not session.has_active():
        raise ConfigurationError(
            "reference= is counted by Spark, and there is no session: deploy where the DataFrame "
            "was made."
        )
    session.classic()
    flow = columns.flow(stages_of(saved, Coordinate.parse("none:none:0.0.0")))
    scored, prediction, score = _scored(given, flow, model)
    profile = None if given.edges == NEW else _shared(given, target, store)
    if scored is not given.records:
        scored = scored.persist()  # it is read several times, and scoring costs more than that
    problems: list[str] = []
    found = reference.learn(
        scored,
        label=given.label,
        prediction=prediction,
        score=score,
        features=_features(flow, scored, {given.label, given.time}),
        time=given.time,
        profile=profile,
        version="0.0.0",
        problems=problems,
    )
    if scored is not given.records:
        scored.unpersist()
    for one in problems:
        warn(one)
    return found


def content(reference: Reference, coordinate: Coordinate) -> Content:
    """The file of a reference in a release."""
    from gavial.monitoring import reference as table
    from gavial.spark import session
    from gavial.spark.monitoring import files

    known = replace(reference, version=str(coordinate.version))
    with tempfile.TemporaryDirectory(prefix="gavial-reference-") as folder:
        place = Path(folder) / "reference.parquet"
        files.write(session.current(), table.rows(known, str(coordinate.module)), place)
        return Content.of_bytes(place.read_bytes())


def _scored(
    given: Records, flow: columns.Flow, model: Callable[[], PipelineModel]
) -> tuple[Any, str, str]:
    """Scored records, and the columns of prediction and score in them."""
    from gavial.spark.columns import same
    from gavial.spark.schema import reason

    df: Any = given.records
    wanted = [one for one in (given.prediction, given.score) if one]
    made = wanted or [one for one in (_PREDICTION, _SCORE) if one in flow.makes] or flow.makes
    if any(same(one, df.columns) is None for one in made):
        try:
            df = model().transform(df)
        except Exception as error:  # Spark's, py4j's, and whatever a Python-written stage raises
            raise IncompatibleModel(
                f"The model cannot score reference=, whose columns are {df.columns!r}: "
                f"{reason(error)} Pass records such as it was fitted on, or scored ones."
            ) from error
    prediction = given.prediction or same(_PREDICTION, df.columns) or ""
    score = given.score or (same(_SCORE, df.columns) or "")
    return df, prediction, score


def _features(flow: columns.Flow, df: Any, taken: set[str]) -> list[str] | None:
    """The columns that the pipeline needs, where they are known and have bins; `None` is all."""
    from gavial.spark.monitoring.reference import plain

    if flow.unknown:
        return None
    needed = {one.lower() for one in flow.needs}
    found = [one for one in plain(df, taken) if one.lower() in needed]
    return found or None


def _shared(given: Records, target: Target, store: Repository) -> Profile | None:
    """The bins that the versions of a major share; `None` where none of them has any."""
    known = catalog.numbers(store, target.module)
    major = publish.choose_line(target, known).major
    out = catalog.withdrawn(store, target.module)
    earlier = sorted((one for one in known if one.major == major and one not in out), reverse=True)
    for version in earlier[:_EARLIER]:
        coordinate = Coordinate(target.module, version)
        try:
            found = reference_of(Release.read(store, coordinate))
        except ReleaseNotFound:
            continue
        except (CorruptRelease, IncompatibleModel) as error:
            warn(
                f"The reference of {coordinate} cannot be read, so its bins are not taken: {error}"
            )
            continue
        if found is not None:
            _check_same(given, found.profile, coordinate)
            return found.profile
    return None


def _check_same(given: Records, profile: Profile, coordinate: Coordinate) -> None:
    for name in ("label", "prediction", "score"):
        asked, there = getattr(given, name), getattr(profile, name)
        if asked and asked != there:
            raise ConfigurationError(
                f"{name}={asked!r}: the bins that versions of one major share come from "
                f"{coordinate}, whose {name} is {there!r}. Rename the column, or learn new bins "
                'with reference_edges="new": then states of this version are never added to '
                "those of earlier ones, nor compared with them."
            )
