"""Messages by e-mail, through a real server."""

from __future__ import annotations

import json
import socket
import threading
import traceback
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from gavial.channels.channel import Later, PartlyDelivered
from gavial.channels.mail import Mail, Server
from gavial.channels.message import Event, Item, message_of
from gavial.errors import NotDelivered
from gavial.monitoring.verdict import Status

from .conftest import MODULE, make

NOW = datetime(2026, 3, 2, tzinfo=UTC)
USER, PASSWORD = "gavial", "s3cret"
# What the server says of a login without TLS, which is what one test is about.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")


class Box:
    """Keeps what arrives; refuses what it is told to."""

    def __init__(self):
        self.letters, self.refusals, self.secure = [], {}, []

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802
        if "data" in self.refusals:
            return self.refusals["data"]
        self.secure.append(session.ssl is not None)
        self.letters.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


@pytest.fixture
def mail_server(tls):
    """Starts servers: with STARTTLS and a login, or neither."""
    running = []

    def start(*, starttls=True, login=True, smtps=False):
        box = Box()
        options = {"tls_context": tls, "require_starttls": True} if starttls else {}
        if login:
            options |= {"authenticator": authenticate, "auth_required": True}
            options |= {"auth_require_tls": starttls}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        made = Controller(box, "127.0.0.1", port, ssl_context=tls if smtps else None, **options)
        made.start()
        running.append(made)
        return box, port

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def message():
    return message_of(MODULE, Status.ALERT, [Item(Event.ALERT, make())], NOW)


def channel(port, ca_file, to=("ann@acme.com",), **more):
    more = {"security": "starttls", "username": USER, "password": PASSWORD, **more}
    server = Server("127.0.0.1", port, ca_file=str(ca_file) if ca_file else None, **more)
    return Mail("mail", server, "Gavial <gavial@acme.com>", to)


def test_a_letter_has_the_text_and_the_document(mail_server, certificate, message):
    box, port = mail_server()
    channel(port, certificate, to=("ann@acme.com", "bob@acme.com")).send(message)
    ((recipients, content),) = box.letters
    assert recipients == ["ann@acme.com", "bob@acme.com"]
    assert box.secure == [True]
    letter = message_from_bytes(content, policy=policy.default)
    assert letter["Subject"] == message.subject
    assert letter["Auto-Submitted"] == "auto-generated"
    text, document = letter.iter_parts()
    assert "auc is 0.71" in text.get_content()
    assert json.loads(document.get_content()) == message.document


def test_tls_from_the_first_byte_on(mail_server, certificate, message):
    box, port = mail_server(starttls=False, login=False, smtps=True)
    channel(port, certificate, security="tls", username="", password="").send(message)
    assert len(box.letters) == 1


def test_a_wrong_password_is_named_and_not_shown(mail_server, certificate, message):
    box, port = mail_server()
    wrong = channel(port, certificate, password="wr0ng")
    with pytest.raises(NotDelivered, match=r"does not accept .* \(535\)") as refused:
        wrong.send(message)
    assert not isinstance(refused.value, Later)
    assert "wr0ng" not in "".join(traceback.format_exception(refused.value))
    assert box.letters == []


def test_a_password_in_another_script_is_an_error_of_ours(mail_server, certificate, message):
    _, port = mail_server()
    with pytest.raises(NotDelivered):
        channel(port, certificate, password="pässwörd").send(message)


def test_a_server_without_starttls_gets_neither_password_nor_letter(mail_server, message):
    box, port = mail_server(starttls=False, login=True)
    with pytest.raises(NotDelivered, match="offers no STARTTLS"):
        channel(port, None).send(message)
    assert box.letters == []


def test_a_certificate_of_nobodys_is_refused(mail_server, message):
    _, port = mail_server()
    with pytest.raises(NotDelivered, match=r"No TLS with 127\.0\.0\.1"):
        channel(port, None).send(message)


def test_some_refused_recipients_are_told_and_the_others_get_it_once(
    mail_server, certificate, message
):
    box, port = mail_server()
    box.refusals["bob@acme.com"] = "550 no such user"
    with pytest.raises(PartlyDelivered, match=r"does not take mail for bob@acme\.com"):
        channel(port, certificate, to=("ann@acme.com", "bob@acme.com")).send(message)
    assert [to for to, _ in box.letters] == [["ann@acme.com"]]


@pytest.mark.parametrize(
    ("answer", "kind"), [("550 no such user", NotDelivered), ("450 later", Later)]
)
def test_a_refusal_for_good_is_told_from_one_for_now(
    mail_server, certificate, message, answer, kind
):
    for what in ("ann@acme.com", "data"):
        box, port = mail_server()
        box.refusals[what] = answer
        with pytest.raises(NotDelivered, match=answer[:3]) as refused:
            channel(port, certificate).send(message)
        assert type(refused.value) is kind
        assert "no such user" not in str(refused.value)


def test_no_server_at_all_may_be_there_later(message):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Later, match="cannot be reached: Connection refused"):
        channel(port, None).send(message)


@pytest.mark.parametrize("greeting", [b"", b"\x00\xff\r\n", b"HTTP/1.1 400 Bad\r\n\r\n"])
def test_what_is_no_mail_server_is_an_error_of_ours(message, greeting):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.sendall(greeting)

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(NotDelivered):
            channel(listening.getsockname()[1], None).send(message)


def test_what_a_segment_is_called_becomes_no_header(mail_server, certificate):
    box, port = mail_server()
    verdict = make(version="1.0.3\r\nBcc: eve@evil.com", segment="a\r\n.\r\nQUIT")
    channel(port, certificate).send(
        message_of(MODULE, Status.ALERT, [Item(Event.ALERT, verdict)], NOW)
    )
    ((recipients, content),) = box.letters
    assert recipients == ["ann@acme.com"]
    assert message_from_bytes(content, policy=policy.default)["Bcc"] is None


def test_a_server_does_not_show_its_password():
    assert "s3cret" not in repr(Server("mail.acme.com", 587, username="a", password="s3cret"))
