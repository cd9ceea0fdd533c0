"""A Maven2 repository over HTTP(S): Nexus, Artifactory, GitLab, a DAV server.

What a server can do is learnt from its answers, never from its name or the text of an error.
"""

from __future__ import annotations

import io
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from gavial import limits
from gavial.errors import (
    AccessDenied,
    RepositoryError,
    RepositoryRefused,
    RepositoryUnavailable,
)
from gavial.maven import html_listing, indexes
from gavial.maven.content import Content
from gavial.maven.http_client import (
    ANSWER_SECONDS,
    ATTEMPTS,
    CHUNK,
    PASSING,
    Body,
    Credentials,
    HttpClient,
    Untrusted,
)
from gavial.maven.repository import FolderAnswer, Progress, Repository

if TYPE_CHECKING:
    from requests import Response

# Answers to a write that may mean "it exists already", by server; see docs/protocol.md.
_MAY_EXIST = frozenset({400, 403, 404, 405, 409, 412, 422})
_NOT_FOUND = frozenset({404, 410})
# Answers of servers that list nothing.
_NO_LISTING = frozenset({400, 403, 404, 405, 410})
# What comes of a search that the server does not have, or not for us.
_OTHER_FORM = (
    AccessDenied,
    RepositoryRefused,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
)
# Slower than this for so long, a download is given up: a gigabyte would take eleven days.
SLOWEST = 1_000  # bytes a second
SLOW_SECONDS = 60.0


class HttpRepository(Repository):
    """A Maven2 repository by URL.

    Args:
        url: where it is, without credentials.
        credentials: `(username, password)` for Basic, or a bearer token, or nothing.
        ca_file: a PEM file with the certificate authorities to trust, or the system's.
        client_cert: a PEM file with our certificate and its key, where the server asks for one.
        timeout: seconds without a byte after which an answer is given up.
    """

    def __init__(
        self,
        url: str,
        repository_id: str = "url",
        *,
        credentials: Credentials = None,
        ca_file: str | None = None,
        client_cert: str | None = None,
        timeout: float = ANSWER_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/") + "/"
        self.id = repository_id
        self._client = HttpClient(
            self.url, self.id, credentials, (ca_file, client_cert), timeout, sleep
        )
        self._twin = partial(
            HttpRepository,
            self.url,
            self.id,
            credentials=credentials,
            ca_file=ca_file,
            client_cert=client_cert,
            timeout=timeout,
            sleep=sleep,
        )
        self._conditional = True  # until the server proves that it gets `If-None-Match` wrong
        self._has_folders: bool | None = None

    def read(self, path: str) -> bytes | None:
        data = _Limited(f"{self.url}{path}")
        return data.getvalue() if self.download(path, data) else None

    def download(self, path: str, target: BinaryIO, progress: Progress | None = None) -> bool:
        start = target.tell()
        resume: dict[str, str] = {}
        for attempt in range(ATTEMPTS):
            with self._get(path, headers=resume) as response:
                if response is None:
                    return False
                if resume and not _continues(response, target.tell() - start):
                    _rewind(target, start, progress)
                try:
                    with self._client.errors("GET", path):
                        _copy(response, target, progress)
                    return True
                except RepositoryUnavailable as error:
                    if attempt == ATTEMPTS - 1 or isinstance(error, _TooLarge):
                        raise
                resume = _resume(response, target.tell() - start)
            if not resume:
                _rewind(target, start, progress)
            self._client.pause(attempt)
        raise AssertionError("unreachable")

    def exists(self, path: str) -> bool:
        response = self._client.request("HEAD", path)
        if response.status_code in (405, 501):  # a server without HEAD
            with self._get(path) as got:
                return got is not None
        if response.status_code in _NOT_FOUND:
            return False
        self._client.check(response, path)
        return True

    def write(
        self,
        path: str,
        content: Content,
        *,
        replace: bool = False,
        progress: Progress | None = None,
    ) -> RepositoryError | None:
        headers = {}
        if not replace and self._conditional:
            headers["If-None-Match"] = "*"
        response = self._put(path, content, headers, progress)
        if response is None:
            return None
        if response.status_code == 412 and headers and not self.exists(path):
            # Nexus 2 answers 412 on every path: the condition is no use there.
            self._conditional = False
            response = self._put(path, content, {}, progress)
        elif response.status_code in (404, 409) and self._make_parents(path):
            response = self._put(path, content, headers, progress)
        return None if response is None else self._client.refusal(response, path)

    def make_folder(self, path: str) -> FolderAnswer:
        # Repeated after a lost answer it may say "exists" of what we made: a number is skipped.
        response = self._client.request("MKCOL", f"{path}/")
        if response.status_code == 409 and self._make_parents(path):
            response = self._client.request("MKCOL", f"{path}/")
        if response.status_code == 201:
            return FolderAnswer.MADE
        if response.status_code == 401:
            raise self._client.denied(response, path)
        if response.status_code in PASSING - {500}:  # 500: the method may be what it dislikes
            self._client.check(response, path)
        # 405 is both "it exists" (DAV; Apache also says 403) and "no such method here" (all
        # else). A server that has folders knows of this one.
        taken = response.status_code in (403, 405)
        if taken and self._dav() and self._folder_there(path):
            return FolderAnswer.EXISTS
        return FolderAnswer.UNSUPPORTED

    def names(self, path: str) -> tuple[str, ...] | None:
        with self._get(f"{path}/" if path else "", missing=_NO_LISTING) as response:
            if response is None or "html" not in response.headers.get("Content-Type", ""):
                return None
            page = _Limited(f"{self.url}{path}")
            with self._client.errors("GET", path):
                _copy(response, page, None)
            url = response.url
        return html_listing.names(url, page.getvalue().decode(errors="replace")) or None

    def indexed(self) -> tuple[tuple[str, str], ...] | None:
        for index in indexes.of(urlsplit(self.url).path):
            try:
                return tuple(dict.fromkeys(self._search(index)))
            except _OTHER_FORM:
                continue
        return None

    def delete(self, path: str) -> RepositoryError | None:
        response = self._client.request("DELETE", path)
        if response.ok or response.status_code in _NOT_FOUND:
            return None
        return self._client.refusal(response, path)

    def realm(self) -> str | None:
        return self._client.challenge("gavial/probe/maven-metadata.xml")

    def twin(self) -> Repository:
        return self._twin()  # `requests` does not promise that threads may share a session

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _search(self, index: indexes.Index) -> Iterator[tuple[str, str]]:
        """What a search of the server's own names, page by page."""
        path: str | None = index.first
        for number in range(1, limits.SEARCH_PAGES + 1):
            if path is None:
                return
            with self._get(path, missing=frozenset()) as response:
                assert response is not None
                page = _Limited(path)
                with self._client.errors("GET", path):
                    _copy(response, page, None)
                headers = response.headers
            answer = indexes.Answer(number, json.loads(page.getvalue()), headers)
            names, path = index.read(answer)
            yield from names
        raise RepositoryUnavailable(
            f"{self.url}: its search has no end after {limits.SEARCH_PAGES} pages."
        )

    @contextmanager
    def _get(
        self,
        path: str,
        missing: frozenset[int] = _NOT_FOUND,
        attempts: int = ATTEMPTS,
        headers: dict[str, str] | None = None,
    ) -> Iterator[Response | None]:
        """The streamed answer to a GET, or `None` where the path is not there."""
        with self._client.request(
            "GET", path, attempts=attempts, stream=True, headers=headers
        ) as response:
            if response.status_code in missing:
                yield None
            else:
                self._client.check(response, path)
                yield response

    def _put(
        self, path: str, content: Content, headers: dict[str, str], progress: Progress | None
    ) -> Response | None:
        """PUT, again after what may pass. `None` where it is stored, else the refusal.

        After a lost answer nobody knows whether the file was stored, so what is there is
        compared before it is sent again.
        """
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                response = self._put_once(path, content, headers, progress)
            except Untrusted:
                raise
            except RepositoryUnavailable:
                if self._same(path, content):
                    return None
                if last:
                    raise
                self._client.pause(attempt)
                continue
            if response is None:
                return None
            if attempt and response.status_code in _MAY_EXIST and self._same(path, content):
                return None
            if response.status_code not in PASSING:
                return response
            if not last:
                self._client.pause(attempt, response.headers.get("Retry-After"))
        return None if self._same(path, content) else response

    def _put_once(
        self, path: str, content: Content, headers: dict[str, str], progress: Progress | None
    ) -> Response | None:
        with Body(content, progress) as body:
            response = self._client.once("PUT", path, body=body, headers=headers)
            if response.ok and not response.is_redirect:
                return None
            body.take_back()
            return response

    def _same(self, path: str, content: Content) -> bool:
        """Whether exactly these bytes are there, as far as can be told."""
        try:
            return self.same(path, content)
        except RepositoryError:
            return False

    def _make_parents(self, path: str) -> bool:
        """Make the folders above `path`, where the server has folders; whether they are there.

        Another deploy may make them between the answer that missed them and ours.
        """
        parent, _, _ = path.rstrip("/").rpartition("/")
        parts = parent.split("/")
        made = False
        for depth in range(1, len(parts) + 1):
            answer = self._client.request("MKCOL", "/".join(parts[:depth]) + "/")
            made |= answer.status_code == 201
        return made or (self._dav() and self._folder_there(parent))

    def _dav(self) -> bool:
        """Whether the server has folders at all: one that nobody can have made is not there."""
        if self._has_folders is None:
            self._has_folders = not self._folder_there(f"gavial-{secrets.token_hex(8)}")
        return self._has_folders

    def _folder_there(self, path: str) -> bool:
        with self._client.request("GET", f"{path}/", stream=True) as response:
            return response.status_code != 404


class _TooLarge(RepositoryUnavailable):
    """To try again changes nothing."""


class _Limited(io.BytesIO):
    """A small file's bytes: a server cannot fill our memory with one."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        if self.tell() + len(data) > limits.SMALL_FILE:
            raise _TooLarge(
                f"{self._what} has more than {limits.SMALL_FILE} bytes: no such file is so large."
            )
        return super().write(data)


def _resume(response: Response, count: int) -> dict[str, str]:
    """The headers of a request for what is missing after `count` bytes (RFC 9110, 13.1.5, 14.2).

    Nothing where the server could not tell whether the file is still the same.
    """
    tag = response.headers.get("ETag", "")
    coded = response.headers.get("Content-Encoding", "identity") != "identity"
    if not count or coded or not tag.startswith('"'):
        return {}
    return {"Range": f"bytes={count}-", "If-Range": tag}


def _continues(response: Response, count: int) -> bool:
    there = response.headers.get("Content-Range", "")
    return response.status_code == 206 and there.startswith(f"bytes {count}-")


def _rewind(target: BinaryIO, start: int, progress: Progress | None) -> None:
    if progress:
        progress(start - target.tell())
    target.seek(start)
    target.truncate()


def _copy(response: Response, target: BinaryIO, progress: Progress | None) -> None:
    watch = _Watch()
    # `read1` gives what came, so that a server is seen to be slow; `iter_content` waits for all.
    while chunk := response.raw.read1(CHUNK, decode_content=True):
        target.write(chunk)
        watch.saw(len(chunk))
        if progress:
            progress(len(chunk))


class _Watch:
    """Gives up on a server that sends a byte now and then, which no time limit of one read sees."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._count = 0

    def saw(self, count: int) -> None:
        self._count += count
        passed = time.monotonic() - self._since
        if passed < SLOW_SECONDS:
            return
        if self._count < SLOWEST * passed:
            raise RepositoryUnavailable(
                f"The server sent {self._count} bytes within {passed:.0f} s: too slow, given up."
            )
        self._since, self._count = time.monotonic(), 0
