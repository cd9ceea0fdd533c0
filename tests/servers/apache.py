"""Apache httpd with mod_dav: Debian's own build.

It overwrites, makes no parent folders by itself (409), honours `If-None-Match`, and answers 401
to a user who may not write.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import debian
from process import answers, free_port, running
from real_server import DEPLOYER, READER, RealServer, write_users

REALM = "apache maven"
_MODULES = """
mpm_event authn_core authn_file authz_core authz_user auth_basic dav dav_fs dav_lock mime
autoindex
"""
# Whom its workers become where root starts it: they refuse to be root.
_WORKER = "www-data"

_CONF = """\
{modules}
ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/httpd.pid
ErrorLog {folder}/error.log
TypesConfig /dev/null
{worker}
DavLockDB {served}/locks
DocumentRoot {served}/root
<Directory {served}/root>
  Dav On
  Options +Indexes
  AuthType Basic
  AuthName "{realm}"
  AuthUserFile {served}/users
  <LimitExcept GET HEAD OPTIONS PROPFIND>
    Require user {deployer}
  </LimitExcept>
  <Limit GET HEAD OPTIONS PROPFIND>
    Require {readers}
  </Limit>
</Directory>
"""


@contextmanager
def start(folder: Path, anonymous: bool = True) -> Iterator[RealServer]:
    """Apache, with its configuration and logs in `folder`."""
    program = debian.program("apache2", "apache2-bin")
    modules = program.root / "usr/lib/apache2/modules"
    port = free_port()
    url = f"http://127.0.0.1:{port}/releases/"
    with _served(folder) as served:
        environment = {**program.environment, **_drivers(program, served)}
        conf = folder / "httpd.conf"
        conf.write_text(
            _CONF.format(
                modules="\n".join(
                    f"LoadModule {n}_module {modules}/mod_{n}.so" for n in _MODULES.split()
                ),
                folder=folder,
                port=port,
                worker=f"User {_WORKER}\nGroup {_WORKER}" if _is_root() else "",
                served=served,
                realm=REALM,
                deployer=DEPLOYER[0],
                readers="all granted" if anonymous else "valid-user",
            )
        )
        with running(
            [program.path, "-f", conf, "-D", "FOREGROUND"],
            folder / "log",
            answers(url, 200, 401),
            seconds=30,
            environment=environment,
        ):
            yield RealServer(
                "apache",
                url,
                f"http://127.0.0.1:{port}/promoted/",
                f'Basic realm="{REALM}"',
                anonymous_reads=anonymous,
            )


def _drivers(program: debian.Program, served: Path) -> dict[str, str]:
    """The way to the drivers of its lock database, which a worker loads when it first needs one.

    Root's cache may be closed to workers, so those of an unpacked Apache are copied.
    """
    found = next(program.root.glob("usr/lib/*/apr-util-1"), None)
    if program.root == Path("/") or found is None:
        return {}
    shutil.copytree(found, served / found.name, symlinks=True)
    paths = (str(served), program.environment.get("LD_LIBRARY_PATH", ""))
    return {"LD_LIBRARY_PATH": os.pathsep.join(filter(None, paths))}


def _is_root() -> bool:
    return os.geteuid() == 0


@contextmanager
def _served(folder: Path) -> Iterator[Path]:
    """The folder that its workers read and write: `folder`, unless they cannot get there."""
    if not _is_root():
        _fill(folder)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="gavial-apache-") as served:
        for place in (Path(served), *_fill(Path(served))):
            shutil.chown(place, _WORKER, _WORKER)
        yield Path(served)


def _fill(served: Path) -> tuple[Path, ...]:
    folders = [served / name for name in ("root", "root/releases", "root/promoted")]
    for one in folders:
        one.mkdir(parents=True)
    return (*folders, write_users(served / "users", DEPLOYER, READER))
