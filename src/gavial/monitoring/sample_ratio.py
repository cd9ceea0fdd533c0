"""Whether a split gave each version the share that it was to: a chi-square test."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gavial.monitoring.comparison import SampleRatio


def sample_ratio(weights: Sequence[float], observed: Sequence[int]) -> SampleRatio:
    """Pearson's test of counts against shares. What has no share and no records is left out.

    Args:
        weights: the shares, 1 together.
        observed: the records, or keys, of each.

    >>> sample_ratio((0.9, 0.1), (9050, 950)).holds, sample_ratio((0.9, 0.1), (9200, 800)).holds
    (True, False)
    """
    n = sum(observed)
    statistic, terms = 0.0, 0
    for weight, count in zip(weights, observed, strict=True):
        if weight > 0:
            statistic += (count - n * weight) ** 2 / (n * weight) if n else 0.0
            terms += 1
        elif count:
            statistic = math.inf
    p = chi_square_tail(statistic, terms - 1)
    return SampleRatio(tuple(weights), tuple(observed), p)


def chi_square_tail(statistic: float, freedom: int) -> float:
    """The chance that a chi-square variable exceeds `statistic`.

    By the exact recurrence of the incomplete gamma function for whole and half orders (Abramowitz
    and Stegun 26.4.4 and 26.4.5).

    >>> round(chi_square_tail(3.841458820694124, 1), 9), chi_square_tail(0.0, 0)
    (0.05, 1.0)
    """
    if freedom < 1 or statistic <= 0:
        return 0.0 if math.isinf(statistic) else 1.0
    if math.isinf(statistic):
        return 0.0
    half = statistic / 2
    odd = freedom % 2
    found = math.erfc(math.sqrt(half)) if odd else math.exp(-half)
    order = 0.5 if odd else 1.0
    while order < freedom / 2:
        found += math.exp(order * math.log(half) - half - math.lgamma(order + 1))
        order += 1
    return min(found, 1.0)
