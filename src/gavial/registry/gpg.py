"""The user's own gpg: an `.asc` beside each file, where a repository asks for one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from gavial.errors import ConfigurationError
from gavial.maven.content import Content

_KEY = re.compile(r"[^\s-][^\r\n\x00]{0,200}")  # an id, a fingerprint, or a user's name
_SECONDS = 300  # somebody may have to type a passphrase
_ARMOUR = b"-----BEGIN PGP SIGNATURE-----"


def check(key: str) -> None:
    """Check that gpg is there and has that private key.

    Raises:
        ConfigurationError: it has not.
    """
    if not _KEY.fullmatch(key):
        raise ConfigurationError(f"{key!r} is no id of a gpg key.")
    _run(["--list-secret-keys", "--", key], None, f"has no private key {key!r}")


def sign(key: str, content: Content) -> bytes:
    """A detached, armoured signature of a file.

    Raises:
        ConfigurationError: gpg does not sign it.
    """
    arguments = [f"--local-user={key}", "--armor", "--detach-sign", "--output=-"]
    if isinstance(content.source, Path):
        signature = _run([*arguments, "--", str(content.source)], None, "does not sign")
    else:
        signature = _run(arguments, content.source, "does not sign")
    if not signature.startswith(_ARMOUR):
        raise ConfigurationError("gpg wrote something other than a signature.")
    return signature


def _run(arguments: list[str], data: bytes | None, failed: str) -> bytes:
    try:
        done = subprocess.run(
            ["gpg", "--batch", *arguments],
            input=data or b"",
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise ConfigurationError(
            "gpg is not installed, and .asc files were asked for: install GnuPG, or leave gpg out."
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(f"gpg {failed}: {type(error).__name__}.") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ConfigurationError(f"gpg {failed}: {said[-1] if said else done.returncode:.200}.")
    return done.stdout
