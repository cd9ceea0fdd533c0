"""How good a model of several classes is, by labels that came true: from its confusion counts.

Labels of classes that the model does not know are one class more, which it never finds. A record
without a prediction is wrong. Every value is exact.
"""

from __future__ import annotations

from typing import NamedTuple

from gavial.monitoring import state as kinds
from gavial.monitoring.binary import NO_PREDICTIONS
from gavial.monitoring.bins import NULL
from gavial.monitoring.state import State
from gavial.monitoring.told import added, rate, root, told, untold
from gavial.monitoring.verdict import Measured


class _Class(NamedTuple):
    bin: int
    said: int
    true: int
    f1: float


def accuracy(state: State) -> Measured:
    """Share of labelled records whose prediction is their label. Standard error: binomial."""
    counts = confusion(state)
    hits = sum(n for (said, true), n in counts.items() if said == true and said >= 0)
    return rate("accuracy", hits, sum(counts.values()), NO_PREDICTIONS)


def macro_f1(state: State) -> Measured:
    """Mean over classes of the harmonic mean of precision and recall, of the classes that were said
    or came true.

    Source: `sklearn.metrics.f1_score`, `average="macro"`. Standard error: K. Takahashi and others,
    "Confidence interval for micro-averaged F1 and macro-averaged F1 scores" (2022), by the delta
    method.
    """
    return _f1("macro_f1", state, weighted=False)


def weighted_f1(state: State) -> Measured:
    """As `macro_f1`, weighted by how often a class came true. Source: `sklearn.metrics.f1_score`,
    `average="weighted"`."""
    return _f1("weighted_f1", state, weighted=True)


def confusion(state: State) -> dict[tuple[int, int], int]:
    """Labelled records by class of the prediction and class of the label."""
    return {
        (key.bin, key.label): cell.n
        for key, cell in state.of(kinds.CONFUSION)
        if key.label != NULL and cell.n
    }


def _f1(metric: str, state: State, *, weighted: bool) -> Measured:
    counts = confusion(state)
    n = sum(counts.values())
    if not n:
        return untold(metric, NO_PREDICTIONS)
    classes = _classes(counts)
    weights = {one.bin: one.true / n if weighted else 1 / len(classes) for one in classes}
    value = added(weights[one.bin] * one.f1 for one in classes)
    # What a record adds to the metric, to first order: its mean is 0.
    variance = added(
        cell * _influence(classes, weights, said, true, n, value if weighted else None) ** 2
        for (said, true), cell in counts.items()
    )
    return told(metric, value, n, standard_error=root(variance) / n)


def _classes(counts: dict[tuple[int, int], int]) -> list[_Class]:
    found = []
    for index in sorted({one for pair in counts for one in pair if one != NULL}):
        said = sum(n for (bin_, _), n in counts.items() if bin_ == index)
        true = sum(n for (_, label), n in counts.items() if label == index)
        hit = counts.get((index, index), 0) if index >= 0 else 0
        if said + true:
            found.append(_Class(index, said, true, 2 * hit / (said + true)))
    return found


def _influence(
    classes: list[_Class],
    weights: dict[int, float],
    said: int,
    true: int,
    n: int,
    value: float | None,
) -> float:
    found = 0.0
    for one in classes:
        hits = 2 * (said == true == one.bin and said >= 0)
        part = (hits - one.f1 * ((said == one.bin) + (true == one.bin))) * n
        found += weights[one.bin] * part / (one.said + one.true)
        if value is not None and true == one.bin:
            found += one.f1 - value
    return found
