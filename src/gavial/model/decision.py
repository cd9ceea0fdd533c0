"""What was decided of a promotion, gate by gate: a value that is kept as a record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gavial.errors import CorruptRelease, PromotionRefused
from gavial.model.manifest import check_format

FORMAT = 1
# What came of it.
PROMOTED, THERE, REFUSED, WOULD_PROMOTE = "promoted", "there", "refused", "would be promoted"
_OUTCOMES = (PROMOTED, THERE, REFUSED, WOULD_PROMOTE)
# Characters that a record keeps of a policy and of one text, and how many reasons and approvals.
LONGEST_POLICY = 20_000
LONGEST = 1_000
_MOST = 20


@dataclass(frozen=True)
class GateResult:
    """What one gate said.

    Attributes:
        name: which gate, such as `metrics: auc >= 0.8`.
        passed: whether it lets the release through.
        evidence: what was found, in words.
        problems: every reason why not.
    """

    name: str
    passed: bool
    evidence: str
    problems: tuple[str, ...] = ()

    def to_json(self, longest: int = LONGEST) -> dict[str, Any]:
        return {
            "name": self.name[:longest],
            "passed": self.passed,
            "evidence": self.evidence[:longest],
            "problems": [one[:longest] for one in self.problems[:_MOST]],
        }


@dataclass(frozen=True)
class Approval:
    """Somebody's word for a release, given with a key.

    Attributes:
        coordinate: the release.
        card: sha256 of its model card.
        key: the fingerprint of the key that signed it.
        who: the user, as far as the system knew.
        when: in UTC, as ISO 8601 has it.
        why: in their words.
        number: of the record.
    """

    coordinate: str
    card: str
    key: str
    who: str
    when: str
    why: str
    number: int

    def to_json(self, longest: int = LONGEST) -> dict[str, Any]:
        return {**vars(self), "why": self.why[:longest]}


@dataclass(frozen=True)
class Place:
    """A repository as a record names it; its URL has no credentials."""

    id: str
    url: str


@dataclass(frozen=True)
class PolicyText:
    """The policy that was asked: the name of its file, its sha256, and its text.

    A record keeps `LONGEST_POLICY` characters of a longer text.
    """

    source: str
    sha256: str
    text: str


@dataclass(frozen=True)
class Decision:
    """What came of one promotion.

    Attributes:
        coordinate: the release, as text.
        card: sha256 of its model card.
        outcome: `promoted`; `there` where the target had it with the same bytes; `refused`; and
            of a dry run `would be promoted` or `refused`.
        source: where the release lay.
        target: where it was to go.
        gates: every gate, in order.
        policy: what was asked for, `None` where there was no policy.
        approvals: those that were found for the release and could be verified.
        who: the user, as far as the system knows.
        owner: who answers for it, where that is not the user.
        when: in UTC, as ISO 8601 has it.
        why: in the words of whoever promoted it.
        dry_run: nothing was changed.
        comparison: the comparison with a champion that was passed, as JSON values; a record keeps
            its last `_MOST` looks. `sha256` of all of it is in the evidence of its gate.

    >>> one = Decision("com.acme:churn:1.0.3", "0" * 64, "refused", Place("a", "file:///a/"),
    ...     Place("b", "file:///b/"), (GateResult("bom", False, "none", ("it has none",)),))
    >>> Decision.from_json(one.to_json()) == one, one.passed
    (True, False)
    """

    coordinate: str
    card: str
    outcome: str
    source: Place
    target: Place
    gates: tuple[GateResult, ...]
    policy: PolicyText | None = None
    approvals: tuple[Approval, ...] = ()
    who: str = ""
    owner: str = ""
    when: str = ""
    why: str = ""
    dry_run: bool = False
    comparison: Mapping[str, Any] | None = None

    @property
    def passed(self) -> bool:
        """Whether the release is in the target, or would be."""
        return self.outcome != REFUSED

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every reason why it was refused, with its gate."""
        return tuple(
            f"{one.name}: {problem}"
            for one in self.gates
            if not one.passed
            for problem in (one.problems or (one.evidence,))
        )

    def check(self) -> None:
        """Raise where it was refused.

        Raises:
            PromotionRefused: with every reason.
        """
        if not self.passed:
            listed = "".join(f"\n- {one}" for one in self.reasons)
            raise PromotionRefused(
                f"{self.coordinate} was not promoted from {self.source.id!r} to "
                f"{self.target.id!r}:{listed}"
            )

    def to_json(self, longest: int = LONGEST) -> dict[str, Any]:
        """As JSON values, with so many characters of each text at most."""
        policy = None
        if self.policy is not None:
            policy = {**vars(self.policy), "text": self.policy.text[:LONGEST_POLICY]}
        return {
            "format": FORMAT,
            "coordinate": self.coordinate,
            "card": self.card,
            "outcome": self.outcome,
            "from": dict(vars(self.source)),
            "to": dict(vars(self.target)),
            "policy": policy,
            "gates": [one.to_json(longest) for one in self.gates],
            "approvals": [one.to_json(longest) for one in self.approvals[:_MOST]],
            "who": self.who,
            "owner": self.owner,
            "when": self.when,
            "why": self.why,
            "dry_run": self.dry_run,
            "comparison": None if self.comparison is None else _shortened(self.comparison),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Decision:
        """Read what `to_json` made. Additions of later versions are ignored.

        Raises:
            CorruptRelease: it is no decision.
            IncompatibleModel: a later Gavial wrote it.
        """
        try:
            check_format(content.get("format"), FORMAT, "The decision")
            outcome, given = _text(content, "outcome"), content["policy"]
            if outcome not in _OUTCOMES:
                raise ValueError(f"its outcome is {outcome!r:.40}")
            return cls(
                coordinate=_text(content, "coordinate"),
                card=_text(content, "card"),
                outcome=outcome,
                source=_place(content["from"]),
                target=_place(content["to"]),
                gates=tuple(map(_gate, _list(content, "gates"))),
                policy=None if given is None else _policy(given),
                approvals=tuple(map(_approval, _list(content, "approvals"))),
                who=_text(content, "who"),
                owner=_text(content, "owner"),
                when=_text(content, "when"),
                why=_text(content, "why"),
                dry_run=_flag(content, "dry_run"),
                comparison=_mapping(content.get("comparison")),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            lacks = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise CorruptRelease(f"The decision cannot be read: {lacks:.200}.") from error


def _shortened(comparison: Mapping[str, Any]) -> dict[str, Any]:
    looks = comparison.get("looks")
    newest = {"looks": looks[-_MOST:]} if isinstance(looks, list) else {}
    return {**comparison, **newest}


def _mapping(found: Any) -> Mapping[str, Any] | None:
    if found is not None and not isinstance(found, dict):
        raise TypeError("its comparison is no JSON object")
    return found


def _place(content: Mapping[str, Any]) -> Place:
    return Place(_text(content, "id"), _text(content, "url"))


def _policy(content: Mapping[str, Any]) -> PolicyText:
    return PolicyText(*(_text(content, name) for name in ("source", "sha256", "text")))


def _gate(content: Mapping[str, Any]) -> GateResult:
    problems = _list(content, "problems")
    if not all(isinstance(one, str) for one in problems):
        raise TypeError("a problem is no text")
    name, evidence = _text(content, "name"), _text(content, "evidence")
    return GateResult(name, _flag(content, "passed"), evidence, tuple(problems))


def _approval(content: Mapping[str, Any]) -> Approval:
    number = content["number"]
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError("the number of an approval is none")
    texts = {name: _text(content, name) for name in _APPROVAL}
    return Approval(**texts, number=number)


_APPROVAL = ("coordinate", "card", "key", "who", "when", "why")


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _flag(content: Mapping[str, Any], name: str) -> bool:
    value = content[name]
    if not isinstance(value, bool):
        raise TypeError(f"{name} is neither true nor false")
    return value


def _list(content: Mapping[str, Any], name: str) -> list[Any]:
    value = content[name]
    if not isinstance(value, list):
        raise TypeError(f"{name} is no list")
    return value
