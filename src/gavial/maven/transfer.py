"""How a release of one repository comes to be in another: the same bytes under the same number.

The steps are those of `publish`, apart from all I/O, and the claim is the release's own
`-metadata.xml`: whoever finds it under that number finds the token of the deploy that made it. So
two promotions of one release help each other, one that was killed is continued by the next, and a
deploy takes another number. What is there is compared, and never written over with other bytes.

A folder that is there without a claim is the one thing that says nothing of its maker. In a
repository that is a folder nobody can lose by it: of two claims the first stays. A server that
makes folders may let its users overwrite, and there a deploy that has just made the folder may be
about to write its claim. So it is left alone, unless this promotion was cut short before, and has
probably made it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gavial.errors import NumberTaken, ReleaseExists, RepositoryError, RepositoryUnavailable
from gavial.maven import layout, publish
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate
from gavial.maven.protocol import Exists, MakeFolder, Packed, Read, Same, Settle, Steps, Write
from gavial.maven.repository import FolderAnswer


@dataclass(frozen=True)
class Cargo:
    """A whole release on its way.

    Attributes:
        coordinate: its coordinate, here and there.
        claim: its `-metadata.xml`.
        packed: all its other files, by path and in the order of their upload, then the POM.
    """

    coordinate: Coordinate
    claim: Content
    packed: Packed


def transfer(cargo: Cargo, *, lists_itself: bool, resumed: bool = False) -> Steps[bool]:
    """Release what another repository has released.

    Args:
        lists_itself: the target's.
        resumed: this very promotion was cut short before.

    Returns:
        Whether it was brought; `False` where it is there already, with the same bytes.

    Raises:
        ReleaseExists: the target has that coordinate with other bytes.
        NumberTaken: only a claim of something else has it.
        RepositoryError: the target refuses for a reason of its own.
    """
    coordinate, pom = cargo.coordinate, layout.pom_path(cargo.coordinate)
    brought = False
    if not (yield Exists(pom)):
        brought = yield from _bring(cargo, lists_itself=lists_itself, resumed=resumed)
    if not brought:
        others = yield from differences(cargo)
        if others:
            raise ReleaseExists(
                f"{coordinate} is released in the target with other bytes than in the source: "
                f"{', '.join(others)}. A release never changes: find out where that one is from, "
                "and promote another build."
            )
    yield from publish.complete(coordinate, cargo.packed.pom, lists_itself=lists_itself)
    return brought


def differences(cargo: Cargo) -> Steps[list[str]]:
    """The names of files that the target lacks, or has with other bytes."""
    files = (
        (layout.claim_path(cargo.coordinate), cargo.claim),
        *cargo.packed.files,
        (layout.pom_path(cargo.coordinate), cargo.packed.pom),
    )
    found = []
    for path, content in files:
        if not (yield Same(path, content)):
            found.append(path.rpartition("/")[2])
    return found


def _bring(cargo: Cargo, *, lists_itself: bool, resumed: bool) -> Steps[bool]:
    """Claim, upload and commit; `False` where somebody else has committed it meanwhile."""
    nothing = f"Nothing was released as {cargo.coordinate} there; to repeat it goes on from here."
    try:
        ready = yield from _prepare(cargo, lists_itself=lists_itself, resumed=resumed)
    except RepositoryError as error:
        raise publish.saying(error, nothing) from error
    if not ready:
        return False
    path = layout.pom_path(cargo.coordinate)
    try:
        refusal = yield Write(path, cargo.packed.pom)
        if refusal is not None and not (yield Exists(path)):
            raise refusal
    except RepositoryUnavailable as error:
        unknown = f"It is not known whether {cargo.coordinate} was released there: repeat it."
        raise publish.saying(error, unknown) from error
    except RepositoryError as error:
        raise publish.saying(error, nothing) from error
    return refusal is None


def _prepare(cargo: Cargo, *, lists_itself: bool, resumed: bool) -> Steps[bool]:
    """Everything before the commit point; `False` where somebody else has committed it."""
    pom = layout.pom_path(cargo.coordinate)
    alone = yield from _claim(cargo, lists_itself=lists_itself, resumed=resumed)
    if not alone:
        yield Settle()
    yield from _check_ours(cargo)
    yield from publish.write_checksums(layout.claim_path(cargo.coordinate), cargo.claim)
    for path, content in cargo.packed.files:
        if (yield Exists(pom)):
            return False
        yield from _upload(path, content, alone=alone)
    # Somebody may have overwritten the claim meanwhile: the last look before the commit.
    yield from _check_ours(cargo)
    return not (yield Exists(pom))


def _claim(cargo: Cargo, *, lists_itself: bool, resumed: bool) -> Steps[bool]:
    """Claim the number, or find it claimed for this release. `True`: nobody else can have it."""
    path = layout.claim_path(cargo.coordinate)
    folder = yield MakeFolder(layout.release_folder(cargo.coordinate))
    there: bytes | None = None
    if folder is not FolderAnswer.MADE:
        there = yield Read(path)
    if there is None and folder is FolderAnswer.EXISTS and not lists_itself:
        yield Settle()
        there = yield Read(path)
        if there is None and not resumed:
            raise NumberTaken(
                f"The folder of {cargo.coordinate} is there and empty: a deploy or another "
                "promotion is at work, or was cut short. If none is, remove that folder, and "
                "repeat this."
            )
    if there is None:
        refusal = yield Write(path, cargo.claim)
        if refusal is None:
            return folder is FolderAnswer.MADE
        there = yield Read(path)
        if there is None:
            raise refusal  # not "it exists" but a policy, a permission or a limit
    _check_same(cargo, there)
    return False


def _check_ours(cargo: Cargo) -> Steps[None]:
    there = yield Read(layout.claim_path(cargo.coordinate))
    if there is None:
        raise publish.hidden(f"the claim of {cargo.coordinate}")
    _check_same(cargo, there)


def _check_same(cargo: Cargo, there: bytes) -> None:
    if there != cargo.claim.source:
        raise NumberTaken(
            f"The number of {cargo.coordinate} is taken in the target: another deploy has claimed "
            "it there, and may have been abandoned. A promoted release keeps its number, so deploy "
            "the next build to the source, and promote that."
        )


def _upload(path: str, content: Content, *, alone: bool) -> Steps[None]:
    """Store a file and its checksums. One that another promotion has brought stays."""
    is_there = False
    if not alone and (yield Exists(path)):
        is_there = yield Same(path, content)
    if not is_there:
        refusal = yield Write(path, content)
        if refusal is not None:
            if not (yield Exists(path)):
                raise refusal
            if not (yield Same(path, content)):
                raise ReleaseExists(
                    f"{path} is there with other bytes than in the source, and a file of a release "
                    "is never overwritten. Find out where that one is from."
                )
    if not path.endswith(layout.UNSUMMED):
        yield from publish.write_checksums(path, content)
