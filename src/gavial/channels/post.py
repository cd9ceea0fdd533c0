"""One POST to a URL that is itself a secret, as those of chats are."""

from __future__ import annotations

from http import HTTPStatus

from gavial.channels.channel import Later
from gavial.errors import (
    ConfigurationError,
    NotDelivered,
    RepositoryError,
    RepositoryUnavailable,
)
from gavial.maven.content import Content
from gavial.maven.http_client import (
    PASSING,
    Body,
    Credentials,
    HttpClient,
    Untrusted,
    asked_seconds,
    origin_of,
)

_ANSWER_SECONDS = 30.0


class Post(HttpClient):
    """POSTs to one URL. Messages and errors name its server alone.

    Args:
        url: where to.
        credentials: `(username, password)` for Basic, or a bearer token, or nothing.
        ca_file: a PEM file with the certificate authorities to trust, or the system's.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials = None,
        ca_file: str | None = None,
        seconds: float = _ANSWER_SECONDS,
    ) -> None:
        super().__init__(origin_of(url), "", credentials, (ca_file, None), seconds, _never)
        self._address = url

    def address(self, path: str) -> str:  # noqa: ARG002
        return self._address

    def send(self, body: bytes, kind: str = "application/json") -> None:
        """Send a body once. Redirects are not followed: what is sent is for that server.

        Raises:
            Later: no answer, or one after which the same may succeed.
            NotDelivered: it was refused.
        """
        try:
            with Body(Content.of_bytes(body), None) as content:
                headers = {"Content-Type": kind}
                # What the answer says beside its status is not read: it may never end.
                answer = self.once("POST", "", body=content, headers=headers, stream=True)
            answer.close()
        except Untrusted as error:
            raise NotDelivered(str(error)) from None  # the causes have the whole URL
        except RepositoryUnavailable as error:
            raise Later(str(error).replace(" (POST )", "").replace("POST  ", "")) from None
        except (RepositoryError, ConfigurationError) as error:
            raise NotDelivered(str(error)) from None
        if not 200 <= answer.status_code < 300:
            raise self._refused(
                answer.status_code,
                answer.headers.get("Location", ""),
                answer.headers.get("Retry-After"),
            )

    def _refused(self, status: int, location: str, retry_after: str | None) -> NotDelivered:
        answered = f"{self.url} answers {_named(status)}"
        if status in PASSING:
            return Later(f"{answered}.", asked_seconds(retry_after))
        if 300 <= status < 400:
            return NotDelivered(
                f"{answered} and sends the message elsewhere, to {origin_of(location)}: "
                "configure that URL."
            )
        if status in (401, 403, 407):
            return NotDelivered(f"{answered}: it does not accept the credentials, or wants some.")
        if status in (404, 410):
            return NotDelivered(f"{answered}: is the URL still the one that was given out?")
        return NotDelivered(f"{answered}.")


def _named(status: int) -> str:
    """A status in the standard's words; what the server says of it may be anything."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _never(_: float) -> None:
    raise AssertionError("a channel waits by itself")
