"""One connection to a server: who we are there, what is tried again, and what failures mean.

The limits, the retries and the errors of everything that goes over HTTP are here.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

from gavial.errors import (
    AccessDenied,
    ConfigurationError,
    RepositoryError,
    RepositoryRefused,
    RepositoryUnavailable,
)
from gavial.maven.content import Content
from gavial.maven.repository import Progress
from gavial.version import __version__

try:
    import requests
    import urllib3.exceptions
except ImportError as missing:
    raise ConfigurationError(
        'A repository behind HTTP needs the library requests: pip install "gavial"'
    ) from missing

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
ATTEMPTS = 4
CHUNK = 1 << 20
REDIRECTS = 6
_SMALL_ANSWER = 1 << 16
# Answers after which the same request may succeed: too many requests, or a gateway's.
PASSING = frozenset({429, 500, 502, 503, 504})
_FIRST_PAUSE = 0.3
_LONGEST_PAUSE = 30.0

Credentials = tuple[str, str] | str | None
# What requests lets through of the library below it.
_FOREIGN = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, UnicodeError)


class HttpClient:
    """Requests to one repository, with its credentials and its certificate authorities.

    Args:
        credentials: `(username, password)` for Basic, or a bearer token, or nothing.
        tls: a PEM file with the certificate authorities to trust, or the system's; and one with
            our own certificate and its key, or none.
        timeout: seconds without a byte after which an answer is given up.
    """

    def __init__(
        self,
        url: str,
        repository_id: str,
        credentials: Credentials,
        tls: tuple[str | None, str | None],
        timeout: float,
        sleep: Callable[[float], None],
    ) -> None:
        self.url = url
        self._id = repository_id
        self._timeout = (CONNECT_SECONDS, timeout)
        self._sleep = sleep
        self._ca_file = _checked_ca_file(tls[0])
        self._session = _session(credentials)
        self._session.cert = _checked_client_cert(tls[1])

    def request(
        self,
        method: str,
        path: str,
        *,
        attempts: int = ATTEMPTS,
        stream: bool = False,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        """The answer to a request without a body, which may be repeated.

        Raises:
            RepositoryUnavailable: no answer, every time.
        """
        for attempt in range(attempts):
            last = attempt == attempts - 1
            try:
                response = self.once(method, path, stream=stream, headers=headers)
            except RepositoryUnavailable as error:
                if last or isinstance(error, Untrusted):
                    raise
                self.pause(attempt)
                continue
            if last or response.status_code not in PASSING:
                return response
            response.close()
            self.pause(attempt, response.headers.get("Retry-After"))
        raise AssertionError("unreachable")

    def once(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        headers: dict[str, str] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """The answer to one request, sent once, and to those that it redirects to."""
        address, send = self.address(path), self._session.request
        auth = None  # the session's
        with self.errors(method, path):
            for _ in range(REDIRECTS):
                response = send(
                    method,
                    address,
                    # An iterable without a length would go in chunks, and so would an empty file.
                    data=body if body is not None and body.len else None,
                    headers=headers,
                    timeout=self._timeout,
                    stream=True,
                    # Here and not in the session: there REQUESTS_CA_BUNDLE would win.
                    verify=self._ca_file,
                    allow_redirects=False,
                    auth=auth,
                )
                # A write that was sent elsewhere would be stored where nobody looks for it.
                if method not in ("GET", "HEAD") or not response.is_redirect:
                    break
                _drain(response)
                address = self._redirected(address, response.headers["Location"])
                auth = None if _same_origin(self.url, address) else _no_auth
            else:
                raise RepositoryRefused(f"{self.url} redirects {path} again and again.")
            if not stream:
                _drain(response)
        return response

    def _redirected(self, address: str, location: str) -> str:
        try:
            target = urljoin(address, location)
            known = urlsplit(target).scheme in ("http", "https")
        except ValueError:
            known = False
        if not known:
            raise RepositoryRefused(f"{self.url} redirects to what is no http:// or https:// URL.")
        return target

    def challenge(self, path: str) -> str | None:
        """The `WWW-Authenticate` header, perhaps empty, where a reader has to say who they are.

        `None` where one need not.
        """
        with _session(None) as anonymous, self.errors("GET", path):
            answer = anonymous.get(
                self.address(path),
                timeout=self._timeout,
                stream=True,
                verify=self._ca_file,
                cert=self._session.cert,
            )
            answer.close()
        return answer.headers.get("WWW-Authenticate", "") if answer.status_code == 401 else None

    def address(self, path: str) -> str:
        """The URL of a path in the repository, or of one that begins with `/`, on its server."""
        if path.startswith("/"):
            return urljoin(self.url, path)
        return self.url + quote(path)

    def pause(self, attempt: int, retry_after: str | None = None) -> None:
        """Wait before the next attempt, as long as the server asks for, within reason."""
        seconds = max(_FIRST_PAUSE * 2**attempt, asked_seconds(retry_after))
        self._sleep(min(seconds, _LONGEST_PAUSE))

    def close(self) -> None:
        self._session.close()

    # -- what answers and failures mean ---------------------------------------------------

    def check(self, response: requests.Response, path: str) -> None:
        """Raise where the answer to a read is neither yes nor no."""
        if response.status_code in (401, 403, 407):
            raise self.denied(response, path)
        if response.status_code in PASSING:
            raise RepositoryUnavailable(
                f"{self.url} answers {_status(response)} for {path}, {ATTEMPTS} times: try later."
            )
        if not response.ok:
            raise RepositoryRefused(f"{self.url} answers {_status(response)} for {path}.")

    def denied(self, response: requests.Response, path: str) -> AccessDenied:
        """The error for a 401 or 403: who we were, and what to set where we were nobody."""
        what = f"{self.url} answers {_status(response)} for {path}: "
        if self._session.auth is _no_auth:
            setting = re.sub(r"[^A-Za-z0-9]", "_", self._id).upper()
            return AccessDenied(
                f"{what}it wants credentials and none are configured for {self._id!r}. Set "
                f"GAVIAL_REPOSITORIES_{setting}_URL, _USERNAME and _PASSWORD (where only a URL is "
                "given, of an id of your choice, which then stands for that URL), or the URL and a "
                "<server> of that id in ~/.m2/settings.xml."
            )
        if response.status_code == 403:
            return AccessDenied(f"{what}{self._who()} may not do that.")
        # Some servers answer 401 to a right that is missing, too.
        return AccessDenied(
            f"{what}it does not accept the credentials of {self._who()}, or they may not do that."
        )

    def refusal(self, response: requests.Response, path: str) -> RepositoryError:
        """What a refused write means, as far as one answer tells.

        Raises:
            RepositoryError: no other file under that name could have caused it.
        """
        if response.status_code in (401, 407):
            raise self.denied(response, path)
        if response.is_redirect:
            raise RepositoryRefused(
                f"{self.url} sends writes elsewhere, to "
                f"{origin_of(response.headers.get('Location', ''))}: configure that URL."
            )
        if response.status_code in PASSING or response.status_code == 507:
            raise RepositoryUnavailable(
                f"{self.url} answers {_status(response)} to writing {path}: nothing was stored "
                "under that name. Try later."
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

    def _who(self) -> str:
        auth = self._session.auth
        if isinstance(auth, _Basic):
            return f"user {auth.user!r}"
        return "a reader without credentials" if auth is _no_auth else "this token"

    @contextmanager
    def errors(self, method: str, path: str) -> Iterator[None]:
        """Let no exception of requests out. Ours name no cause of theirs that may hold a header."""
        try:
            yield
        except requests.exceptions.SSLError as error:
            raise Untrusted(_tls_problem(urlsplit(self.url).netloc, error)) from error
        except (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError) as error:
            raise RepositoryUnavailable(
                f"{self.url} gave no answer to {method} {path} within {self._timeout[1]:g} s."
            ) from error
        except _FOREIGN as error:
            raise RepositoryUnavailable(
                f"{self.url} cannot be reached ({method} {path}): {_reason(error)}."
            ) from error


class Untrusted(RepositoryUnavailable):
    """TLS failed: to try again changes nothing."""


class Body:
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
        while chunk := self.read(CHUNK):
            yield chunk

    def take_back(self) -> None:
        """The server did not keep it: what was reported as sent is not."""
        if self._progress and self._sent:
            self._progress(-self._sent)
        self._sent = 0

    def __enter__(self) -> Body:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.close()
        if kind is not None:
            self.take_back()


class _Session(requests.Session):
    def resolve_redirects(self, *_: object, **__: object) -> Iterator[requests.Response]:
        """None: `requests` would read the body of each, however long, to follow it."""
        yield from ()


class _Basic(requests.auth.HTTPBasicAuth):
    """Basic authentication in UTF-8 (RFC 7617), which `requests` sends as Latin-1."""

    def __init__(self, username: str, password: str) -> None:
        super().__init__(
            *(text.encode("utf-8", "surrogateescape") for text in (username, password))
        )
        self.user = username

    def __repr__(self) -> str:
        return "Basic(***)"


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        # What else is in it would come back in the text of an exception.
        if not re.fullmatch(r"[!-~]+", token):
            raise ConfigurationError(
                "The token holds a space, a line's end or a character outside ASCII, which no "
                "header can carry: look for what was copied along with it."
            )
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "Bearer(***)"


def _same_origin(one: str, other: str) -> bool:
    """Whether credentials for one URL are for the other as well."""
    ours, theirs = urlsplit(one), urlsplit(other)
    return (ours.scheme, ours.netloc.lower()) == (theirs.scheme, theirs.netloc.lower())


def _drain(response: requests.Response) -> None:
    """Read a small answer, so that its connection is used again; leave any other."""
    with suppress(*_FOREIGN):
        response.raw.read(_SMALL_ANSWER, decode_content=False)
    response.close()


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials: stops `requests` from taking some out of ~/.netrc."""
    return request


def _session(credentials: Credentials) -> requests.Session:
    session = _Session()
    if isinstance(credentials, str):
        session.auth = _Bearer(credentials)
    else:
        session.auth = _Basic(*credentials) if credentials else _no_auth
    session.headers["User-Agent"] = f"gavial/{__version__}"
    session.headers["Accept-Encoding"] = "identity"
    return session


def _checked_ca_file(ca_file: str | None) -> str | None:
    if ca_file is None:
        return None
    try:
        ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        what = "is not there" if not Path(ca_file).is_file() else "is no PEM file of certificates"
        raise ConfigurationError(
            f"ca_file {ca_file!r} {what}: name a file with the certificates to trust, each "
            "between '-----BEGIN CERTIFICATE-----' and '-----END CERTIFICATE-----'."
        ) from error
    return ca_file


def _checked_client_cert(file: str | None) -> str | None:
    if file is None:
        return None
    try:
        # An encrypted key would ask for its password on the terminal: the empty one fails at once.
        ssl.create_default_context().load_cert_chain(file, password="")
    except (OSError, ValueError) as error:
        what = "is not there" if not Path(file).is_file() else "cannot be used"
        raise ConfigurationError(
            f"client_cert {file!r} {what}: expected a PEM file with a certificate and its key, "
            "which is not encrypted."
        ) from error
    return file


def asked_seconds(retry_after: str | None) -> float:
    """What a `Retry-After` asks for: seconds, or a date (RFC 9110, 10.2.3)."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"\d{1,6}", text):
        return float(text)
    try:
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds() if text else 0.0
    except (ValueError, TypeError):
        return 0.0


def _status(response: requests.Response) -> str:
    return f"{response.status_code} {response.reason or ''}".strip()


def origin_of(url: str) -> str:
    """Scheme and host of a URL: what of it may be shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "what is no URL"
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another path"


def _tls_problem(host: str, error: BaseException) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            f"The TLS certificate of {host} is not trusted: {_reason(error)}. Where an authority "
            "of your own signed it, set ca_file for it."
        )
    if re.search("certificate.required", _causes(error), re.IGNORECASE):
        return (
            f"{host} asks for a certificate of yours: set client_cert for it to a PEM file with "
            "the certificate and its key."
        )
    return (
        f"No TLS with {host}: {_reason(error)}. Is it a plain http:// server, or one that asks for "
        "a client_cert?"
    )


def _causes(error: BaseException | None) -> str:
    """The texts of an error and of those that it came from."""
    texts = []
    while error is not None:
        texts.append(str(error))
        error = error.__cause__ or error.__context__
    return "; ".join(texts)


def _reason(error: BaseException) -> str:
    """The innermost cause in words, without the layers of the libraries around it."""
    text = str(error)
    for pattern in (
        r"certificate verify failed: ([^(\"']+)",
        r"\[SSL(?:: \w+)?\] ([^(\"']+)",
        r"\[Errno -?\d+\] ([^)\"']+)",
        r"(Name or service not known|Connection refused|Connection reset by peer)",
        r"(IncompleteRead\([^)]*\))",
        r"(closed connection without response)",
    ):
        if found := re.search(pattern, text):
            return found[1].strip()
    return type(error).__name__
