"""The gates of a promotion: each is a function of the evidence to a result. Pure.

A gate that cannot tell refuses. Each one reports, also after another has refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from gavial.maven.coordinate import Coordinate
from gavial.maven.settings_signing import TrustRule
from gavial.model import compatibility
from gavial.model.card import Card
from gavial.model.compatibility import Level
from gavial.model.decision import Approval, GateResult
from gavial.model.golden import TOLERANCE

_AHEAD = timedelta(minutes=5)  # by which another's clock may be before ours


@dataclass(frozen=True)
class Finding:
    """What a look at something gave. `passed` is `None` where there was nothing to look at."""

    passed: bool | None
    detail: str
    problems: tuple[str, ...] = ()

    def result(self, name: str) -> GateResult:
        """As a gate's: what was not there passes nothing."""
        if self.passed:
            return GateResult(name, True, self.detail)
        return GateResult(name, False, self.detail, self.problems or (self.detail,))


@dataclass(frozen=True)
class Served:
    """A release that the target has. `card` is `None` where it has none, and `why` says so."""

    coordinate: Coordinate
    card: Card | None
    why: str = ""


@dataclass(frozen=True)
class Approvals:
    """The approvals of a release, by keys that the policy trusts.

    Attributes:
        given: those whose signature and card are right.
        trusted: the fingerprints of the policy's keys.
        ignored: why others do not count.
    """

    given: tuple[Approval, ...] = ()
    trusted: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """What a comparison with a champion says; whoever promotes has passed it.

    Attributes:
        champion, challenger: coordinates.
        outcome: `better`, `worse`, `no difference worth having` or `keep going`.
        loss, margin, alpha: what was compared, which difference is not worth having, and how
            often a verdict may be false.
        segment: "" for all records.
        until: the time up to which records count, as ISO 8601 has it; empty where that is not
            known.
        told: the comparison in a sentence.
        document: all of it as JSON values, and `sha256` of that.
    """

    champion: str
    challenger: str
    outcome: str
    loss: str
    margin: float
    alpha: float
    segment: str
    until: str
    told: str
    document: Mapping[str, Any]
    sha256: str


@dataclass(frozen=True)
class Evidence:
    """All that gates decide on.

    Attributes:
        coordinate: the release.
        card: what it says of itself.
        target: the id of the repository that it is to go to.
        now: the time.
        verified: every file against the card, and what the files say of each other.
        room: whether the target can have it: free, or there already with the same bytes.
        withdrawn: the repositories in which it is withdrawn.
        bom: the bill of materials.
        signature: checks the release's signature by rules; without any by the configured ones.
            Its `passed` is `None` where nobody asks for one.
        signers: fingerprints of the keys that the release's signature names.
        newest: the highest release that the target serves.
        before: the one that this release comes after there.
        since: when the release came to where it is, and what says so.
        approvals: see `Approvals`.
        golden: scores the golden sample again and compares, within a tolerance; `None` where
            nothing can.
        compared: a comparison of the release with a champion, where one was passed.
    """

    coordinate: Coordinate
    card: Card
    target: str
    now: datetime
    verified: Finding
    room: Finding
    bom: Finding
    signature: Callable[[Sequence[TrustRule]], Finding]
    withdrawn: tuple[str, ...] = ()
    signers: frozenset[str] = frozenset()
    newest: Served | None = None
    before: Served | None = None
    since: tuple[str, str] = ("", "")
    approvals: Approvals = Approvals()
    golden: Callable[[float], Finding] | None = None
    compared: Compared | None = None


class Gate(Protocol):
    """One thing that a release must be."""

    @property
    def name(self) -> str: ...

    def decide(self, evidence: Evidence) -> GateResult: ...


@dataclass(frozen=True)
class Verified:
    """Every file is what the card says. Asked for always."""

    name: str = "files"

    def decide(self, evidence: Evidence) -> GateResult:
        return evidence.verified.result(self.name)


@dataclass(frozen=True)
class Trusted:
    """A signature, where there is one, is this release's, and one is there where the configuration
    asks for it. Asked for always."""

    name: str = "trust"

    def decide(self, evidence: Evidence) -> GateResult:
        found = evidence.signature([])
        if found.passed is None:
            return GateResult(self.name, True, found.detail)
        return found.result(self.name)


@dataclass(frozen=True)
class InForce:
    """It is withdrawn neither where it is nor where it is to go. Asked for always."""

    name: str = "not withdrawn"

    def decide(self, evidence: Evidence) -> GateResult:
        problems = tuple(f"it is withdrawn in {one!r}" for one in evidence.withdrawn)
        told = f"withdrawn in {', '.join(evidence.withdrawn)}" if problems else "it is in force"
        return GateResult(self.name, not problems, told, problems)


@dataclass(frozen=True)
class Room:
    """The target has nothing else under that coordinate. Asked for always."""

    name: str = "target"

    def decide(self, evidence: Evidence) -> GateResult:
        return evidence.room.result(self.name)


# What no policy can leave out.
STANDING: tuple[Gate, ...] = (Verified(), Trusted(), InForce(), Room())


@dataclass(frozen=True)
class Metric:
    """A metric against a number, or against the same metric of what the target serves now.

    Attributes:
        text: the condition as it was written.
        metric: its name.
        operator: `>=`, `>`, `<=`, `<` or `==`.
        value: the number; of a comparison with `current` what is added to it, or its factor.
        relation: "" for a number; `+` or `*` for `current`, plus or times `value`.
    """

    text: str
    metric: str
    operator: str
    value: float
    relation: str = ""

    @property
    def name(self) -> str:
        return f"metrics: {self.text}"

    def decide(self, evidence: Evidence) -> GateResult:
        have = evidence.card.metrics.get(self.metric)
        if have is None:
            return self._lacks(evidence.card.metrics)
        wanted, told = self.value, f"{self.value:g}"
        if self.relation:
            newest = evidence.newest
            if newest is None:
                served = f"{evidence.target!r} serves no release yet: nothing to compare with"
                return GateResult(self.name, True, f"{self.metric} is {have:g}; {served}")
            theirs = newest.card.metrics.get(self.metric) if newest.card else None
            if theirs is None:
                why = newest.why or f"its card has no metric {self.metric!r}"
                problem = f"nothing to compare with: {newest.coordinate} is served, and {why}"
                return GateResult(self.name, False, f"{self.metric} is {have:g}", (problem,))
            wanted = theirs * self.value if self.relation == "*" else theirs + self.value
            told = f"{wanted:g}, where {newest.coordinate} has {theirs:g}"
        evidence_text = f"{self.metric} is {have:g}; asked for is {self.operator} {told}"
        if _OPERATORS[self.operator](have, wanted):
            return GateResult(self.name, True, evidence_text)
        return GateResult(self.name, False, evidence_text, (evidence_text,))

    def _lacks(self, metrics: Mapping[str, float]) -> GateResult:
        near = difflib.get_close_matches(self.metric, metrics, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        problem = f"the card has no metric {self.metric!r}.{hint}"
        has = f"it has {', '.join(sorted(metrics)) or 'no metrics'}"
        return GateResult(self.name, False, has, (problem,))


_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda one, other: one >= other,
    "<=": lambda one, other: one <= other,
    "==": lambda one, other: one == other,
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
}


@dataclass(frozen=True)
class Compatibility:
    """The release may be what its number says, after the one before it in the target."""

    freeze: tuple[str, ...] = ()
    name: str = "compatibility"

    def decide(self, evidence: Evidence) -> GateResult:
        before = evidence.before
        if before is None:
            return GateResult(
                self.name, True, f"{evidence.target!r} has no earlier release: nothing to compare"
            )
        if before.card is None:
            problem = f"{before.coordinate} is there, and {before.why}: nothing to compare with"
            return GateResult(self.name, False, "not compared", (problem,))
        level = Level.between(before.coordinate.version.line, evidence.coordinate.version.line)
        what = f"a {level.name.lower()} after {before.coordinate}"
        found = compatibility.compare(before.card, evidence.card)
        reasons = found.against(level, self.freeze)
        if reasons:
            return GateResult(self.name, False, f"it may not be {what}", reasons)
        unknown = f"; not known: {'; '.join(found.unknown)}" if found.unknown else ""
        return GateResult(self.name, True, f"it may be {what}{unknown}")


@dataclass(frozen=True)
class Signature:
    """The release is signed by whom the policy, or the configuration, trusts."""

    rule: TrustRule | None = None
    name: str = "signature"

    def decide(self, evidence: Evidence) -> GateResult:
        return evidence.signature([self.rule] if self.rule else []).result(self.name)


@dataclass(frozen=True)
class Golden:
    """The golden sample, scored again, gives what the card says."""

    tolerance: float = TOLERANCE
    name: str = "golden"

    def decide(self, evidence: Evidence) -> GateResult:
        if evidence.golden is None:
            problem = "the golden sample was not scored again: that needs Spark"
            return GateResult(self.name, False, "not checked: needs Spark", (problem,))
        return evidence.golden(self.tolerance).result(self.name)


@dataclass(frozen=True)
class Bom:
    """There is a bill of materials, and it is that of this release."""

    name: str = "bom"

    def decide(self, evidence: Evidence) -> GateResult:
        if evidence.bom.passed is None:
            return GateResult(self.name, False, "none", ("there is no bill of materials",))
        return evidence.bom.result(self.name)


@dataclass(frozen=True)
class Filled:
    """Fields of the card that say something. `labels.team` is one label."""

    fields: tuple[str, ...]
    name: str = "card"

    def decide(self, evidence: Evidence) -> GateResult:
        empty = [one for one in self.fields if not _says_something(_value(evidence.card, one))]
        told = [one for one in self.fields if one not in empty]
        filled = f"filled: {', '.join(told)}" if told else "none of them is filled"
        problems = tuple(f"{one} is empty" for one in empty)
        return GateResult(self.name, not empty, filled, problems)


@dataclass(frozen=True)
class Age:
    """The release has been where it is for so long."""

    text: str
    least: timedelta

    @property
    def name(self) -> str:
        return f"age: {self.text}"

    def decide(self, evidence: Evidence) -> GateResult:
        when, source = evidence.since
        try:
            since = datetime.fromisoformat(when)
        except ValueError:
            problem = f"{source or 'nothing'} says {when!r:.60}, which is no time"
            return GateResult(self.name, False, "not known", (problem,))
        since = since if since.tzinfo else since.replace(tzinfo=UTC)
        told = f"there since {since.isoformat(timespec='seconds')} ({source})"
        if since > evidence.now + _AHEAD:
            problem = f"{source} says {when}, which is still to come: one of the clocks is off"
            return GateResult(self.name, False, told, (problem,))
        age = max(evidence.now - since, timedelta())
        if age >= self.least:
            return GateResult(self.name, True, f"{told}: {_lasted(age)}")
        problem = f"it has been there for {_lasted(age)}, and {self.text} is asked for"
        return GateResult(self.name, False, told, (problem,))


@dataclass(frozen=True)
class Labels:
    """Labels that the card must have; an empty tuple takes any value."""

    wanted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    name: str = "labels"

    def decide(self, evidence: Evidence) -> GateResult:
        have, problems = evidence.card.labels, []
        for label, values in self.wanted.items():
            if label not in have:
                problems.append(f"there is no label {label!r}")
            elif values and have[label] not in values:
                wanted = " or ".join(map(repr, values))
                problems.append(f"{label} is {have[label]!r:.100}: expected {wanted}")
        told = ", ".join(f"{one}={have[one]:.100}" for one in self.wanted if one in have)
        return GateResult(self.name, not problems, told or "none of them", tuple(problems))


@dataclass(frozen=True)
class Approved:
    """So many of the policy's keys have approved it, and the signer's own does not count."""

    required: int
    keys: tuple[Path, ...]
    name: str = "approvals"

    def decide(self, evidence: Evidence) -> GateResult:
        found = evidence.approvals
        counted: dict[str, Approval] = {}
        ignored = list(found.ignored)
        for one in found.given:
            if one.key not in found.trusted:
                ignored.append(f"{one.key[:12]}… ({one.who}) is no key that the policy names")
            elif one.key in evidence.signers:
                ignored.append(f"{one.key[:12]}… ({one.who}) has signed the release itself")
            else:
                counted.setdefault(one.key, one)
        told = ", ".join(f"{one.key[:12]}… ({one.who}, {one.when})" for one in counted.values())
        text = f"{len(counted)} of {self.required}{f': {told}' if told else ''}"
        if not evidence.signers:
            text += "; the release is unsigned, so nobody can tell which key is its author's"
        if ignored:
            text += f"; not counted: {'; '.join(ignored)}"
        if len(counted) >= self.required:
            return GateResult(self.name, True, text)
        problem = f"{self.required} approvals are asked for, and {len(counted)} count"
        return GateResult(self.name, False, text, (problem, *ignored))


@dataclass(frozen=True)
class Challenged:
    """A comparison says that the release is better than what the target serves now.

    Attributes:
        outcomes: the verdicts that let it through.
        alpha: how often its verdict may be false, at most.
        loss: what must have been compared; empty for any.
        margin: the widest that may have counted as no difference; `None` for any.
        age, text: how old its newest records may be; `None` for any.
    """

    outcomes: tuple[str, ...] = ("better",)
    alpha: float = 0.05
    loss: str = ""
    margin: float | None = None
    age: timedelta | None = None
    text: str = ""
    name: str = "comparison"

    def decide(self, evidence: Evidence) -> GateResult:
        found, newest = evidence.compared, evidence.newest
        if newest is None:
            served = f"{evidence.target!r} serves no release yet: nothing to compare with"
            return GateResult(self.name, True, served)
        if found is None:
            problem = f"no comparison with {newest.coordinate} was passed (--comparison FILE)"
            return GateResult(self.name, False, "none was passed", (problem,))
        problems = tuple(self._problems(found, evidence, newest))
        told = f"{found.told} (sha256 {found.sha256})"
        return GateResult(self.name, not problems, told, problems)

    def _problems(self, found: Compared, evidence: Evidence, newest: Served) -> Iterator[str]:
        if found.challenger != str(evidence.coordinate):
            yield f"it is of {found.challenger}, and not of this release"
        if found.champion != str(newest.coordinate):
            yield (
                f"it is against {found.champion}, and {evidence.target!r} serves "
                f"{newest.coordinate} now"
            )
        if found.segment:
            yield f"it is of the segment {found.segment!r:.100} alone"
        if found.outcome not in self.outcomes:
            yield f"its verdict is {found.outcome!r}: asked for is {' or '.join(self.outcomes)}"
        if self.loss and found.loss != self.loss:
            yield f"it is by {found.loss}: asked for is {self.loss}"
        if found.alpha > self.alpha:
            yield f"it may be false in {found.alpha:g} of cases: asked for is {self.alpha:g}"
        if self.margin is not None and found.margin > self.margin:
            yield f"its margin is {found.margin:g}: asked for is {self.margin:g} at most"
        if self.age is not None:
            yield from self._too_old(found, evidence.now, self.age)

    def _too_old(self, found: Compared, now: datetime, most: timedelta) -> Iterator[str]:
        try:
            until = datetime.fromisoformat(found.until)
        except ValueError:
            yield f"it says {found.until!r:.60} for its time, and {self.text} is asked for"
            return
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        if now - until > most:
            lasted = _lasted(now - until)
            yield f"its newest records are {lasted} old: asked for is {self.text} at most"


def decide(gates: Iterable[Gate], evidence: Evidence) -> tuple[GateResult, ...]:
    """What every gate says, in their order.

    To score the golden sample runs the model, which is code: so that comes after the others, and
    never for a release that is not what was released, or not by whom is trusted.
    """
    asked = tuple(gates)
    results = [None if isinstance(one, Golden) else one.decide(evidence) for one in asked]
    unsafe = [
        result.name
        for gate, result in zip(asked, results, strict=True)
        if isinstance(gate, Verified | Trusted | Signature) and result and not result.passed
    ]
    if unsafe and evidence.golden is not None:
        why = f"not scored, since that runs the model, and {', '.join(unsafe)} did not pass"
        evidence = replace(evidence, golden=lambda _: Finding(False, "not scored", (why,)))
    return tuple(
        result or gate.decide(evidence) for gate, result in zip(asked, results, strict=True)
    )


def _value(card: Card, name: str) -> Any:
    part, _, inner = name.partition(".")
    found = getattr(card, part)
    return found.get(inner) if inner and isinstance(found, Mapping) else found


def _says_something(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and (isinstance(value, bool | int | float) or bool(value))


def _lasted(time: timedelta) -> str:
    hours, rest = divmod(int(time.total_seconds()), 3600)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min"
