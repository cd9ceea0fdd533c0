"""What HTTP alone can do wrong, against real sockets: each failure becomes an error of ours."""

from __future__ import annotations

import datetime
import io
import ipaddress
import socket

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from maven_server import Fault  # conftest.py puts tests/servers on the path

from gavial.errors import (
    AccessDenied,
    ConfigurationError,
    RepositoryRefused,
    RepositoryUnavailable,
)
from gavial.maven import http, protocol, publish
from gavial.maven.content import Content
from gavial.maven.coordinate import Target
from gavial.maven.drive import Driver
from gavial.maven.http import HttpRepository
from gavial.maven.repository import FolderAnswer

PATH = "com/acme/churn/1.0.0/churn-1.0.0.jar"
SOME = Content.of_bytes(b"some bytes " * 1000)
USER, PASSWORD = "deployer", "pässwörd-密码-€"
ME = {"username": USER, "password": PASSWORD}


# -- who we are -------------------------------------------------------------------------------


def test_a_password_with_characters_of_any_script_is_accepted(serve, connect):
    server = serve(**ME)
    repository = connect(server.url, credentials=(USER, PASSWORD))
    assert repository.write(PATH, SOME) is None
    assert repository.read(PATH) == SOME.source
    assert {request.who for request in server.requests} == {USER}


def test_a_bearer_token_is_accepted(serve, connect):
    server = serve(token="t0ken")
    assert connect(server.url, credentials="t0ken").write(PATH, SOME) is None


@pytest.mark.parametrize("work", ["read", "exists", "write", "make_folder", "names"])
def test_a_wrong_password_is_access_denied_and_named_without_the_password(serve, connect, work):
    repository = connect(serve(**ME).url, credentials=(USER, "wr0ng"))
    arguments = (PATH, SOME) if work == "write" else (PATH,)
    with pytest.raises(AccessDenied, match="does not accept the credentials of user") as denied:
        getattr(repository, work)(*arguments)
    assert "wr0ng" not in str(denied.value)


def test_a_server_is_not_asked_again_with_a_wrong_password(serve, connect):
    server = serve(**ME)
    with pytest.raises(AccessDenied):
        connect(server.url, credentials=(USER, "wr0ng")).read(PATH)
    assert len(server.requests) == 1  # more could lock the account


def test_without_credentials_the_message_says_what_to_set(serve, connect):
    with pytest.raises(AccessDenied, match="GAVIAL_REPOSITORIES_MODELS_URL, _USERNAME"):
        connect(serve(**ME).url).read(PATH)


def test_a_user_who_may_only_read_is_told_so(serve, connect):
    repository = connect(serve(**ME, read_only=True).url, credentials=(USER, PASSWORD))
    refusal = repository.write(PATH, SOME)
    assert isinstance(refusal, AccessDenied)
    assert "does not let user 'deployer' write" in str(refusal)


def test_a_publish_without_the_right_to_write_ends_at_its_claim(serve, connect):
    server = serve(**ME, read_only=True)
    repository = connect(server.url, credentials=(USER, PASSWORD))
    order = publish.Order("t", False, lambda _: b"t", bytes.decode)
    with pytest.raises(AccessDenied, match="does not let user"):
        Driver(repository, _no_pack).run(publish.publish(order, Target.parse("com.acme:churn:1")))
    assert len(server.asked("PUT")) == 1


def test_netrc_is_not_asked_for_credentials(serve, connect, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(**ME)
    assert connect(server.url, credentials=(USER, PASSWORD)).read(PATH) is None
    with pytest.raises(AccessDenied):
        connect(server.url).read(PATH)
    assert [request.who for request in server.requests] == [USER, None]


@pytest.mark.parametrize("token", ["two words", "line\nend", "schlüssel", ""])
def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(connect, token):
    with pytest.raises(ConfigurationError) as refused:
        connect("https://repository.test/", credentials=token)
    assert not token or token not in str(refused.value)


# -- where it goes ----------------------------------------------------------------------------


def test_a_download_that_is_redirected_takes_no_credentials_along(serve, connect, tmp_path):
    other = serve(root=tmp_path / "other")
    (tmp_path / "other" / PATH).parent.mkdir(parents=True)
    (tmp_path / "other" / PATH).write_bytes(b"from a mirror")
    server = serve(**ME, faults=[Fault("redirect", "GET", location=other.url + PATH)])
    assert connect(server.url, credentials=(USER, PASSWORD)).read(PATH) == b"from a mirror"
    assert [request.who for request in other.requests] == [None]


def test_a_redirect_does_not_bring_credentials_of_netrc(serve, connect, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    other = serve(root=tmp_path / "other")
    server = serve(**ME, faults=[Fault("redirect", "GET", location=other.url + PATH)])
    assert connect(server.url, credentials=(USER, PASSWORD)).read(PATH) is None
    assert [request.who for request in other.requests] == [None]


@pytest.mark.parametrize("location", ["http://[x", "file:///etc/passwd", "ftp://a.test/"])
def test_a_redirect_to_what_is_no_web_address_is_refused(serve, connect, location):
    server = serve(faults=[Fault("redirect", "GET", location=location)])
    with pytest.raises(RepositoryRefused, match="redirects to what is no"):
        connect(server.url).read(PATH)


def test_a_redirect_without_end_is_given_up(serve, connect):
    server = serve()
    server.faults = [Fault("redirect", "GET", location=server.url + PATH)] * 99
    with pytest.raises(RepositoryRefused):
        connect(server.url).read(PATH)
    assert len(server.requests) < 10


def test_a_write_that_is_sent_elsewhere_is_refused(serve, connect, tmp_path):
    other = serve(root=tmp_path / "other")
    server = serve(**ME, faults=[Fault("redirect", location=other.url + PATH)])
    with pytest.raises(RepositoryRefused, match="sends writes elsewhere"):
        connect(server.url, credentials=(USER, PASSWORD)).write(PATH, SOME)
    assert other.requests == []


@pytest.mark.parametrize("work", ["read", "exists", "write"])
def test_a_server_that_is_not_there_is_said(connect, work):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/models/"
        repository = connect(url)
        arguments = (PATH, SOME) if work == "write" else (PATH,)
        with pytest.raises(RepositoryUnavailable, match=r"cannot be reached.*Connection refused"):
            getattr(repository, work)(*arguments)


@pytest.mark.parametrize(
    "url",
    [
        "http://no-such-host.invalid/",
        "http://" + "a" * 64 + ".invalid/",
        "http://[::1/",
        "http://host:99999/",
        "http:///models",
    ],
)
def test_a_url_that_leads_nowhere_is_unavailable(connect, url):
    with pytest.raises((RepositoryUnavailable, ConfigurationError), match="http://"):
        connect(url).read(PATH)


# -- TLS --------------------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path):
    """A certificate for 127.0.0.1 that no system trusts, and its key: two PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files = tmp_path / "server.pem", tmp_path / "server.key"
    files[0].write_bytes(made.public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))
    return files


def test_a_certificate_that_nobody_trusts_is_refused_before_anything_is_sent(serve, connect, tls):
    server = serve(**ME, tls=tls)
    repository = connect(server.url, credentials=(USER, PASSWORD))
    with pytest.raises(RepositoryUnavailable, match=r"not trusted: self.signed.*set ca_file"):
        repository.read(PATH)
    with pytest.raises(RepositoryUnavailable, match="not trusted"):
        repository.write(PATH, SOME)
    assert server.requests == []


def test_an_authority_of_ones_own_is_trusted_where_it_is_named(serve, connect, tls):
    server = serve(**ME, tls=tls)
    repository = connect(server.url, credentials=(USER, PASSWORD), ca_file=str(tls[0]))
    assert repository.write(PATH, SOME) is None
    assert repository.read(PATH) == SOME.source
    assert "Sonatype" in repository.realm()


def test_a_server_that_asks_for_a_certificate_is_shown_ours(serve, connect, tls, tmp_path):
    server = serve(tls=tls, client_ca=tls[0])
    both = tmp_path / "client.pem"
    both.write_bytes(tls[0].read_bytes() + tls[1].read_bytes())
    repository = connect(server.url, ca_file=str(tls[0]), client_cert=str(both))
    assert repository.write(PATH, SOME) is None
    assert repository.realm() is None
    with pytest.raises(RepositoryUnavailable, match="client_cert"):
        connect(server.url, ca_file=str(tls[0])).read(PATH)


@pytest.mark.parametrize("kind", ["missing", "no key", "encrypted"])
def test_a_client_certificate_that_cannot_be_used_is_refused(connect, tls, tmp_path, kind):
    file = tmp_path / "client.pem"
    if kind == "no key":
        file.write_bytes(tls[0].read_bytes())
    elif kind == "encrypted":
        key = serialization.load_pem_private_key(tls[1].read_bytes(), None)
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"hunter2"),
        )
        file.write_bytes(tls[0].read_bytes() + secret)
    with pytest.raises(ConfigurationError, match=r"client\.pem.*certificate and its key"):
        connect("https://repository.test/", client_cert=str(file))


def test_https_to_a_server_without_tls_is_said(serve, connect):
    url = serve().url.replace("http:", "https:")
    with pytest.raises(RepositoryUnavailable, match="No TLS with 127"):
        connect(url).read(PATH)


def test_a_ca_file_that_is_none_is_refused_with_its_name(connect, tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.pem' is not there"):
        connect("https://repository.test/", ca_file=str(tmp_path / "nowhere.pem"))
    (tmp_path / "some.pem").write_text("no certificate")
    with pytest.raises(ConfigurationError, match="no PEM file"):
        connect("https://repository.test/", ca_file=str(tmp_path / "some.pem"))


# -- what passes ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_busy_server_is_asked_again_when_it_says(serve, method):
    pauses = []
    server = serve(faults=[Fault("status", method, status=503, retry_after="7")])
    repository = HttpRepository(server.url, sleep=pauses.append)
    (server.root / PATH).parent.mkdir(parents=True)
    if method == "GET":
        (server.root / PATH).write_bytes(b"x")
        assert repository.read(PATH) == b"x"
    else:
        assert repository.write(PATH, SOME) is None
    repository.close()
    assert pauses == [7.0]


def test_a_server_that_asks_for_an_hour_is_not_waited_for(serve):
    pauses = []
    server = serve(faults=[Fault("status", "GET", status=503, retry_after="3600")])
    repository = HttpRepository(server.url, sleep=pauses.append)
    assert repository.read(PATH) is None
    repository.close()
    assert pauses == [30.0]


def test_a_server_that_stays_down_is_unavailable_after_bounded_attempts(serve, connect):
    server = serve(faults=[Fault("status", m, status=502) for m in ("GET", "PUT") * 9])
    with pytest.raises(RepositoryUnavailable, match="502 Bad Gateway"):
        connect(server.url).read(PATH)
    assert len(server.requests) == 4
    with pytest.raises(RepositoryUnavailable, match="nothing was stored"):
        connect(server.url).write(PATH, SOME)
    assert len(server.asked("PUT")) == 4


def test_a_folder_is_not_taken_for_unsupported_because_a_gateway_is_down(serve, connect):
    server = serve(mkcol=True, faults=[Fault("status", "MKCOL", status=503)] * 2)
    assert connect(server.url).make_folder("com/acme") is FolderAnswer.MADE
    server.faults = [Fault("status", "MKCOL", status=503)] * 9
    with pytest.raises(RepositoryUnavailable):
        connect(server.url).make_folder("com/other")


def test_folders_that_another_deploy_makes_first_are_as_good_as_ours(serve, connect):
    server = serve(mkcol=True, listing=True, faults=[Fault("status", "PUT", status=409)])
    (server.root / PATH).parent.mkdir(parents=True)
    assert connect(server.url).write(PATH, SOME) is None
    server.faults = [Fault("status", "MKCOL", status=409)]
    folder = PATH.rpartition("/")[0]
    assert connect(server.url).make_folder(f"{folder}/new") is FolderAnswer.MADE
    assert server.faults == []


@pytest.mark.parametrize("overwrite", ["refuse", "allow"])
def test_a_file_whose_answer_was_lost_is_stored_once(serve, connect, overwrite):
    server = serve(overwrite=overwrite, faults=[Fault("lose")])
    sent = []
    assert connect(server.url).write(PATH, SOME, progress=sent.append) is None
    assert (server.root / PATH).read_bytes() == SOME.source
    assert server.asked("PUT") == []  # the one that was stored has no answer


def test_a_connection_that_breaks_before_anything_is_stored_is_tried_again(serve, connect):
    server = serve(faults=[Fault("drop"), Fault("drop")])
    sent = []
    assert connect(server.url).write(PATH, SOME, progress=sent.append) is None
    assert (server.root / PATH).read_bytes() == SOME.source
    assert sum(sent) == SOME.size


def test_a_lost_answer_does_not_pass_anothers_file_off_as_ours(serve, connect):
    server = serve(faults=[Fault("drop")])
    connect(server.url).write(PATH, Content.of_bytes(b"another's"), replace=True)
    server.faults = [Fault("drop")]
    assert isinstance(connect(server.url).write(PATH, SOME), RepositoryRefused)


def test_a_truncated_download_is_fetched_again(serve, connect):
    server = serve(faults=[Fault("truncate", "GET")])
    repository = connect(server.url)
    repository.write(PATH, SOME)
    target, came = io.BytesIO(), []
    assert repository.download(PATH, target, came.append)
    assert target.getvalue() == SOME.source
    assert sum(came) == SOME.size
    server.faults = [Fault("truncate", "GET")]
    assert repository.read(PATH) == SOME.source


LARGE = Content.of_bytes(bytes(range(256)) * 4_000)


def test_a_download_goes_on_where_it_broke_off(serve, connect):
    server = serve()
    repository = connect(server.url)
    repository.write(PATH, LARGE)
    server.faults = [Fault("truncate", "GET")]
    target, came = io.BytesIO(), []
    assert repository.download(PATH, target, came.append)
    assert target.getvalue() == LARGE.source
    assert min(came) > 0  # nothing came twice
    assert [request.status for request in server.asked("GET")] == [200, 206]


def test_a_file_that_is_another_one_when_asked_again_is_fetched_from_its_start(serve, connect):
    server = serve(overwrite="allow", faults=[Fault("truncate", "GET")])
    repository = connect(server.url)
    repository.write(PATH, LARGE)
    other = Content.of_bytes(LARGE.source[::-1])

    def change(_):
        repository.write(PATH, other, replace=True)

    again = HttpRepository(server.url, sleep=change)
    target = io.BytesIO()
    assert again.download(PATH, target)
    again.close()
    assert target.getvalue() == other.source


def test_a_server_that_knows_no_ranges_sends_it_all_again(serve, connect):
    server = serve(ranges=False)
    repository = connect(server.url)
    repository.write(PATH, LARGE)
    server.faults = [Fault("truncate", "GET")]
    target, came = io.BytesIO(), []
    assert repository.download(PATH, target, came.append)
    assert target.getvalue() == LARGE.source
    assert sum(came) == LARGE.size


def test_a_server_that_sends_a_byte_now_and_then_is_given_up(serve, connect, monkeypatch):
    monkeypatch.setattr(http, "SLOW_SECONDS", 0.0)
    repository = connect(serve(ranges=False).url)
    repository.write(PATH, SOME)
    monkeypatch.setattr(http, "SLOWEST", 1e12)
    with pytest.raises(RepositoryUnavailable, match="too slow, given up"):
        repository.download(PATH, io.BytesIO())


def test_a_server_that_stops_in_the_middle_is_given_up(serve, connect):
    server = serve(faults=[Fault("trickle", "GET")] * 9)
    repository = connect(server.url, timeout=0.05)
    repository.write(PATH, SOME)
    with pytest.raises(RepositoryUnavailable, match=r"no answer to GET .* within 0\.05 s"):
        repository.download(PATH, io.BytesIO())


def test_what_is_compressed_without_being_asked_is_read_as_it_was(serve, connect):
    server = serve(faults=[Fault("gzip", "GET")] * 2)
    repository = connect(server.url)
    repository.write(PATH, LARGE)
    target = io.BytesIO()
    assert repository.download(PATH, target)
    assert target.getvalue() == LARGE.source
    assert repository.same(PATH, LARGE)


def test_a_compressed_file_without_end_is_given_up_at_its_limit(serve, connect):
    server = serve(faults=[Fault("gzip", "GET")])
    (server.root / PATH).parent.mkdir(parents=True)
    (server.root / PATH).write_bytes(bytes((32 << 20) + 1))
    with pytest.raises(RepositoryUnavailable, match="no such file is so large"):
        connect(server.url).read(PATH)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_gateway_that_fails_after_the_file_was_stored_does_no_harm(serve, connect, status):
    server = serve(faults=[Fault("stored", status=status)])
    assert connect(server.url).write(PATH, SOME) is None
    assert (server.root / PATH).read_bytes() == SOME.source


def test_a_connection_that_ended_while_it_was_idle_is_made_again(serve, connect):
    server = serve(faults=[Fault("hang up", "GET"), Fault("hang up", "PUT")])
    repository = connect(server.url)
    assert repository.read(PATH) is None
    assert repository.write(PATH, SOME) is None
    assert repository.write(f"{PATH}.sha1", SOME.checksum("sha1")) is None


def test_a_download_that_always_breaks_off_is_unavailable(serve, connect):
    server = serve(faults=[Fault("truncate", "GET")] * 9)
    repository = connect(server.url)
    repository.write(PATH, SOME)
    with pytest.raises(RepositoryUnavailable, match="IncompleteRead"):
        repository.download(PATH, io.BytesIO())
    assert len(server.asked("GET")) == 4


def test_a_server_that_says_nothing_is_given_up(serve, connect):
    server = serve(faults=[Fault("stall", "GET")] * 9)
    with pytest.raises(RepositoryUnavailable, match=r"no answer to GET .* within 0\.05 s"):
        connect(server.url, timeout=0.05).read(PATH)


# -- what servers do differently --------------------------------------------------------------


@pytest.mark.parametrize("refusal", [400, 403, 409])
def test_an_existing_file_is_refused_whatever_number_a_server_gives(serve, connect, refusal):
    repository = connect(serve(refusal=refusal).url)
    assert repository.write(PATH, SOME) is None
    assert repository.write(PATH, Content.of_bytes(b"other")) is not None
    assert repository.read(PATH) == SOME.source


def test_a_condition_that_a_server_honours_is_used(serve, connect):
    repository = connect(serve(overwrite="allow", if_none_match="honour").url)
    assert repository.write(PATH, SOME) is None
    assert repository.write(PATH, Content.of_bytes(b"other")) is not None
    assert repository.read(PATH) == SOME.source


def test_a_server_without_head_is_asked_by_get(serve, connect):
    repository = connect(serve(head=False).url)
    assert not repository.exists(PATH)
    repository.write(PATH, SOME)
    assert repository.exists(PATH)


def test_a_server_that_hides_claims_is_refused_before_anything_is_released(serve, connect):
    server = serve(hide_claims=True)
    order = publish.Order("t", False, lambda _: b"t", bytes.decode)
    steps = publish.publish(order, Target.parse("com.acme:churn:1.0"))
    with pytest.raises(RepositoryRefused, match="does not show it"):
        Driver(connect(server.url), _no_pack, sleep=lambda _: None).run(steps)
    assert len(server.asked("PUT")) == 1


def test_a_listing_names_only_what_lies_directly_below(serve, connect):
    server = serve(listing=True)
    repository = connect(server.url)
    repository.write(PATH, SOME)
    repository.write("com/acme/maven metadata+.xml", SOME)
    assert repository.names("") == ("com",)
    assert repository.names("com/acme") == ("churn", "maven metadata+.xml")


def test_every_request_goes_with_a_length_and_never_in_chunks(serve, connect):
    server = serve()
    assert connect(server.url).write(PATH, Content.of_bytes(b"")) is None
    assert [request.status for request in server.asked("PUT")] == [201]  # else 411


def test_the_realm_is_what_the_server_says_to_a_stranger(serve, connect):
    assert connect(serve(**ME).url, credentials=(USER, PASSWORD)).realm() == (
        'BASIC realm="Sonatype Nexus Repository Manager"'
    )
    assert connect(serve().url).realm() is None


def _no_pack(_):
    return protocol.Packed((), Content.of_bytes(b"pom"))
