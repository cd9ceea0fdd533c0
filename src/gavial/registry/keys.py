"""Keys that sign releases: elliptic curves P-256, P-384 and P-521, as PEM.

A key is known by its fingerprint, the sha256 of its public half as PEM: what `sha256sum` says of
the file that `gavial keygen` writes, and what `model_signing` calls the key's hint.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from gavial import limits
from gavial.errors import ConfigurationError

# The curves of the Model Signing format, each with its hash.
_HASHES: dict[str, type[HashAlgorithm]] = {
    "secp256r1": SHA256,
    "secp384r1": SHA384,
    "secp521r1": SHA512,
}
_EXPECTED = "an elliptic-curve key (P-256, P-384 or P-521)"
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")


@dataclass(frozen=True)
class PublicKey:
    """The half of a key that verifies."""

    key: ec.EllipticCurvePublicKey

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.pem()).hexdigest()

    def pem(self) -> bytes:
        return self.key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def made(self, signature: bytes, data: bytes) -> bool:
        """Whether a signature over `data` is this key's."""
        try:
            self.key.verify(signature, data, ec.ECDSA(_hash(self.key)))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, repr=False)
class PrivateKey:
    """The half that signs. Nothing shows or writes it."""

    key: ec.EllipticCurvePrivateKey

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.key.public_key())

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(_hash(self.key.public_key())))


def public(data: bytes, what: str) -> PublicKey:
    """Read a public key.

    Args:
        data: PEM.
        what: how a message names it.

    Raises:
        ConfigurationError: it is none, or of a kind that signs no releases.
    """
    label = _label(data)
    if "PRIVATE" in label:
        raise ConfigurationError(
            f"{what} is a private key: expected its public half, such as gavial keygen or "
            "openssl pkey -pubout writes. Whoever has read that file can sign as its owner."
        )
    if label == "CERTIFICATE":
        raise ConfigurationError(
            f"{what} is a certificate: expected a public key. Name the authority that issued it "
            "as ca, or take its key: openssl x509 -pubkey -noout."
        )
    try:
        return of(serialization.load_pem_public_key(data), what)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(f"{what} is no public key in PEM: expected {_EXPECTED}.") from None


def of(key: Any, what: str) -> PublicKey:
    """A key that `cryptography` has read.

    Raises:
        ConfigurationError: it is of a kind that signs no releases.
    """
    _check(key, ec.EllipticCurvePublicKey, what)
    return PublicKey(key)


def private(data: bytes, passphrase: str | None, what: str, variable: str) -> PrivateKey:
    """Read a private key.

    Args:
        data: PEM, encrypted or not.
        passphrase: of an encrypted one.
        what: how a message names it; it never shows what is in it.
        variable: the environment variable that has the passphrase.

    Raises:
        ConfigurationError: it is none, of a kind that signs no releases, or stays locked.
    """
    label = _label(data)
    if label == "PUBLIC KEY" or label == "CERTIFICATE":
        raise ConfigurationError(
            f"{what} is a {label.lower()}: expected the private key that belongs to it."
        )
    if "OPENSSH" in label:
        raise ConfigurationError(f"{what} is a key of OpenSSH: expected {_EXPECTED} in PEM.")
    encrypted = b"ENCRYPTED" in data
    if encrypted and not passphrase:
        raise ConfigurationError(
            f"{what} is encrypted: set {variable} in the environment to its passphrase."
        )
    secret = passphrase.encode() if passphrase and encrypted else None
    try:
        key = serialization.load_pem_private_key(data, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Without the cause: what a parser says of a secret is nobody's business.
        wrong = f", or {variable} is not its passphrase" if encrypted else ""
        raise ConfigurationError(
            f"{what} is no private key in PEM{wrong}: expected {_EXPECTED}."
        ) from None
    _check(key, ec.EllipticCurvePrivateKey, what)
    _check(key.public_key(), ec.EllipticCurvePublicKey, what)
    return PrivateKey(key)  # type: ignore[arg-type]


def generate(to: Path) -> PublicKey:
    """Make a P-256 key: the private half goes to `to`, the public one beside it as `<to>.pub`.

    Raises:
        ConfigurationError: one of the files is there, or cannot be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    made = PublicKey(key.public_key())
    beside = public_file(to)
    if beside.exists():
        raise ConfigurationError(f"{str(beside)!r} is there, and no key is written over.")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        # O_EXCL, and 0600 from its first moment.
        with open(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        with beside.open("xb") as file:
            file.write(made.pem())
    except FileExistsError as error:
        raise ConfigurationError(
            f"{error.filename!r} is there, and no key is written over."
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{str(to)!r} cannot be written: {error.strerror or error}."
        ) from error
    return made


def public_file(private_file: Path) -> Path:
    """Where the public half lies.

    >>> public_file(Path("keys/alice.pem")).name
    'alice.pub'
    """
    if private_file.suffix in (".pem", ".key"):
        return private_file.with_suffix(".pub")
    return private_file.with_name(f"{private_file.name}.pub")


def read(file: Path, what: str) -> bytes:
    """The bytes of a file with a key or certificates.

    Raises:
        ConfigurationError: it cannot be read, or is too large for one.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(limits.SETTINGS + 1)
    except OSError as error:
        raise ConfigurationError(
            f"{what} cannot be read from {str(file)!r}: {error.strerror or error}."
        ) from error
    if len(data) > limits.SETTINGS:
        raise ConfigurationError(f"{what}, {str(file)!r}, is too large for one.")
    return data


def _hash(key: ec.EllipticCurvePublicKey) -> HashAlgorithm:
    return _HASHES[key.curve.name]()


def _check(key: Any, kind: type, what: str) -> None:
    if not isinstance(key, kind):
        name = re.sub(r"^_|(Private|Public)Key$", "", type(key).__name__)
        raise ConfigurationError(f"{what} is of the kind {name}: expected {_EXPECTED}.")
    curve = key.curve.name  # type: ignore[attr-defined]
    if curve not in _HASHES:
        raise ConfigurationError(f"{what} is on the curve {curve}: expected {_EXPECTED}.")


def _label(data: bytes) -> str:
    """What a PEM file says it is first, past the parameters that openssl may put before a key."""
    labels = [found.decode() for found in _LABEL.findall(data)]
    return next((label for label in labels if label != "EC PARAMETERS"), "")
