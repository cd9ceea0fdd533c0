"""Maven's own files of credentials, as Maven writes them."""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from gavial.errors import ConfigurationError
from gavial.maven.maven_cipher import decrypt
from gavial.maven.settings import Settings
from gavial.maven.settings_xml import MavenSettings, Mirror

NAMESPACE = ' xmlns="http://maven.apache.org/SETTINGS/1.2.0"'


def encrypt(text, key, spare=b"padding!"):
    """As plexus-cipher 1.7 does (`PBECipher.encrypt64`), written from its source."""
    salt = os.urandom(8)
    digest = hashlib.sha256(key.encode() + salt).digest()
    padder = padding.PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(digest[:16]), modes.CBC(digest[16:])).encryptor()
    data = cipher.update(padder.update(text.encode()) + padder.finalize()) + cipher.finalize()
    return "{" + b64encode(salt + bytes([len(spare)]) + data + spare).decode() + "}"


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".m2").mkdir()
    return tmp_path


def write(home, password, *, namespace="", master=None, security=None):
    server = f"<id>models</id><username>u</username><password>{password}</password>"
    text = f"<settings{namespace}><servers><server>{server}</server></servers></settings>"
    (home / ".m2" / "settings.xml").write_text(text)
    if master:
        security = f"<settingsSecurity><master>{master}</master></settingsSecurity>"
    if security:
        (home / ".m2" / "settings-security.xml").write_text(security)


def password(home, environ=None):
    settings = MavenSettings.load(home, environ or {})
    return settings.password(settings.servers["models"]).reveal()


@given(st.text(min_size=1), st.text(), st.binary(max_size=15))
def test_what_was_encrypted_is_decrypted_with_the_same_key_and_no_other(text, key, spare):
    written = encrypt(text, key, spare)
    assert decrypt(f"a comment {written}", key, "it") == text
    try:
        assert decrypt(written, key + "x", "it") != text
    except ConfigurationError as error:
        assert "another master password" in str(error)


@pytest.mark.parametrize("namespace", ["", NAMESPACE])
def test_a_password_in_clear_is_read_with_or_without_a_namespace(home, namespace):
    write(home, "pässword &lt;1&gt;", namespace=namespace)
    assert password(home) == "pässword <1>"


def test_a_password_may_be_a_variable_of_the_environment(home):
    write(home, "${env.NEXUS_PASSWORD}")
    assert password(home, {"NEXUS_PASSWORD": "p"}) == "p"
    with pytest.raises(ConfigurationError, match="variable NEXUS_PASSWORD, which is not set"):
        password(home)


def test_an_encrypted_password_is_decrypted_with_the_master_password(home):
    master = encrypt("the master", "settings.security")
    write(home, encrypt("s3cret", "the master"), master=master)
    assert password(home) == "s3cret"


def test_a_relocated_master_password_is_followed_and_not_for_ever(home):
    elsewhere = home / "usb.xml"
    master = encrypt("the master", "settings.security")
    elsewhere.write_text(f"<settingsSecurity><master>{master}</master></settingsSecurity>")
    moved = "<settingsSecurity><relocation>{}</relocation></settingsSecurity>"
    write(home, encrypt("s3cret", "the master"), security=moved.format(elsewhere))
    assert password(home) == "s3cret"
    elsewhere.write_text(moved.format(elsewhere))
    with pytest.raises(ConfigurationError, match="again and again"):
        password(home)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (encrypt("x", "another key"), "encrypted with another master|damaged"),
        ("{not base64!}", "damaged"),
        ("{AAAA}", "damaged"),
        ("{[name=master,cipher=AES/GCM/NoPadding,version=4.0]AAAA}", "the form of Maven 4"),
    ],
    ids=["another key", "no base64", "too short", "Maven 4"],
)
def test_a_password_that_cannot_be_decrypted_is_named(home, written, message):
    write(home, written, master=encrypt("the master", "settings.security"))
    with pytest.raises(ConfigurationError, match=message) as refused:
        password(home)
    assert "server 'models'" in str(refused.value)


def test_a_missing_master_password_names_the_file_it_belongs_into(home):
    write(home, encrypt("x", "k"))
    with pytest.raises(ConfigurationError, match=r"settings-security\.xml"):
        password(home)


def test_a_brace_with_a_backslash_is_a_brace(home):
    write(home, r"\{no cipher\}")
    assert password(home) == r"\{no cipher\}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<settings><servers></settings>", r"settings\.xml is not XML: .*line 1"),
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><settings/>', "has a DOCTYPE"),
    ],
)
def test_a_file_that_is_not_maven_s_is_refused_with_its_name(home, text, message):
    (home / ".m2" / "settings.xml").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        MavenSettings.load(home, {})


def test_one_password_that_cannot_be_decrypted_does_not_hide_the_other_repositories(home):
    write(home, encrypt("x", "k"))
    environ = {
        "GAVIAL_REPOSITORIES_MODELS_URL": "https://nexus.test/",
        "GAVIAL_REPOSITORIES_OTHER_URL": "https://other.test/",
    }
    settings = Settings.load(environ=environ, folder=home, home=home)
    assert settings.find("other").id == "other"
    with pytest.raises(ConfigurationError, match="Cannot decrypt the password"):
        settings.find("models")


def test_a_broken_file_of_maven_matters_only_to_who_needs_it(home):
    (home / ".m2" / "settings.xml").write_text("<broken")
    assert Settings.load(environ={}, folder=home, home=home).find().id == "local"


@pytest.mark.parametrize(
    ("of", "covers"),
    [
        ("central", True),
        ("*", True),
        ("external:*", True),
        ("a, central", True),
        ("*,!central", False),
        ("other", False),
        ("", False),
    ],
)
def test_a_mirror_covers_what_maven_says(of, covers):
    assert Mirror("m", "https://m.test/", of).covers("central") is covers
