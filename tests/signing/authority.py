"""An authority of the tests' own, and certificates that it issues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CODE = (ExtendedKeyUsageOID.CODE_SIGNING,)
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
DAY = timedelta(days=1)


class Authority:
    """Issues certificates, itself or through one below it."""

    def __init__(self, name="Acme Root", above=None):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.above = above
        issuer = above or self
        self.certificate = _issued(issuer, self.key, name, name if above is None else None, ca=True)

    @property
    def pem(self):
        return _pem(self.certificate)

    def issue(self, name, folder, *, uses=CODE, begins=-DAY, ends=DAY, signs=True):
        """A key with its certificate and those below the root, in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _issued(self, key, name, None, uses=uses, begins=begins, ends=ends, signs=signs)
        chain = _pem(leaf) + (self.pem if self.above else b"")
        file = folder / f"{name}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + chain
        )
        file.chmod(0o600)
        return file


def _issued(
    issuer, key, name, own, *, ca=False, uses=None, begins=-400 * DAY, ends=400 * DAY, signs=True
):
    now = datetime.now(UTC)
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    above = named if own else issuer.certificate.subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(above)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(
            x509.KeyUsage(signs, False, False, False, False, ca, ca, False, False), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
            critical=False,
        )
    )
    if uses:
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)
