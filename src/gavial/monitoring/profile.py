"""The profile: what is watched of a model, and in which bins it is counted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from gavial.errors import CorruptRelease
from gavial.model import json_values
from gavial.model.manifest import check_format
from gavial.monitoring import bins
from gavial.monitoring.bins import Bins, Categories, Numeric
from gavial.monitoring.state import State, total
from gavial.monitoring.windows import Window

FORMAT: Final = 1
BINARY, MULTICLASS, REGRESSION, UNLABELLED = "binary", "multiclass", "regression", "unlabelled"
TASKS: Final = (BINARY, MULTICLASS, REGRESSION, UNLABELLED)


@dataclass(frozen=True)
class Profile:
    """What is watched of a model.

    Attributes:
        task: one of `TASKS`; an unlabelled one has features alone.
        features: the bins of each feature, by its column.
        label: the column with what came true; "" where there is none.
        prediction: the column with what the model says; "" where there is none.
        score: the column with the probability of the positive class, or the vector of all; "" where
            there is none.
        classes: the classes as `bins.text_of` has them, in the order of their indices. The second
            of a binary task is the positive one.
        score_bins: the bins of the score.
        value_bins: the bins of label and prediction of a regression.
    """

    task: str
    features: Mapping[str, Bins] = field(default_factory=dict)
    label: str = ""
    prediction: str = ""
    score: str = ""
    classes: tuple[str, ...] = ()
    score_bins: Numeric | None = None
    value_bins: Numeric | None = None

    @cached_property
    def text(self) -> str:
        """The profile as it is kept: JSON, in one line."""
        return json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False, allow_nan=False)

    @cached_property
    def digest(self) -> str:
        """Names the bins: states with one digest may be added."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @property
    def class_bins(self) -> Categories:
        return Categories(self.classes)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "task": self.task,
            "features": {name: one.to_json() for name, one in self.features.items()},
            "label": self.label,
            "prediction": self.prediction,
            "score": self.score,
            "classes": list(self.classes),
            "score_bins": self.score_bins.to_json() if self.score_bins else None,
            "value_bins": self.value_bins.to_json() if self.value_bins else None,
        }

    @classmethod
    def from_json(cls, found: Any) -> Profile:
        """Read what `to_json` wrote; further members are ignored.

        Raises:
            CorruptRelease: it is no profile.
            IncompatibleModel: it is of a later format.
        """
        try:
            check_format(found["format"], FORMAT, "The monitoring profile")
            task = found["task"]
            if task not in TASKS:
                raise ValueError(f"its task is {task!r:.50}")
            return cls(
                task,
                {str(name): bins.from_json(one) for name, one in found["features"].items()},
                json_values.text(found["label"]),
                json_values.text(found["prediction"]),
                json_values.text(found["score"]),
                tuple(map(json_values.text, found["classes"])),
                _numeric(found["score_bins"]),
                _numeric(found["value_bins"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CorruptRelease(f"A monitoring profile is damaged: {error!s:.200}.") from error


@dataclass(frozen=True)
class Reference:
    """What a version's records looked like when it was released.

    Attributes:
        profile: what is counted, and in which bins.
        version: whose records they were: `major.minor.build`.
        chunks: their states, cut by time or at random: how much they differ among themselves is
            what later ones may differ by.
        windows: when the records of each chunk were; empty where they were not cut by time.
    """

    profile: Profile
    version: str
    chunks: tuple[State, ...]
    windows: tuple[Window, ...] = ()

    @cached_property
    def total(self) -> State:
        return total(self.chunks)


def _numeric(found: Any) -> Numeric | None:
    if found is None:
        return None
    read = bins.from_json(found)
    if not isinstance(read, Numeric):
        raise TypeError("its score has categories")
    return read
