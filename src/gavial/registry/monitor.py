"""Watch a model: `gavial.monitor(scored, "com.acme:churn", time="scored_at")`.

Scored records become states by one scan; all states that are kept are judged; somebody is told.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gavial import limits
from gavial.channels.news import LEARNED, Rules
from gavial.errors import ConfigurationError
from gavial.maven import catalog
from gavial.maven.coordinate import Module, Version
from gavial.maven.locations import as_path, expanded
from gavial.maven.repository import Repository
from gavial.maven.selector import Request, Selector
from gavial.model.watermark import DEFAULT_COLUMN
from gavial.monitoring.judge import judge
from gavial.monitoring.kept import Kept
from gavial.monitoring.profile import Profile, Reference
from gavial.monitoring.reference import as_reference
from gavial.monitoring.rules import RuleSet
from gavial.monitoring.state import Slot, State
from gavial.monitoring.verdict import Mark, Watched
from gavial.monitoring.windows import Windows, overlap
from gavial.registry import local, places, states, tell
from gavial.registry.marks import marks_of
from gavial.registry.monitored import Monitored
from gavial.registry.references import References

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from gavial.spark.monitoring.labels import Labels
    from gavial.spark.monitoring.store import StateStore


_TOLD: Final = "_told"  # readers of tables skip what begins with `_`
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/|file:")


@dataclass(frozen=True)
class Asked:
    """What is asked of kept states.

    Attributes:
        what: `group:artifact`, with a selector or an alias where not all versions are meant.
        repository: where the releases are: a configured id, a URL or a folder.
        rules: a TOML file of rules; `None` has those that the references teach alone.
        versions: further selectors, such as `1.0.+`: one of them must mean a version.
        since: windows that began earlier are left out.
        reference: what versions are judged by that have no reference of their own: a reference, or
            a time until which windows are one.
        tell: tell the configured channels what is news, and publish gauges.
    """

    what: str
    repository: str | os.PathLike[str] | None = None
    rules: str | os.PathLike[str] | None = None
    versions: tuple[str, ...] = ()
    since: datetime | None = None
    reference: Reference | datetime | None = None
    tell: bool = False


def monitor(
    scored: DataFrame | None,
    what: str,
    repository: str | os.PathLike[str] | None = None,
    *,
    time: str = "",
    window: str = "day",
    zone: str = "UTC",
    labels: Labels | None = None,
    segments: Iterable[str] = (),
    watermark_col: str | None = None,
    states: str | os.PathLike[str] | StateStore | None = None,
    rules: str | os.PathLike[str] | None = None,
    reference: Reference | datetime | None = None,
    tell: bool = False,
) -> Monitored:
    """Find out how a model's versions do: performance, drift, and a verdict for each.

    Args:
        scored: records that the model scored, each with the version that did; `None` judges what
            is kept in `states` already.
        what: `group:artifact`; with a selector or an alias, such as `"com.acme:churn@champion"`,
            only the versions that it means.
        repository: where the releases are: a configured id, a URL or a folder.
        time: the column that says when a record was scored.
        window: how time is cut: `hour`, `day`, `week`, `month`, `quarter` or `year`,
        zone: of the clocks of that time zone, such as `"Europe/Paris"`.
        labels: what came true, where it is not a column of the records: `gavial.Labels`.
        segments: columns by whose values records are counted also apart.
        watermark_col: the column that names the version; the releases know it.
        states: a folder or URI that keeps what was counted. The windows of `scored` take the place
            of those that are kept, and all windows are judged together. Without it nothing is kept.
        rules: a TOML file of rules; without it, what the references teach.
        reference: what versions are judged by that were released without one: a reference, or a
            time until which their windows are one.
        tell: tell the channels of the configuration what is news, and publish gauges.

    Raises:
        ConfigurationError: a setting, a column or the rules cannot be used; or no release has a
            reference and none is given.
        ModelNotFound, ReleaseNotFound: the repository has no such model, or no such version.
        RepositoryError: it does not answer.

    >>> watched = monitor(
    ...     spark.read.parquet("scored/"), "com.acme:churn", time="scored_at", states="states/"
    ... )  # doctest: +SKIP
    >>> print(watched.status)  # doctest: +SKIP
    alert
    """
    asked = Asked(what, repository, rules, reference=reference, tell=tell)
    if scored is None:
        if states is None:
            raise ConfigurationError("Neither records nor kept states: pass scored or states.")
        return check(states, asked)
    if not time:
        raise ConfigurationError("time= is missing: name the column that says when a record was.")
    if labels is not None and not hasattr(labels, "on"):
        raise ConfigurationError(
            f"labels= is of type {type(labels).__name__}: expected gavial.Labels(df, on=[…], "
            "label=…)."
        )
    windows = Windows(window, zone)
    with _opened(asked) as opened:
        from gavial.registry.scanned import Records, states_of

        column = watermark_col or opened.watermark_col()
        several = (segments,) if isinstance(segments, str) else tuple(segments)
        records = Records(scored, time, windows, column, labels, several)
        wanted = opened.wanted if opened.narrow else None
        found, problems = states_of(records, opened.module, opened.references, wanted)
        if states is not None:
            store = _store(states)
            for digest, some in found.by_profile.items():
                store.replace(some, found.profiles[digest])
            found = store.read(opened.module)
        return opened.judged(found, problems, _beside(states))


def check(kept: str | os.PathLike[str] | StateStore, asked: Asked) -> Monitored:
    """Judge what is kept, without Spark.

    Args:
        kept: the folder or URI; a `StateStore` reads by Spark.

    Raises:
        ConfigurationError: the states cannot be read, or a setting or the rules cannot be used.
        ModelNotFound, ReleaseNotFound: the repository has no such model, or no such version.
        RepositoryError: it does not answer.
    """
    with _opened(asked) as opened:
        if isinstance(kept, str | os.PathLike):
            found = states.read(_as_text(kept), opened.module)
        else:
            found = kept.read(opened.module)
        return opened.judged(found, (), _beside(kept))


class _Opened:
    """A model in its repository, with what is asked of it."""

    def __init__(self, store: Repository, asked: Asked) -> None:
        if not isinstance(asked.reference, Reference | datetime | None):
            raise ConfigurationError(
                f"reference= is of type {type(asked.reference).__name__}: expected a datetime, "
                "until which windows are the reference, or what "
                "gavial.spark.monitoring.reference.learn(df, …).reference is."
            )
        self.store, self._asked = store, asked
        self.module, self._wanted = _meant(store, asked)
        self.narrow = bool(self._wanted)
        given = asked.reference if isinstance(asked.reference, Reference) else None
        self.references = References(store, self.module, given)
        self._text, self._file = _read(asked.rules)

    def wanted(self, version: str) -> bool:
        """Whether a version is asked for."""
        number = Version.try_parse(version)
        return all(
            number is not None and any(one.matches(number) for one in several)
            for several in self._wanted
        )

    def watermark_col(self) -> str:
        """The column into which the newest release writes its version."""
        for version in self.references.versions[::-1]:
            if self.wanted(str(version)):
                return self.references.release(str(version)).card.watermark or DEFAULT_COLUMN
        return DEFAULT_COLUMN

    def judged(self, kept: Kept, problems: tuple[str, ...], beside: Path | None) -> Monitored:
        """Verdicts of kept states; somebody is told, where that is asked for."""
        several = {
            digest: {
                slot: one
                for slot, one in slots.items()
                if self.wanted(slot.version) and self._is_late_enough(slot)
            }
            for digest, slots in kept.by_profile.items()
        }
        notes = []
        rules = RuleSet.of(None, self._text, file=self._file)
        parts = []
        for digest, some in sorted(several.items()):
            if not some:
                continue
            if digest not in kept.profiles:
                notes.append(
                    f"{len(some)} states are counted in the bins of profile {digest}, which is not "
                    "kept with them: they are not judged. Count their records again."
                )
                continue
            parts.append(self._part(some, kept.profiles[digest], notes))
        if parts:
            parts[0] = replace(parts[0], problems=problems)
            versions = {slot.version for one in parts for slot in one.states}
            found, unread = marks_of(self.store, self.references, versions)
            parts = [_marked(one, found) for one in parts]
            notes += unread
        else:
            notes += problems
            notes.append(f"There are no states of {self.module} to judge.")
        notes += self.references.problems
        notes += self._unreleased(parts)
        made = Monitored(str(self.module), tuple(parts), notes=tuple(dict.fromkeys(notes)))
        return self._told(made, rules, beside) if self._asked.tell else made

    def _part(self, some: Mapping[Slot, State], profile: Profile, notes: list[str]) -> Watched:
        versions = sorted({slot.version for slot in some})
        references = {
            version: one
            for version, one in self.references.by_version(versions).items()
            if one.profile.digest == profile.digest
        }
        notes += _overlapping(some)
        until = self._asked.reference
        if isinstance(until, datetime):
            for version in versions:
                if version not in references:
                    references.update(_until(until, some, profile, version, notes))
        last = max(references, key=_number, default=None)
        rules = RuleSet.of(references[last] if last else None, self._text, file=self._file)
        verdicts = judge(some, profile, references, rules)
        return Watched(str(self.module), profile, references, some, verdicts)

    def _unreleased(self, parts: Iterable[Watched]) -> Iterator[str]:
        known = set(map(str, self.references.versions))
        for version in sorted({slot.version for one in parts for slot in one.states} - known):
            yield (
                f"{self.module}:{version} is no release of repository {self.store.id!r}, though "
                "records name it: it is judged by the reference of another version."
            )

    def _told(self, made: Monitored, rules: RuleSet, beside: Path | None) -> Monitored:
        name = LEARNED
        if self._text is not None:
            name = hashlib.sha256(self._text.encode()).hexdigest()[:16]
        subject = tell.Subject(made.module, made.status, made.verdicts, Rules(name, rules.settings))
        return replace(made, telling=tell.tell(subject, places.settings().monitor, beside))

    def _is_late_enough(self, slot: Slot) -> bool:
        since = self._asked.since
        return since is None or slot.window is None or slot.window.start >= since


@contextmanager
def _opened(asked: Asked) -> Iterator[_Opened]:
    store = places.open_named(asked.repository)
    try:
        yield _Opened(store, asked)
    finally:
        store.close()


def _meant(store: Repository, asked: Asked) -> tuple[Module, list[list[Selector]]]:
    """The module, and selectors: one of each list must mean a version."""
    wanted = []
    module = asked.what
    if "@" in asked.what or asked.what.count(":") > 1:
        request = Request.parse(asked.what)
        module, selector = str(request.module), request.selector
        if request.alias or not (selector.prefix or selector.intervals):
            exact = catalog.select(store, request).version
            selector = Selector.parse(str(exact))
        wanted.append([selector])
    if asked.versions:
        wanted.append([Selector.parse(one) for one in asked.versions])
    return Module.parse(module), wanted


def _until(
    until: datetime, some: Mapping[Slot, State], profile: Profile, version: str, notes: list[str]
) -> dict[str, Reference]:
    """The windows of a version until a time, as its reference."""
    known = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    first = {slot.window for slot in some if slot.window and slot.window.end <= known}
    try:
        return {version: as_reference(some, profile, version, sorted(first))}
    except ConfigurationError as error:
        notes.append(str(error))
        return {}


def _overlapping(some: Mapping[Slot, State]) -> Iterator[str]:
    """What is counted twice, such as by days and later by weeks."""
    for version in sorted({slot.version for slot in some}):
        own = (slot.window for slot in some if slot.version == version and slot.window)
        found = overlap(own)
        if found is not None:
            yield (
                f"Windows of version {version} overlap, such as {found[0]} and {found[1]}: records "
                "may be counted twice. Keep states by another window or time zone in a folder of "
                "their own."
            )


def _marked(one: Watched, found: tuple[Mark, ...]) -> Watched:
    versions = {slot.version for slot in one.states}
    return replace(one, marks=tuple(each for each in found if each.version in versions))


def _read(rules: str | os.PathLike[str] | None) -> tuple[str | None, str]:
    """The text of a file of rules, and its name for messages."""
    if rules is None:
        return None, ""
    file = expanded(os.fspath(rules))
    data = local.first_bytes(file, limits.SETTINGS, f"The rules {str(file)!r}")
    if len(data) > limits.SETTINGS:
        raise ConfigurationError(f"{file} has more than {limits.SETTINGS} bytes: no rules have.")
    try:
        return data.decode(), file.name
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8 (at byte {error.start}).") from error


def _number(version: str) -> tuple[int, int, int]:
    return Version.parse(version).key()


def _store(kept: str | os.PathLike[str] | StateStore) -> StateStore:
    if not isinstance(kept, str | os.PathLike):
        return kept
    from gavial.spark import session
    from gavial.spark.monitoring.store import StateStore

    return StateStore(session.classic(), _as_text(kept))


def _as_text(kept: str | os.PathLike[str]) -> str:
    """A folder as an absolute path, a URI as it is."""
    text = os.fspath(kept)
    return text if _URI.match(text) else str(expanded(text).absolute())


def _beside(kept: str | os.PathLike[str] | StateStore | None) -> Path | None:
    """Where what was told is kept beside local states, so that every run on them knows it."""
    if kept is None:
        return None
    text = _as_text(kept) if isinstance(kept, str | os.PathLike) else kept.uri
    if text.startswith("file:"):
        return as_path(text) / _TOLD
    return None if _URI.match(text) else Path(text) / _TOLD
