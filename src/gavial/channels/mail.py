"""Messages by e-mail, through a server that speaks SMTP."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from gavial.channels.channel import Channel, Later, PartlyDelivered
from gavial.channels.message import Event, Message
from gavial.errors import NotDelivered
from gavial.version import __version__

_SECONDS = 30.0


@dataclass(frozen=True)
class Server:
    """A mail server.

    Attributes:
        security: `starttls`, `tls` from the first byte on, or `none`.
        username, password: nothing where it wants none.
        ca_file: a PEM file with the certificate authorities to trust, or the system's.
    """

    host: str
    port: int
    security: str = "starttls"
    username: str = ""
    password: str = ""
    ca_file: str | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Server({self})"


class Mail(Channel):
    """Sends each message as text, with its JSON document attached."""

    def __init__(
        self,
        name: str,
        server: Server,
        sender: str,
        to: Sequence[str],
        events: frozenset[Event] | None = None,
    ) -> None:
        super().__init__(name, events)
        self._server, self._sender, self._to = server, sender, tuple(to)

    def send(self, message: Message) -> None:
        server = self._server
        try:
            with _connected(server) as connection:
                if server.username:
                    connection.login(server.username, server.password)
                refused = connection.send_message(self._letter(message))
        except smtplib.SMTPException as error:
            raise _told(server, error) from None  # which may hold what was sent
        except ssl.SSLError as error:
            raise NotDelivered(f"No TLS with {server}: {error.reason or error}.") from None
        except OSError as error:
            raise Later(f"{server} cannot be reached: {_reason(error)}.") from None
        except (UnicodeError, MessageError, ValueError):
            raise NotDelivered(
                f"What is configured for {server} cannot be sent to it: is there anything but "
                "ASCII in the user name, the password or an address?"
            ) from None
        if refused:
            raise PartlyDelivered(f"{server} does not take mail for {', '.join(sorted(refused))}.")

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["Subject"] = message.subject
        letter["From"] = self._sender
        letter["To"] = ", ".join(self._to)
        letter["Date"] = formatdate()
        letter["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2].strip(" >"))
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes, please
        letter["X-Mailer"] = f"gavial/{__version__}"
        letter.set_content(f"{message.text}\n")
        letter.add_attachment(
            json.dumps(message.document, indent=2, allow_nan=False).encode(),
            maintype="application",
            subtype="json",
            filename="gavial.json",
        )
        return letter


def _connected(server: Server) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=server.ca_file)
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
    try:
        if server.security == "starttls":
            connection.starttls(context=context)
    except BaseException:
        with suppress(OSError):
            connection.close()
        raise
    return connection


def _told(server: Server, error: smtplib.SMTPException) -> NotDelivered:
    """What went wrong, with codes and without the server's words."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return NotDelivered(
            f"{server} does not accept the user name and password ({error.smtp_code})."
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NotDelivered(
            f"{server} offers no STARTTLS, no login, or not what an address needs: nothing was "
            "sent. Is it the port for that, usually 587, or security = 'tls' on 465?"
        )
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = {code for code, _ in error.recipients.values()}
        text = f"{server} takes mail for none of the recipients ({_codes(codes)})."
        return Later(text) if all(400 <= code < 500 for code in codes) else NotDelivered(text)
    if isinstance(error, smtplib.SMTPResponseException):
        text = f"{server} refuses the message ({error.smtp_code})."
        return Later(text) if 400 <= error.smtp_code < 500 else NotDelivered(text)
    return Later(f"{server} broke off ({type(error).__name__}).")


def _codes(codes: set[int]) -> str:
    return ", ".join(map(str, sorted(codes)))


def _reason(error: OSError) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else error.strerror or "no answer"
