"""What a release is made of beside its own files: found where it lies on this machine or there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from gavial.errors import GavialError
from gavial.maven import layout, xml
from gavial.maven.content import Hashing
from gavial.maven.coordinate import Library
from gavial.maven.repository import Repository
from gavial.model.bom import Part
from gavial.registry import runtime
from gavial.version import __version__

_LARGE = 1 << 30  # bytes of a library that is hashed; a model's own have megabytes
_APACHE = "Apache-2.0"
# As their own metadata names it, in words.
_KNOWN = {"pyspark": _APACHE, "numpy": "BSD-3-Clause", "pandas": "BSD-3-Clause"}


def of(
    store: Repository,
    environment: Mapping[str, str],
    libraries: Iterable[Library],
    modules: Mapping[str, Path],
) -> tuple[Part, ...]:
    """Everything that a model needs, Spark's own first.

    Args:
        store: where the model goes; its libraries may lie there.
        environment: the card's, such as `{"spark": "4.3.0", "scala": "2.13.16"}`.
        libraries: the JVM libraries that the model declares.
        modules: the files of the Python modules that travel with it, by name in the jar.
    """
    this, content = runtime.library(), runtime.files().files[0][1]
    return (
        *_spark(environment),
        Part(str(this.module), this.version, sha256=content.digests["sha256"], licence=_APACHE),
        *(_library(store, one) for one in libraries),
        *_distributions(environment),
        *_modules(modules),
    )


def _spark(environment: Mapping[str, str]) -> Iterator[Part]:
    version = environment.get("spark")
    if version:
        scala = ".".join(environment.get("scala", "").split(".")[:2])
        scala = scala or ("2.12" if version.startswith("3.") else "2.13")
        name = f"org.apache.spark:spark-mllib_{scala}"
        yield Part(name, version, licence=_APACHE, provided=True)


def _library(store: Repository, library: Library) -> Part:
    sha256, licence = "", ""
    try:
        pom = store.read(layout.pom_path(library))
        if pom is not None:
            licence = _licence(pom)
        digest = Hashing(None, _LARGE)
        if store.download(layout.jar_path(library), digest):  # type: ignore[arg-type]
            sha256 = digest.hexdigest()
    except GavialError:
        pass  # it is said what it is, if not what is in it
    return Part(
        str(library.module), library.version, sha256=sha256 or _in_caches(library), licence=licence
    )


def _in_caches(library: Library) -> str:
    """The digest of a library that Spark or Maven fetched before; empty where none has."""
    group, artifact, version = library.module.group, library.module.artifact, library.version
    name = f"{artifact}-{version}.jar"
    home = Path("~").expanduser()
    places = [home / ".m2" / "repository" / layout.jar_path(library)]
    for ivy in (".ivy2", ".ivy2.5.2"):
        places += [
            home / ivy / "cache" / group / artifact / "jars" / name,
            home / ivy / "jars" / f"{group}_{name}",
        ]
    for place in places:
        try:
            with place.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            continue
    return ""


def _licence(pom: bytes) -> str:
    """What a POM says of the licence of its own module; a parent's is not looked for."""
    root = xml.parse(pom, "a POM")
    for one in root.iter():
        one.tag = str(one.tag).rpartition("}")[2]
    names = [(one.text or "").strip() for one in root.findall("licenses/license/name")]
    return " OR ".join(filter(None, names))


def _distributions(environment: Mapping[str, str]) -> Iterator[Part]:
    yield Part("gavial", __version__, "pypi", licence=_APACHE)
    if "python" not in environment:
        return  # a saved directory: it was not made by this process
    for name in ("numpy", "pandas", "pyspark"):
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        said = found.metadata
        licence = said["License-Expression"] if "License-Expression" in said else _KNOWN[name]
        yield Part(name, found.version, "pypi", licence=licence, provided=name == "pyspark")


def _modules(modules: Mapping[str, Path]) -> Iterator[Part]:
    """The Python modules in the jar, each with its files."""
    tops: dict[str, dict[str, str]] = {}
    for name, path in modules.items():
        top = name.partition("/")[0].removesuffix(".py")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        tops.setdefault(top, {})[name] = digest
    for top, files in sorted(tops.items()):
        yield Part(top, kind="module", files=files)
