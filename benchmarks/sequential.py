"""How often a verdict of `gavial.compare` is false, and how much later it comes than a test's.

    python benchmarks/sequential.py

Needs numpy. Records are drawn as counts and moments of the records between two looks, by the exact
distributions of both for normal losses; the rule is that of `gavial.monitoring.outcome`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gavial.monitoring.outcome import INTENDED, MINIMUM
from gavial.monitoring.sequence import width

TIMES, ALPHA, SEED = 10_000, 0.05, 1
NORMAL_975, NORMAL_80 = 1.959963984540054, 0.8416212335729143
Numbers = NDArray[np.float64]


def looks(
    effect: float, each: int, count: int, rng: np.random.Generator
) -> Iterator[tuple[int, Numbers, Numbers]]:
    """After each look: records, their mean, and their standard deviation, for all `TIMES`."""
    sums, within, between = np.zeros(TIMES), np.zeros(TIMES), np.zeros(TIMES)
    for look in range(1, count + 1):
        means = rng.normal(effect, 1 / math.sqrt(each), TIMES)
        n = look * each
        before = sums / max(n - each, 1)
        between += 0 if look == 1 else (means - before) ** 2 * (n - each) * each / n
        within += rng.chisquare(each - 1, TIMES)
        sums += means * each
        yield n, sums / n, np.sqrt((within + between) / (n - 1))


def decided(effect: float, each: int, count: int, rng: np.random.Generator) -> Numbers:
    """Records after which there was a verdict; infinite where there was none."""
    found = np.full(TIMES, np.inf)
    for n, mean, spread in looks(effect, each, count, rng):
        if n >= MINIMUM:
            told = np.abs(mean) > spread * width(n, ALPHA, INTENDED)
            found[told & np.isinf(found)] = n
    return found


def naive(each: int, count: int, rng: np.random.Generator) -> float:
    """How often a t-test at each look finds a difference where there is none."""
    found = np.zeros(TIMES, dtype=bool)
    for n, mean, spread in looks(0.0, each, count, rng):
        found |= np.abs(mean) > NORMAL_975 * spread / math.sqrt(n)
    return float(found.mean())


def main() -> None:
    rng = np.random.default_rng(SEED)
    print(f"{TIMES} comparisons of equal versions, 30 looks each: false verdicts")
    print("records a look   gavial   a test at each look")
    for each in (20, 100, 1000, 10_000):
        false = np.isfinite(decided(0.0, each, 30, rng)).mean()
        print(f"{each:14,}   {false:6.2%}   {naive(each, 30, rng):19.2%}")
    print()
    print(f"{TIMES} comparisons of versions that differ, 60 looks: share with a verdict by then")
    print("difference   one test needs   x0.5     x1     x2     x3   median records, and x")
    for effect in (0.2, 0.1, 0.05, 0.02, 0.01):
        fixed = math.ceil(((NORMAL_975 + NORMAL_80) / effect) ** 2)
        when = decided(effect, math.ceil(fixed / 20), 60, rng)
        shares = "  ".join(
            f"{(when <= factor * fixed * 1.01).mean():5.1%}" for factor in (0.5, 1, 2, 3)
        )
        median = float(np.median(when))
        print(f"{effect:7.2f} sd   {fixed:14,}  {shares}   {median:12,.0f}   {median / fixed:.2f}")


if __name__ == "__main__":
    main()
