"""Verdicts to tell of, and real servers to tell them to."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import threading
import time
from datetime import UTC, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gavial.monitoring.state import Slot
from gavial.monitoring.verdict import Finding, Measured, Result, Rule, Status, Verdict
from gavial.monitoring.windows import Window

MODULE = "com.acme:churn"
DAY = datetime.datetime(2026, 3, 1, tzinfo=UTC)


def window(day: int) -> Window:
    return Window(DAY + timedelta(days=day), DAY + timedelta(days=day + 1))


def make(status=Status.ALERT, *, since=0, last=None, broken=("auc",), segment="", version="1.0.3"):
    """A verdict since a window: where it is an alert, that one and the one before break rules."""
    last = since if last is None else last
    results = []
    for day in range(since - 1, last + 1):
        slot = Slot(MODULE, version, window(day), segment)
        findings = tuple(
            Finding(
                Rule(name, low=0.8, minimum=100),
                Measured(name, "", 0.71, 1000),
                Status.ALERT,
                f"{name} is 0.71, below 0.8",
            )
            for name in broken
            if status is Status.ALERT
        )
        measured = tuple(one.measured for one in findings) or (Measured("auc", "", 0.9, 1000),)
        results.append(Result(slot, measured, findings, status))
    reasons = tuple(f"{name} is 0.71, below 0.8" for name in broken)
    return Verdict(
        MODULE,
        version,
        segment,
        status,
        window(since),
        reasons if status is Status.ALERT else (),
        tuple(results),
    )


class Receiver:
    """An HTTP server that answers what it is told to, and keeps what it was sent."""

    def __init__(self, answers, tls=None):
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers = list(answers)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.requests.append((self.path, dict(self.headers), body))
                answer = receiver.answers.pop(0) if receiver.answers else 200
                if callable(answer):
                    answer(self)
                    self.close_connection = True
                    return
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        scheme = "http"
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.origin = f"{scheme}://127.0.0.1:{self.server.server_port}"
        self.url = f"{self.origin}/services/T0/S3CRET?sig=S3CRET"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def documents(self):
        return [json.loads(body) for _, _, body in self.requests]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def serve():
    made = []

    def start(*answers, tls=None):
        made.append(Receiver(answers, tls))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A PEM file with a certificate for this machine and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(UTC)
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture(scope="session")
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def eventually():
    def wait(condition, seconds=10.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.01)

    return wait
