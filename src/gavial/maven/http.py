"""A Maven2 repository over HTTP(S): Nexus, Artifactory, GitLab, a DAV server.

What a server can do is learnt from its answers, never from its name or the text of an error.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import BinaryIO
from urllib.parse import quote, unquote, urlsplit

from gavial.errors import (
    AccessDenied,
    ConfigurationError,
    RepositoryError,
    RepositoryRefused,
    RepositoryUnavailable,
)
from gavial.maven.content import Content
from gavial.maven.repository import SMALL_FILE_LIMIT, FolderAnswer, Progress, Repository
from gavial.version import __version__

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry
except ImportError as missing:
    raise ConfigurationError(
        'A repository behind HTTP needs the library requests: pip install "gavial"'
    ) from missing

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
ATTEMPTS = 4
_FIRST_PAUSE = 0.3
_LONGEST_PAUSE = 30.0
# Answers after which the same request may succeed: too many requests, or a gateway's.
_PASSING = frozenset({429, 500, 502, 503, 504})
# Answers to a write that may mean "it exists already", by server; see docs/protocol.md.
_MAY_EXIST = frozenset({400, 403, 404, 405, 409, 412, 422})
_CHUNK = 1 << 20


class HttpRepository(Repository):
    """A Maven2 repository by URL.

    Args:
        url: where it is, without credentials.
        credentials: `(username, password)` for Basic, or a bearer token, or nothing.
        ca_file: a PEM file with the certificate authorities to trust, or the system's.
        timeout: seconds without a byte after which an answer is given up.
    """

    def __init__(
        self,
        url: str,
        repository_id: str = "url",
        *,
        credentials: tuple[str, str] | str | None = None,
        ca_file: str | None = None,
        timeout: float = ANSWER_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/") + "/"
        self.id = repository_id
        self._host = urlsplit(url).netloc
        self._timeout = (CONNECT_SECONDS, timeout)
        self._sleep = sleep
        self._conditional = True  # until the server proves that it gets `If-None-Match` wrong
        self._has_folders: bool | None = None
        self._session = _session(credentials, ca_file)

    def read(self, path: str) -> bytes | None:
        with self._get(path) as response:
            if response is None:
                return None
            data = bytearray()
            for chunk in response.iter_content(_CHUNK):
                data += chunk
                if len(data) > SMALL_FILE_LIMIT:
                    raise RepositoryUnavailable(
                        f"{self.url}{path} has more than {SMALL_FILE_LIMIT} bytes: no such file "
                        "is so large."
                    )
            return bytes(data)

    def download(self, path: str, target: BinaryIO, progress: Progress | None = None) -> bool:
        start = target.tell()
        for attempt in range(ATTEMPTS):
            try:
                with self._get(path) as response:
                    if response is None:
                        return False
                    for chunk in response.iter_content(_CHUNK):
                        target.write(chunk)
                        if progress:
                            progress(len(chunk))
                    return True
            except RepositoryUnavailable:
                if attempt == ATTEMPTS - 1:
                    raise
                if progress:
                    progress(start - target.tell())
                target.seek(start)
                target.truncate()
                self._pause(attempt)
        raise AssertionError("unreachable")

    def exists(self, path: str) -> bool:
        response = self._request("HEAD", path)
        if response.status_code in (405, 501):  # a server without HEAD
            with self._get(path) as got:
                return got is not None
        return self._found(response, path)

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
        return None if response is None else self._refusal(response, path)

    def make_folder(self, path: str) -> FolderAnswer:
        response = self._request("MKCOL", f"{path}/")
        if response.status_code == 409 and self._make_parents(path):
            response = self._request("MKCOL", f"{path}/")
        if response.status_code == 201:
            return FolderAnswer.MADE
        if response.status_code == 401:
            raise self._denied(response, path)
        # 405 is both "it exists" (DAV) and "no such method here" (all else). A server that has
        # folders knows of this one.
        if response.status_code == 405 and self._dav() and self._folder_there(path):
            return FolderAnswer.EXISTS
        return FolderAnswer.UNSUPPORTED

    def names(self, path: str) -> tuple[str, ...] | None:
        with self._get(f"{path}/", missing=frozenset({400, 403, 404, 405})) as response:
            if response is None or "html" not in response.headers.get("Content-Type", ""):
                return None
            page = response.text
        links = _Links()
        links.feed(page)
        return tuple(sorted(links.names)) or None

    def realm(self) -> str | None:
        """The `WWW-Authenticate` header of an answer to a reader without credentials, if any.

        Ivy gives a password only to the very realm that a server names.
        """
        with requests.Session() as anonymous:
            anonymous.auth = _no_auth
            anonymous.verify = self._session.verify
            with self._errors("GET", ""):
                answer = anonymous.get(
                    f"{self.url}gavial/probe/maven-metadata.xml",
                    timeout=self._timeout,
                    stream=True,
                )
                answer.close()
        return answer.headers.get("WWW-Authenticate")

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    # -- requests -----------------------------------------------------------------------

    @contextmanager
    def _get(
        self, path: str, missing: frozenset[int] = frozenset({404, 410})
    ) -> Iterator[requests.Response | None]:
        """The streamed answer to a GET, or `None` where the path is not there."""
        response = self._request("GET", path, stream=True)
        try:
            if response.status_code in missing or not self._found(response, path):
                yield None
            else:
                with self._errors("GET", path):
                    yield response
        finally:
            response.close()

    def _request(self, method: str, path: str, *, stream: bool = False) -> requests.Response:
        with self._errors(method, path):
            return self._session.request(
                method,
                self._address(path),
                timeout=self._timeout,
                stream=stream,
                allow_redirects=method in ("GET", "HEAD"),
            )

    def _put(
        self, path: str, content: Content, headers: dict[str, str], progress: Progress | None
    ) -> requests.Response | None:
        """PUT, again after what may pass. `None` where it is stored, else the refusal.

        After a lost answer nobody knows whether the file was stored, so what is there is
        compared before it is sent again.
        """
        doubt = False
        for attempt in range(ATTEMPTS):
            try:
                with self._errors("PUT", path), _Body(content, progress) as body:
                    response = self._session.put(
                        self._address(path),
                        data=body,
                        headers=headers,
                        timeout=self._timeout,
                        allow_redirects=False,
                    )
            except RepositoryUnavailable:
                if self._same(path, content):
                    return None
                if attempt == ATTEMPTS - 1:
                    raise
                doubt = True
                self._pause(attempt)
                continue
            if response.ok and not response.is_redirect:
                return None
            if doubt and response.status_code in _MAY_EXIST and self._same(path, content):
                return None
            if response.status_code not in _PASSING:
                return response
            doubt = True
            self._pause(attempt, response.headers.get("Retry-After"))
        return None if self._same(path, content) else response

    def _same(self, path: str, content: Content) -> bool:
        """Whether exactly these bytes are there."""
        digest = hashlib.sha256()
        try:
            with self._get(path) as response:
                if response is None:
                    return False
                for chunk in response.iter_content(_CHUNK):
                    digest.update(chunk)
        except RepositoryError:
            return False
        return digest.hexdigest() == content.digests["sha256"]

    def _make_parents(self, path: str) -> bool:
        """Make the folders above `path`, where the server has folders; whether one was made."""
        parts = path.rstrip("/").split("/")[:-1]
        made = False
        for depth in range(1, len(parts) + 1):
            answer = self._request("MKCOL", "/".join(parts[:depth]) + "/")
            made |= answer.status_code == 201
        return made

    def _dav(self) -> bool:
        """Whether the server has folders at all: one that nobody can have made is not there."""
        if self._has_folders is None:
            self._has_folders = not self._folder_there(f"gavial-{secrets.token_hex(8)}")
        return self._has_folders

    def _folder_there(self, path: str) -> bool:
        with self._request("GET", f"{path}/", stream=True) as response:
            return response.status_code != 404

    def _address(self, path: str) -> str:
        return self.url + quote(path)

    def _pause(self, attempt: int, retry_after: str | None = None) -> None:
        seconds = _FIRST_PAUSE * 2**attempt
        if retry_after and re.fullmatch(r"\d{1,4}", retry_after.strip()):
            seconds = max(seconds, float(retry_after))
        self._sleep(min(seconds, _LONGEST_PAUSE))

    # -- answers ------------------------------------------------------------------------

    def _found(self, response: requests.Response, path: str) -> bool:
        """Whether a read found something; raises where the answer is neither yes nor no."""
        if response.status_code in (404, 410):
            return False
        if response.status_code in (401, 403, 407):
            raise self._denied(response, path)
        if response.status_code in _PASSING:
            raise RepositoryUnavailable(
                f"{self.url} answers {_status(response)} for {path}, {ATTEMPTS} times: try later."
            )
        if not response.ok:
            raise RepositoryRefused(f"{self.url} answers {_status(response)} for {path}.")
        return True

    def _refusal(self, response: requests.Response, path: str) -> RepositoryError:
        """What a refused write means, as far as one answer tells."""
        if response.status_code == 401:
            raise self._denied(response, path)
        if response.is_redirect:
            raise RepositoryRefused(
                f"{self.url} sends writes elsewhere, to "
                f"{_origin(response.headers.get('Location', ''))}: configure that URL."
            )
        if response.status_code in _PASSING or response.status_code == 507:
            raise RepositoryUnavailable(
                f"{self.url} answers {_status(response)} to writing {path}, {ATTEMPTS} times: "
                "nothing was stored under that name. Try later."
            )
        if response.status_code == 413:
            raise RepositoryRefused(
                f"{self.url} answers {_status(response)}: {path} is larger than the server or a "
                "proxy before it takes. Raise its limit (nginx: client_max_body_size)."
            )
        if response.status_code == 403:
            return AccessDenied(
                f"{self.url} does not let {self._who()} write {path} ({_status(response)})."
            )
        return RepositoryRefused(
            f"{self.url} refuses {path} ({_status(response)}): a policy of the repository, such "
            "as its version policy or 'disable redeploy'; its administrator can tell."
        )

    def _denied(self, response: requests.Response, path: str) -> AccessDenied:
        what = f"{self.url} answers {_status(response)} for {path}: "
        if self._session.auth is _no_auth:
            setting = re.sub(r"[^A-Za-z0-9]", "_", self.id).upper()
            return AccessDenied(
                f"{what}it wants credentials and none are configured for {self.id!r}. Set "
                f"GAVIAL_REPOSITORIES_{setting}_USERNAME and _PASSWORD, or a <server> with that "
                "id in ~/.m2/settings.xml."
            )
        if response.status_code == 403:
            return AccessDenied(f"{what}{self._who()} may not do that.")
        return AccessDenied(f"{what}it does not accept the credentials of {self._who()}.")

    def _who(self) -> str:
        auth = self._session.auth
        if isinstance(auth, _Basic):
            return f"user {auth.user!r}"
        return "a reader without credentials" if auth is _no_auth else "this token"

    @contextmanager
    def _errors(self, method: str, path: str) -> Iterator[None]:
        """Let no exception of requests out. Its texts hold URLs, but never a password."""
        try:
            yield
        except requests.exceptions.SSLError as error:
            raise RepositoryUnavailable(
                f"The TLS certificate of {self._host} is not trusted: {_reason(error)}. Where an "
                "authority of your own signed it, set ca_file of this repository."
            ) from error
        except requests.exceptions.Timeout as error:
            raise RepositoryUnavailable(
                f"{self.url} gave no answer to {method} {path} within {self._timeout[1]:g} s."
            ) from error
        except requests.exceptions.RequestException as error:
            raise RepositoryUnavailable(
                f"{self.url} cannot be reached ({method} {path}): {_reason(error)}."
            ) from error


class _Body:
    """A request's body: a file with a length, so that it streams without chunked encoding."""

    def __init__(self, content: Content, progress: Progress | None) -> None:
        self._file = content.open()
        self._progress = progress
        self.len = content.size  # what requests asks for before anything else
        self._sent = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._sent += len(data)
        if self._progress and data:
            self._progress(len(data))
        return data

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(_CHUNK):
            yield chunk

    def __enter__(self) -> _Body:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.close()
        if kind is not None and self._progress:
            self._progress(-self._sent)


class _Basic(requests.auth.HTTPBasicAuth):
    """Basic authentication in UTF-8 (RFC 7617), which `requests` sends as Latin-1."""

    def __init__(self, username: str, password: str) -> None:
        super().__init__(username.encode(), password.encode())
        self.user = username

    def __repr__(self) -> str:
        return "Basic(***)"


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "Bearer(***)"


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials: stops `requests` from taking some out of ~/.netrc."""
    return request


class _Links(HTMLParser):
    """The names in an HTML listing: each link to something directly below the page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = unquote(dict(attrs).get("href") or "") if tag == "a" else ""
        name = target.rstrip("/").rpartition("/")[2]
        if name not in ("", "..", ".") and not target.startswith(("?", "#")):
            self.names.add(name)


def _session(credentials: tuple[str, str] | str | None, ca_file: str | None) -> requests.Session:
    session = requests.Session()
    if isinstance(credentials, str):
        session.auth = _Bearer(credentials)
    else:
        session.auth = _Basic(*credentials) if credentials else _no_auth
    if ca_file:
        session.verify = ca_file
    session.headers["User-Agent"] = f"gavial/{__version__}"
    session.headers["Accept-Encoding"] = "identity"
    retry = Retry(
        total=ATTEMPTS - 1,
        backoff_factor=_FIRST_PAUSE,
        status_forcelist=_PASSING,
        allowed_methods={"GET", "HEAD"},
        raise_on_status=False,
        retry_after_max=int(_LONGEST_PAUSE),
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _status(response: requests.Response) -> str:
    return f"{response.status_code} {response.reason or ''}".strip()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another path"


def _reason(error: BaseException) -> str:
    """The innermost cause in words, without the layers of the libraries around it."""
    text = str(error)
    for pattern in (
        r"certificate verify failed: ([^(\"']+)",
        r"\[Errno -?\d+\] ([^)\"']+)",
        r"(Name or service not known|Connection refused|Connection reset by peer)",
        r"(IncompleteRead\([^)]*\))",
    ):
        if found := re.search(pattern, text):
            return found[1].strip()
    return type(error).__name__
