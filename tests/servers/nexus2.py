"""Sonatype Nexus 2, the open-source edition, on a Java that is newer than it.

It refuses to overwrite (400), answers 412 to every `If-None-Match`, and has HTML listings.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fetch
import java
import requests
from fetch import Artifact
from process import answers, free_port, running
from real_server import DEPLOYER, READER, RealServer

VERSION = "2.5.1-01"
NEXUS = Artifact(
    f"org.sonatype.nexus:nexus-oss-webapp:{VERSION}:tar.gz:bundle",
    "d5b42b084c503a01170c154c5e0205fd05df8b7adbebd7ebd940c25e72bce4d4",
)
# What Java 11 took out of the JDK.
JARS = (
    Artifact(
        "javax.xml.bind:jaxb-api:2.3.1",
        "88b955a0df57880a26a74708bc34f74dcaf8ebf4e78843a28b50eae945732b06",
    ),
    Artifact(
        "org.glassfish.jaxb:jaxb-runtime:2.3.1",
        "45fecfa5c8217ce1f3652ab95179790ec8cc0dec0384bca51cbeb94a293d9f2f",
    ),
    Artifact(
        "org.glassfish.jaxb:txw2:2.3.1",
        "34975dde1c6920f1a39791142235689bc3cd357e24d05edd8ff93b885bd68d60",
    ),
    Artifact(
        "com.sun.istack:istack-commons-runtime:3.0.7",
        "6443e10ba2e259fb821d9b6becf10db5316285fc30c53cec9d7b19a3877e7fdf",
    ),
    Artifact(
        "javax.activation:javax.activation-api:1.2.0",
        "43fdef0b5b6ceb31b0424b208b930c74ab58fac2ceeb7b3f6fd3aeb8b5ca4393",
    ),
    Artifact(
        "javax.annotation:javax.annotation-api:1.3.2",
        "e04ba5195bcd555dc95650f7cc614d151e4bcd52d29a10b8aa2197f3ab89ab9b",
    ),
)
REALM = "Sonatype Nexus Repository Manager"
REPOSITORIES = ("releases", "promoted")
_ADMIN = ("admin", "admin123")  # for this set-up alone
_SECONDS = 240
# Its privileges, by their ids: to see repositories, to search; to read, update and create.
_MAY_READ = ("repository-all", "17", "T1")
_MAY_RELEASE = (*_MAY_READ, "T3", "T5")
_OPENED = {
    "java.base": (
        "java.lang java.lang.reflect java.util java.util.concurrent java.util.concurrent.locks "
        "java.io java.net java.text java.nio java.security"
    ),
    "java.desktop": "java.beans java.awt java.awt.font",
    "java.sql": "java.sql",
}

_PROPERTIES = """\
application-port={port}
application-host=127.0.0.1
nexus-webapp={home}/nexus
nexus-webapp-context-path=/nexus
nexus-work={folder}/work
runtime={home}/nexus/WEB-INF
"""

# Without the proxies of its default configuration, which call four sites on the internet.
_CONFIGURATION = """\
<?xml version="1.0" encoding="UTF-8"?>
<nexusConfiguration>
  <version>2.2.0</version>
  <nexusVersion>{version}</nexusVersion>
  <globalConnectionSettings>
    <connectionTimeout>20000</connectionTimeout>
    <retrievalRetryCount>3</retrievalRetryCount>
  </globalConnectionSettings>
  <restApi><uiTimeout>60000</uiTimeout></restApi>
  <httpProxy><enabled>false</enabled><port>8082</port><proxyPolicy>strict</proxyPolicy></httpProxy>
  <routing><resolveLinks>true</resolveLinks></routing>
  <repositories>{repositories}</repositories>
  <repositoryTargets>
    <repositoryTarget>
      <id>1</id><name>Maven 2</name><contentClass>maven2</contentClass>
      <patterns><pattern>.*</pattern></patterns>
    </repositoryTarget>
    <repositoryTarget>
      <id>any</id><name>any</name><contentClass>any</contentClass>
      <patterns><pattern>.*</pattern></patterns>
    </repositoryTarget>
  </repositoryTargets>
  <smtpConfiguration>
    <hostname>127.0.0.1</hostname><port>25</port>
    <systemEmailAddress>nexus@localhost.invalid</systemEmailAddress>
  </smtpConfiguration>
  <errorReporting>
    <jiraUrl>http://127.0.0.1:9</jiraUrl><jiraProject>PR</jiraProject>
  </errorReporting>
  <notification/>
</nexusConfiguration>
"""
_REPOSITORY = """
    <repository>
      <id>{name}</id><name>{name}</name>
      <providerRole>org.sonatype.nexus.proxy.repository.Repository</providerRole>
      <providerHint>maven2</providerHint>
      <localStatus>IN_SERVICE</localStatus>
      <notFoundCacheTTL>1440</notFoundCacheTTL>
      <userManaged>true</userManaged><exposed>true</exposed><browseable>true</browseable>
      <writePolicy>ALLOW_WRITE_ONCE</writePolicy>
      <indexable>true</indexable><searchable>true</searchable>
      <externalConfiguration>
        <proxyMode>ALLOW</proxyMode>
        <artifactMaxAge>-1</artifactMaxAge><itemMaxAge>1440</itemMaxAge>
        <cleanseRepositoryMetadata>false</cleanseRepositoryMetadata>
        <downloadRemoteIndex>false</downloadRemoteIndex>
        <checksumPolicy>WARN</checksumPolicy>
        <repositoryPolicy>RELEASE</repositoryPolicy>
      </externalConfiguration>
    </repository>
"""
_SECURITY = """\
<?xml version="1.0" encoding="UTF-8"?>
<security-configuration>
  <version>2.0.4</version>
  <enabled>true</enabled>
  <anonymousAccessEnabled>{anonymous}</anonymousAccessEnabled>
  <anonymousUsername>anonymous</anonymousUsername>
  <anonymousPassword>anonymous</anonymousPassword>
  <realms>
    <realm>XmlAuthenticatingRealm</realm>
    <realm>XmlAuthorizingRealm</realm>
  </realms>
  <securityManager>default</securityManager>
  <hashIterations>1024</hashIterations>
</security-configuration>
"""


@contextmanager
def start(folder: Path, anonymous: bool = True) -> Iterator[RealServer]:
    """Nexus 2 with all its data in `folder`. It takes about ten seconds."""
    home = fetch.unpacked(NEXUS) / f"nexus-oss-webapp-{VERSION}"
    port = free_port()
    _write_configuration(folder, home, port, anonymous)
    root = f"http://127.0.0.1:{port}/nexus"
    with running(
        _command(home, folder),
        folder / "log",
        answers(f"{root}/service/local/status", 200, 401),
        seconds=_SECONDS,
        cwd=folder,
    ):
        for user, may in ((DEPLOYER, _MAY_RELEASE), (READER, _MAY_READ)):
            _add_user(root, *user, may)
        releases, promoted = (f"{root}/content/repositories/{name}/" for name in REPOSITORIES)
        yield RealServer(
            "nexus2",
            releases,
            promoted,
            f'BASIC realm="{REALM}"',
            anonymous_reads=anonymous,
        )


def _write_configuration(folder: Path, home: Path, port: int, anonymous: bool) -> None:
    for name in ("work/conf", "conf", "tmp"):
        (folder / name).mkdir(parents=True)
    for name in ("jetty.xml", "logback.xml"):
        shutil.copyfile(home / "conf" / name, folder / "conf" / name)
    properties = _PROPERTIES.format(port=port, home=home, folder=folder)
    (folder / "conf" / "nexus.properties").write_text(properties)
    repositories = "".join(_REPOSITORY.format(name=name) for name in REPOSITORIES)
    work = folder / "work" / "conf"
    (work / "nexus.xml").write_text(
        _CONFIGURATION.format(version=VERSION, repositories=repositories)
    )
    (work / "security-configuration.xml").write_text(
        _SECURITY.format(anonymous=str(anonymous).lower())
    )


def _command(home: Path, folder: Path) -> list[str]:
    ours = java.compiled("org/sonatype/appcontext/internal/HierarchicalMap.java")
    class_path = (str(ours), f"{folder}/conf", f"{home}/lib/*", fetch.jars(JARS))
    return [
        java.command(),
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Xmx512m",
        *(
            f"--add-opens={module}/{package}=ALL-UNNAMED"
            for module, packages in _OPENED.items()
            for package in packages.split()
        ),
        "-Djava.net.preferIPv4Stack=true",
        f"-Djava.io.tmpdir={folder}/tmp",
        f"-DbundleBasedir={home}",
        *("-classpath", os.pathsep.join(class_path)),
        "org.sonatype.nexus.bootstrap.Launcher",
        f"{folder}/conf/jetty.xml",
    ]


def _add_user(root: str, name: str, password: str, privileges: tuple[str, ...]) -> None:
    """By its REST interface, which hashes the password."""
    role = {"id": name, "name": name, "description": name, "sessionTimeout": 60}
    _post(root, "roles", {**role, "privileges": privileges})
    user = {"userId": name, "firstName": name, "lastName": name, "status": "active"}
    email = f"{name}@localhost.invalid"
    _post(root, "users", {**user, "email": email, "password": password, "roles": [name]})


def _post(root: str, what: str, data: dict[str, Any]) -> None:
    answer = requests.post(
        f"{root}/service/local/{what}",
        json={"data": data},
        auth=_ADMIN,
        headers={"Accept": "application/json"},
        timeout=60,
    )
    assert answer.ok, f"{what}: {answer.status_code} {answer.text}"
