"""Records into states: one scan for each set of bins that their versions are counted in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gavial.errors import ConfigurationError
from gavial.maven.coordinate import Module
from gavial.monitoring.kept import Kept
from gavial.monitoring.profile import Profile
from gavial.monitoring.state import Slot, State
from gavial.monitoring.windows import Windows
from gavial.registry.references import References

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from gavial.spark.monitoring.labels import Labels


@dataclass(frozen=True)
class Records:
    """Scored records, and what of them says what.

    Attributes:
        scored: the records.
        time: the column that says when each was.
        windows: how time is cut.
        watermark: the column that names the version.
        labels: what came true, where it is not in the records.
        segments: columns by whose values records are counted also apart.
    """

    scored: DataFrame
    time: str
    windows: Windows
    watermark: str
    labels: Labels | None = None
    segments: tuple[str, ...] = ()


def states_of(
    records: Records, module: Module, references: References, wanted: Callable[[str], bool] | None
) -> tuple[Kept, tuple[str, ...]]:
    """The states of scored records, and what was wrong with them in words.

    All are counted in the bins of the newest release; then those of versions that have others
    again, in theirs.

    Args:
        wanted: which versions are counted; `None` is all.

    Raises:
        ConfigurationError: no bins are known, or the records lack a column.
    """
    newest = references.newest()
    if newest is None:
        raise ConfigurationError(
            f"No release of {module} has a reference, so it is not known in which bins its records "
            "are counted. Deploy the next one with gavial.deploy(…, reference=df, label=…), or "
            "learn one from first records: reference=gavial.spark.monitoring.reference.learn(df, "
            "label=…, version=…)."
        )
    versions = None
    if wanted is not None:
        versions = [one for one in map(str, references.versions) if wanted(one)]
    found, problems = _scan(records, module, newest.profile, versions)
    profiles = {newest.profile.digest: newest.profile}
    others: dict[str, list[str]] = {}
    for version in sorted({slot.version for slot in found}):
        own = references.for_version(version)
        if own is not None and own.profile.digest != newest.profile.digest:
            profiles[own.profile.digest] = own.profile
            others.setdefault(own.profile.digest, []).append(version)
    again = {version for group in others.values() for version in group}
    by_profile = {
        newest.profile.digest: {
            slot: one for slot, one in found.items() if slot.version not in again
        }
    }
    for digest, group in others.items():
        states, more = _scan(records, module, profiles[digest], group)
        by_profile[digest] = states
        problems += tuple(one for one in more if one not in problems)
    return Kept({name: one for name, one in by_profile.items() if one}, profiles), problems


def _scan(
    records: Records, module: Module, profile: Profile, versions: list[str] | None
) -> tuple[dict[Slot, State], tuple[str, ...]]:
    from gavial.spark.monitoring.scan import scan

    found = scan(
        records.scored,
        module,
        profile,
        records.windows,
        watermark=records.watermark,
        time=records.time,
        labels=records.labels,
        segments=records.segments,
        versions=versions,
    )
    return dict(found.states), found.problems
