"""How good a model of two classes is, by labels that came true."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from gavial.monitoring import state as kinds
from gavial.monitoring.bins import ABOVE, BELOW, NEGATIVE_INFINITY, NULL, POSITIVE_INFINITY
from gavial.monitoring.profile import Profile
from gavial.monitoring.state import Cell, Key, State
from gavial.monitoring.told import added, is_constant, mean, rate, root, told, untold
from gavial.monitoring.verdict import Measured

GROUPS: Final = 10  # of score bins in a calibration
NO_LABELS: Final = "no record has both a label and a score"
NO_PREDICTIONS: Final = "no record has both a label and a prediction"
_FEWEST: Final = 10  # of each class, for the standard error of an AUC to mean something
_INFINITE: Final = (NEGATIVE_INFINITY, POSITIVE_INFINITY)
_FIRST: Final = {NEGATIVE_INFINITY: -2, BELOW: -1}
_LAST: Final = {ABOVE: 1_000_000, POSITIVE_INFINITY: 1_000_001}


class ScoreBin(NamedTuple):
    """What fell into one score bin: cells by the class of the label."""

    bin: int
    negative: Cell
    positive: Cell

    @property
    def n(self) -> int:
        return self.negative.n + self.positive.n

    @property
    def both(self) -> Cell:
        return self.negative + self.positive


def by_score(state: State) -> list[ScoreBin]:
    """The labelled records by score bin, in the order of scores: those beyond the edges and the
    infinite ones stand at the ends; records without a score or of an unseen class are left out."""
    found: dict[int, list[Cell]] = {}
    for key, cell in state.of(kinds.SCORE):
        if key.label in (0, 1) and ordered(key.bin) is not None:
            pair = found.setdefault(key.bin, [Cell(0), Cell(0)])
            pair[key.label] += cell
    return [ScoreBin(one, *found[one]) for one in sorted(found, key=lambda one: ordered(one) or 0)]


def _finite(state: State) -> list[ScoreBin]:
    """Those whose scores are numbers with a mean."""
    return [one for one in by_score(state) if one.bin not in _INFINITE]


def ordered(index: int) -> int | None:
    """Where a bin stands among the others; `None` for null and NaN, which stand nowhere."""
    return index if index >= 0 else _FIRST.get(index, _LAST.get(index))


def is_probability(profile: Profile) -> bool:
    """Whether the score is between 0 and 1, as far as its bins say."""
    edges = profile.score_bins.edges if profile.score_bins else ()
    return bool(edges) and edges[0] >= 0.0 and edges[-1] <= 1.0


def auc(state: State) -> Measured:
    """Area under the ROC curve, from counts by score bin; pairs in one bin count half.

    Error: the true one is within `sum(P_b N_b) / (2 P N)`, as only the pairs of one bin are in
    doubt. A bin whose scores are all one number in each class is in no doubt. Standard error: E. R.
    DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the Areas under Two or More
    Correlated Receiver Operating Characteristic Curves" (1988), over the same bins; not told below
    10 records of a class.
    """
    bins = by_score(state)
    positives, negatives = sum(one.positive.n for one in bins), sum(one.negative.n for one in bins)
    if not bins:
        return untold("auc", NO_LABELS)
    if not positives or not negatives:
        which = "positive" if positives else "negative"
        return untold("auc", f"every label is {which}", positives + negatives)
    doubt = sum(one.positive.n * one.negative.n for one in bins if _in_doubt(one))
    value, variance = area([(_share(one), one.positive.n, one.negative.n) for one in bins])
    enough = min(positives, negatives) >= _FEWEST
    return told(
        "auc",
        value,
        positives + negatives,
        error=doubt / (2.0 * positives * negatives),
        standard_error=root(variance) if enough else None,
    )


def area(bins: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """An AUC and its variance by DeLong's formula.

    Args:
        bins: in the order of scores; of each the share of its pairs that are in the right order,
            its positives and its negatives, which may be expectations.
    """
    total_positive = added(one[1] for one in bins)
    total_negative = added(one[2] for one in bins)
    below = [0.0, *accumulate(one[2] for one in bins)]
    above = [0.0, *accumulate(one[1] for one in reversed(bins))][::-1]
    of_positive = [
        (positive, (low + share * negative) / total_negative)
        for (share, positive, negative), low in zip(bins, below, strict=False)
    ]
    of_negative = [
        (negative, (high + share * positive) / total_positive)
        for (share, positive, negative), high in zip(bins, above[1:], strict=True)
    ]
    value = added(n * one for n, one in of_positive) / total_positive
    variance = _variance(of_positive, value) + _variance(of_negative, value)
    return min(1.0, max(0.0, value)), variance


def _variance(parts: Iterable[tuple[float, float]], value: float) -> float:
    pairs = list(parts)
    n = added(one for one, _ in pairs)
    return added(m * (one - value) * (one - value) for m, one in pairs) / max(n - 1.0, 1.0) / n


def _in_doubt(found: ScoreBin) -> bool:
    return found.bin not in _INFINITE and not (
        is_constant(found.negative) and is_constant(found.positive)
    )


def _share(found: ScoreBin) -> float:
    """The share of a bin's pairs in the right order: half, unless its scores are known."""
    if found.bin in _INFINITE or _in_doubt(found):
        return 0.5
    gap = found.positive.mean - found.negative.mean
    close = 4 * max(math.ulp(found.positive.mean), math.ulp(found.negative.mean))
    return 0.5 if abs(gap) <= close else float(gap > 0)


def log_loss(state: State) -> Measured:
    """Mean of -ln of the probability that the label was given, clipped to 1e-15: exact, from
    moments. The standard error is sd / sqrt(n). Source: `sklearn.metrics.log_loss`."""
    cell = state.get(Key(kinds.LOG_LOSS), Cell(0))
    return mean("log_loss", cell.mean, cell.variance, cell.n, NO_LABELS)


def brier(state: State, profile: Profile) -> Measured:
    """Mean of (probability - outcome) squared: exact, from the moments of scores by class.

    Source: G. W. Brier, "Verification of Forecasts Expressed in Terms of Probability" (1950), for
    the positive class, as `sklearn.metrics.brier_score_loss`. The standard error takes the square
    as linear within a bin.
    """
    if not is_probability(profile):
        return untold("brier", "the score is no probability: its bins leave 0 to 1")
    cells = [
        (cell, float(label) - cell.mean)
        for one in _finite(state)
        for label, cell in enumerate((one.negative, one.positive))
        if cell.n
    ]
    n = sum(cell.n for cell, _ in cells)
    if not n:
        return untold("brier", NO_LABELS)
    value = added(cell.n * gap * gap + cell.m2 for cell, gap in cells) / n
    squares = added(
        cell.n * _square(gap * gap + cell.m2 / cell.n - value) + 4 * gap * gap * cell.m2
        for cell, gap in cells
    )
    return mean("brier", value, squares / max(n - 1, 1), n, NO_LABELS)


def _square(value: float) -> float:
    return value * value  # `**` raises where it overflows


class Confusion(NamedTuple):
    """Counts of labelled records. A record without a prediction, or of another class, is missed."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int
    n: int

    @classmethod
    def of(cls, state: State) -> Confusion:
        counts = {
            (key.bin, key.label): cell.n
            for key, cell in state.of(kinds.CONFUSION)
            if key.label != NULL
        }
        hit, right = counts.get((1, 1), 0), counts.get((0, 0), 0)
        said = sum(n for (bin_, _), n in counts.items() if bin_ == 1)
        true = sum(n for (_, label), n in counts.items() if label == 1)
        return cls(hit, said - hit, true - hit, right, sum(counts.values()))


def accuracy(state: State) -> Measured:
    """Share of labelled records whose prediction is their label: exact, from counts."""
    found = Confusion.of(state)
    return rate("accuracy", found.true_positive + found.true_negative, found.n, NO_PREDICTIONS)


def precision(state: State) -> Measured:
    """Share of true positives among what was said to be positive: exact, from counts."""
    found = Confusion.of(state)
    why = "no labelled record was said to be positive" if found.n else NO_PREDICTIONS
    said = found.true_positive + found.false_positive
    return rate("precision", found.true_positive, said, why)


def recall(state: State) -> Measured:
    """Share of the positives that was said to be positive: exact, from counts."""
    found = Confusion.of(state)
    why = "no label is positive" if found.n else NO_PREDICTIONS
    return rate("recall", found.true_positive, found.true_positive + found.false_negative, why)


def f1(state: State) -> Measured:
    """Harmonic mean of precision and recall: exact, from counts.

    It is `2 J / (1 + J)` with the share `J` of true positives among all that are positive or said
    to be: its standard error is that of `J`, by the delta method.
    """
    found = Confusion.of(state)
    n = found.true_positive + found.false_positive + found.false_negative
    if not n:
        return untold(
            "f1", "no record is positive or was said to be" if found.n else NO_PREDICTIONS
        )
    share = rate("f1", found.true_positive, n, "")
    j = share.value or 0.0
    slope = 2.0 / (1.0 + j) ** 2
    return told("f1", 2 * j / (1 + j), n, standard_error=slope * (share.standard_error or 0.0))


def calibration_error(state: State, profile: Profile) -> Measured:
    """Expected calibration error: the mean distance of score and outcome, over ten groups of about
    as many records.

    Source: M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining Well Calibrated Probabilities
    Using Bayesian Binning" (2015), with groups of equal mass. Groups are whole score bins, whose
    mean scores are exact. It is not 0 by chance even where scores are calibrated: `chance` is that
    expectation and three standard deviations.
    """
    metric = "calibration_error"
    if not is_probability(profile):
        return untold(metric, "the score is no probability: its bins leave 0 to 1")
    groups = _groups(_finite(state))
    n = sum(one.n for one in groups)
    if not n:
        return untold(metric, NO_LABELS)
    value = added(abs(one.both.mean * one.n - one.positive.n) for one in groups) / n
    shares = [min(1.0, max(0.0, one.both.mean)) for one in groups]
    noise = [
        root(one.n * share * (1 - share)) / n for one, share in zip(groups, shares, strict=True)
    ]
    expected = root(2 / math.pi) * added(noise)
    deviation = root((1 - 2 / math.pi) * added(one * one for one in noise))
    return told(metric, value, n, standard_error=deviation, chance=expected + 3 * deviation)


def calibration_bias(state: State, profile: Profile) -> Measured:
    """Mean score less the share of positives, or calibration in the large: exact, from moments.
    Above 0 the model says too much. The standard error is sd / sqrt(n), by the Brier score."""
    metric = "calibration_bias"
    if not is_probability(profile):
        return untold(metric, "the score is no probability: its bins leave 0 to 1")
    bins = _finite(state)
    n = sum(one.n for one in bins)
    if not n:
        return untold(metric, NO_LABELS)
    value = added(one.both.mean * one.n - one.positive.n for one in bins) / n
    squares = brier(state, profile).value or 0.0
    return mean(metric, value, max(0.0, squares - value * value) * n / max(n - 1, 1), n, NO_LABELS)


def calibration(state: State) -> list[tuple[int, float, float]]:
    """What a reliability diagram shows: of each group of score bins its records, its mean score
    and its share of positives."""
    groups = _groups(_finite(state))
    return [(one.n, one.both.mean, one.positive.n / one.n) for one in groups]


def _groups(bins: Iterable[ScoreBin]) -> list[ScoreBin]:
    """Neighbouring bins put together, with about a tenth of the records each."""
    found = [one for one in bins if one.n]
    total, done = sum(one.n for one in found), 0
    groups: list[ScoreBin] = []
    filled = -1
    for one in found:
        place = min(GROUPS - 1, (2 * done + one.n) * GROUPS // (2 * total))
        if place == filled:
            last = groups[-1]
            groups[-1] = ScoreBin(
                last.bin, last.negative + one.negative, last.positive + one.positive
            )
        else:
            groups.append(one)
            filled = place
        done += one.n
    return groups
