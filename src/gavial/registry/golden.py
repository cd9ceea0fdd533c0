"""The golden sample scored again: does a release still do here what it did where it was made?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gavial.errors import (
    ConfigurationError,
    CorruptRelease,
    IncompatibleModel,
    UnsafeModel,
)
from gavial.model.gates import Finding
from gavial.model.golden import TOLERANCE, Comparison, Golden, compare

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel

    from gavial.registry.release import Release


@dataclass(frozen=True)
class Rescored:
    """What came of scoring a release's golden sample again.

    Attributes:
        records: how many were scored.
        comparison: how they differ from those in the card.
        elsewhere: what differs between here and where the release was made, such as
            `spark 4.2.0, here 4.3.0`.
    """

    records: int
    comparison: Comparison
    elsewhere: tuple[str, ...]

    def __str__(self) -> str:
        """One line: how far the numbers are apart, and what may explain it."""
        found = self.comparison
        text = f"{self.records} records, largest difference {found.largest:.3g}"
        if found.where:
            text += f" ({found.where})"
        return f"{text}; {self.explained()}"

    def explained(self) -> str:
        return ", ".join(self.elsewhere) or "made in an environment like this one"


@contextmanager
def session(release: Release, repository: str | os.PathLike[str] | None) -> Iterator[None]:
    """A Spark session on this machine with the JVM libraries that a release needs."""
    from gavial.registry.spark_conf import spark_conf
    from gavial.spark import local

    this = str(release.coordinate)
    conf = spark_conf(this, repository=repository) if release.card.libraries else {}
    with local.started(conf):
        yield


def has_sample(release: Release) -> bool:
    """Whether a release's card has example records and what was made of them."""
    card = release.card
    return bool(card.golden and card.input_example and card.input_schema)


def finding(release: Release, tolerance: float = TOLERANCE, *, allow_sql: bool = False) -> Finding:
    """Load a release into the active session and score its golden sample again."""
    if not has_sample(release):
        return Finding(None, "none in the card")
    try:
        model = release.load(allow_sql=allow_sql)
        found = rescore(release, model, release.card.watermark, tolerance)
    except (CorruptRelease, IncompatibleModel, UnsafeModel) as error:
        return Finding(False, "it cannot be scored here", (str(error),))
    return Finding(found.comparison.same, str(found), found.comparison.problems)


def finding_here(
    repository: str | os.PathLike[str] | None, release: Release, tolerance: float = TOLERANCE
) -> Finding:
    """As `finding`, in a session of this command's own."""
    if not has_sample(release):
        return finding(release, tolerance)
    with session(release, repository):
        return finding(release, tolerance)


def active() -> Callable[[Release, float], Finding] | None:
    """What scores a golden sample where there is a Spark session; `None` where there is none."""
    try:
        from gavial.spark import session
    except ConfigurationError:  # no pyspark
        return None
    return finding if session.has_active() else None


def rescore(
    release: Release, model: PipelineModel, watermark: str | None, tolerance: float = TOLERANCE
) -> Rescored:
    """Score a release's example again and compare, in the active session.

    Args:
        release: one that `has_sample`.
        model: the release, loaded.
        watermark: the column that names the version in what it makes.
        tolerance: as `compare` has it.

    Raises:
        IncompatibleModel: it cannot score its own example here.
    """
    from gavial.spark import environment, golden, session

    card = release.card
    if card.golden is None or card.input_example is None:
        raise AssertionError("a release with a golden sample")
    made = golden.score(model, card.input_example, card.input_schema, watermark)
    here = environment.describe(session.current())
    found = compare(Golden.from_json(card.golden), made, tolerance)
    return Rescored(len(card.input_example), found, differences(card.environment, here))


def require(release: Release, model: PipelineModel, watermark: str | None) -> None:
    """Check that a loaded release makes of its example what its card says.

    Raises:
        IncompatibleModel: it has no golden sample, or makes something else of it here.
    """
    if not has_sample(release):
        raise IncompatibleModel(
            f"{release.coordinate} has no golden sample to score again: it was released without "
            "an input_example, or its records could not be scored. Resolve it without "
            'verify="golden", or release a build with gavial.deploy(…, input_example=df).'
        )
    found = rescore(release, model, watermark)
    if not found.comparison.same:
        raise IncompatibleModel(
            f"{release.coordinate} does not score its golden sample as it did when it was "
            f"released: {'; '.join(found.comparison.problems)}. It was made with "
            f"{found.explained()}."
        )


def differences(there: Mapping[str, str], here: Mapping[str, str]) -> tuple[str, ...]:
    """What differs between two environments, by name.

    >>> differences({"spark": "4.2.0", "os": "Linux"}, {"spark": "4.3.0", "os": "Linux"})
    ('spark 4.2.0, here 4.3.0',)
    """
    return tuple(
        f"{name} {there[name]}, here {here[name]}"
        for name in sorted(there.keys() & here.keys())
        if there[name] != here[name]
    )
