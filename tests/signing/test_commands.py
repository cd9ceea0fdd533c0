"""`gavial keygen`, `deploy --sign` and `verify`, as processes."""

import json
import os
import subprocess
import sys

import pytest
from tampered import SAVED


@pytest.fixture
def gavial(tmp_path):
    """Runs `gavial` in an empty folder: its exit code, its output and its diagnostics."""

    def run(*arguments, **variables):
        done = subprocess.run(
            (sys.executable, "-m", "gavial", *map(str, arguments)),
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def test_from_a_new_key_to_a_verified_release(gavial, tmp_path):
    code, fingerprint, told = gavial("keygen", "--to", "alice.pem")
    assert (code, len(fingerprint.strip())) == (0, 64)
    secret = (tmp_path / "alice.pem").read_text().splitlines()[1]
    assert secret not in fingerprint + told
    assert "[signing]" in told
    assert "[[trust]]" in told
    deploy = ("deploy", SAVED, "com.acme:churn:1.0", "--repository", "models/")
    code, out, err = gavial(*deploy, "--sign", "alice.pem")
    assert (code, out) == (0, "com.acme:churn:1.0.0\n"), err
    verify = ("verify", "com.acme:churn", "--repository", "models/", "--json")
    code, out, _ = gavial(*verify, "--key", "alice.pub")
    report = json.loads(out)
    assert (code, report["passed"]) == (0, True)
    found = {one["name"]: one["passed"] for one in report["checks"]}
    assert found == dict.fromkeys(
        ("files", "jar", "POM", "metadata", "BOM", "runtime", "signature"), True
    )
    assert fingerprint.strip() in out
    gavial("keygen", "--to", "bob.pem")
    code, out, _ = gavial(*verify, "--key", "bob.pub")
    assert (code, json.loads(out)["passed"]) == (1, False)


def test_verify_of_what_is_not_there_ends_with_three(gavial, signed):
    code, out, err = gavial("verify", "com.acme:churn:9.9.9", "--repository", signed)
    assert (code, out) == (3, "")
    assert "9.9.9" in err


def test_verify_tells_every_problem_and_ends_with_one(gavial, version, repository):
    for name in (".pom", "-metadata.xml"):
        place = version("1.0.1").file(name)
        place.write_bytes(place.read_bytes() + b" ")
    code, out, err = gavial("verify", "com.acme:churn:1.0.1", "--repository", repository)
    assert code == 1
    assert "files      NO" in out
    assert "churn-1.0.1.pom" in err
    assert "churn-1.0.1-metadata.xml" in err


def test_a_download_that_the_policy_refuses_ends_with_one(gavial, signed, policy):
    policy()
    code, _, err = gavial("download", "com.acme:churn:1.0.2", "--repository", signed, "--to", "x")
    assert code == 1
    assert "is by the key" in err


def test_a_download_names_the_signature_with_its_digest(gavial, signed):
    code, out, _ = gavial(
        *("download", "com.acme:churn:1.0.1", "--repository", signed, "--to", "x", "--json")
    )
    files = json.loads(out)["files"]
    assert code == 0
    assert files[-1]["name"] == "churn-1.0.1-signature.json"
    assert len(files[-1]["sha256"]) == 64
