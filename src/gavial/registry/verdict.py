"""Who signed a release, and whether that is trusted: an answer, where `trust` raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gavial.errors import CorruptRelease, GavialError, IncompatibleModel, UntrustedRelease
from gavial.maven.settings_signing import TrustRule
from gavial.model.signature import signed_bytes
from gavial.registry import trust

if TYPE_CHECKING:
    from gavial.registry.release import Release


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a signature.

    Attributes:
        accepted: whether the rules accept it; `None` where there are none, and nothing is wrong.
        signer: whom it names, such as `key abd6d370…`; empty for none. A claim unless accepted.
        detail: what was found, in a sentence.
        rules: where the rules are written that were asked; empty for none.
    """

    accepted: bool | None
    signer: str
    detail: str
    rules: str = ""


def of(release: Release, rules: Sequence[TrustRule]) -> Verdict:
    """Judge a release's signature by rules that all cover it, in one request.

    Raises:
        ConfigurationError: a key of the rules cannot be read.
        RepositoryError: the repository does not answer.
    """
    signer, sources = "", " and ".join(dict.fromkeys(rule.source for rule in rules))
    try:
        found = trust.read(release)
        signer = "" if found is None else found.signer
        if rules:
            trust.check_read(release, found, rules)
            return Verdict(True, signer, f"by {signer}, trusted by {sources}", sources)
        if found is None:
            return Verdict(None, "", "none, and no trust policy asks for one")
        trust.compare(release, found)
        if found.bundle.chain:
            _check_own_key(found)
    except (UntrustedRelease, CorruptRelease, IncompatibleModel) as error:
        return Verdict(False, signer, str(error), sources)
    group = release.coordinate.group
    return Verdict(None, signer, f"says it is by {signer}; no trust policy names who signs {group}")


def _check_own_key(found: trust.Signature) -> None:
    """Check a signature with the key of the certificate that it brings, whoever that is."""
    from gavial.registry import certificates

    try:
        key = certificates.signer_key(found.bundle.chain[0], "The signer's certificate")
    except GavialError as error:
        raise UntrustedRelease(str(error)) from error
    if not key.made(found.bundle.signature, signed_bytes(found.bundle.payload)):
        raise UntrustedRelease("The signature is not one of the key of its certificate.")
