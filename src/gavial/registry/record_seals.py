"""Signatures over records beside a model: of the form of a release's, over the POM and the JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gavial.errors import ConfigurationError, UntrustedRelease
from gavial.maven import layout
from gavial.maven.content import Content
from gavial.maven.coordinate import Entry, Module
from gavial.maven.repository import Repository
from gavial.model.signature import Bundle, Statement, signed_bytes
from gavial.registry.records import Record, Sign

if TYPE_CHECKING:
    from gavial.registry.keys import PublicKey
    from gavial.registry.signer import Signer


def signing(module: Module, signer: Signer) -> Sign:
    """What signs the records of a module, for `records.write`.

    The statement names the record, so that its signature is good for no other number.
    """

    def sign(files: Mapping[str, bytes]) -> bytes:
        (pom,) = (name for name in files if name.endswith(".pom"))
        number = pom.removeprefix(f"{module.artifact}-").removesuffix(".pom")
        digests = {name: _sha256(data) for name, data in files.items()}
        name = f"{pom.removesuffix('.pom')}-signature.json"
        return signer.sign(Statement(f"{module}:{number}", digests), name)

    return sign


def signer_of(store: Repository, record: Record, keys: Mapping[str, PublicKey]) -> str:
    """The fingerprint of the key that signed a record.

    Args:
        keys: those that may have, by fingerprint. A certificate brings its own key, and is good
            only where that is one of these.

    Raises:
        UntrustedRelease: it is unsigned, signed by another key, or what was signed is not this.
        CorruptRelease, IncompatibleModel: its signature cannot be read.
    """
    bundle = bundle_of(store, record.head.entry)
    if bundle is None:
        raise UntrustedRelease(f"{record.head.entry} is not signed")
    return check(store, record, bundle, keys)


def check(store: Repository, record: Record, bundle: Bundle, keys: Mapping[str, PublicKey]) -> str:
    """As `signer_of`, with a signature that was read."""
    entry = record.head.entry
    fingerprint = fingerprint_of(bundle)
    key = keys.get(fingerprint)
    if key is None:
        raise UntrustedRelease(f"{entry} is signed by {fingerprint[:12]}…, a key that nobody named")
    if not key.made(bundle.signature, signed_bytes(bundle.payload)):
        raise UntrustedRelease(f"the signature of {entry} is not one of the key that it names")
    signed = Statement.parse(bundle.payload, f"The signature of {entry}")
    pom = store.read(layout.pom_path(entry)) or b""
    names = {layout.pom_path(entry): _sha256(pom), layout.details_path(entry): record.head.details}
    there = {path.rpartition("/")[2]: digest for path, digest in names.items()}
    differences = signed.differences(Statement(str(entry), there))
    if differences:
        raise UntrustedRelease(
            f"the signature of {entry} was not made for it: {'; '.join(differences)}"
        )
    return fingerprint


def fingerprint_of(bundle: Bundle) -> str:
    """The key that a signature names, or that of its certificate; empty where that is damaged."""
    if not bundle.chain:
        return bundle.key
    from gavial.registry import certificates

    try:
        return certificates.signer_key(bundle.chain[0], "the signer's certificate").fingerprint
    except ConfigurationError:
        return ""


def bundle_of(store: Repository, entry: Entry) -> Bundle | None:
    """The signature of a record; `None` where it has none. Nothing is known of its truth then.

    Raises:
        CorruptRelease, IncompatibleModel: it cannot be read.
    """
    data = store.read(layout.signature_path(entry))
    return None if data is None else Bundle.parse(data, f"The signature of {entry}")


def _sha256(data: bytes) -> str:
    return Content.of_bytes(data).digests["sha256"]
