"""Everything that a release says of itself, checked: each check has a name and an outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gavial import limits
from gavial.errors import (
    CorruptRelease,
    IncompatibleModel,
    InvalidCoordinate,
    UntrustedRelease,
)
from gavial.maven import layout, pom
from gavial.maven.content import Content
from gavial.maven.coordinate import Library
from gavial.maven.settings_signing import TrustRule
from gavial.model import bom, jar, metadata_xml
from gavial.owner import temporary
from gavial.registry import golden as sample
from gavial.registry import places, verdict

if TYPE_CHECKING:
    from gavial.registry.release import Release, Transferred

SIGNATURE = "signature"
GOLDEN = "golden sample"


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Attributes:
        name: what, in a word.
        passed: whether it is as it ought to be; `None` where there was nothing to compare with.
        detail: what was found, in a few words.
        problems: all that is not as it ought to be.
    """

    name: str
    passed: bool | None
    detail: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What came of verifying one release.

    Attributes:
        coordinate: which release, as text.
        checks: in the order in which they were made.
    """

    coordinate: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(one.passed is not False for one in self.checks)

    def check(self) -> None:
        """Raise what the checks found.

        Raises:
            CorruptRelease: something does not agree; the message has all of it.
            UntrustedRelease: it is the signature alone.
        """
        failed = [one for one in self.checks if one.passed is False]
        if not failed:
            return
        text = " ".join(problem for one in failed for problem in one.problems)
        raise UntrustedRelease(text) if _only_signature(failed) else CorruptRelease(text)


def verify(
    release: Release,
    *,
    keys: Sequence[Path] = (),
    authority: Path | None = None,
    golden: bool = False,
    allow_sql: bool = False,
    progress: Transferred | None = None,
) -> Report:
    """Check a release, as it lies in its repository.

    Args:
        release: which one.
        keys: public keys of which one must have signed, beside what the configuration asks for.
        authority: or the authority of whoever signed with a certificate.
        golden: score its example records again in the active Spark session, once all else is as
            it ought to be, since that runs the model.
        allow_sql: as `resolve` has it.
        progress: hears of each part of a file that came.

    Raises:
        RepositoryError: the repository does not answer.
        ConfigurationError: a key cannot be read, or there is no Spark session.
    """
    rules = [rule for rule in places.settings().trust if rule.covers(release.coordinate.group)]
    if keys or authority:
        rules.append(TrustRule(("*",), tuple(keys), authority, (), "the key that you named"))
    with temporary("gavial-verify-") as folder:
        problems = _fetched(release, folder, progress)
        report = _report(_There(release, folder, rules), problems)
    if not golden:
        return report
    failed = [one.name for one in report.checks if one.passed is False]
    return replace(report, checks=(*report.checks, _golden(release, failed, allow_sql)))


def of_folder(release: Release, folder: Path, problems: Sequence[str]) -> Report:
    """Check a release whose files were fetched already.

    Args:
        release: its repository is asked for the signature and the runtime jar alone.
        folder: its files, by name.
        problems: what was wrong with them when they came. Where nothing was, each member of the
            jar is not hashed again: the sha256 of the jar is that in the card.

    Raises:
        ConfigurationError: a key of the configuration cannot be read.
    """
    rules = [rule for rule in places.settings().trust if rule.covers(release.coordinate.group)]
    return _report(_There(release, folder, rules, read_members=bool(problems)), problems)


def _report(there: _There, problems: Sequence[str]) -> Report:
    checks = [_files(there.release, problems), *(check(there) for check in _CHECKS)]
    return Report(str(there.release.coordinate), tuple(checks))


@dataclass
class _There:
    """A release's files as they came, whether they are what the card says or not."""

    release: Release
    folder: Path
    rules: list[TrustRule]
    read_members: bool = True

    def file(self, path: str) -> Path:
        return self.folder / path.rpartition("/")[2]

    def data(self, path: str) -> bytes:
        """The bytes of a small file.

        Raises:
            CorruptRelease: it did not come.
        """
        name = path.rpartition("/")[2]
        if not (self.folder / name).is_file():
            raise CorruptRelease(f"{name} is not there.")
        if (self.folder / name).stat().st_size > limits.SMALL_FILE:
            raise CorruptRelease(f"{name} is too large (GAVIAL_LIMIT_SMALL_FILE).")
        return (self.folder / name).read_bytes()


def _fetched(release: Release, folder: Path, progress: Transferred | None) -> list[str]:
    """Fetch every file, and say what is wrong with which."""
    problems = []
    for file in release.files:
        try:
            with (folder / file.name).open("wb") as stream:
                release.copy(file, stream, progress)
        except CorruptRelease as error:
            problems.append(str(error))
    return problems


def _files(release: Release, found: Sequence[str]) -> Check:
    """Every byte against the card."""
    problems = []
    names = {file.name for file in release.files}
    for path in (layout.jar_path, layout.pom_path, layout.claim_path):
        name = path(release.coordinate).rpartition("/")[2]
        if name not in names:
            problems.append(f"The card lists no {name}.")
    count, size = len(release.files), sum(file.size for file in release.files)
    return _check("files", [*problems, *found], f"{count} files, {size} bytes")


def _jar(there: _There) -> Check:
    """Every member of the jar against its manifest, and that against the card."""
    coordinate, card = there.release.coordinate, there.release.card

    def problems() -> Iterator[str]:
        place = there.file(layout.jar_path(coordinate))
        if not place.is_file():
            raise CorruptRelease(f"{place.name} is not there.")
        found = jar.read_manifest(place)
        if found is None:
            raise CorruptRelease(f"{place.name} has no manifest.")
        if there.read_members:
            yield from (f"{one} of {place.name}." for one in jar.differences(place))
        if found.coordinate != str(coordinate):
            yield f"The manifest of {place.name} is that of {found.coordinate!r:.100}."
        if found.artifact != coordinate.artifact or coordinate.artifact not in jar.artifacts(place):
            yield f"{place.name} has no model {coordinate.artifact!r}."
        if found.libraries != card.libraries:
            yield f"The manifest of {place.name} names other libraries than the card."
        inner = f"META-INF/maven/{coordinate.group}/{coordinate.artifact}/pom.xml"
        if jar.member(place, inner) != there.data(layout.pom_path(coordinate)):
            yield f"The POM within {place.name} is not the one beside it."

    return _collected("jar", problems, "each member is what its manifest lists")


def _pom(there: _There) -> Check:
    """The POM's coordinate and dependencies against the card's."""
    coordinate, card = there.release.coordinate, there.release.card

    def problems() -> Iterator[str]:
        path = layout.pom_path(coordinate)
        found = pom.read(there.data(path), path.rpartition("/")[2])
        if found.coordinate != str(coordinate):
            yield f"The POM of {coordinate} is that of {found.coordinate!r:.100}."
        runtime = [card.runtime["coordinate"]] if card.runtime else []
        if found.dependencies != (*runtime, *card.libraries):
            yield (
                f"The POM of {coordinate} depends on {', '.join(found.dependencies) or 'nothing'}; "
                f"its card names {', '.join((*runtime, *card.libraries)) or 'nothing'}."
            )

    return _collected("POM", problems, "says what the card says")


def _metadata(there: _There) -> Check:
    """The claim's coordinate, digest and parameters against the card's."""
    coordinate, card = there.release.coordinate, there.release.card

    def problems() -> Iterator[str]:
        path = layout.claim_path(coordinate)
        name, data = path.rpartition("/")[2], there.data(path)
        claim = metadata_xml.read_claim(data)
        if claim is None:
            raise CorruptRelease(f"{name} is no claim that Gavial wrote.")
        if claim.coordinate != str(coordinate):
            yield f"{name} is that of {claim.coordinate!r:.100}."
        if claim.digest != card.digest:
            yield f"{name} was made from another model than the card."
        for one in metadata_xml.differences(data, card.pipeline):
            yield f"{name} does not say of the pipeline what the card says: {one}."

    return _collected("metadata", problems, "says what the card says")


def _bom(there: _There) -> Check:
    """The bill of materials against the release."""
    release = there.release
    path = layout.bom_path(release.coordinate)
    name = path.rpartition("/")[2]
    if all(file.name != name for file in release.files):
        return Check("BOM", None, "none")

    def problems() -> Iterator[str]:
        digest = release.file(layout.jar_path(release.coordinate).rpartition("/")[2]).sha256
        yield from bom.problems(there.data(path), release.coordinate, digest, name)

    return _collected("BOM", problems, f"{bom.FORMAT} {bom.SPECIFICATION}")


def _runtime(there: _There) -> Check:
    """The runtime jar that the model brings along: it runs in every job that loads it."""
    release, named = there.release, there.release.card.runtime
    if named is None:
        return Check("runtime", None, "the card names none")
    try:
        path = layout.jar_path(Library.parse(named["coordinate"]))
    except InvalidCoordinate as error:
        return _check("runtime", [f"The card names a runtime that is none: {error}"], "")
    data = release.repository.read(path)
    if data is None:  # a model loads without it from a repository, and --packages says so itself
        return Check("runtime", None, f"{named['coordinate']} is not in this repository")
    changed = Content.of_bytes(data).digests["sha256"] != named["sha256"]
    problem = f"{path} is not what it was when {release.coordinate} was released."
    return _check("runtime", [problem] if changed else [], named["coordinate"])


def _signature(there: _There) -> Check:
    """Whether what was signed is this release, by whom, and whether that is trusted."""
    found = verdict.of(there.release, there.rules)
    if found.accepted is False:
        return _check(SIGNATURE, [found.detail], "")
    return Check(SIGNATURE, found.accepted, found.detail)


def _golden(release: Release, failed: Sequence[str], allow_sql: bool) -> Check:
    """Whether it makes of its example what it made when it was released."""
    if failed:
        return Check(GOLDEN, None, f"not scored, since the check of {', '.join(failed)} failed")
    found = sample.finding(release, allow_sql=allow_sql)
    return Check(GOLDEN, found.passed, found.detail, found.problems)


_CHECKS: tuple[Callable[[_There], Check], ...] = (
    _jar,
    _pom,
    _metadata,
    _bom,
    _runtime,
    _signature,
)


def _collected(name: str, problems: Callable[[], Iterator[str]], detail: str) -> Check:
    """A check with everything that it found up to where it could not go on."""
    found: list[str] = []
    try:
        for problem in problems():
            found.append(problem)
    except (CorruptRelease, IncompatibleModel) as error:
        found.append(str(error))
    return _check(name, found, detail)


def _check(name: str, problems: Sequence[str], detail: str) -> Check:
    if not problems:
        return Check(name, True, detail)
    count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
    return Check(name, False, count, tuple(problems))


def _only_signature(failed: Sequence[Check]) -> bool:
    return all(one.name == SIGNATURE for one in failed)
