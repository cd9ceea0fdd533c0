"""nginx as a DAV server: Debian's own build, which has MKCOL and PUT.

It overwrites, answers 403 to a user who may not write, and lists its folders.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import debian
from process import answers, free_port, running
from real_server import DEPLOYER, READER, RealServer, write_users

REALM = "nginx maven"

_CONF = """\
{user}
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/tmp/body; proxy_temp_path {folder}/tmp/proxy;
  fastcgi_temp_path {folder}/tmp/fastcgi; uwsgi_temp_path {folder}/tmp/uwsgi;
  scgi_temp_path {folder}/tmp/scgi;
  client_max_body_size 0;
  types {{ text/xml xml pom; application/java-archive jar; text/plain sha1 md5; }}
  # The reader is somebody, and may not do that: 403, where a password file of the writers
  # alone would say 401.
  map "$request_method $remote_user" $forbidden {{
    default 0;
    "~^(PUT|DELETE|MKCOL|COPY|MOVE) {reader}$" 1;
  }}
  server {{
    listen 127.0.0.1:{port};
    root {folder}/root;
    if ($forbidden) {{ return 403; }}
    location / {{
      dav_methods PUT DELETE MKCOL; create_full_put_path on; autoindex on;
      {access}
    }}
  }}
}}
"""


@contextmanager
def start(folder: Path, anonymous: bool = True) -> Iterator[RealServer]:
    """nginx over `folder`."""
    program = debian.program("nginx", "nginx-light")
    for name in ("root/releases", "root/promoted", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    users = write_users(folder / "users", DEPLOYER, READER)
    access = f'auth_basic "{REALM}"; auth_basic_user_file {users};'
    if anonymous:
        access = f"limit_except GET HEAD OPTIONS {{ {access} }}"
    port = free_port()
    conf = folder / "nginx.conf"
    conf.write_text(
        _CONF.format(
            # Root's workers would become a user who may not write there.
            user="user root;" if os.geteuid() == 0 else "",
            folder=folder,
            port=port,
            reader=READER[0],
            access=access,
        )
    )
    url = f"http://127.0.0.1:{port}/releases/"
    command = [program.path, "-e", folder / "error.log", "-p", folder, "-c", conf]
    with running(
        command,
        folder / "log",
        answers(url, 200, 401),
        seconds=30,
        environment=program.environment,
    ):
        yield RealServer(
            "nginx",
            url,
            f"http://127.0.0.1:{port}/promoted/",
            f'Basic realm="{REALM}"',
            anonymous_reads=anonymous,
        )
