"""A watched module and a comparison, made by hand of records that were drawn with a fixed seed."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

from gavial.monitoring.bins import Categories, Numeric
from gavial.monitoring.comparison import Comparison, Look, Mode, Outcome, SampleRatio
from gavial.monitoring.count import count
from gavial.monitoring.judge import judge
from gavial.monitoring.profile import BINARY, Profile, Reference
from gavial.monitoring.rules import RuleSet
from gavial.monitoring.state import Slot
from gavial.monitoring.verdict import Mark, Watched
from gavial.monitoring.windows import Window

MODULE = "com.acme:delays"
BEGIN = datetime(2013, 3, 4, tzinfo=UTC)
MADE = datetime(2013, 12, 31, 8, 30, tzinfo=UTC)
PROFILE = Profile(
    BINARY,
    {
        "distance": Numeric((80.0, 500.0, 900.0, 1400.0, 2500.0, 5000.0)),
        "hour": Numeric((5.0, 8.0, 11.0, 14.0, 17.0, 20.0, 23.0)),
        "carrier": Categories(("AA", "B6", "DL", "EV", "UA", "WN")),
        "origin": Categories(("EWR", "JFK", "LGA")),
    },
    label="late",
    prediction="prediction",
    score="probability",
    classes=("0", "1"),
    score_bins=Numeric(tuple(at / 20 for at in range(21))),
)


def week(at: int) -> Window:
    return Window(BEGIN + timedelta(weeks=at), BEGIN + timedelta(weeks=at + 1))


def records(at: int, number: int, worse: float = 0.0):
    """Records of a week: the later it is, the less the model knows, and the later the flights."""
    chance = random.Random(at)
    for _ in range(number):
        hour = min(23.5, max(5.0, chance.gauss(13 + 6 * worse, 4)))
        carrier = chance.choices(
            ("AA", "B6", "DL", "EV", "UA", "WN"), (3, 4, 3, 4, 4, 1 + 9 * worse)
        )
        true = 1 / (1 + math.exp(-(hour - 16) / 3))
        score = min(0.99, max(0.01, (1 - worse) * true + worse * chance.random() + 0.02))
        yield {
            "distance": None if chance.random() < 0.02 else chance.lognormvariate(6.8, 0.6),
            "hour": hour,
            "carrier": carrier[0] if chance.random() > 0.03 * worse else "ZZ",
            "origin": chance.choice(("EWR", "JFK", "LGA")),
            "probability": score,
            "prediction": float(score > 0.5),
            "late": int(chance.random() < true + 0.25 * worse * (1 - true)),
        }


def watched(weeks: int = 30, number: int = 600, unlabelled: int = 0) -> Watched:
    """Two versions: the first degrades from week 14 on, the second is released in week 20. The
    labels of so many last weeks are still to come."""
    states, references = {}, {}
    chunks = tuple(count(records(1000 + at, number), PROFILE) for at in range(8))
    for version, begin in (("1.0.3", 0), ("1.0.4", 20)):
        references[version] = Reference(PROFILE, version, chunks)
        for at in range(begin, weeks):
            worse = 0.0 if version == "1.0.4" else min(0.8, max(0.0, (at - 13) * 0.09))
            found = [*records(at, number, worse)]
            if at >= weeks - unlabelled:
                found = [{**one, "late": None} for one in found]
            states[Slot(MODULE, version, week(at))] = count(found, PROFILE)
    verdicts = judge(states, PROFILE, references, RuleSet.of(references["1.0.3"]))
    marks = (
        Mark(BEGIN + timedelta(days=1), "released", "1.0.3"),
        Mark(BEGIN + timedelta(days=1), "alias champion", "1.0.3"),
        Mark(week(20).start, "released", "1.0.4"),
        Mark(week(24).start, "alias champion", "1.0.4"),
    )
    problems = ("12 records carry no watermark: they are in no version's counts.",)
    return Watched(MODULE, PROFILE, references, states, verdicts, problems, marks)


def compared(outcome: Outcome = Outcome.BETTER) -> Comparison:
    looks, chance = [], random.Random(5)
    for at in range(24):
        n = 600 * (at + 1)
        width = 2.4 / math.sqrt(n)
        middle = -0.031 + chance.gauss(0, 0.25) / math.sqrt(n)
        looks.append(Look(week(at), n, middle, middle - width, middle + width))
    return Comparison(
        MODULE,
        "1.0.3",
        "1.0.4",
        Mode.SHADOW,
        "log_loss",
        0.005,
        0.05,
        outcome,
        tuple(looks),
        None,
        SampleRatio((0.5, 0.5), (7211, 7189), 0.85),
        ("the challenger's log loss is lower by 0.011 at least",),
    )
