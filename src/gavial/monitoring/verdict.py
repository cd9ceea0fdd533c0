"""What rules made of metrics: values to show, to tell and to decide on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gavial.monitoring.profile import Profile, Reference
from gavial.monitoring.state import Slot, State
from gavial.monitoring.windows import Window


class Status(StrEnum):
    """How it is. `exit_code` is what the command line ends with."""

    OK = "ok"
    ALERT = "alert"
    NOT_ENOUGH_DATA = "not enough data"

    @property
    def exit_code(self) -> int:
        return {"ok": 0, "alert": 4, "not enough data": 5}[self.value]

    @classmethod
    def of(cls, several: Iterable[Status]) -> Status:
        """That of several together: an alert if any is, else `ok` if any is."""
        found = set(several)
        return next((one for one in (cls.ALERT, cls.OK) if one in found), cls.NOT_ENOUGH_DATA)


@dataclass(frozen=True)
class Measured:
    """A metric of one state.

    Attributes:
        metric: its name, such as `auc` or `psi`.
        column: the feature it is of; "" for one of the model as a whole.
        value: `None` where it cannot be told, and `why` says so.
        n: the records it is made of.
        error: by how much the true value may differ because records were counted in bins.
        standard_error: what chance does to it at so many records; `None` where that is not known.
        estimated: made without labels.
        chance: what the value exceeds by chance alone once in a hundred times, at so many records,
            where nothing has changed; 0 where that is not known.
    """

    metric: str
    column: str
    value: float | None
    n: int
    error: float = 0.0
    standard_error: float | None = None
    estimated: bool = False
    why: str = ""
    chance: float = 0.0


class Level(StrEnum):
    """What a broken rule is good for."""

    ALERT = "alert"
    WITHOUT_LABELS = "alert without labels"  # and a note where labels say how good the model is
    NOTE = "note"


@dataclass(frozen=True)
class Rule:
    """Bounds of a metric.

    Attributes:
        metric, column: what it is of.
        low, high: what a value must not be below or above; `None` is no bound.
        minimum: the records that a value must be made of to be judged.
        source: `learned`, or the file that says it.
        why: how the bounds came about, in words.
        expected: what it was at release, where that is known.
        floor: the least that a learned rule allows.
        deviation: how much windows differ at release beyond what sampling does: a standard
            deviation.
        spread: the standard error of one record at release: that of n is `spread / sqrt(n)`.
            `None` is no allowance for chance: the bounds are meant as they are.
        records: what the value at release was made of.
        level: what follows where it is broken.
        windows: how many it is of, together.
    """

    metric: str
    column: str = ""
    low: float | None = None
    high: float | None = None
    minimum: int = 0
    source: str = "learned"
    why: str = ""
    expected: float | None = None
    floor: float = 0.0
    deviation: float = 0.0
    spread: float | None = None
    records: int = 0
    level: Level = Level.ALERT
    windows: int = 1


@dataclass(frozen=True)
class Finding:
    """What a rule says of a value. `reason` is a sentence for people.

    `noted` is a broken rule that only informs: its status is `ok`.
    """

    rule: Rule
    measured: Measured
    status: Status
    reason: str
    noted: bool = False


@dataclass(frozen=True)
class Result:
    """One window of one version and segment."""

    slot: Slot
    measured: tuple[Measured, ...]
    findings: tuple[Finding, ...]
    status: Status


@dataclass(frozen=True)
class Verdict:
    """One version and segment over all of its windows.

    Attributes:
        status: as of the last window, after hysteresis.
        since: the window in which that began.
        reasons: sentences for people: what broke, when, and by how much.
        results: each window, in the order of time.
    """

    module: str
    version: str
    segment: str
    status: Status
    since: Window | None
    reasons: tuple[str, ...]
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Mark:
    """What happened to a version: it was released, promoted, given an alias or withdrawn."""

    when: datetime
    what: str
    version: str


@dataclass(frozen=True)
class Watched:
    """All that is known of a module's versions.

    Attributes:
        module: `group:artifact`.
        profile: what is watched.
        references: of each version, where it has one.
        states: what the records add up to.
        verdicts: one a version and segment.
        problems: what was wrong with the records, in words.
        marks: what happened to the versions meanwhile.
    """

    module: str
    profile: Profile
    references: Mapping[str, Reference]
    states: Mapping[Slot, State]
    verdicts: tuple[Verdict, ...]
    problems: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = field(default=())

    @property
    def status(self) -> Status:
        """The worst of the verdicts: an alert, else `ok` if any is, else `not enough data`."""
        return Status.of(one.status for one in self.verdicts)
