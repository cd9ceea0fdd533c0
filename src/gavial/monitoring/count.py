"""Records counted one by one in Python: what a state is, said plainly.

A scan on Spark gives the same for many records. Here nothing is clever: every value is put in its
bin, and moments are taken of the values themselves, in exact sums.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from gavial.monitoring import state
from gavial.monitoring.bins import NULL, Categories, Numeric
from gavial.monitoring.losses import LEAST_PROBABILITY
from gavial.monitoring.profile import BINARY, MULTICLASS, REGRESSION, Profile
from gavial.monitoring.state import Cell, Key, State

_LATENCY: Final = Numeric(state.LATENCY_EDGES)


def count(records: Iterable[Mapping[str, Any]], profile: Profile, *, latency: str = "") -> State:
    """The state of records.

    A value that a record does not have is null. What a cell carries is taken of finite numbers
    alone: in bins and in the guard bins `BELOW` and `ABOVE`. A log-loss is of records whose label
    is one of the classes and whose score is a number (for every class, if the score is a sequence);
    an error is of records whose prediction and label are finite.

    Args:
        records: by the names of the profile's columns: features; the score as a probability of the
            positive class, or a sequence with one of each class; prediction; label.
        profile: what is counted, and in which bins.
        latency: the name under which a record has the seconds from it to its label; "" is none.

    Raises:
        ValueError: what is to be a number is a text that is none.
        TypeError: what is to be a number is of another kind.

    >>> profile = Profile(
    ...     BINARY, label="late", score="p", classes=("0", "1"), score_bins=Numeric((0.0, 0.5, 1.0))
    ... )
    >>> found = count([{"p": 0.25, "late": 0}, {"p": 0.75, "late": 1}, {"p": 0.5}], profile)
    >>> found[Key(state.RECORDS)].n, found[Key(state.SCORE, "", 1, 1)]
    (3, Cell(n=1, mean=0.75, m2=0.0))
    """
    held: defaultdict[Key, list[float | None]] = defaultdict(list)

    for record in records:
        held[Key(state.RECORDS)].append(None)
        for name, bins in profile.features.items():
            value = record.get(name)
            if isinstance(bins, Categories):
                held[Key(state.FEATURE, name, bins.index(value))].append(None)
            else:
                found = number(value)
                held[Key(state.FEATURE, name, bins.index(found))].append(_finite(found))
        for key, carried in _outcome(record, profile):
            held[key].append(carried)
        seconds = number(record.get(latency)) if latency else None
        if seconds is not None:
            held[Key(state.LATENCY, "", _LATENCY.index(seconds))].append(_finite(seconds))
    return State({key: _cell(values) for key, values in held.items()})


def number(value: Any) -> float | None:
    """A value as a number: a truth value is 0 or 1, and `None` is null."""
    return None if value is None else float(value)


def probabilities(score: Any, classes: int) -> tuple[float, ...] | None:
    """A probability for each class, out of a score: of the positive class, or a sequence of all.

    `None` where it is none of these, or has what is no finite number.

    >>> probabilities(0.25, 2), probabilities([0.5, 0.25, 0.25], 3), probabilities(None, 2)
    ((0.75, 0.25), (0.5, 0.25, 0.25), None)
    """
    if score is None:
        return None
    found = tuple(map(float, score)) if _many(score) else (1.0 - float(score), float(score))
    return found if len(found) == classes and all(map(math.isfinite, found)) else None


def _many(score: Any) -> bool:
    """Whether a score has a number for each class: a sequence, an array or a vector."""
    return isinstance(score, Sequence) or (hasattr(score, "__len__") and hasattr(score, "__iter__"))


def _outcome(record: Mapping[str, Any], profile: Profile) -> Iterable[tuple[Key, float | None]]:
    if profile.task in (BINARY, MULTICLASS):
        return _classified(record, profile)
    return _regressed(record, profile) if profile.task == REGRESSION else ()


def _classified(record: Mapping[str, Any], profile: Profile) -> Iterable[tuple[Key, float | None]]:
    classes = profile.class_bins
    label = classes.index(record.get(profile.label)) if profile.label else NULL
    if profile.prediction:
        yield Key(state.CONFUSION, "", classes.index(record.get(profile.prediction)), label), None
    if not profile.score:
        return
    score = record.get(profile.score)
    if profile.task == BINARY and profile.score_bins is not None:
        positive = number(score[1] if score is not None and _many(score) else score)
        yield Key(state.SCORE, "", profile.score_bins.index(positive), label), _finite(positive)
    found = probabilities(score, len(classes))
    if label >= 0 and found is not None:
        yield Key(state.LOG_LOSS), -math.log(min(1.0, max(LEAST_PROBABILITY, found[label])))


def _regressed(record: Mapping[str, Any], profile: Profile) -> Iterable[tuple[Key, float | None]]:
    prediction = number(record.get(profile.prediction)) if profile.prediction else None
    label = number(record.get(profile.label)) if profile.label else None
    if profile.value_bins is not None:
        for kind, column, value in (
            (state.PREDICTION, profile.prediction, prediction),
            (state.LABEL, profile.label, label),
        ):
            if column:
                yield Key(kind, "", profile.value_bins.index(value)), _finite(value)
    error = _finite(prediction - label) if prediction is not None and label is not None else None
    if error is not None:
        yield Key(state.ERROR), error
        yield Key(state.ABSOLUTE_ERROR), abs(error)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _cell(carried: Sequence[float | None]) -> Cell:
    """The cell of records and what they carry, in two passes: all of one key carry, or none."""
    values = [one for one in carried if one is not None]
    if not values:
        return Cell(len(carried))
    mean = math.fsum(values) / len(values)
    return Cell(len(values), mean, math.fsum((one - mean) ** 2 for one in values))
