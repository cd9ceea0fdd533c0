"""The publish protocol: how a release comes to be, apart from all I/O.

`publish` is a generator. It yields steps, is sent their answers, and returns the coordinate
that was released. `drive` carries the steps out against a repository; a test can answer them
from a model of a server, in any interleaving, and stop at any step.

    claim a number → pack → upload → POM (the commit point) → maven-metadata.xml

A version is a release from the moment its POM is there, and never before. See
docs/protocol.md for what is promised on which kind of repository, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gavial.errors import (
    CorruptRelease,
    InvalidCoordinate,
    NumberTaken,
    ReleaseExists,
    RepositoryError,
    RepositoryRefused,
    RepositoryUnavailable,
)
from gavial.maven import layout, record, withdrawals
from gavial.maven.content import CHECKSUMS, Content
from gavial.maven.coordinate import (
    MAX_NUMBER,
    AnyCoordinate,
    Coordinate,
    Entry,
    Library,
    Line,
    Module,
    Number,
    Target,
    Version,
)
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.protocol import (
    Exists,
    MakeFolder,
    Names,
    Pack,
    Packed,
    Read,
    Same,
    Settle,
    Steps,
    Write,
)
from gavial.maven.repository import FolderAnswer
from gavial.maven.version_list import list_release, not_listed

# A number is passed over for each abandoned claim and each lost race: this many in a row mean
# that something else is wrong, such as a server that shows a claim to all but its owner.
MAX_CLAIMS = 1_000
# So many plain numbers of a module are looked at, the highest first, to tell whether it is one of
# records: an abandoned claim has no POM that would say so.
MAX_RECORDS_ASKED = 10

LastLook = Callable[[Any], Steps[None]]


@dataclass(frozen=True)
class Order:
    """How a deploy says that a number is its own.

    `token` is random and of this deploy alone. `claim` makes the bytes of the claim for a
    coordinate, and `token_of` reads the token of a claim back (`None`: no claim of ours).
    `lists_itself` is the repository's.
    """

    token: str
    lists_itself: bool
    claim: Callable[[Any], bytes]
    token_of: Callable[[bytes], str | None]


def publish(order: Order, target: Target) -> Steps[Coordinate]:
    """Release under the next number of the line that `target` means, or under its exact one.

    Raises:
        ReleaseExists: the exact version asked for is released.
        NumberTaken: only a claim has it.
        InvalidCoordinate: no line was named and there is one later than 1.0, or the module is
            one of records beside another model.
        RepositoryError: the repository refuses for a reason of its own.
    """
    if target.exact:
        yield from _check_no_records(target.module, (yield from _known(target.module)))
        coordinate = Coordinate(target.module, target.exact)
        yield from publish_exact(order, coordinate)
        return coordinate
    version = yield from _next_version(target)
    for _ in range(MAX_CLAIMS):
        coordinate = Coordinate(target.module, version)
        packed = yield from take(order, coordinate)
        if packed is not None:
            yield from complete(coordinate, packed.pom, lists_itself=order.lists_itself)
            return coordinate
        version = version.line.build(version.build + 1)
    raise RepositoryUnavailable(
        f"{MAX_CLAIMS} numbers of {target.module} up to {version} are taken by claims: the "
        "repository hides what was written, or another deploy runs without end."
    )


def publish_exact(order: Order, coordinate: Coordinate) -> Steps[None]:
    """Release under one version and no other.

    Raises:
        ReleaseExists: it is released.
        NumberTaken: only a claim has it.
    """
    packed = yield from take(order, coordinate)
    if packed is not None:
        yield from complete(coordinate, packed.pom, lists_itself=order.lists_itself)
        return
    advice = f"Deploy {coordinate.module}:{coordinate.version.line} for the next build."
    if (yield Exists(layout.pom_path(coordinate))):
        raise ReleaseExists(f"{coordinate} is released, and a release never changes. {advice}")
    raise NumberTaken(
        f"The number of {coordinate} is taken: it is not released, but another deploy has claimed "
        f"it, and may have been abandoned. {advice} Numbers may be skipped."
    )


def publish_reproducible(library: Library, packed: Packed, *, lists_itself: bool) -> Steps[None]:
    """Bring an artifact whose bytes anybody can make again, unless it is there already.

    It needs no claim: whoever else brings it brings the same bytes.

    Raises:
        CorruptRelease: a file of that name is there with other bytes.
    """
    pom = (layout.pom_path(library), packed.pom)
    if (yield Exists(pom[0])):
        for path, content in (*packed.files, pom):
            yield from _compare(path, content)
    else:
        for path, content in (*packed.files, pom):
            refusal = yield Write(path, content)
            if not (yield Exists(path)):
                raise refusal or hidden(path)
            yield from _compare(path, content)
            yield from write_checksums(path, content)
    yield from list_release(library, lists_itself=lists_itself)


def _compare(path: str, content: Content) -> Steps[None]:
    there = yield Read(path)
    if there is None or Content.of_bytes(there).digests != content.digests:
        raise CorruptRelease(
            f"{path} in the repository is not what this version makes: it runs in every job that "
            "loads a model, so nothing was released. Have it looked at, and removed."
        )


def finish(order: Order, coordinate: Coordinate) -> Steps[bool]:
    """Finish a deploy that stopped between its POM and the metadata.

    Returns:
        Whether `coordinate` was released by this very deploy (its token), and is listed now.
    """
    ours = yield from _is_ours(order, coordinate)
    if not ours or not (yield Exists(layout.pom_path(coordinate))):
        return False
    yield from complete(coordinate, lists_itself=order.lists_itself)
    return True


def complete(
    coordinate: AnyCoordinate, pom: Content | None = None, *, lists_itself: bool
) -> Steps[None]:
    """What follows the commit point: the POM's checksums, and the list."""
    try:
        yield from write_checksums(layout.pom_path(coordinate), pom)
    except RepositoryError as error:
        raise not_listed(coordinate, str(error)) from error
    yield from list_release(coordinate, lists_itself=lists_itself)


def _next_version(target: Target) -> Steps[Version]:
    """The number to try first: one more than any that is known of the line."""
    texts = yield from _known(target.module)
    yield from _check_no_records(target.module, texts)
    texts |= yield from withdrawals.in_force(target.module)
    line = choose_line(target, filter(None, map(Version.try_parse, texts)))
    number = 1 + max(line.builds(texts), default=-1)
    if number > MAX_NUMBER:
        raise InvalidCoordinate(
            f"{target.module}:{line} is at build {number - 1}, and no number has more digits: "
            f"name the next line, as in {target.module}:{line.major}.{line.minor + 1}."
        )
    return line.build(number)


def _known(module: Module) -> Steps[set[str]]:
    """The versions that a list or a folder names; some may be no releases."""
    data = yield Read(layout.metadata_path(module))
    names = yield Names(layout.module_folder(module))
    return {*ModuleMetadata.parse(data, module).versions, *(names or ())}


def _check_no_records(module: Module, versions: Iterable[str]) -> Steps[None]:
    """Refuse to release a model among the records of another one, such as `churn-champion`."""
    plain = filter(str.isdecimal, versions)  # first, for there may be ten thousand
    numbers = sorted(filter(None, map(Number.try_parse, plain)), reverse=True)
    for number in numbers[:MAX_RECORDS_ASKED]:
        pom = yield Read(layout.pom_path(Entry(module, number)))
        what = record.describe(pom) if pom is not None else None
        if what is not None:
            raise InvalidCoordinate(
                f"{module} is {what}, and no model can have its name: choose another artifactId."
            )


def choose_line(target: Target, known: Iterable[Version]) -> Line:
    """The line that a deploy means; without one, `1.0`, unless there is a later line.

    Raises:
        InvalidCoordinate: there is a later line, so the caller must name one.
    """
    if target.line:
        return target.line
    latest = max((v.line for v in known), default=Line(1, 0))
    if latest > Line(1, 0):
        raise InvalidCoordinate(
            f"{str(target.module)!r} names no line, and {target.module} is at {latest}: name it, "
            f"as in {target.module}:{latest}."
        )
    return Line(1, 0)


def take(
    order: Order, coordinate: AnyCoordinate, last_look: LastLook | None = None
) -> Steps[Packed | None]:
    """Claim, pack, upload and commit one number; `None` where it is another's.

    `last_look` may raise what keeps it from being committed, when all else is ready.
    """
    try:
        packed = yield from _prepare(order, coordinate)
        if packed is not None and last_look is not None:
            yield from last_look(coordinate)
    except RepositoryError as error:
        raise saying(error, f"Nothing was released as {coordinate}.") from error
    if packed is None:
        return None
    try:
        ours = yield from _put(order, coordinate, layout.pom_path(coordinate), packed.pom)
    except RepositoryUnavailable as error:
        raise saying(
            error,
            f"It is not known whether {coordinate} was released. Repeat it: that finishes "
            "that release, or makes another.",
        ) from error
    except RepositoryError as error:
        raise saying(error, f"Nothing was released as {coordinate}.") from error
    return packed if ours else None


def _prepare(order: Order, coordinate: AnyCoordinate) -> Steps[Packed | None]:
    """Everything before the commit point; `None` where the number is another's."""
    exclusive = yield from _claim(order, coordinate)
    if exclusive is None:
        return None
    packed: Packed = yield Pack(coordinate)
    if not exclusive:
        yield Settle()
    if not (yield from _still_ours(order, coordinate)):
        return None
    yield from write_checksums(layout.claim_path(coordinate))
    for path, content in packed.files:
        if not (yield from _upload(order, coordinate, path, content)):
            return None
    # Somebody may have overwritten the claim meanwhile: the last look before the commit.
    if not (yield from _still_ours(order, coordinate)):
        return None
    if (yield Exists(layout.pom_path(coordinate))):
        return None
    return packed


def saying(error: RepositoryError, text: str) -> RepositoryError:
    """The same error, and what it means for the release."""
    return type(error)(f"{error} {text}")


def _claim(order: Order, coordinate: AnyCoordinate) -> Steps[bool | None]:
    """Claim a number. `None`: it is another's; `True`: nobody else can have it.

    Making the version's folder is such a claim where the repository makes folders. Elsewhere
    the claim file is one, but servers check "does it exist?" before and not while they write,
    so several writers may all be told that theirs was stored: whoever is read back won.
    """
    path = layout.claim_path(coordinate)
    folder = yield MakeFolder(layout.release_folder(coordinate))
    if folder is FolderAnswer.EXISTS:
        return None
    if folder is FolderAnswer.UNSUPPORTED and (
        (yield Exists(path)) or (yield Exists(layout.pom_path(coordinate)))
    ):
        return None
    refusal = yield Write(path, Content.of_bytes(order.claim(coordinate)))
    if refusal is None:
        return folder is FolderAnswer.MADE
    there = yield Read(path)
    if there is None:
        raise refusal  # not "it exists" but a policy, a permission or a limit
    return False if order.token_of(there) == order.token else None


def _is_ours(order: Order, coordinate: AnyCoordinate) -> Steps[bool]:
    claim = yield Read(layout.claim_path(coordinate))
    return claim is not None and order.token_of(claim) == order.token


def _still_ours(order: Order, coordinate: AnyCoordinate) -> Steps[bool]:
    """Read our claim back. One that cannot be seen protects nothing: the deploy ends there."""
    claim = yield Read(layout.claim_path(coordinate))
    if claim is None:
        raise hidden(f"the claim of {coordinate}")
    return order.token_of(claim) == order.token


def hidden(what: str) -> RepositoryError:
    return RepositoryRefused(
        f"The repository took {what} and does not show it: on such a server two deploys can take "
        "one number."
    )


def _upload(order: Order, coordinate: AnyCoordinate, path: str, content: Content) -> Steps[bool]:
    """Store a release's file and its checksums, if it has any; `False` where another's is there."""
    if not (yield from _put(order, coordinate, path, content)):
        return False
    if not path.endswith(layout.UNSUMMED):
        yield from write_checksums(path, content)
    return True


def _put(order: Order, coordinate: AnyCoordinate, path: str, content: Content) -> Steps[bool]:
    """Store a release's file; `False` where another's is there.

    What is refused because it is there may be our own: a proxy may send a request twice.
    """
    refusal = yield Write(path, content)
    if refusal is None:
        return True
    if not (yield Exists(path)):
        raise refusal
    return (yield Same(path, content)) and (yield from _is_ours(order, coordinate))


def write_checksums(path: str, content: Content | None = None) -> Steps[None]:
    """Write the checksum files beside `path`, as it is there; those there already stay."""
    if content is None:
        data = yield Read(path)
        if data is None:  # as of a proxy that remembers that it was not there
            raise RepositoryUnavailable(f"{path} was stored and is not shown.")
        content = Content.of_bytes(data)
    for algorithm in CHECKSUMS:
        beside = f"{path}.{algorithm}"
        refusal = yield Write(beside, content.checksum(algorithm))
        if refusal is not None and not (yield Exists(beside)):
            raise refusal
