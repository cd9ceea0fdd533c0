"""Watched modules of any size and with any texts, without records: states are drawn by lot."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

from watched_example import BEGIN

from gavial.monitoring.bins import Bins, Categories, Numeric
from gavial.monitoring.judge import judge
from gavial.monitoring.profile import BINARY, Profile, Reference
from gavial.monitoring.rules import RuleSet
from gavial.monitoring.state import (
    CONFUSION,
    FEATURE,
    LOG_LOSS,
    RECORDS,
    SCORE,
    Cell,
    Key,
    Slot,
    State,
)
from gavial.monitoring.verdict import Mark, Verdict, Watched
from gavial.monitoring.windows import Window


def day(at: int) -> Window:
    return Window(BEGIN + timedelta(days=at), BEGIN + timedelta(days=at + 1))


def profile(columns: list[str], classes: tuple[str, str] = ("0", "1"), text: str = "p") -> Profile:
    """Every other column has numbers."""
    kinds: tuple[Bins, Bins] = (Numeric((0.0, 1.0, 2.0, 3.0)), Categories(("a", "b", text * 2)))
    features = {column: kinds[at % 2] for at, column in enumerate(columns)}
    return Profile(BINARY, features, text, text, text, classes, Numeric((0.0, 0.3, 0.6, 1.0)))


def state(of: Profile, chance: random.Random, skew: int = 0) -> State:
    cells = {Key(RECORDS): Cell(1000)}
    for column in of.features:
        left = chance.randint(200, 300) + skew
        for at, n in enumerate((left, 400, 600 - left)):
            cells[Key(FEATURE, column, at)] = Cell(n, float(at))
    for at, positives in enumerate((20, 100, 200)):
        cells[Key(SCORE, "", at, 0)] = Cell(300, 0.2 + at / 3, 0.5)
        cells[Key(SCORE, "", at, 1)] = Cell(positives + skew // 2, 0.2 + at / 3, 0.5)
    for said in (0, 1):
        for came in (0, 1):
            cells[Key(CONFUSION, "", said, came)] = Cell(200 + 100 * (said == came) - skew)
    cells[Key(LOG_LOSS)] = Cell(1000, 0.4 + skew / 300, 30.0)
    return State(cells)


def _as(version: str, verdict: Verdict) -> Verdict:
    """The same of another version: judging is not what is tested with these."""
    results = tuple(
        replace(one, slot=one.slot._replace(version=version)) for one in verdict.results
    )
    return replace(verdict, version=version, results=results)


def watched(
    of: Profile,
    versions: list[str],
    windows: int,
    module: str = "com.acme:large",
    segments: tuple[str, ...] = ("",),
    marks: tuple[tuple[datetime, str, str], ...] = (),
    problems: tuple[str, ...] = (),
) -> Watched:
    chance = random.Random(7)
    chunks = tuple(state(of, chance) for _ in range(4))
    references = {version: Reference(of, version, chunks) for version in versions}
    made = [state(of, chance, 100 * (at > windows // 2)) for at in range(windows)]
    states = {
        Slot(module, version, day(at), segment): made[at]
        for version in versions
        for segment in segments
        for at in range(windows)
    }
    first = {slot: one for slot, one in states.items() if slot.version == versions[0]}
    judged = judge(first, of, references, RuleSet.of(references[versions[0]]))
    verdicts = tuple(_as(version, one) for version in versions for one in judged)
    told = tuple(Mark(*one) for one in marks)
    return Watched(module, of, references, states, verdicts, problems, told)
