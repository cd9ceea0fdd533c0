"""The form of a release's signature, `-signature.json`: OpenSSF Model Signing v1.0. Pure.

A Sigstore bundle holds a DSSE envelope, and that an in-toto statement which names the release
and the sha256 of each of its files. What is signed is the statement; who signed is not decided
here.

Sources: https://github.com/ossf/model-signing-spec,
https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md,
https://github.com/sigstore/protobuf-specs (bundle v0.3),
https://github.com/in-toto/attestation/tree/main/spec/v1
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gavial import limits
from gavial.errors import CorruptRelease, IncompatibleModel
from gavial.model import json_values

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"

_MEDIA_TYPE = re.compile(r"application/vnd\.dev\.sigstore\.bundle\.v(\d{1,4})\.(\d{1,4})\+json")
_STATEMENT_TYPE = re.compile(r"https://in-toto\.io/Statement/v(\d{1,4})()")
_PREDICATE_TYPE = re.compile(r"https://model_signing/signature/v(\d{1,4})\.(\d{1,4})")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CERTIFICATES = 10  # a chain has two or three
_SIGNATURE_BYTES = 1024  # that of the largest curve has 139


@dataclass(frozen=True)
class Statement:
    """What is signed: a release's coordinate, and the sha256 of each of its files by name."""

    coordinate: str
    digests: Mapping[str, str]

    def render(self, signature_name: str) -> bytes:
        """The bytes of the statement: the same values give the same bytes.

        Args:
            signature_name: the file that the signature itself will be, which it cannot cover.
        """
        resources = [
            {"name": name, "algorithm": "sha256", "digest": digest}
            for name, digest in sorted(self.digests.items())
        ]
        content = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": self.coordinate, "digest": {"sha256": _root(resources)}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "serialization": {
                    "method": "files",
                    "hash_type": "sha256",
                    "allow_symlinks": False,
                    "ignore_paths": [signature_name],
                },
                "resources": resources,
            },
        }
        return json.dumps(content, indent=2).encode()

    @classmethod
    def parse(cls, payload: bytes, what: str) -> Statement:
        """Read a statement.

        Raises:
            CorruptRelease: it is none.
            IncompatibleModel: it is of a later form.
        """
        try:
            content = _object(json_values.loads(payload, _no_constant))
            _check_type(content["_type"], _STATEMENT_TYPE, STATEMENT_TYPE, what)
            _check_type(content["predicateType"], _PREDICATE_TYPE, PREDICATE_TYPE, what)
            (subject,) = _list(content["subject"])
            predicate = _object(content["predicate"])
            method = _object(predicate["serialization"])
            if method["method"] != "files" or method["hash_type"] != "sha256":
                raise ValueError(
                    f"it hashes {method['method']!r:.40} by {method['hash_type']!r:.40}"
                )
            resources = [_object(one) for one in _list(predicate["resources"])]
            digests = dict(map(_resource, resources))
            if len(digests) != len(resources):
                raise ValueError("it names a file twice")
            name, root = _text(subject["name"]), subject["digest"]["sha256"]
            if root != _root(resources):
                raise ValueError("its files are not those of its subject")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _damaged(what, error) from error
        return cls(name, digests)

    def differences(self, other: Statement) -> tuple[str, ...]:
        """What this statement, which was signed, says otherwise than `other`, which is there."""
        found = []
        if self.coordinate != other.coordinate:
            found.append(f"it is the signature of {self.coordinate!r:.100}")
        for name in sorted(self.digests.keys() | other.digests.keys()):
            if name not in other.digests:
                found.append(f"it covers {name!r:.100}, which the release has not")
            elif name not in self.digests:
                found.append(f"it does not cover {name}")
            elif self.digests[name] != other.digests[name]:
                found.append(f"it covers a {name} with other bytes")
        return tuple(found)


@dataclass(frozen=True)
class Bundle:
    """A signature and what it is over.

    Attributes:
        payload: the bytes of the statement.
        signature: over `signed_bytes(payload)`, as DER.
        key: the fingerprint of the key that made it, where it names one.
        chain: or the signer's certificate and those above it, as DER.
    """

    payload: bytes
    signature: bytes
    key: str = ""
    chain: tuple[bytes, ...] = ()

    def render(self) -> bytes:
        """The bytes of `-signature.json`."""
        material: dict[str, Any] = {"publicKey": {"hint": self.key}}
        if self.chain:
            certificates = [{"rawBytes": _base64(one)} for one in self.chain]
            material = {"x509CertificateChain": {"certificates": certificates}}
        content = {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {**material, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": _base64(self.payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": _base64(self.signature), "keyid": ""}],
            },
        }
        return json.dumps(content).encode() + b"\n"

    @classmethod
    def parse(cls, data: bytes, what: str) -> Bundle:
        """Read a signature file. Nothing is known of its truth then.

        Args:
            what: how a message names the file.

        Raises:
            CorruptRelease: it is none, or of a kind that Gavial does not verify.
            IncompatibleModel: it is of a later form.
        """
        if len(data) > limits.SIGNATURE:
            raise CorruptRelease(
                f"{what} has more than {limits.SIGNATURE} bytes (GAVIAL_LIMIT_SIGNATURE)."
            )
        try:
            content = _object(json_values.loads(data, _no_constant))
            _check_type(content["mediaType"], _MEDIA_TYPE, MEDIA_TYPE, what)
            key, chain = _material(_object(content["verificationMaterial"]))
            envelope = _object(content["dsseEnvelope"])
            if envelope["payloadType"] != PAYLOAD_TYPE:
                raise ValueError(f"its payload is a {envelope['payloadType']!r:.80}")
            signatures = _list(envelope["signatures"])
            if len(signatures) != 1:
                raise ValueError(f"it has {len(signatures)} signatures: expected one")
            signature = _bytes(_object(signatures[0])["sig"])
            if not 0 < len(signature) <= _SIGNATURE_BYTES:
                raise ValueError(f"its signature has {len(signature)} bytes")
            return cls(_bytes(envelope["payload"]), signature, key, chain)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _damaged(what, error) from error


def signed_bytes(payload: bytes) -> bytes:
    """What a signature is over: DSSE's pre-authentication encoding of the payload.

    >>> signed_bytes(b"{}")
    b'DSSEv1 28 application/vnd.in-toto+json 2 {}'
    """
    head = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} "
    return head.encode() + payload


def _material(material: Mapping[str, Any]) -> tuple[str, tuple[bytes, ...]]:
    kinds = sorted(material.keys() & {"publicKey", "x509CertificateChain", "certificate"})
    if kinds == ["publicKey"]:
        hint = _text(_object(material["publicKey"])["hint"])
        if not _SHA256.fullmatch(hint):
            raise ValueError(f"{hint!r:.80} is no fingerprint of a key")
        return hint, ()
    if kinds == ["x509CertificateChain"]:
        chain = _list(_object(material["x509CertificateChain"])["certificates"])
        if not 0 < len(chain) <= _CERTIFICATES:
            raise ValueError(f"it has {len(chain)} certificates")
        return "", tuple(_bytes(_object(one)["rawBytes"]) for one in chain)
    raise ValueError("it names neither one key nor one chain of certificates")


def _check_type(found: Any, form: re.Pattern[str], known: str, what: str) -> None:
    if found == known:
        return
    later = form.fullmatch(_text(found))
    ours = form.fullmatch(known)
    if later and ours and _numbers(later) > _numbers(ours):
        raise IncompatibleModel(
            f"{what} is of the form {found}; this Gavial reads {known}. "
            "Use a later one: pip install --upgrade gavial"
        )
    raise ValueError(f"it is a {found!r:.80}")


def _numbers(version: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(number or 0) for number in version.groups())


def _resource(resource: Mapping[str, Any]) -> tuple[str, str]:
    name, digest = _text(resource["name"]), _text(resource["digest"])
    if resource["algorithm"] != "sha256" or not _SHA256.fullmatch(digest):
        raise ValueError(f"the digest of {name!r:.80} is no sha256")
    return name, digest


def _root(resources: list[Any]) -> str:
    """The digest of all digests in their order, as the form asks for."""
    return hashlib.sha256(b"".join(bytes.fromhex(one["digest"]) for one in resources)).hexdigest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: Any) -> bytes:
    return base64.b64decode(_text(text), validate=True)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"it has a {type(value).__name__} where an object belongs")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"it has a {type(value).__name__} where a list belongs")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"it has a {type(value).__name__} where a text belongs")
    return value


def _no_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _damaged(what: str, error: Exception) -> CorruptRelease:
    lacks = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
    return CorruptRelease(f"{what} is no signature that Gavial reads: {lacks:.200}.")
