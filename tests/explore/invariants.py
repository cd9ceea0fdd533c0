"""What must hold in every state of the files, and at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from server_models import FOLDER_OF_MODULE, METADATA, MODULE, Files, ServerModel, listed

from gavial.maven import layout, withdrawals
from gavial.maven.content import CHECKSUMS, Content
from gavial.maven.coordinate import Coordinate, Entry, Number, Version


def released(files: Files) -> frozenset[str]:
    """The versions that exist: those with a POM."""
    ours = (p for p in files if p.startswith(FOLDER_OF_MODULE))
    return frozenset(p.split("/")[-2] for p in ours if p.endswith(".pom"))


def withdrawn(files: Files) -> frozenset[str]:
    """The versions that are withdrawn, to whoever looks now."""
    steps = withdrawals.in_force(MODULE)
    answer = None
    try:
        while True:
            answer = files.get(steps.send(answer).path)
    except StopIteration as end:
        return end.value


def owner(data: bytes) -> str:
    """The writer whose bytes these are: each file of these models begins with its token.

    That of a record is XML, and its token the first word of one element.
    """
    text = data.decode()
    if text.startswith("<"):
        text = re.search(r"<(?:token|description)>(.*?)<", text)[1]
    return text.split()[0]


def coordinate(version: str) -> Coordinate | Entry:
    number = Number.try_parse(version)
    return Entry(MODULE, number) if number else Coordinate(MODULE, Version.parse(version))


def always(model: ServerModel, files: Files) -> Iterator[str]:
    """What is wrong with these files at any moment: a reader may come now."""
    there = released(files)
    for version in sorted(there):
        yield from _not_whole(files, coordinate(version))
    if not model.keeps_list:
        yield from (f"{v} is listed and no release" for v in sorted(listed(files) - there))
    if there and not model.shows_claims:
        yield "something was released where claims cannot be seen"


def _not_whole(files: Files, release: Coordinate) -> Iterator[str]:
    paths = [f(release) for f in (layout.claim_path, layout.jar_path, layout.pom_path)]
    missing = [p for p in paths if p not in files]
    if missing:
        yield f"{release.version} is released without {_names(missing)}"
        return
    owners = [owner(files[p]) for p in paths]
    if len(set(owners)) > 1:
        yield (
            f"{release.version} is mixed: claim of {owners[0]}, jar of {owners[1]}, "
            f"POM of {owners[2]}"
        )
    for path in paths:
        for algorithm in CHECKSUMS:
            yield from _wrong_checksum(files, path, algorithm, needed=path != paths[-1])


def _wrong_checksum(files: Files, path: str, algorithm: str, *, needed: bool) -> Iterator[str]:
    stored = files.get(f"{path}.{algorithm}")
    if stored is None:
        if needed:
            yield f"a release lacks {_names([f'{path}.{algorithm}'])}"
    elif stored.decode() != Content.of_bytes(files[path]).digests[algorithm]:
        yield f"a release has a wrong {_names([f'{path}.{algorithm}'])}"


def altered(before: Files, after: Files) -> Iterator[str]:
    """What a step changed of a release: nothing ever may."""
    for version in released(before):
        folder = f"{layout.release_folder(coordinate(version))}/"
        changed = [p for p, d in before.items() if p.startswith(folder) and after.get(p) != d]
        if changed:
            yield f"{_names(changed)} of a release was overwritten"


def of_results(files: Files, results: dict[str, Coordinate]) -> Iterator[str]:
    """What is wrong with what the writers were told that they released."""
    for token, release in results.items():
        others = [t for t, r in results.items() if r == release and t > token]
        yield from (f"{token} and {t} both released {release.version}" for t in others)
        pom = files.get(layout.pom_path(release))
        if pom is None or owner(pom) != token:
            yield f"{release.version} is not what {token} released under it"


def list_is_right(model: ServerModel, files: Files) -> Iterator[str]:
    """What `maven-metadata.xml` lacks once nobody is under way."""
    if model.keeps_list or not model.shows_claims:
        return
    out = withdrawn(files)
    lacks = sorted(released(files) - out - listed(files))
    yield from (f"{v} is released and not listed" for v in lacks)
    yield from (f"{v} is withdrawn and listed" for v in sorted(out & listed(files)))


def list_checksum_is_right(model: ServerModel, files: Files) -> Iterator[str]:
    """A wrong checksum beside `maven-metadata.xml`: strict clients warn, or refuse it."""
    if METADATA in files and not model.keeps_list:
        for algorithm in CHECKSUMS:
            stored = files.get(f"{METADATA}.{algorithm}", b"").decode()
            if stored != Content.of_bytes(files[METADATA]).digests[algorithm]:
                yield f"maven-metadata.xml has a wrong {algorithm}"


def _names(paths: list[str]) -> str:
    return ", ".join(p.split("/")[-1] for p in paths)
