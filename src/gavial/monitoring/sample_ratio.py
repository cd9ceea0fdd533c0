"""Whether a split gave each version the share that it was to: a chi-square test."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gavial.monitoring import chi_square
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
    p = chi_square.tail(statistic, terms - 1)
    return SampleRatio(tuple(weights), tuple(observed), p)
