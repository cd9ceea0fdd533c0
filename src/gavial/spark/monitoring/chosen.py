"""The columns of records that are counted, under the names that are used here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pyspark.sql import Column
from pyspark.sql.types import DataType, DoubleType

from gavial.errors import ConfigurationError
from gavial.monitoring.bins import Categories
from gavial.monitoring.profile import REGRESSION, UNLABELLED, Profile
from gavial.spark.monitoring import binning
from gavial.spark.monitoring.cells import LABEL, PREDICTION, SCORE, SECONDS, feature, is_score
from gavial.spark.monitoring.labels import Labels
from gavial.spark.monitoring.table import Table


class Chosen:
    """What is counted of some records.

    A column of the profile that is not there, or that the bins are not for, is left out.

    Args:
        table: the records.
        profile: what is to be counted.
        labels: where what came true is, if it is not in the records.

    Attributes:
        kinds: the types of the columns, as `Cells` takes them.
        columns: the columns; those of `labels` are not there yet.
        problems: what was left out, in words.
    """

    def __init__(self, table: Table, profile: Profile, labels: Labels | None = None) -> None:
        self.table, self.profile, self.labels = table, profile, labels
        self.kinds: dict[str, DataType] = {}
        self.columns: dict[str, Column] = {}
        self.problems: list[str] = []
        for at, (name, one) in enumerate(profile.features.items()):
            self._counted(feature(at), name, partial(binning.fits, found=one))
        if profile.task != UNLABELLED:
            self._outcome()

    def _outcome(self) -> None:
        profile = self.profile
        regression = profile.task == REGRESSION
        fits = binning.is_number if regression else _can_be_class
        self._counted(PREDICTION, profile.prediction, fits)
        self._counted(SCORE, profile.score, is_score)
        if self.labels is None:
            self._counted(LABEL, profile.label, fits)
            return
        kind = Table(self.labels.data, "the labels").need(self.labels.label).kind
        if not fits(kind):
            raise ConfigurationError(
                f"The label {self.labels.label!r} is of type {kind.simpleString()}: expected "
                + ("numbers." if regression else "classes: texts, numbers or truth values.")
            )
        self.kinds[LABEL] = kind
        if self.labels.time:
            self.kinds[SECONDS] = DoubleType()

    def _counted(self, here: str, name: str, fits: Callable[[DataType], bool]) -> None:
        """Take a column, if it is there and can be counted."""
        if not name:
            return
        found = self.table.find(name)
        if found is None:
            self.problems.append(f"The records have no column {name!r}: it is not counted.")
        elif not fits(found.kind):
            self.problems.append(
                f"The column {name!r} is of type {found.kind.simpleString()}, which does not fit "
                "the profile: it is not counted."
            )
        else:
            self.kinds[here] = found.kind
            self.columns[here] = found.column


def _can_be_class(kind: DataType) -> bool:
    return binning.fits(kind, Categories(()))
