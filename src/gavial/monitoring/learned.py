"""Rules that a version's own reference teaches.

A quality metric may get worse by three standard deviations of its values over the reference's
chunks, and by the metric's floor (`metrics`) in any case. The chunks' own sampling error is taken
out of that deviation first, since each window's is put in when it is judged (`bounds`): a small
window does not alarm, and a large one not for what is true but not worth a word. So rules are of
effect sizes; no p-value is asked.

A drift metric may be as large as its floor, or as between a chunk and the rest of the reference, or
as chance gives it at a window's number of records.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from gavial.monitoring.measure import measure
from gavial.monitoring.metrics import METRICS, Metric, Worse
from gavial.monitoring.profile import UNLABELLED, Reference
from gavial.monitoring.state import State
from gavial.monitoring.told import added
from gavial.monitoring.verdict import Level, Measured, Rule

MINIMUM: Final = 100  # records, for a normal approximation to say something
DEVIATIONS: Final = 3.0  # of chunk values; and of the sampling error, when a window is judged
_CHUNK: Final = 30  # records of a chunk at least, to learn from its value


def learn(reference: Reference) -> tuple[Rule, ...]:
    """The rules that a reference teaches: of each metric that it can tell and that has a floor.

    >>> from gavial.monitoring.count import count
    >>> from gavial.monitoring.profile import Profile
    >>> profile = Profile("regression", label="y", prediction="said")
    >>> chunk = count([{"y": n, "said": n + (-1) ** n} for n in range(200)], profile)
    >>> for rule in learn(Reference(profile, "1.0.0", (chunk, chunk))):
    ...     print(rule.metric, rule.expected, round(rule.high, 3), "-", rule.why)
    mae 1.0 1.1 - 10% more than at release
    rmse 1.0 1.1 - 10% more than at release
    bias 0.0 0.1 - 0.1 more or less than at release
    """
    chunks = [one for one in reference.chunks if one.records >= _CHUNK]
    by_chunk: dict[tuple[str, str], list[Measured]] = {}
    for chunk, rest in zip(chunks, _rests(chunks), strict=True):
        against = Reference(reference.profile, reference.version, (rest,))
        for one in measure(chunk, reference.profile, against):
            if one.value is not None:
                by_chunk.setdefault((one.metric, one.column), []).append(one)
    whole = measure(reference.total, reference.profile, reference)
    return tuple(_rules(whole, by_chunk, reference.profile.task == UNLABELLED))


def _rules(
    whole: Iterable[Measured],
    by_chunk: dict[tuple[str, str], list[Measured]],
    features_alone: bool,
) -> Iterator[Rule]:
    values = {one.metric: one.value for one in whole if not one.column}
    for one in whole:
        metric = METRICS[one.metric]
        floor = metric.floor
        if one.metric == "bias" and values.get("rmse") is not None:
            floor = 0.1 * (values["rmse"] or 0.0)  # a tenth of what it errs by anyway
        if floor is None or one.value is None:
            continue
        chunks = by_chunk.get((one.metric, one.column), [])
        if one.metric.endswith("psi"):
            level = metric.level
            if one.metric == "psi" and features_alone:
                level = Level.WITHOUT_LABELS  # nothing else could ever tell
            yield _drift(one, floor, chunks, level)
        elif one.standard_error is not None:  # or nothing could be told from chance
            least = floor * abs(one.value) if metric.relative else floor
            yield _bounded(one, metric, least, chunks)


def _bounded(one: Measured, metric: Metric, floor: float, chunks: Sequence[Measured]) -> Rule:
    value, deviation = one.value or 0.0, _deviation(chunks)
    allowed = max(floor, DEVIATIONS * deviation)
    direction = {Worse.LOWER: "less", Worse.HIGHER: "more", Worse.EITHER: "more or less"}
    much = f"{metric.floor:.0%}" if metric.relative else f"{floor:.3g}"
    why = f"{much} {direction[metric.worse]} than at release"
    if allowed > floor:
        why = f"three standard deviations over {len(chunks)} chunks of the reference"
    return Rule(
        one.metric,
        one.column,
        None if metric.worse is Worse.HIGHER else value - allowed,
        None if metric.worse is Worse.LOWER else value + allowed,
        MINIMUM,
        why=why,
        expected=value,
        floor=floor,
        deviation=deviation,
        spread=(one.standard_error or 0.0) * math.sqrt(one.n),
        records=one.n,
        level=metric.level,
    )


def _drift(one: Measured, floor: float, chunks: Sequence[Measured], level: Level) -> Rule:
    seen = max((_beyond_chance(chunk) for chunk in chunks), default=0.0)
    why = "a shift that is worth a word"
    if seen > floor:
        why = "as much as one chunk of the reference differs from the others"
    return Rule(one.metric, one.column, None, max(floor, seen), MINIMUM, why=why, level=level)


def _beyond_chance(chunk: Measured) -> float:
    return (chunk.value or 0.0) if (chunk.value or 0.0) > chunk.chance else 0.0


def _deviation(chunks: Sequence[Measured]) -> float:
    """The standard deviation of chunk values beyond what sampling gives them."""
    if len(chunks) < 2:
        return 0.0
    values = [one.value or 0.0 for one in chunks]
    mean = added(values) / len(values)
    variance = added((one - mean) * (one - mean) for one in values) / (len(values) - 1)
    errors = [one.standard_error or 0.0 for one in chunks]
    sampling = added(one * one for one in errors) / len(errors)
    return math.sqrt(max(0.0, variance - sampling))


def _rests(chunks: Sequence[State]) -> list[State]:
    """Of each chunk the sum of the others."""
    before = [State(), *accumulate(chunks)]
    after = [State(), *accumulate(reversed(chunks))][::-1]
    return [before[place] + after[place + 1] for place in range(len(chunks))]
