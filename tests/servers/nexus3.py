"""Sonatype Nexus Repository 3, the open-source core as it is on Maven Central, with H2.

It refuses to overwrite (400) by a check that is not atomic, honours `If-None-Match`, lists
nothing, searches by REST, and takes only a `.jar` that is a zip.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import java
import requests
from fetch import Artifact, unpacked
from process import answers, free_port, running
from real_server import DEPLOYER, READER, RealServer

VERSION = "3.71.0-06"
NEXUS = Artifact(
    f"org.sonatype.nexus.assemblies:nexus-base-template:{VERSION}:zip",
    "432bb2bf10c4c04dfb36ad87796cfaaf4f747eb9db54e6634bb4576ffe891f17",
)
REALM = "Sonatype Nexus Repository Manager"
REPOSITORIES = ("releases", "promoted")
_ADMIN = ("admin", "admin123")  # for this set-up alone
_SECONDS = 400

_PROPERTIES = """\
application-port={port}
application-host=127.0.0.1
nexus-context-path=/
nexus.security.randompassword=false
nexus.onboarding.enabled=false
nexus.skipDefaultRepositories=true
nexus.scripts.allowCreation=false
nexus.hazelcast.discovery.isEnabled=false
"""

# One compiler and one collecting thread: it starts faster beside other work, and in 1 GB.
_MEMORY = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xms256m -Xmx1024m -XX:MaxDirectMemorySize=512m"
# What its own start script opens to it since Java 9.
_OPENED = """
--add-reads=java.xml=java.logging
--add-exports=java.base/org.apache.karaf.specs.locator=java.xml,ALL-UNNAMED
--patch-module=java.base={home}/lib/endorsed/org.apache.karaf.specs.locator-4.3.9.jar
--patch-module=java.xml={home}/lib/endorsed/org.apache.karaf.specs.java.xml-4.3.9.jar
--add-opens=java.base/java.security=ALL-UNNAMED
--add-opens=java.base/java.net=ALL-UNNAMED
--add-opens=java.base/java.lang=ALL-UNNAMED
--add-opens=java.base/java.util=ALL-UNNAMED
--add-opens=java.naming/javax.naming.spi=ALL-UNNAMED
--add-opens=java.rmi/sun.rmi.transport.tcp=ALL-UNNAMED
--add-exports=java.base/sun.net.www.protocol.http=ALL-UNNAMED
--add-exports=java.base/sun.net.www.protocol.https=ALL-UNNAMED
--add-exports=java.base/sun.net.www.protocol.jar=ALL-UNNAMED
--add-exports=jdk.xml.dom/org.w3c.dom.html=ALL-UNNAMED
--add-exports=jdk.naming.rmi/com.sun.jndi.url.rmi=ALL-UNNAMED
--add-exports=java.security.sasl/com.sun.security.sasl=ALL-UNNAMED
"""


@contextmanager
def start(folder: Path, anonymous: bool = True) -> Iterator[RealServer]:
    """Nexus 3 with all its data in `folder`. It takes about a minute."""
    home = unpacked(NEXUS) / f"nexus-base-template-{VERSION}"
    data = folder / "data"
    for name in ("etc", "log", "tmp"):
        (data / name).mkdir(parents=True)
    port = free_port()
    (data / "etc" / "nexus.properties").write_text(_PROPERTIES.format(port=port))
    root = f"http://127.0.0.1:{port}"
    with running(
        _command(home, data),
        folder / "log",
        answers(f"{root}/service/rest/v1/status/writable", 200),
        seconds=_SECONDS,
        cwd=home,
    ):
        rest = _Rest(f"{root}/service/rest/v1/")
        rest.set_up()
        rest.set_anonymous(anonymous)
        releases, promoted = (f"{root}/repository/{name}/" for name in REPOSITORIES)
        yield RealServer(
            "nexus3",
            releases,
            promoted,
            f'BASIC realm="{REALM}"',
            anonymous_reads=anonymous,
            set_anonymous=rest.set_anonymous,
        )


def _command(home: Path, data: Path) -> list[str]:
    properties = {
        "java.net.preferIPv4Stack": "true",
        "user.home": data,
        "karaf.home": home,
        "karaf.base": home,
        "karaf.etc": home / "etc/karaf",
        "karaf.data": data,
        "karaf.log": data / "log",
        "karaf.instances": data / "instances",
        "java.util.logging.config.file": home / "etc/karaf/java.util.logging.properties",
        "java.io.tmpdir": data / "tmp",
        "karaf.startLocalConsole": "false",
        "karaf.startRemoteShell": "false",
    }
    return [
        java.command(),
        *_MEMORY.split(),
        *(f"-D{name}={value}" for name, value in properties.items()),
        *_OPENED.format(home=home).split(),
        *("-classpath", f"{home}/lib/boot/*"),
        "org.sonatype.nexus.karaf.NexusMain",
    ]


@dataclass(frozen=True)
class _Rest:
    """Its REST interface: https://help.sonatype.com/en/rest-and-integration-api.html"""

    url: str

    def set_up(self) -> None:
        for name in REPOSITORIES:
            self._send("POST", "repositories/maven/hosted", _hosted(name))
        for user, may in ((DEPLOYER, ("add", "edit", "read", "browse")), (READER, ("read",))):
            self._send("POST", "security/roles", _role(user[0], may))
            self._send("POST", "security/users", _user(*user))

    def set_anonymous(self, allowed: bool) -> None:
        self._send(
            "PUT",
            "security/anonymous",
            {"enabled": allowed, "userId": "anonymous", "realmName": "NexusAuthorizingRealm"},
        )

    def _send(self, method: str, path: str, document: dict[str, Any]) -> None:
        answer = requests.request(
            method, f"{self.url}{path}", json=document, auth=_ADMIN, timeout=60
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"


def _hosted(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "online": True,
        "storage": {
            "blobStoreName": "default",
            "strictContentTypeValidation": True,
            "writePolicy": "ALLOW_ONCE",
        },
        "maven": {
            "versionPolicy": "RELEASE",
            "layoutPolicy": "STRICT",
            "contentDisposition": "INLINE",
        },
    }


def _role(name: str, may: tuple[str, ...]) -> dict[str, Any]:
    views = [f"nx-repository-view-maven2-{one}-{verb}" for one in REPOSITORIES for verb in may]
    return {"id": name, "name": name, "description": "", "privileges": views, "roles": []}


def _user(name: str, password: str) -> dict[str, Any]:
    return {
        "userId": name,
        "firstName": name,
        "lastName": name,
        "emailAddress": f"{name}@localhost.invalid",
        "password": password,
        "status": "active",
        "roles": [name],
    }
