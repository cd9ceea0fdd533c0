"""A challenger against a champion: values to show and to decide on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gavial.monitoring.windows import Window


class Mode(StrEnum):
    """How two versions ran side by side."""

    SHADOW = "shadow"  # each scored every record
    SPLIT = "split"  # each record was scored by one of them
    REPLAY = "replay"  # the challenger scored stored records


class Outcome(StrEnum):
    """What may be said of the challenger, at any time, as often as one likes."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference worth having"
    KEEP_GOING = "keep going"


@dataclass(frozen=True)
class Look:
    """The comparison as of the end of a window, over all records until then.

    `difference` is the challenger's mean loss less the champion's: below 0 it is better. `low` and
    `high` hold the true one at every look at once, with the stated confidence.
    """

    window: Window | None
    n: int
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class SampleRatio:
    """Whether a split gave each version the share it was to: `p` of a chi-square test."""

    expected: tuple[float, ...]
    observed: tuple[int, ...]
    p: float

    @property
    def holds(self) -> bool:
        return self.p >= 0.001


@dataclass(frozen=True)
class Comparison:
    """What records say of a challenger and a champion.

    Attributes:
        module, champion, challenger: `group:artifact`, and a version of it each.
        mode: how they ran.
        loss: what was compared, such as `log_loss`; less is better.
        margin: the difference that is not worth having.
        alpha: how often a verdict may be false, over all looks together.
        outcome: the verdict.
        looks: one a window, in the order of time.
        needed: further labelled records that are expected to bring a verdict; `None` where that
            cannot be told.
        ratio: of a split.
        reasons: sentences for people.
        segment: "" for all records.
    """

    module: str
    champion: str
    challenger: str
    mode: Mode
    loss: str
    margin: float
    alpha: float
    outcome: Outcome
    looks: tuple[Look, ...]
    needed: int | None = None
    ratio: SampleRatio | None = None
    reasons: tuple[str, ...] = ()
    segment: str = ""
