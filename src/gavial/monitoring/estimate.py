"""How good a model of two classes probably is, where labels have not come yet.

Confidence-based performance estimation: a score that is calibrated says how many positives to
expect, and so what a metric of them is to be. The calibration is that of the version's own
reference. Source: J. Białek and others, "Estimating Model Performance Under Covariate Shift Without
Labels" (2024), as in NannyML.

It sees that other records came (covariate drift). **It is blind to concept drift**: where the same
records have other outcomes than at release, it says that nothing happened. So it is never more than
an estimate, and is marked as one.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gavial.monitoring import binary
from gavial.monitoring import state as kinds
from gavial.monitoring.binary import ScoreBin, by_score, ordered
from gavial.monitoring.losses import LEAST_PROBABILITY
from gavial.monitoring.profile import Profile, Reference
from gavial.monitoring.state import Cell, State
from gavial.monitoring.told import added, root, told, untold
from gavial.monitoring.verdict import Measured

METRICS: Final = (
    "estimated_auc",
    "estimated_log_loss",
    "estimated_brier",
    "estimated_accuracy",
    "estimated_precision",
    "estimated_recall",
    "estimated_f1",
)
_NO_SCORES: Final = "no record has a score"
_NO_REFERENCE: Final = "the reference has no labels to calibrate the score with"


class Expected(NamedTuple):
    """A score bin of records whose labels are not known: how many, their scores, and how many of
    them are expected to be positive."""

    cell: Cell
    positive: float

    @property
    def negative(self) -> float:
        return self.cell.n - self.positive


def estimates(state: State, profile: Profile, reference: Reference | None) -> Iterator[Measured]:
    """The metrics of `METRICS` by expected labels, of all records with a score.

    The standard errors are those of the expectations, as if they were labels that came true; what
    the calibration errs by comes on top and is not known.
    """
    measured = by_score(reference.total) if reference else []
    bins = _expect(state, calibrated(measured)) if measured else []
    n = sum(one.cell.n for one in bins)
    if not n:
        why = _NO_SCORES if measured else _NO_REFERENCE
        yield from (untold(name, why, estimated=True) for name in METRICS)
        return
    yield _auc(bins, n)
    yield from _losses(bins, n, profile)
    yield from _decisions(bins, n, state)


def calibrated(bins: Sequence[ScoreBin]) -> list[tuple[int, float]]:
    """The share of positives by score bin, made to rise with the score: of each bin its place in
    the order of scores, and its share.

    Source: pool adjacent violators, R. E. Barlow and others, "Statistical Inference under Order
    Restrictions" (1972); `sklearn.isotonic.IsotonicRegression`.
    """
    blocks: list[tuple[int, int, list[int]]] = []
    for one in bins:
        positive, n, places = one.positive.n, one.n, [ordered(one.bin) or 0]
        while blocks and blocks[-1][0] * n >= positive * blocks[-1][1]:
            before = blocks.pop()
            positive, n, places = before[0] + positive, before[1] + n, before[2] + places
        blocks.append((positive, n, places))
    return [(place, positive / n) for positive, n, places in blocks for place in places]


def _expect(state: State, shares: Sequence[tuple[int, float]]) -> list[Expected]:
    cells: dict[int, Cell] = {}
    for key, cell in state.of(kinds.SCORE):
        place = ordered(key.bin)
        if place is not None:
            cells[place] = cells.get(place, Cell(0)) + cell
    places = [place for place, _ in shares]
    found = []
    for place in sorted(cells):
        nearest = min(bisect_left(places, place), len(places) - 1)
        found.append(Expected(cells[place], cells[place].n * shares[nearest][1]))
    return found


def _auc(bins: Sequence[Expected], n: int) -> Measured:
    positive = added(one.positive for one in bins)
    if not 0 < positive < n:
        return untold("estimated_auc", "one class alone is expected", n, estimated=True)
    value, variance = binary.area([(0.5, one.positive, one.negative) for one in bins])
    doubt = added(one.positive * one.negative for one in bins)
    return told(
        "estimated_auc",
        value,
        n,
        error=doubt / (2 * positive * (n - positive)),
        standard_error=root(max(0.0, variance)),
        estimated=True,
    )


def _losses(bins: Sequence[Expected], n: int, profile: Profile) -> Iterator[Measured]:
    names = "estimated_log_loss", "estimated_brier"
    if not binary.is_probability(profile):
        why = "the score is no probability: its bins leave 0 to 1"
        yield from (untold(name, why, n, estimated=True) for name in names)
        return
    logs, squares = [], []
    for one in bins:
        score = min(1.0 - LEAST_PROBABILITY, max(LEAST_PROBABILITY, one.cell.mean))
        logs += [(one.positive, -math.log(score)), (one.negative, -math.log1p(-score))]
        squares += [(one.positive, (1 - score) * (1 - score)), (one.negative, score * score)]
    for name, losses in zip(names, (logs, squares), strict=True):
        value = added(weight * loss for weight, loss in losses) / n
        variance = added(weight * (loss - value) * (loss - value) for weight, loss in losses) / n
        yield told(name, value, n, standard_error=root(variance / n), estimated=True)


def _decisions(bins: Sequence[Expected], n: int, state: State) -> Iterator[Measured]:
    """Accuracy, precision, recall and F1, where the records said to be positive are those with the
    highest scores: which is so where a threshold decides."""
    counts = state.histogram(kinds.CONFUSION)
    names = METRICS[3:]
    if not counts:
        why = "the profile has no prediction"
        yield from (untold(name, why, n, estimated=True) for name in names)
        return
    said = n * counts.get(1, 0) / sum(counts.values())
    positive = added(one.positive for one in bins)
    left, hit = said, 0.0
    for one in reversed(bins):
        taken = min(left, one.cell.n)
        hit += one.positive * taken / one.cell.n
        left -= taken
    right = n - positive - said + 2 * hit
    shares = (
        ("estimated_accuracy", right, n),
        ("estimated_precision", hit, said),
        ("estimated_recall", hit, positive),
        ("estimated_f1", 2 * hit, said + positive),
    )
    for name, part, whole in shares:
        if whole <= 0:
            yield untold(name, "no positive record is expected", n, estimated=True)
            continue
        value = min(1.0, max(0.0, part / whole))
        chance = root(value * (1 - value) / whole)
        yield told(name, value, n, standard_error=chance, estimated=True)
