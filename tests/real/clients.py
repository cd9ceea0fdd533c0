"""Programs that resolve releases, as others use them: Apache Ivy, coursier and Maven.

Each comes from Maven Central, pinned, with all it needs, and runs in a home of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import fetch
import java

from gavial.registry import spark_conf

IVY = fetch.Artifact(
    "org.apache.ivy:ivy:2.5.3",
    "9502aa5aabf0b1484924a13ef4b5d24f121f7f91aab6768f11cc9d0906c0803b",
)
# coursier-cli_2.13 2.1.24 with its dependencies, as Maven resolves them.
COURSIER = fetch.locked(Path(__file__).with_name("coursier.lock"))
MAVEN = {
    "3.8.9": "3e4c68cdd70f96635e713f36c8fc3ea3182035245d3da2156576710ca0fe4b0c",
    "3.9.12": "fa2c9948729296c23afd18fd01a90f62cdda09a46191b54a8bc3764c2eee812e",
}
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
# That plugin with all that either Maven downloads for it, POMs too.
PLUGINS = fetch.locked(Path(__file__).with_name("maven.lock"))
_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")

Brought = dict[str, bytes]  # the jars: their names and bytes


class NotResolved(Exception):
    """A client did not bring what it was asked for; the message is all that it said."""


@dataclass(frozen=True)
class Place:
    """Where a client looks. Our settings know the same repository as `models`."""

    url: str
    realm: str = ""
    username: str = ""
    password: str = field(default="", repr=False)


def ivy(place: Place, module: str, version: str, folder: Path) -> Brought:
    """Apache Ivy, with the settings file that Gavial writes for it."""
    settings, out = folder / "ivysettings.xml", folder / "brought"
    variables = spark_conf.write_ivysettings(settings, ["com.acme"], "models")
    if variables:
        variables["GAVIAL_REPOSITORIES_MODELS_PASSWORD"] = place.password
    said = _run(
        [
            *(*_java(folder), "-jar", fetch.fetched(IVY)),
            *("-settings", settings, "-cache", folder / "cache", "-confs", "default"),
            *("-dependency", *module.split(":"), version),
            *("-retrieve", f"{out}/[artifact]-[revision].[ext]"),
        ],
        folder,
        variables,
    )
    if "UNRESOLVED" in said or "FAILED DOWNLOADS" in said:
        raise NotResolved(said)
    return _bytes(out.glob("*.jar"))


def coursier(place: Place, module: str, version: str, folder: Path) -> Brought:
    """`cs fetch`."""
    login = f"127.0.0.1({place.realm}) {place.username}:{place.password}"
    said = _run(
        [
            *(*_java(folder), "-classpath", fetch.jars(COURSIER), "coursier.cli.Coursier"),
            *("fetch", "--quiet", "--no-default", "--repository", place.url.rstrip("/")),
            *("--cache", folder / "cache", f"{module}:{version}"),
        ],
        folder,
        {"COURSIER_CREDENTIALS": login} if place.username else {},
    )
    return _bytes(Path(line) for line in said.splitlines() if line.endswith(".jar"))


@dataclass(frozen=True)
class Maven:
    """Maven of one version, with a local repository that keeps its plugin."""

    version: str
    local: Path

    def get(self, place: Place, module: str, version: str, folder: Path) -> Brought:
        """`dependency:get`."""
        self._run(place, folder, "get", f"-Dartifact={module}:{version}")
        return _bytes(self.local.glob("com/acme/**/*.jar"), self.local.glob("io/gavial/**/*.jar"))

    def pom(
        self, place: Place, module: str, versions: Iterable[str], folder: Path
    ) -> dict[str, Brought]:
        """Projects that depend on these versions of a module, in one build."""
        names = {version: f"project-{number}" for number, version in enumerate(versions)}
        modules = "".join(f"<module>{name}</module>" for name in names.values())
        _write_pom(folder, "all", f"<modules>{modules}</modules>")
        group, artifact = module.split(":")
        for version, name in names.items():
            (folder / name).mkdir()
            dependency = (
                f"<dependencies><dependency><groupId>{group}</groupId><artifactId>{artifact}"
                f"</artifactId><version>{version}</version></dependency></dependencies>"
            )
            _write_pom(folder / name, name, dependency)
        self._run(place, folder, "copy-dependencies", "-DoutputDirectory=brought")
        return {
            version: _bytes((folder / name / "brought").glob("*.jar"))
            for version, name in names.items()
        }

    def _run(self, place: Place, folder: Path, goal: str, *options: str) -> str:
        for group in ("com/acme", "io/gavial"):  # as if it had never been asked for them
            shutil.rmtree(self.local / group, ignore_errors=True)
        settings = folder / "settings.xml"
        settings.write_text(_maven_settings(place), encoding="utf-8")
        archive = fetch.Artifact(
            f"org.apache.maven:apache-maven:{self.version}:tar.gz:bin", MAVEN[self.version]
        )
        program = fetch.unpacked(archive) / f"apache-maven-{self.version}" / "bin" / "mvn"
        return _run(
            [
                *(program, "--batch-mode", "--settings", settings),
                *(f"-Dmaven.repo.local={self.local}", f"{PLUGIN}:{goal}", *options),
            ],
            folder,
            {"MAVEN_OPTS": " ".join(_options(folder)), "MAVEN_SKIP_RC": "1"},
        )


def _maven_settings(place: Place) -> str:
    """A `settings.xml`: the login as users write it, and Central is what is pinned here."""
    for one in PLUGINS:
        fetch.fetched(one)
    server = (
        f"<servers><server><id>models</id><username>{escape(place.username)}</username>"
        f"<password>{escape(place.password)}</password></server></servers>"
    )
    policy = "<updatePolicy>always</updatePolicy><checksumPolicy>fail</checksumPolicy>"
    return (
        "<settings><mirrors><mirror><id>pinned</id><mirrorOf>central</mirrorOf>"
        f"<url>{(fetch.cache() / 'maven').as_uri()}</url></mirror></mirrors>"
        f"{server if place.username else ''}<profiles><profile><id>models</id><repositories>"
        f"<repository><id>models</id><url>{escape(place.url)}</url><releases>{policy}</releases>"
        "</repository></repositories></profile></profiles>"
        "<activeProfiles><activeProfile>models</activeProfile></activeProfiles></settings>"
    )


def _write_pom(folder: Path, name: str, more: str) -> None:
    (folder / "pom.xml").write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>org.other</groupId>"
        f"<artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>"
        f"{more}</project>"
    )


def _java(folder: Path) -> tuple[str, ...]:
    return (java.command(), *_options(folder))


def _options(folder: Path) -> tuple[str, ...]:
    return (*_JVM, f"-Duser.home={folder}")  # a JVM does not look at HOME


def _run(command: Iterable[object], folder: Path, environment: Mapping[str, str]) -> str:
    kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ}
    done = subprocess.run(
        [str(one) for one in command],
        cwd=folder,
        env={**kept, "LC_ALL": "C.UTF-8", "HOME": str(folder), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotResolved(done.stdout)
    return done.stdout


def _bytes(*files: Iterable[Path]) -> Brought:
    return {file.name: file.read_bytes() for some in files for file in some}
