"""Certificates that sign releases, verified offline against an authority of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from gavial.errors import ConfigurationError, UntrustedRelease
from gavial.registry import keys

if TYPE_CHECKING:
    from cryptography.x509.verification import Policy

_MAX_DEPTH = 8


def chain(data: bytes, what: str) -> tuple[bytes, ...]:
    """The certificates of a PEM file as DER, in their order.

    Raises:
        ConfigurationError: it has none, or one that cannot be read.
    """
    return tuple(one.public_bytes(Encoding.DER) for one in _pem(data, what))


def signer_key(first: bytes, what: str) -> keys.PublicKey:
    """The public key of a certificate.

    Raises:
        ConfigurationError: it is no certificate, or its key is of a kind that signs no releases.
    """
    try:
        key = x509.load_der_x509_certificate(first).public_key()
    except Exception as error:  # cryptography names no common error for a hostile certificate
        raise ConfigurationError(f"{what} is no certificate that can be read.") from error
    return keys.of(key, what)


def subject(first: bytes) -> str:
    """Whom a certificate names, as RFC 4514 writes it, such as `CN=Alice,O=Acme`."""
    return x509.load_der_x509_certificate(first).subject.rfc4514_string()


def verify(chain: Sequence[bytes], authority: bytes, what: str, at: datetime) -> str:
    """Verify a chain up to an authority, and that it may sign.

    Args:
        chain: DER, the signer's own first.
        authority: the certificates that are trusted, as PEM.
        what: how a message names them.
        at: when all of them must have been valid.

    Returns:
        Whom the certificate names (`subject`).

    Raises:
        UntrustedRelease: the chain does not lead there, or must not sign.
        ConfigurationError: the authority cannot be read.
    """
    roots = _pem(authority, what)
    try:
        first, *others = (x509.load_der_x509_certificate(one) for one in chain)
        _verifier(roots, at).verify(first, others)
        return first.subject.rfc4514_string()
    except Exception as error:  # verification's own, and a parser's for each way to be malformed
        raise UntrustedRelease(
            f"its certificate does not lead to {what} as of {at.isoformat()}: {error!s:.200}"
        ) from error


def _verifier(roots: list[x509.Certificate], at: datetime) -> verification.ClientVerifier:
    end_entity = verification.ExtensionPolicy.permit_all().require_present(
        x509.KeyUsage, verification.Criticality.AGNOSTIC, _may_sign
    )
    end_entity = end_entity.may_be_present(
        x509.ExtendedKeyUsage, verification.Criticality.AGNOSTIC, _signs_code
    )
    return (
        verification.PolicyBuilder()
        .store(verification.Store(roots))
        .time(at.astimezone(UTC).replace(tzinfo=None))
        .max_chain_depth(_MAX_DEPTH)
        .extension_policies(
            ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(), ee_policy=end_entity
        )
        .build_client_verifier()
    )


def _pem(data: bytes, what: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise ConfigurationError(f"{what} has no certificates in PEM.") from error


def _may_sign(_: Policy, __: x509.Certificate, usage: x509.KeyUsage) -> None:
    if not usage.digital_signature:
        raise ValueError("its key usage does not allow digital signatures")


def _signs_code(_: Policy, __: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    if usage is not None and ExtendedKeyUsageOID.CODE_SIGNING not in usage:
        raise ValueError("it is for other uses than to sign code, such as a server's")
