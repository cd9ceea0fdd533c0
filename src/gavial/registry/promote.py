"""The same release in the next repository, when every gate lets it through.

release → fetch and verify → decide → publish elsewhere → a record of the decision
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gavial.errors import (
    ConfigurationError,
    CorruptRelease,
    GavialError,
    IncompatibleModel,
    InvalidCoordinate,
    NumberTaken,
    ReleaseExists,
    ReleaseNotFound,
    RepositoryError,
    UntrustedRelease,
)
from gavial.maven import catalog, layout, publish, transfer
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Library, Version
from gavial.maven.drive import Driver
from gavial.maven.repository import Repository
from gavial.maven.selector import Request
from gavial.maven.settings_signing import TrustRule
from gavial.model import decision, gates
from gavial.model.decision import Decision, Place
from gavial.model.gates import Approvals, Compared, Evidence, Finding, Served
from gavial.model.policy import Policy
from gavial.monitoring.comparison import Comparison
from gavial.owner import temporary
from gavial.registry import (
    approve,
    compared,
    decisions,
    fetched,
    golden,
    local,
    places,
    policies,
    runtime,
    signer,
    trust,
    verify,
)
from gavial.registry.fetched import Fetched
from gavial.registry.pending import Notes
from gavial.registry.records import Author
from gavial.registry.release import Release, Transferred
from gavial.registry.signer import Signer
from gavial.registry.warn import warn

# Scores a release's golden sample again, within a tolerance.
Score = Callable[[Release, float], Finding]
_FREE = "its number is free"
_SAME = "it is there already, with the same bytes"


def promote(
    gav: str,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    policy: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    why: str = "",
    owner: str | None = None,
    progress: Transferred | None = None,
    score: Score | None = None,
    comparison: Comparison | str | os.PathLike[str] | None = None,
) -> Decision:
    """Bring a release to another repository: the same bytes under the same coordinate.

    Its files are fetched and verified, every gate is asked, and when all let it through the files
    go up, the POM last, with the runtime jar that they need. The decision is kept as a record
    beside the model: in the target, or where it was refused in the source. To repeat a promotion
    that was cut short continues it.

    Args:
        gav: the release: `group:artifact[:selector | @alias]`.
        source: where it lies: a configured id, a URL or a folder.
        target: where it is to go, likewise.
        policy: a file with the gates (docs/how-to/promote.md); `None` is the configured one. With
            none, what is asked for is only that all is as it was released.
        dry_run: ask every gate, and change nothing.
        why: a sentence for the record.
        owner: who answers for it, where that is not the user.
        progress: called with a file's name, the bytes that went since the last call, and its size.
        score: scores the golden sample again, for policies that ask for it; `None` does so in the
            active Spark session, where there is one.
        comparison: what `gavial.compare` said of the release and what the target serves, or a
            file with its JSON, for policies that ask for it. The decision holds it.

    Returns:
        What was decided. `Decision.check()` raises where it was refused.

    Raises:
        ReleaseNotFound: there is no such release in the source.
        ConfigurationError: the policy, a key or a repository cannot be used.
        NumberTaken, ReleaseExists: another writer took the number in the target meanwhile.
        RepositoryError: a repository cannot be reached, or the target does not let us write.

    >>> promote("com.acme:churn:1.0.3", "staging", "releases", policy="promotion.toml",
    ...     dry_run=True).passed  # doctest: +SKIP
    True
    """
    settings = places.settings()
    asked = policies.configured() if policy is None else policies.named(policy)
    author = Author.of(why, owner)
    author.check()
    comparisons = () if comparison is None else compared.read(comparison)
    here, there = places.open_named(source), places.open_named(target)
    if here.url.rstrip("/") == there.url.rstrip("/"):
        raise ConfigurationError(
            f"{gav} is to go from {here.url} to that very repository: name two."
        )
    sealing = None if dry_run else signer.of(settings.signing)
    release = Release.read(here, catalog.select(here, Request.parse(gav)))
    against = compared.evidence(comparisons, release.coordinate)
    with temporary("gavial-promote-") as work:
        found = fetched.fetch(release, work, progress)
        job = _Promotion(release, there, found, asked, author, sealing, progress, score, against)
        return job.examine() if dry_run else job.run()


@dataclass
class _Promotion:
    """One promotion under way."""

    release: Release
    target: Repository
    fetched: Fetched
    policy: Policy | None
    author: Author
    signer: Signer | None
    progress: Transferred | None
    score: Score | None
    compared: Compared | None

    @property
    def coordinate(self) -> Coordinate:
        return self.release.coordinate

    @property
    def source(self) -> Repository:
        return self.release.repository

    def examine(self) -> Decision:
        """What would be decided; nothing is changed."""
        return self._decided(dry_run=True)

    def run(self) -> Decision:
        """Decide, bring it, and keep the decision."""
        # What a crash left unlisted; and should the name of the records be taken, better now.
        decisions.catch_up(self.target, self.coordinate.module)
        found = self._decided(dry_run=False)
        if found.outcome == decision.THERE and self._is_recorded():
            return found
        if not found.passed:
            self._keep_refusal(found)
            return found
        self._bring_runtime()
        card = self.release.files[-1].sha256
        notes = Notes(
            local.state_folder(), self.target.url, f"promotion of {self.coordinate}", card
        )
        taken: GavialError | None = None
        with notes.note(secrets.token_hex(16)):
            resumed = bool(list(notes.left()))
            try:
                brought = self._bring(resumed=resumed)
            except (NumberTaken, ReleaseExists) as error:  # to repeat it changes nothing
                taken = error
            else:
                outcome = decision.PROMOTED if brought or resumed else decision.THERE
                found = replace(found, outcome=outcome)
                self._keep(found)
        if taken is not None:
            raise taken
        return found

    def _bring_runtime(self) -> None:
        if self.fetched.runtime is None:
            return
        library, packed = self.fetched.runtime
        itself = self.target.lists_itself
        Driver(self.target).run(publish.publish_reproducible(library, packed, lists_itself=itself))
        runtime.warn_of_overwriting(self.target, library, packed.pom)

    def _bring(self, *, resumed: bool) -> bool:
        going = transfer.transfer(
            self.fetched.cargo(), lists_itself=self.target.lists_itself, resumed=resumed
        )
        return Driver(self.target, transferred=self._going()).run(going)

    def _going(self) -> Transferred | None:
        """What is told of files that go, beside the same files that came."""
        progress = self.progress
        if progress is None:
            return None

        def told(path: str, count: int, size: int) -> None:
            progress(f"{path} to {self.target.id}", count, size)

        return told

    def _keep(self, found: Decision) -> None:
        try:
            decisions.keep(self.target, found, self.author, self.signer)
        except RepositoryError as error:
            raise type(error)(
                f"{self.coordinate} is in {_named(self.target)!r}, and the record of the decision "
                f"is not: {error} Repeat the promotion to finish it."
            ) from error

    def _keep_refusal(self, found: Decision) -> None:
        try:
            decisions.keep(self.source, found, self.author, self.signer)
        except RepositoryError as error:
            warn(f"The refusal could not be kept in repository {self.source.id!r}: {error}")

    # What is decided ----------------------------------------------------------------------

    def _decided(self, *, dry_run: bool) -> Decision:
        evidence = self._evidence()
        asked = (*gates.STANDING, *(self.policy.gates if self.policy else ()))
        results = gates.decide(asked, evidence)
        outcome = decision.REFUSED
        if evidence.room.detail == _SAME and self._is_recorded():
            outcome = decision.THERE
        elif all(one.passed for one in results):
            there = evidence.room.detail == _SAME
            to_do = decision.WOULD_PROMOTE if dry_run else decision.PROMOTED
            outcome = decision.THERE if there else to_do
        return Decision(
            str(self.coordinate),
            self.release.files[-1].sha256,
            outcome,
            Place(self.source.id, self.source.url),
            Place(self.target.id, self.target.url),
            results,
            self.policy.text if self.policy else None,
            evidence.approvals.given,
            self.author.who,
            self.author.owner,
            self.author.when,
            self.author.why,
            dry_run,
            self.compared.document if self.compared else None,
        )

    def _is_recorded(self) -> bool:
        return decisions.arrived(self.target, self.coordinate) is not None

    def _evidence(self) -> Evidence:
        report = verify.of_folder(self.fetched.release, self.fetched.folder, self.fetched.problems)
        checks = {one.name: one for one in report.checks}
        own = checks.pop(verify.SIGNATURE)
        bom = checks["BOM"]
        configured = Finding(own.passed, own.detail, own.problems)
        problems = tuple(one for check in checks.values() for one in check.problems)
        problems += self._without_runtime()
        told = f"{checks['files'].detail}; {', '.join(checks)}"

        def signature(rules: Sequence[TrustRule]) -> Finding:
            return _signed(self.fetched.release, rules) if rules else configured

        module = self.coordinate.module
        withdrawn = {one: catalog.withdrawn(one, module) for one in (self.source, self.target)}
        known = catalog.numbers(self.target, module)
        served = [one for one in known if one not in withdrawn[self.target]]
        return Evidence(
            self.coordinate,
            self.release.card,
            _named(self.target),
            datetime.now(UTC),
            Finding(not problems, told, problems),
            self._room(),
            Finding(bom.passed, bom.detail, bom.problems),
            signature,
            tuple(
                _named(one)
                for one, versions in withdrawn.items()
                if self.coordinate.version in versions
            ),
            approve.signers_of(self.fetched.release),
            self._highest(served),
            self._highest([one for one in served if one < self.coordinate.version]),
            self._since(),
            self._approvals(),
            self._golden(),
            self.compared,
        )

    def _without_runtime(self) -> tuple[str, ...]:
        """What is wrong where the runtime jar can come from nowhere."""
        named = self.release.card.runtime
        if named is None or self.fetched.runtime is not None:
            return ()
        try:
            path = layout.jar_path(Library.parse(named["coordinate"]))
        except InvalidCoordinate:  # which verifying says
            return ()
        data = self.target.read(path)
        if data is not None and Content.of_bytes(data).digests["sha256"] == named["sha256"]:
            return ()
        return (
            f"its runtime {named['coordinate']} is neither in {_named(self.source)!r} nor, as it "
            f"was, in {_named(self.target)!r}",
        )

    def _room(self) -> Finding:
        """What the target has under that coordinate."""
        if self.target.exists(layout.pom_path(self.coordinate)):
            try:
                cargo = self.fetched.cargo()
            except CorruptRelease:
                problem = "it is there, and what is here is not whole: nothing to compare with"
                return Finding(False, "it is there", (problem,))
            others = Driver(self.target).run(transfer.differences(cargo))
            if not others:
                return Finding(True, _SAME)
            problem = (
                f"{self.target.id!r} has that coordinate with other bytes: {', '.join(others)}"
            )
            return Finding(False, "it is there, with other bytes", (problem,))
        claim = self.target.read(layout.claim_path(self.coordinate))
        ours = self.fetched.contents.get(layout.claim_path(self.coordinate))
        if claim is None or ours is None or claim == ours.source:
            return Finding(True, _FREE)
        problem = (
            f"another deploy has claimed that number in {_named(self.target)!r}: deploy the next "
            "build to the source, and promote that"
        )
        return Finding(False, "its number is taken", (problem,))

    def _highest(self, known: Sequence[Version]) -> Served | None:
        """The highest other release in the target of those numbers."""
        for version in sorted(known, reverse=True):
            other = Coordinate(self.coordinate.module, version)
            if other != self.coordinate and self.target.exists(layout.pom_path(other)):
                return self._described(other)
        return None

    def _described(self, other: Coordinate) -> Served:
        try:
            return Served(other, Release.read(self.target, other).card)
        except ReleaseNotFound:
            return Served(other, None, "it has no model card: another tool released it")
        except (CorruptRelease, IncompatibleModel) as error:
            return Served(other, None, f"its model card cannot be read: {error}")

    def _since(self) -> tuple[str, str]:
        """When the release came to the source, where a gate asks for that."""
        if self.policy is None or not any(isinstance(g, gates.Age) for g in self.policy.gates):
            return "", ""
        made = (self.release.card.created, "its card")
        try:
            kept = decisions.arrived(self.source, self.coordinate)
        except (CorruptRelease, IncompatibleModel) as error:
            return "", f"{decisions.module_of(self.coordinate.module)} ({error})"
        if kept is None:
            return made
        module = decisions.module_of(self.coordinate.module)
        promoted = (kept.decision.when, f"record {kept.number} of {module}")
        return max(made, promoted, key=lambda one: _instant(one[0]))

    def _approvals(self) -> Approvals:
        asked = self.policy.approvals if self.policy else None
        if asked is None or self.policy is None:
            return Approvals()
        keys = trust.public_keys(asked.keys, f"the policy {self.policy.text.source}")
        return approve.of(self.release, keys)

    def _golden(self) -> Callable[[float], Finding] | None:
        score, here = self.score or golden.active(), self.fetched.release
        return None if score is None else lambda tolerance: score(here, tolerance)


def _named(store: Repository) -> str:
    """A repository, as evidence names it: its id where somebody gave it one."""
    return store.url if store.id in ("folder", "url") else store.id


def _signed(release: Release, rules: Sequence[TrustRule]) -> Finding:
    try:
        found = trust.check(release, rules)
    except (UntrustedRelease, CorruptRelease, IncompatibleModel) as error:
        return Finding(False, "not by whom the policy trusts", (str(error),))
    return Finding(True, f"by {found.signer}, trusted by {rules[0].source}")


def _instant(text: str) -> datetime:
    """A time to compare by; what is none is later than any, so that its gate names it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
