"""The runtime jar: this package as `io.gavial:gavial:<version>`, which every model depends on.

Spark brings it to each job with the model, so nothing is installed on a cluster. The same
sources give the same bytes on every machine, so that one that is there can be compared.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from gavial.maven import behaviour, layout, promises, protocol, publish
from gavial.maven.content import Content
from gavial.maven.coordinate import Library, Module
from gavial.maven.drive import Driver
from gavial.maven.pom import Pom, pom_properties
from gavial.maven.repository import Repository
from gavial.registry.warn import warn
from gavial.version import __version__

MODULE = Module("io.gavial", "gavial")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_DESCRIPTION = (
    "The Python package of Gavial, a model registry for Spark ML pipelines: what a released "
    "model needs at run time."
)


@cache
def library() -> Library:
    """The coordinate of this package's own runtime jar.

    A development version has a hash of its content in it: no two differ under one name.
    """
    release, _, development = __version__.partition(".dev")
    if not development:
        return Library(MODULE, __version__)
    return Library(MODULE, f"{release}-dev.{content_hash(_sources())}")


@cache
def files() -> protocol.Packed:
    """The runtime jar and its POM."""
    this = library()
    path = layout.jar_path(this)
    pom = Pom(
        this,
        _DESCRIPTION,
        url="https://gavial.io",
        licence="Apache-2.0",
        owner="The Gavial developers",
    )
    return protocol.Packed(((path, Content.of_bytes(_jar(this))),), Content.of_bytes(pom.render()))


def bring(store: Repository) -> None:
    """Release the runtime jar in `store`, unless it is there.

    Raises:
        CorruptRelease: one is there, and is not what this package makes.
    """
    steps = publish.publish_reproducible(library(), files(), lists_itself=store.lists_itself)
    Driver(store, lambda _: files()).run(steps)


def warn_of_overwriting(store: Repository, this: Library, pom: Content) -> None:
    """Warn where a number can be lost to a writer that stood still.

    Args:
        store: where somebody is about to release.
        this: a runtime jar that is there.
        pom: its POM.
    """
    if behaviour.may_overwrite(store, this, layout.pom_path(this), pom):
        warn(
            f"Repository {store.id!r} ({store.url}) lets its users overwrite and makes no folders: "
            f"{promises.RISK}. {promises.MEND_OVERWRITING}"
        )


def content_hash(sources: dict[str, bytes]) -> str:
    """Twelve hexadecimal digits that name the content of a package."""
    digest = hashlib.sha256()
    for name, data in sorted(sources.items()):
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()[:12]


def _jar(this: Library) -> bytes:
    members = dict(_sources())
    maven = f"META-INF/maven/{this.module.group}/{this.module.artifact}"
    members[f"{maven}/pom.properties"] = pom_properties(this)
    folders = {
        "/".join(name.split("/")[:depth]) + "/"
        for name in members
        for depth in range(1, name.count("/") + 1)
    }
    target = io.BytesIO()
    # Stored, not deflated: versions of zlib differ in the bytes that they make.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as jar:
        for name in sorted({*members, *folders}):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3
            entry.external_attr = (0o40755 << 16 | 0x10) if name[-1] == "/" else 0o100644 << 16
            jar.writestr(entry, members.get(name, b""))
    return target.getvalue()


@cache
def _sources() -> dict[str, bytes]:
    """The files of this package, wherever it was imported from: a folder, a wheel or a jar."""
    return dict(_walk(resources.files("gavial"), "gavial"))


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        name = f"{path}/{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _walk(entry, name)
        elif not entry.name.startswith(".") and not entry.name.endswith((".pyc", "~")):
            yield name, entry.read_bytes()
