"""Keys of every kind that somebody may hand over, and where they come from."""

import stat
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from tampered import SAVED

import gavial
from gavial.errors import ConfigurationError
from gavial.registry import keys
from gavial.registry.verify import verify

GAV = "com.acme:churn:1.0"
PASSPHRASE = "correct horse"


def pem(key, passphrase=None, form=serialization.PrivateFormat.PKCS8):
    lock = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, form, lock)


def public_pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.fixture(scope="module")
def curve():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def wrong(curve):
    """PEM that is no private key to sign with, by what is wrong with it."""
    return {
        "Ed25519": pem(ed25519.Ed25519PrivateKey.generate()),
        "RSA": pem(rsa.generate_private_key(65537, 2048)),
        "DSA": pem(dsa.generate_private_key(2048)),
        "secp256k1": pem(ec.generate_private_key(ec.SECP256K1())),
        "is a public key": public_pem(curve),
        "OpenSSH": pem(curve, form=serialization.PrivateFormat.OpenSSH),
        "no private key in PEM": b"-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n",
        "no private key": b"\x00\xff" * 100,
        "no private key in": b"",
    }


def verified(folder, key):
    file = folder / "them.pub"
    file.write_bytes(public_pem(key))
    release = gavial.repository(folder / "models").release("com.acme:churn")
    assert verify(release, keys=[file]).passed


@pytest.mark.parametrize(
    "said",
    [
        "Ed25519",
        "RSA",
        "DSA",
        "secp256k1",
        "is a public key",
        "OpenSSH",
        "no private key in PEM",
        "no private key",
        "no private key in",
    ],
)
def test_a_key_of_the_wrong_kind_is_refused_before_anything_is_written(said, wrong, tmp_path):
    key = tmp_path / "key.pem"
    key.write_bytes(wrong[said])
    key.chmod(0o600)
    with pytest.raises(ConfigurationError, match=said) as raised:
        gavial.deploy(SAVED, GAV, tmp_path / "models", sign=key)
    assert not (tmp_path / "models").exists()
    secret = wrong[said].decode("latin-1").splitlines()[1:2]
    assert not secret or secret[0] not in str(raised.value)


@pytest.mark.parametrize("kind", [ec.SECP256R1, ec.SECP384R1, ec.SECP521R1])
@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]
)
def test_each_curve_of_the_format_signs(kind, form, tmp_path):
    key = ec.generate_private_key(kind())
    file = tmp_path / "key.pem"
    file.write_bytes(pem(key, form=form))
    file.chmod(0o600)
    gavial.deploy(SAVED, GAV, tmp_path / "models", sign=file)
    verified(tmp_path, key)


def test_a_key_with_the_parameters_that_openssl_writes_before_it_signs(tmp_path):
    file = tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", file], check=True
    )
    assert b"EC PARAMETERS" in file.read_bytes()
    file.chmod(0o600)
    gavial.deploy(SAVED, GAV, tmp_path / "models", sign=file)


def test_a_locked_key_opens_with_the_passphrase_of_the_environment(curve, tmp_path, monkeypatch):
    file = tmp_path / "key.pem"
    file.write_bytes(pem(curve, PASSPHRASE))
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="set GAVIAL_SIGNING_PASSPHRASE"):
        gavial.deploy(SAVED, GAV, tmp_path / "models", sign=file)
    monkeypatch.setenv("GAVIAL_SIGNING_PASSPHRASE", "wrong")
    with pytest.raises(ConfigurationError, match="is not its passphrase"):
        gavial.deploy(SAVED, GAV, tmp_path / "models", sign=file)
    monkeypatch.setenv("GAVIAL_SIGNING_PASSPHRASE", PASSPHRASE)
    gavial.deploy(SAVED, GAV, tmp_path / "models", sign=file)
    verified(tmp_path, curve)


def test_a_key_in_the_environment_signs(curve, tmp_path, monkeypatch):
    monkeypatch.setenv("GAVIAL_SIGNING_KEY_PEM", pem(curve).decode())
    gavial.deploy(SAVED, GAV, tmp_path / "models")
    verified(tmp_path, curve)


def test_a_key_that_the_user_configured_signs_each_deploy(curve, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "gavial"
    folder.mkdir(parents=True)
    (folder / "key.pem").write_bytes(pem(curve))
    (folder / "key.pem").chmod(0o600)
    (folder / "config.toml").write_text('[signing]\nkey = "key.pem"\n')
    gavial.deploy(SAVED, GAV, tmp_path / "models")
    verified(tmp_path, curve)


def command(tmp_path, monkeypatch, key, *words):
    """Configure a command that signs in the name of a key."""
    (tmp_path / "their.pub").write_bytes(public_pem(key))
    file = tmp_path / "config" / "gavial" / "config.toml"
    file.parent.mkdir(parents=True)
    listed = ", ".join(f'"{word}"' for word in words)
    file.write_text(f'[signing]\ncommand = [{listed}]\npublic_key = "{tmp_path}/their.pub"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_a_command_signs_what_it_reads(curve, tmp_path, monkeypatch):
    file = tmp_path / "held by another.pem"
    file.write_bytes(pem(curve))
    command(tmp_path, monkeypatch, curve, "openssl", "dgst", "-sha256", "-sign", str(file))
    gavial.deploy(SAVED, GAV, tmp_path / "models")
    verified(tmp_path, curve)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["false"], "it ended with 1"),
        (["cat"], "no signature by the key"),
        (["true"], "gave 0 bytes"),
        (["no-such-program"], "does not start"),
    ],
)
def test_a_command_that_does_not_sign_releases_nothing(words, said, curve, tmp_path, monkeypatch):
    command(tmp_path, monkeypatch, curve, *words)
    with pytest.raises(ConfigurationError, match=said):
        gavial.deploy(SAVED, GAV, tmp_path / "models")
    assert not list((tmp_path / "models").rglob("churn-*.pom"))


def test_a_command_with_another_key_than_it_says_releases_nothing(curve, tmp_path, monkeypatch):
    file = tmp_path / "other.pem"
    file.write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    command(tmp_path, monkeypatch, curve, "openssl", "dgst", "-sha256", "-sign", str(file))
    with pytest.raises(ConfigurationError, match="no signature by the key"):
        gavial.deploy(SAVED, GAV, tmp_path / "models")


def test_a_key_that_others_can_read_is_pointed_out(curve, tmp_path):
    file = tmp_path / "key.pem"
    file.write_bytes(pem(curve))
    file.chmod(0o644)
    with pytest.warns(UserWarning, match="holds a private key, and other users can read it"):
        gavial.deploy(SAVED, GAV, tmp_path / "models", sign=file)


def test_no_file_of_a_release_or_of_the_cache_holds_the_key(curve, tmp_path, home):
    file = tmp_path / "key.pem"
    file.write_bytes(pem(curve))
    file.chmod(0o600)
    release = gavial.deploy(SAVED, GAV, tmp_path / "models", sign=file)
    secret = pem(curve).splitlines()[1]
    folders = [tmp_path / "models", home]
    found = [one for folder in folders for one in folder.rglob("*") if one.is_file()]
    assert len(found) > 10
    assert not [one for one in found if secret in one.read_bytes()]
    assert secret.decode() not in repr(release)


def test_a_made_key_is_its_owners_alone_and_never_written_over(tmp_path):
    made = keys.generate(tmp_path / "keys" / "alice.pem")
    file = tmp_path / "keys" / "alice.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (
        keys.public((tmp_path / "keys" / "alice.pub").read_bytes(), "it").fingerprint
        == made.fingerprint
    )
    before = file.read_bytes()
    with pytest.raises(ConfigurationError, match="no key is written over"):
        keys.generate(file)
    (tmp_path / "keys" / "alice.pub").unlink()
    with pytest.raises(ConfigurationError, match="no key is written over"):
        keys.generate(file)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (pem, "is a private key"),
        (lambda _: public_pem(ed25519.Ed25519PrivateKey.generate()), "Ed25519"),
        (lambda _: public_pem(rsa.generate_private_key(65537, 2048)), "RSA"),
        (lambda key: public_pem(key)[:90], "no public key in PEM"),
        (lambda _: b"-----BEGIN CERTIFICATE-----\n", "is a certificate"),
        (lambda _: b"x" * (2 << 20), "too large"),
    ],
)
def test_a_public_key_of_the_wrong_kind_is_refused(make, said, curve, released, policy, tmp_path):
    policy()
    (tmp_path / "alice.pub").write_bytes(make(curve))
    with pytest.raises(ConfigurationError, match=said):
        released("1.0.1").download(tmp_path / "to")


def test_the_configuration_names_variables_for_key_and_passphrase(curve, tmp_path, monkeypatch):
    file = tmp_path / "config" / "gavial" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[signing]\nkey_env = "RELEASE_KEY"\npassphrase_env = "RELEASE_WORD"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with pytest.raises(ConfigurationError, match="variable RELEASE_KEY is not set"):
        gavial.deploy(SAVED, GAV, tmp_path / "models")
    monkeypatch.setenv("RELEASE_KEY", pem(curve, PASSPHRASE).decode())
    with pytest.raises(ConfigurationError, match="set RELEASE_WORD"):
        gavial.deploy(SAVED, GAV, tmp_path / "models")
    monkeypatch.setenv("RELEASE_WORD", PASSPHRASE)
    gavial.deploy(SAVED, GAV, tmp_path / "models")
    verified(tmp_path, curve)


def test_the_environment_names_a_command(curve, tmp_path, monkeypatch):
    (tmp_path / "a key.pem").write_bytes(pem(curve))
    (tmp_path / "their.pub").write_bytes(public_pem(curve))
    monkeypatch.setenv(
        "GAVIAL_SIGNING_COMMAND", f"openssl dgst -sha256 -sign '{tmp_path / 'a key.pem'}'"
    )
    with pytest.raises(ConfigurationError, match="GAVIAL_SIGNING_PUBLIC_KEY"):
        gavial.deploy(SAVED, GAV, tmp_path / "models")
    monkeypatch.setenv("GAVIAL_SIGNING_PUBLIC_KEY", str(tmp_path / "their.pub"))
    gavial.deploy(SAVED, GAV, tmp_path / "models")
    verified(tmp_path, curve)
