"""What signs a release: a key in a file or the environment, or a command that has it elsewhere."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gavial.errors import ConfigurationError
from gavial.maven.exposure import others_read
from gavial.maven.locations import expanded
from gavial.maven.settings_signing import Signing
from gavial.model.signature import Bundle, Statement, signed_bytes
from gavial.registry.warn import warn

if TYPE_CHECKING:
    from gavial.registry.keys import PublicKey

_SECONDS = 300  # somebody may have to touch a token


@dataclass(frozen=True, repr=False)
class Signer:
    """Signs bytes in the name of one key.

    Attributes:
        public: its public half.
        chain: the signer's certificate and those above it, as DER, where there are any.
    """

    public: PublicKey
    chain: tuple[bytes, ...]
    _sign: Callable[[bytes], bytes]
    _what: str

    def sign(self, statement: Statement, signature_name: str) -> bytes:
        """The bytes of a release's signature.

        Raises:
            ConfigurationError: a command fails, or signs with another key than it should.
        """
        payload = statement.render(signature_name)
        data = signed_bytes(payload)
        signature = self._sign(data)
        if not self.public.made(signature, data):
            raise ConfigurationError(
                f"{self._what} gave {len(signature)} bytes, which are no signature by the key "
                f"{self.public.fingerprint}: expected DER over the sha256 of the standard input."
            )
        key = "" if self.chain else self.public.fingerprint
        return Bundle(payload, signature, key, self.chain).render()


def of(settings: Signing, key: str | os.PathLike[str] | None = None) -> Signer | None:
    """The signer that an argument or the configuration names; `None` where neither does.

    Args:
        settings: the configuration.
        key: the file of a private key, before any configured one.

    Raises:
        ConfigurationError: it cannot be read, or is of a kind that signs no releases.
    """
    if key is not None:
        settings = Signing(
            key=expanded(os.fspath(key)), passphrase_env=settings.passphrase_env, source="sign"
        )
    if settings.problem:
        raise ConfigurationError(settings.problem)
    if not settings.signs:
        return None
    return _by_command(settings) if settings.command else _by_key(settings)


def _by_key(settings: Signing) -> Signer:
    from gavial.registry import certificates, keys

    if settings.key is not None:
        what = f"The signing key {str(settings.key)!r}"
        data = keys.read(settings.key, "The signing key")
        if others_read(settings.key):
            warn(f"{settings.key} holds a private key, and other users can read it: chmod 600.")
    else:
        what = f"The signing key in the environment variable {settings.key_env}"
        text = os.environ.get(settings.key_env)
        if not text:
            raise ConfigurationError(f"{what} is not set (from: {settings.source}).")
        data = text.encode()
    passphrase = os.environ.get(settings.passphrase_env)
    private = keys.private(data, passphrase, what, settings.passphrase_env)
    chain: tuple[bytes, ...] = ()
    if settings.certificate is not None:
        chain = _chain(settings.certificate)
    elif b"BEGIN CERTIFICATE" in data:
        chain = certificates.chain(data, what)
    if chain:
        _check_same(private.public, chain, what)
    return Signer(private.public, chain, private.sign, what)


def _by_command(settings: Signing) -> Signer:
    from gavial.registry import certificates, keys

    what = f"The signing command {settings.command[0]!r}"
    chain = _chain(settings.certificate) if settings.certificate is not None else ()
    if settings.public_key is not None:
        name = f"public_key of {settings.source}"
        public = keys.public(keys.read(settings.public_key, name), name)
        if chain:
            _check_same(public, chain, name)
    else:
        public = certificates.signer_key(chain[0], f"The first of {settings.certificate}")
    return Signer(public, chain, lambda data: _run(settings.command, data, what), what)


def _chain(file: Path) -> tuple[bytes, ...]:
    from gavial.registry import certificates, keys

    what = f"The certificate {str(file)!r}"
    return certificates.chain(keys.read(file, "The certificate"), what)


def _check_same(public: PublicKey, chain: tuple[bytes, ...], what: str) -> None:
    from gavial.registry import certificates

    named = certificates.signer_key(chain[0], "The signer's certificate")
    if named.fingerprint != public.fingerprint:
        raise ConfigurationError(
            f"{what} is not the key of the first certificate "
            f"({certificates.subject(chain[0])}): put the signer's own certificate first."
        )


def _run(command: tuple[str, ...], data: bytes, what: str) -> bytes:
    """What a program answers. What it says of itself goes where ours goes, and into no message."""
    try:
        done = subprocess.run(
            command, input=data, stdout=subprocess.PIPE, timeout=_SECONDS, check=False
        )
    except OSError as error:
        raise ConfigurationError(f"{what} does not start: {error.strerror or error}.") from error
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"{what} gave no signature within {_SECONDS} seconds.") from None
    if done.returncode != 0:
        raise ConfigurationError(f"{what} failed: it ended with {done.returncode}.")
    return done.stdout
