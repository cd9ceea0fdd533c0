"""A Maven2 repository over HTTP, on a real socket, with the habits and faults of real servers.

Standard library only. In a test:

    with MavenServer(folder, username="u", password="p") as server:
        server.url, server.requests

As a program: `python maven_server.py --root DIR --port 0 --username u --password-env VARIABLE`
prints its URL and serves until it is interrupted.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import html
import json
import os
import shutil
import socket
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

NEXUS = "Sonatype Nexus Repository Manager"
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Request:
    """One answered request. `who` is a user's name, "token", or `None` without credentials."""

    method: str
    path: str
    status: int
    who: str | None


@dataclass(frozen=True)
class Fault:
    """What goes wrong, once, with the next request of that method whose path ends like that.

    `kind`: drop (no answer, nothing stored) · lose (stored, then no answer) · stored (stored,
    then answer `status`) · repeat (a proxy sends it twice and passes on the second answer) ·
    status (answer `status`, with `retry_after`) · truncate (half the body) · trickle (a byte, and
    then nothing for long) · gzip (compressed without being asked) · redirect (307 to `location`)
    · stall (no answer until the server ends) · hang up (a whole answer, then the connection ends
    without notice).
    """

    kind: str
    method: str = "PUT"
    ends: str = ""
    status: int = 503
    retry_after: str | None = None
    location: str = ""

    def hits(self, method: str, path: str) -> bool:
        return method == self.method and path.endswith(self.ends)


class MavenServer:
    """A server for one folder.

    Args:
        overwrite: "refuse" answers `refusal` to a PUT on an existing file, other than
            `maven-metadata.xml` and its checksums. As on most servers the check comes before
            the body, and `delay` is called between the check and the write.
        mkcol: folders are made by MKCOL alone, and a PUT without one gets 409 (Apache).
        if_none_match: "ignore", "honour", or "always_412" (Nexus 2).
        ranges: answer a `Range` that fits by the rest of the file.
        hide_claims: `-metadata.xml` is stored and never shown.
        keep_metadata: "client" stores `maven-metadata.xml`, "server" ignores what is written,
            "once" refuses it a second time.
        deletes: DELETE is allowed.
        base: the path of the repository on the server.
        pages: answers to GET of other paths, with their queries: a document and headers.
        faults: used up in order; a test may add to `server.faults` later.
    """

    def __init__(
        self,
        root: Path,
        *,
        port: int = 0,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        anonymous_read: bool = False,
        read_only: bool = False,
        realm: str | None = NEXUS,
        overwrite: str = "refuse",
        refusal: int = 400,
        delay: Callable[[], None] | None = None,
        mkcol: bool = False,
        listing: bool = False,
        if_none_match: str = "ignore",
        head: bool = True,
        ranges: bool = True,
        hide_claims: bool = False,
        keep_metadata: str = "client",
        deletes: bool = False,
        base: str = "repository/models",
        pages: dict[str, tuple[object, dict[str, str]]] | None = None,
        tls: tuple[Path, Path] | None = None,
        client_ca: Path | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        self.root = root
        self.username, self.password, self.token = username, password, token
        self.anonymous_read, self.read_only, self.realm = anonymous_read, read_only, realm
        self.overwrite, self.refusal, self.delay = overwrite, refusal, delay
        self.mkcol, self.listing, self.head, self.ranges = mkcol, listing, head, ranges
        self.if_none_match, self.hide_claims = if_none_match, hide_claims
        self.keep_metadata, self.deletes, self.base = keep_metadata, deletes, base.split("/")
        self.pages = pages or {}
        self.faults = list(faults)
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.maven = self
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            if client_ca:
                context.load_verify_locations(client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "https" if tls else "http"
        self.port = int(self._server.server_address[1])
        self.url = f"{scheme}://127.0.0.1:{self.port}/{base}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> MavenServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def serve(self) -> None:
        """Serve in this thread until it is interrupted."""
        self._server.serve_forever()

    def asked(self, method: str, ends: str = "") -> list[Request]:
        """The requests of that method to a path that ends like that."""
        return [r for r in list(self.requests) if r.method == method and r.path.endswith(ends)]

    def take_fault(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.hits(method, path):
                    self.faults.remove(fault)
                    return fault
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128
    maven: MavenServer

    def __init__(self, *args: object) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)  # type: ignore[arg-type]

    def process_request(self, request: object, client_address: object) -> None:
        self._open.add(request)  # type: ignore[arg-type]
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        self._open.discard(request)  # type: ignore[arg-type]
        super().shutdown_request(request)  # type: ignore[arg-type]

    def hang_up(self) -> None:
        """End the connections that clients keep alive."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: object) -> None:
        """A client that went away is no error of the server."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_HEAD(self) -> None:
        self._serve(self._get)

    def do_PUT(self) -> None:
        self._serve(self._put)

    def do_MKCOL(self) -> None:
        self._serve(self._make_folder)

    def do_DELETE(self) -> None:
        self._serve(self._delete)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr: `requests` has the log."""

    # -- one request ----------------------------------------------------------------------

    def _serve(self, work: Callable[[Path], None]) -> None:
        self.maven = self.server.maven
        self.body: Path | None = None
        self.url_path = urlsplit(self.path).path
        self.fault = self.maven.take_fault(self.command, self.url_path)
        try:
            if self.fault and self._break(self.fault):
                return
            work_on = self._place()
            if work_on is not None and self._allowed():
                work(work_on)
        finally:
            if self.body:
                self.body.unlink(missing_ok=True)

    def _break(self, fault: Fault) -> bool:
        """Play a fault that comes before the work; whether the request ends with it."""
        if fault.kind == "drop":
            self._hang_up()
        elif fault.kind == "stall":
            self.maven.stopping.wait()
            self._hang_up()
        elif fault.kind == "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            self._answer(fault.status, headers=headers)
        elif fault.kind == "redirect":
            self._answer(307, headers={"Location": fault.location})
        else:
            return False
        return True

    def _place(self) -> Path | None:
        if self.path in self.maven.pages and self._allowed():
            document, headers = self.maven.pages[self.path]
            self._answer(200, json.dumps(document).encode(), headers=headers)
            return None
        base = self.maven.base
        parts = [unquote(part) for part in self.url_path.split("/") if part]
        if parts[: len(base)] != base or any(p in (".", "..") for p in parts):
            self._answer(404)
            return None
        return self.maven.root.joinpath(*parts[len(base) :])

    def _allowed(self) -> bool:
        maven, reads = self.maven, self.command in ("GET", "HEAD")
        wanted = maven.username is not None or maven.token is not None
        anonymous = reads and maven.anonymous_read and not self._who()
        if wanted and not anonymous and not self._known():
            challenge = "Bearer" if maven.username is None else f'BASIC realm="{maven.realm}"'
            named = maven.realm is not None
            self._answer(401, headers={"WWW-Authenticate": challenge} if named else {})
            return False
        if maven.read_only and not reads:
            self._answer(403)
            return False
        return True

    def _credentials(self) -> tuple[str, str]:
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return kind, text
        with suppress(ValueError):
            text = base64.b64decode(text).decode()
        return kind, text

    def _who(self) -> str | None:
        kind, text = self._credentials()
        return text.partition(":")[0] if kind == "Basic" else ("token" if kind else None)

    def _known(self) -> bool:
        maven, (kind, text) = self.maven, self._credentials()
        if kind == "Bearer":
            return maven.token is not None and text == maven.token
        return kind == "Basic" and text == f"{maven.username}:{maven.password}"

    def _get(self, place: Path) -> None:
        if self.command == "HEAD" and not self.maven.head:
            self._answer(405)
        elif place.is_dir():
            self._list(place)
        elif not place.is_file() or (
            self.maven.hide_claims
            and place.name.endswith("-metadata.xml")
            and place.name != "maven-metadata.xml"
        ):
            self._answer(404)
        else:
            self._send_file(place)

    def _send_file(self, place: Path) -> None:
        data = place.read_bytes()
        headers = {"ETag": f'"{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"'}
        if self.fault and self.fault.kind == "gzip":
            self._answer(200, gzip.compress(data), headers={"Content-Encoding": "gzip"})
            return
        wanted = self.headers.get("Range", "").removeprefix("bytes=").removesuffix("-")
        if wanted and self.maven.ranges and self.headers.get("If-Range") == headers["ETag"]:
            start = int(wanted)
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._answer(206, data[start:], headers=headers)
        else:
            self._answer(200, data, headers=headers)

    def _list(self, place: Path) -> None:
        if not self.maven.listing:
            self._answer(403 if self.maven.mkcol else 404)
            return
        names = sorted(p.name + "/" * p.is_dir() for p in place.iterdir() if p.name[0] != ".")
        links = "".join(f'<a href="{quote(n)}">{html.escape(n)}</a>\n' for n in names)
        page = f'<html><a href="?C=M">by date</a><a href="../">../</a>\n{links}</html>'.encode()
        self._answer(200, page, headers={"Content-Type": "text/html"})

    def _put(self, place: Path) -> None:
        maven = self.maven
        metadata = place.name.startswith("maven-metadata.xml")
        self.refuses = maven.overwrite == "refuse" and not metadata
        there = place.exists()
        condition = self.headers.get("If-None-Match")
        if "Content-Length" not in self.headers:
            self._answer(411)
        elif condition and (
            maven.if_none_match == "always_412" or (maven.if_none_match == "honour" and there)
        ):
            self._answer(412)
        elif there and self.refuses:
            self._answer(maven.refusal)
        elif maven.mkcol and not place.parent.is_dir():
            self._answer(409)
        elif metadata and there and maven.keep_metadata == "once":
            self._answer(maven.refusal)
        elif metadata and maven.keep_metadata == "server":
            self._answer(200)
        else:
            self._store(place, there)

    def _store(self, place: Path, there: bool) -> None:
        if self.maven.delay:
            self.maven.delay()
        self._receive()
        assert self.body is not None
        place.parent.mkdir(parents=True, exist_ok=True)
        self.body.replace(place)
        if self.fault and self.fault.kind == "lose":
            self._hang_up()
        elif self.fault and self.fault.kind == "stored":
            self._answer(self.fault.status)
        elif self.fault and self.fault.kind == "repeat" and self.refuses:
            self._answer(self.maven.refusal)
        else:
            self._answer(204 if there else 201)

    def _make_folder(self, place: Path) -> None:
        if not self.maven.mkcol:
            self._answer(405)
            return
        try:
            place.mkdir()
        except FileExistsError:
            self._answer(405)
        except FileNotFoundError:
            self._answer(409)
        else:
            self._answer(201)

    def _delete(self, place: Path) -> None:
        if not self.maven.deletes:
            self._answer(405)
        elif not place.exists():
            self._answer(404)
        else:
            shutil.rmtree(place) if place.is_dir() else place.unlink()
            self._answer(204)

    # -- bytes ----------------------------------------------------------------------------

    def _receive(self) -> None:
        """Take the request's body, once, into a file beside its place."""
        left = int(self.headers.get("Content-Length") or 0)
        self.headers.replace_header("Content-Length", "0") if left else None
        number, name = tempfile.mkstemp(prefix=".upload-", dir=self.maven.root)
        self.body = Path(name)
        with os.fdopen(number, "wb") as file:
            while left:
                data = self.rfile.read(min(_CHUNK, left))
                if not data:
                    raise ConnectionError("the client went away")
                file.write(data)
                left -= len(data)

    def _answer(
        self,
        status: int,
        body: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        if int(self.headers.get("Content-Length") or 0) and self.body is None:
            self._receive()  # or the next request on this connection would begin with it
        self.maven.requests.append(Request(self.command, self.url_path, status, self._who()))
        self.send_response(status, HTTPStatus(status).phrase)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        length = len(body)
        if status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command == "HEAD":
            return
        kind = self.fault.kind if self.fault else ""
        if kind == "truncate":
            self.wfile.write(body[: length // 2])
            self._hang_up()
        elif kind == "trickle":
            self.wfile.write(body[:1])
            self.wfile.flush()
            self.maven.stopping.wait()
        else:
            self.wfile.write(body)
        if kind == "hang up":
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--username", "--user")
    parser.add_argument("--password-env", help="the environment variable with the password")
    parser.add_argument("--overwrite", choices=("refuse", "allow"), default="refuse")
    parser.add_argument("--refusal", type=int, choices=(400, 403, 409), default=400)
    parser.add_argument("--mkcol", action="store_true")
    parser.add_argument("--listing", action="store_true")
    options = vars(parser.parse_args())
    variable = options.pop("password_env")
    server = MavenServer(**options, password=os.environ[variable] if variable else None)
    sys.stdout.write(server.url + "\n")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        server.serve()


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """Keep the lines of the description."""


if __name__ == "__main__":
    main()
