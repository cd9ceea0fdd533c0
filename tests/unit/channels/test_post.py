"""Messages over HTTP, against a real server that fails in every way."""

from __future__ import annotations

import json
import time
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from gavial.channels.channel import Later, persist
from gavial.channels.chat import Chat, rendered
from gavial.channels.message import Event, Item, message_of
from gavial.channels.post import Post
from gavial.channels.webhook import Webhook
from gavial.errors import NotDelivered
from gavial.monitoring.verdict import Status

from .conftest import MODULE, make

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def message():
    return message_of(MODULE, Status.ALERT, [Item(Event.ALERT, make())], NOW)


def test_a_webhook_gets_the_document_as_it_is(serve, message):
    server = serve()
    Webhook("hook", Post(server.url)).send(message)
    ((path, headers, body),) = server.requests
    assert path == "/services/T0/S3CRET?sig=S3CRET"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == message.document


def test_a_token_goes_into_the_header(serve, message):
    server = serve()
    Webhook("hook", Post(server.url, "t0ken")).send(message)
    assert server.requests[0][1]["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(serve, message, status):
    server = serve(status, status, 200)
    pauses = []
    hook = Webhook("hook", Post(server.url))
    persist(lambda: hook.send(message), sleep=pauses.append)
    assert (len(server.requests), pauses) == (3, [0.5, 1.0])


def test_a_server_that_never_mends_is_given_up(serve, message):
    server = serve(*[503] * 9)
    hook = Webhook("hook", Post(server.url))
    with pytest.raises(NotDelivered, match="answers 503 Service Unavailable"):
        persist(lambda: hook.send(message), sleep=lambda _: None)
    assert len(server.requests) == 4


def test_retry_after_is_honoured_in_seconds_and_as_a_date(serve, message):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    server = serve((429, {"Retry-After": "17"}), (503, {"Retry-After": date}), 200)
    pauses = []
    hook = Webhook("hook", Post(server.url))
    persist(lambda: hook.send(message), sleep=pauses.append)
    assert pauses[0] == 17
    assert 30 < pauses[1] <= 40


def test_a_server_that_asks_for_an_hour_is_left_to_the_next_run(serve, message):
    server = serve((429, {"Retry-After": "3600"}))
    hook = Webhook("hook", Post(server.url))
    with pytest.raises(Later):
        persist(lambda: hook.send(message), sleep=lambda _: pytest.fail("it waited"))
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413])
def test_what_was_refused_is_not_tried_again(serve, message, status):
    server = serve(status)
    hook = Webhook("hook", Post(server.url))
    with pytest.raises(NotDelivered, match=f"answers {status}"):
        persist(lambda: hook.send(message), sleep=lambda _: pytest.fail("it waited"))
    assert len(server.requests) == 1


def test_a_redirect_is_refused_and_the_other_server_asked_nothing(serve, message):
    other = serve()
    server = serve((307, {"Location": f"{other.origin}/S3CRET"}))
    with pytest.raises(NotDelivered, match=r"elsewhere, to http://127\.0\.0\.1"):
        Webhook("hook", Post(server.url, "t0ken")).send(message)
    assert other.requests == []


def test_a_server_that_does_not_answer_in_time_is_given_up(serve, message):
    server = serve(lambda _: time.sleep(3))
    with pytest.raises(Later, match=r"no answer .*within 0.3 s"):
        Webhook("hook", Post(server.url, seconds=0.3)).send(message)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff\r\n\r\n",
        b"HTTP/1.1 200000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 999 \x1b[31mred\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_hostile_answer_is_an_error_of_ours(serve, message, answer):
    server = serve(lambda handler: handler.wfile.write(answer))
    with pytest.raises(NotDelivered) as refused:
        Webhook("hook", Post(server.url)).send(message)
    assert "\x1b" not in str(refused.value)


def test_an_answer_that_never_ends_is_not_read(serve, message):
    def endless(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        with_errors = (BrokenPipeError, ConnectionResetError)
        try:
            for _ in range(300):
                handler.wfile.write(b"x" * 1000)
                time.sleep(0.1)
        except with_errors:
            pass

    server = serve(endless)
    begun = time.monotonic()
    Webhook("hook", Post(server.url)).send(message)
    assert time.monotonic() - begun < 10


def test_no_error_shows_the_url_nor_a_token_however_it_is_shown(serve, message):
    gone = serve()
    gone.close()
    hooks = [
        Post(serve(404).url, "t0ken"),
        Post(serve((302, {"Location": "/x"})).url, "t0ken"),
        Post(serve(503).url, "t0ken"),
        Post(gone.url, "t0ken"),
        Post(serve(lambda handler: handler.wfile.write(b"\x00\r\n\r\n")).url, "t0ken"),
        Post("http://no.such.host.invalid/S3CRET", "t0ken"),
    ]
    for hook in hooks:
        with pytest.raises(NotDelivered) as refused:
            hook.send(b"{}")
        shown = "".join(traceback.format_exception(refused.value))
        assert "S3CRET" not in shown
        assert "t0ken" not in shown
        assert "S3CRET" not in repr(hook)


def test_a_certificate_of_nobodys_is_refused_and_with_its_authority_accepted(
    serve, tls, certificate, message
):
    server = serve(tls=tls)
    with pytest.raises(NotDelivered, match="is not trusted") as refused:
        Webhook("hook", Post(server.url)).send(message)
    assert not isinstance(refused.value, Later)
    Webhook("hook", Post(server.url, ca_file=str(certificate))).send(message)
    assert len(server.requests) == 1


def test_slack_gets_blocks_in_which_nothing_is_markup(serve):
    verdict = make(segment="plan=<!channel> & *co*")
    message = message_of(MODULE, Status.ALERT, [Item(Event.ALERT, verdict)], NOW)
    server = serve()
    Chat("team", Post(server.url)).send(message)
    (body,) = server.documents
    assert body["text"] == "com.acme:churn 1.0.3: alert"
    texts = "\n".join(block["text"]["text"] for block in body["blocks"])
    assert "&lt;!channel&gt; &amp; *co*" in texts
    assert "<!channel>" not in json.dumps(body)


def test_a_long_message_fits_what_slack_takes():
    many = [
        Item(Event.ALERT, make(segment=f"s={at}", broken=tuple(f"m{n}&" * 90 for n in range(30))))
        for at in range(40)
    ]
    message = message_of(MODULE, Status.ALERT, many, NOW)
    body = rendered(message, "slack")
    assert len(body["blocks"]) <= 50
    assert all(len(block["text"]["text"]) <= 3000 for block in body["blocks"])
    assert len(json.dumps(rendered(message, "teams")).encode()) < 28_000
    assert len(message.document["verdicts"]) == 40


def test_teams_gets_a_card_of_runs_without_markup(message):
    (attachment,) = rendered(message, "teams")["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    runs = [run for block in attachment["content"]["body"] for run in block["inlines"]]
    assert {run["type"] for run in runs} == {"TextRun"}
    assert runs[0]["text"] == message.subject


def test_a_chat_of_text_calls_nobody():
    verdict = make(segment="plan=@channel <users/all>")
    message = message_of(MODULE, Status.ALERT, [Item(Event.ALERT, verdict)], NOW)
    text = rendered(message, "text")["text"]
    assert "@channel" not in text
    assert "<users" not in text
