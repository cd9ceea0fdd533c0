"""Releases that a certificate signed, verified offline against an authority of the user's."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from authority import DAY, SERVER, Authority
from tampered import SAVED, Version

import gavial
from gavial.errors import ConfigurationError, CorruptRelease, UntrustedRelease
from gavial.model.signature import Bundle
from gavial.registry import certificates

GAV = "com.acme:churn:1.0"


@pytest.fixture(scope="module")
def root():
    return Authority()


@pytest.fixture
def trusting(tmp_path, policy):
    """Lets certificates of an authority sign, or those of some subjects alone."""

    def write(authority, *subjects):
        (tmp_path / "ca.pem").write_bytes(authority.pem)
        named = f"subjects = {list(subjects)}\n".replace("'", '"') if subjects else ""
        return policy(f'[[trust]]\ngroups = ["com.acme"]\nca = "ca.pem"\n{named}')

    return write


@pytest.fixture
def deployed(tmp_path):
    def deploy(key):
        return gavial.deploy(SAVED, GAV, tmp_path / "models", sign=key)

    return deploy


def test_a_certificate_of_the_authority_signs(root, trusting, deployed, tmp_path):
    trusting(root)
    report = deployed(root.issue("Alice", tmp_path)).verify()
    assert "by certificate CN=Alice" in report.checks[-1].detail


def test_so_does_one_through_an_authority_between(root, trusting, deployed, tmp_path):
    trusting(root)
    deployed(Authority("Acme Models", root).issue("Alice", tmp_path)).verify()


def test_certificates_beside_the_key_are_taken_from_the_configuration(
    root, trusting, tmp_path, monkeypatch
):
    trusting(root)
    both = root.issue("Alice", tmp_path).read_bytes()
    at = both.index(b"-----BEGIN CERTIFICATE")
    for name, data in (("key.pem", both[:at]), ("chain.pem", both[at:])):
        (tmp_path / name).write_bytes(data)
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("GAVIAL_SIGNING_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setenv("GAVIAL_SIGNING_CERTIFICATE", str(tmp_path / "chain.pem"))
    gavial.deploy(SAVED, GAV, tmp_path / "models").verify()


REFUSED = {
    "another authority": (lambda _, folder: Authority().issue("Alice", folder), "does not lead to"),
    "a server's certificate": (
        lambda root, folder: root.issue("Alice", folder, uses=SERVER),
        "other uses than to sign code",
    ),
    "one that must not sign": (
        lambda root, folder: root.issue("Alice", folder, signs=False),
        "does not allow digital signatures",
    ),
    "one that had ended": (
        lambda root, folder: root.issue("Alice", folder, begins=-9 * DAY, ends=-DAY),
        "does not lead to",
    ),
    "one that had not begun": (
        lambda root, folder: root.issue("Alice", folder, begins=DAY, ends=9 * DAY),
        "does not lead to",
    ),
    "another subject": (lambda root, folder: root.issue("Bob", folder), "'CN=Bob'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_certificates_are_refused(name, root, trusting, deployed, tmp_path):
    make, said = REFUSED[name]
    key = make(root, tmp_path)
    release = deployed(key)
    trusting(root, "CN=Alice")
    with pytest.raises(UntrustedRelease, match=said):
        release.verify()
    with pytest.raises(ConfigurationError, match="does not let this certificate sign"):
        deployed(key)


def test_one_that_ended_since_the_release_is_still_good(root, trusting, deployed, tmp_path):
    """It is asked for as of the day that the card says, which is signed."""
    key = root.issue("Alice", tmp_path, begins=-9 * DAY, ends=-DAY).read_bytes()
    chain = certificates.chain(key[key.index(b"-----BEGIN CERT") :], "it")
    assert certificates.verify(chain, root.pem, "ca", datetime.now(UTC) - 5 * DAY) == "CN=Alice"
    with pytest.raises(UntrustedRelease):
        certificates.verify(chain, root.pem, "ca", datetime.now(UTC))


def test_a_key_without_its_certificate_is_refused(root, trusting, deployed, people):
    release = deployed(people / "alice.pem")
    trusting(root)
    with pytest.raises(UntrustedRelease, match=r"is by the key .* certificates of"):
        release.verify()


def test_a_certificate_of_another_key_is_refused(root, deployed, tmp_path):
    alice, bob = (root.issue(name, tmp_path).read_bytes() for name in ("Alice", "Bob"))
    at = alice.index(b"-----BEGIN CERT")
    (tmp_path / "Alice.pem").write_bytes(alice[:at] + bob[bob.index(b"-----BEGIN CERT") :])
    with pytest.raises(
        ConfigurationError, match=r"CN=Bob.* put the signer's own certificate first"
    ):
        deployed(tmp_path / "Alice.pem")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (
            lambda old: Bundle(old.payload, old.signature, "", (b"0\x82", *old.chain)),
            UntrustedRelease,
        ),
        (lambda old: Bundle(old.payload, old.signature, "", old.chain[::-1] * 3), UntrustedRelease),
        (lambda old: Bundle(old.payload, b"0" * 70, "", old.chain), UntrustedRelease),
        (lambda old: Bundle(b"{}", old.signature, "", old.chain), UntrustedRelease),
    ],
)
def test_a_hostile_chain_is_an_error_of_ours(change, error, root, trusting, deployed, tmp_path):
    release = deployed(Authority("Between", root).issue("Alice", tmp_path))
    files = Version(tmp_path / "models", "1.0.0")
    old = Bundle.parse(files.file("-signature.json").read_bytes(), "it")
    files.file("-signature.json").chmod(0o644)
    files.write("-signature.json", change(old).render())
    with pytest.raises((CorruptRelease, error)):
        release.verify()
    trusting(root)
    with pytest.raises(error):
        release.verify()


@pytest.mark.parametrize(
    "created",
    [
        "yesterday",
        "0001-01-01T00:00:00+23:59",
        "1900-01-01T00:00:00+00:00",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_a_card_of_no_day_is_refused(created, root, trusting, deployed, tmp_path):
    release = deployed(root.issue("Alice", tmp_path))
    trusting(root)
    with pytest.raises(UntrustedRelease):
        replace(release, card=replace(release.card, created=created)).download(tmp_path / "to")


def test_a_card_from_the_future_is_refused(root, trusting, deployed, tmp_path):
    release = deployed(root.issue("Alice", tmp_path, ends=900 * DAY))
    trusting(root)
    later = replace(release, card=replace(release.card, created="2999-01-01T00:00:00+00:00"))
    with pytest.raises(UntrustedRelease, match="one of the clocks is off"):
        later.download(tmp_path / "to")
