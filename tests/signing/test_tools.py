"""What we sign, verified by the tools of others: `model_signing`, `openssl` and `gpg`."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import debian
import pytest
from authority import Authority
from maven_server import MavenServer
from tampered import SAVED
from tools import Tool, tool

import gavial
from gavial.errors import ConfigurationError, UntrustedRelease
from gavial.model.signature import signed_bytes

GAV = "com.acme:churn:1.0"
SIGNATURE = "churn-1.0.1-signature.json"


@pytest.fixture(scope="module")
def model_signing():
    return tool("model_signing")


@pytest.fixture
def folder(released, tmp_path):
    """Release 1.0.1, downloaded."""
    released("1.0.1").download(tmp_path / "download")
    return tmp_path / "download"


def verify(model_signing, folder, people, *more):
    key = people / "alice.pub"
    return model_signing(
        "verify", "key", folder, "--signature", folder / SIGNATURE, "--public_key", key, *more
    )


def test_model_signing_verifies_a_downloaded_release(model_signing, folder, people):
    done = verify(model_signing, folder, people)
    assert (done.returncode, done.stdout.strip()) == (0, b"Verification succeeded"), done.stderr


def test_it_does_so_with_the_signature_elsewhere(model_signing, folder, people, tmp_path):
    shutil.move(folder / SIGNATURE, tmp_path / SIGNATURE)
    done = model_signing(
        "verify",
        "key",
        folder,
        *("--signature", tmp_path / SIGNATURE),
        *("--public_key", people / "alice.pub"),
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "churn-1.0.1.jar",
        "churn-1.0.1-card.json",
    ],
)
def test_it_refuses_one_byte_more_in_any_file(name, model_signing, folder, people):
    with (folder / name).open("ab") as file:
        file.write(b" ")
    done = verify(model_signing, folder, people)
    assert done.returncode == 1
    assert name.encode() in done.stderr + done.stdout


def test_it_refuses_a_file_that_was_not_signed(model_signing, folder, people):
    (folder / "churn-1.0.1-evil.jar").write_bytes(b"PK")
    assert verify(model_signing, folder, people).returncode == 1


def test_it_refuses_another_key(model_signing, folder, people):
    done = model_signing(
        "verify",
        "key",
        folder,
        *("--signature", folder / SIGNATURE),
        *("--public_key", people / "mallory.pub"),
    )
    assert done.returncode == 1


def test_what_it_signs_is_read_here(model_signing, released, version, people, policy, tmp_path):
    folder = tmp_path / "com.acme:churn:1.0.3"  # it takes the folder's name for the model's
    released("1.0.3").download(folder)
    signature = tmp_path / "signature.json"
    done = model_signing(
        *("sign", "key", folder, "--signature", signature),
        *("--private_key", people / "alice.pem"),
    )
    assert done.returncode == 0, done.stderr
    version("1.0.3").write("-signature.json", signature.read_bytes())
    policy()
    assert released("1.0.3").verify().passed
    version("1.0.1").write("-signature.json", signature.read_bytes())
    with pytest.raises(UntrustedRelease, match="not made for this release"):
        released("1.0.1").verify()


def test_it_verifies_a_certificate(model_signing, tmp_path):
    root = Authority()
    (tmp_path / "ca.pem").write_bytes(root.pem)
    key = Authority("Acme Models", root).issue("Alice", tmp_path)
    release = gavial.deploy(SAVED, GAV, tmp_path / "models", sign=key)
    release.download(tmp_path / "download")
    signature = tmp_path / "download" / "churn-1.0.0-signature.json"
    arguments = ("verify", "certificate", tmp_path / "download", "--signature", signature)
    done = model_signing(*arguments, "--certificate_chain", tmp_path / "ca.pem")
    assert done.returncode == 0, done.stderr + done.stdout
    (tmp_path / "other.pem").write_bytes(Authority().pem)
    assert model_signing(*arguments, "--certificate_chain", tmp_path / "other.pem").returncode == 1


def test_openssl_verifies_what_is_signed(folder, people, tmp_path):
    envelope = json.loads((folder / SIGNATURE).read_bytes())["dsseEnvelope"]
    data, signature = tmp_path / "data", tmp_path / "signature"
    data.write_bytes(signed_bytes(base64.b64decode(envelope["payload"])))
    signature.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    subprocess.run(
        [
            "openssl",
            "dgst",
            "-sha256",
            "-verify",
            people / "alice.pub",
            "-signature",
            signature,
            data,
        ],
        check=True,
    )


@pytest.fixture(scope="module")
def gpg():
    """A gpg with a home of its own, below a short path, since its agent's socket lies there."""
    found = debian.program("gpg", "gnupg")
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        environment = {**found.environment, "GNUPGHOME": home}
        environment["PATH"] = f"{found.path.parent}{os.pathsep}{os.environ['PATH']}"
        if found.root != Path("/"):
            agent = found.root / "usr" / "bin" / "gpg-agent"
            (Path(home) / "gpg.conf").write_text(f"agent-program {agent}\n")
        run = Tool(found.path, environment)
        made = run(
            "--batch",
            "--passphrase",
            "",
            "--quick-generate-key",
            "Alice <alice@acme.test>",
            "rsa2048",
        )
        assert made.returncode == 0, made.stderr
        yield run
        subprocess.run(["gpgconf", "--kill", "all"], env={**os.environ, **environment}, check=True)


@pytest.fixture
def with_gpg(gpg, monkeypatch):
    for name, value in gpg.environment.items():
        monkeypatch.setenv(name, value)
    return gpg


def test_gpg_verifies_an_asc_beside_each_file(with_gpg, people, tmp_path):
    gavial.deploy(SAVED, GAV, tmp_path / "models", sign=people / "alice.pem", gpg="alice@acme.test")
    folder = tmp_path / "models" / "com" / "acme" / "churn" / "1.0.0"
    signed = sorted(
        file for file in folder.iterdir() if file.suffix not in (".asc", ".sha1", ".md5")
    )
    assert len(signed) == 6
    for file in signed:
        done = with_gpg("--verify", f"{file}.asc", file)
        assert done.returncode == 0, done.stderr
    assert not [*folder.glob("*.asc.sha1"), *folder.glob("*.asc.md5")]
    signed[0].chmod(0o644)
    signed[0].write_bytes(signed[0].read_bytes() + b" ")
    assert with_gpg("--verify", f"{signed[0]}.asc", signed[0]).returncode == 1


def test_over_http_signature_and_asc_files_go_up_before_the_pom(with_gpg, people, tmp_path, policy):
    policy()
    with MavenServer(tmp_path / "served") as server:
        release = gavial.deploy(
            SAVED, GAV, server.url, sign=people / "alice.pem", gpg="alice@acme.test"
        )
        assert release.verify().passed
        release.download(tmp_path / "download")
    there = tmp_path / "served" / "com" / "acme" / "churn" / "1.0.0"
    written = {path.name: path.stat().st_mtime_ns for path in there.iterdir()}
    pom = written["churn-1.0.0.pom"]
    assert written["churn-1.0.0-signature.json"] < pom
    assert written["churn-1.0.0.pom.asc"] < pom
    assert written["churn-1.0.0-signature.json.asc"] < pom
    assert (tmp_path / "download" / "churn-1.0.0-signature.json").is_file()


@pytest.mark.parametrize("key", ["bob@acme.test", "--version", " ", "a\nb"])
def test_a_key_that_gpg_has_not_is_told_before_anything_is_written(key, with_gpg, tmp_path):
    with pytest.raises(ConfigurationError, match="gpg"):
        gavial.deploy(SAVED, GAV, tmp_path / "models", gpg=key)
    assert not (tmp_path / "models").exists()


def test_the_key_of_the_configuration_is_gpgs(with_gpg, tmp_path, monkeypatch):
    monkeypatch.setenv("GAVIAL_SIGNING_GPG", "alice@acme.test")
    gavial.deploy(SAVED, GAV, tmp_path / "models")
    assert list((tmp_path / "models").rglob("churn-1.0.0.pom.asc"))


def test_without_gpg_it_is_said_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="gpg is not installed"):
        gavial.deploy(SAVED, GAV, tmp_path / "models", gpg="alice@acme.test")
