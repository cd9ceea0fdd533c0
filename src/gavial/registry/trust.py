"""Whether a release is signed as the configuration asks for.

Each source of rules that covers the release's group must be satisfied on its own; within one, any
key of any of its rules that cover it will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gavial.errors import ConfigurationError, UntrustedRelease
from gavial.maven import layout
from gavial.maven.coordinate import Coordinate, Module
from gavial.maven.settings_signing import TrustRule
from gavial.model.signature import Bundle, Statement, signed_bytes
from gavial.registry import places

if TYPE_CHECKING:
    from gavial.maven.repository import Repository
    from gavial.registry.keys import PublicKey
    from gavial.registry.release import Release
    from gavial.registry.signer import Signer

_AHEAD = 300.0  # seconds by which a deployer's clock may be before ours


@dataclass(frozen=True)
class Signature:
    """A release's signature, read and compared with the release; by whom is another matter.

    Attributes:
        data: the bytes of its file.
        bundle: what is in it.
    """

    data: bytes
    bundle: Bundle

    @property
    def signer(self) -> str:
        """Whom it names. Nobody has verified that."""
        if not self.bundle.chain:
            return f"key {self.bundle.key}"
        from gavial.registry import certificates

        try:
            return f"certificate {certificates.subject(self.bundle.chain[0])}"
        except ValueError:
            return "a certificate that cannot be read"


def applies(module: Module) -> bool:
    """Whether the configuration asks for signatures of a module."""
    return bool(rules_of(module))


def rules_of(module: Module) -> list[TrustRule]:
    """The configured rules that cover a module."""
    return _covering(places.settings().trust, module)


def require(release: Release) -> Signature | None:
    """Check a release against the configured rules, before any byte of it is used.

    Returns:
        Its signature, where there are rules for its group; `None` where there are none, and then
        nothing was read.

    Raises:
        UntrustedRelease: it is unsigned, signed by another, or what was signed is not this.
        CorruptRelease: its signature cannot be read.
        IncompatibleModel: its signature is of a later form.
    """
    rules = rules_of(release.coordinate.module)
    return check(release, rules) if rules else None


def require_card(coordinate: Coordinate) -> None:
    """Refuse a release that Gavial did not make, where the configuration asks for signatures."""
    rules = rules_of(coordinate.module)
    if rules:
        raise UntrustedRelease(
            f"{coordinate} has no model card, so it cannot be signed, and {_sources(rules)} asks "
            f"for a signature of {coordinate.group}."
        )


def check(release: Release, rules: Sequence[TrustRule]) -> Signature:
    """Check a release against given rules, all of which cover it."""
    return check_read(release, read(release), rules)


def check_read(
    release: Release, signature: Signature | None, rules: Sequence[TrustRule]
) -> Signature:
    """The same with a signature that was read already."""
    if signature is None:
        raise UntrustedRelease(
            f"{release.coordinate} in repository {release.repository.id!r} is not signed, and "
            f"{_sources(rules)} asks for a signature of {release.coordinate.group}."
        )
    for source in dict.fromkeys(rule.source for rule in rules):
        _satisfy(release, signature.bundle, [rule for rule in rules if rule.source == source])
    compare(release, signature)
    return signature


def read(release: Release) -> Signature | None:
    """A release's signature; `None` where it has none. Nothing is known of its truth then.

    Raises:
        CorruptRelease: it cannot be read.
        IncompatibleModel: it is of a later form.
    """
    return read_of(release.repository, release.coordinate)


def read_of(store: Repository, coordinate: Coordinate) -> Signature | None:
    """As `read`, of a release whose card nobody asked for."""
    path = layout.signature_path(coordinate)
    data = store.read(path)
    return None if data is None else Signature(data, Bundle.parse(data, path.rpartition("/")[2]))


def compare(release: Release, signature: Signature) -> None:
    """Check that what was signed is this release, whoever signed it.

    Raises:
        UntrustedRelease: it is another release, or has other files.
        CorruptRelease: what was signed is no statement.
        IncompatibleModel: it is one of a later form.
    """
    name = layout.signature_path(release.coordinate).rpartition("/")[2]
    signed = Statement.parse(signature.bundle.payload, name)
    there = Statement(str(release.coordinate), {file.name: file.sha256 for file in release.files})
    differences = signed.differences(there)
    if differences:
        raise UntrustedRelease(
            f"{name} in repository {release.repository.id!r} was not made for this release: "
            f"{'; '.join(differences)}."
        )


def check_signer(module: Module, rules: Iterable[TrustRule], signer: Signer | None) -> None:
    """Check that what is about to be signed will be trusted here.

    Raises:
        ConfigurationError: it will not.
    """
    covering = _covering(rules, module)
    if covering and signer is None:
        raise ConfigurationError(
            f"{_sources(covering)} asks for a signature of {module.group}, and this deploy has no "
            "key, so nobody with these rules could load the release: pass sign= (--sign KEY), or "
            "configure [signing]. For a first key: gavial keygen."
        )
    if not covering or signer is None:
        return
    for source in dict.fromkeys(rule.source for rule in covering):
        ours = [rule for rule in covering if rule.source == source]
        trusted = _fingerprints(ours)
        if not signer.chain and signer.public.fingerprint in trusted:
            continue
        if signer.chain and any(_leads_there(signer.chain, rule) for rule in ours if rule.ca):
            continue
        who = "this certificate" if signer.chain else f"the key {signer.public.fingerprint}"
        raise ConfigurationError(
            f"{source} does not let {who} sign for {module.group}: there may "
            f"{_named(trusted, ours)}."
        )


def _covering(rules: Iterable[TrustRule], module: Module) -> list[TrustRule]:
    return [rule for rule in rules if rule.covers(module.group)]


def _satisfy(release: Release, bundle: Bundle, rules: Sequence[TrustRule]) -> None:
    """Check that one source's rules accept who signed."""
    data = signed_bytes(bundle.payload)
    trusted = _fingerprints(rules)
    where = f"The signature of {release.coordinate} in repository {release.repository.id!r}"
    key = trusted.get(bundle.key)
    if key is not None:
        if not key.made(bundle.signature, data):
            raise UntrustedRelease(
                f"{where} is not one of the key that it names, {bundle.key}: it was altered."
            )
        return
    reasons = []
    if bundle.chain:
        for rule in (rule for rule in rules if rule.ca):
            try:
                _by_certificate(release, bundle, rule, data)
                return
            except UntrustedRelease as error:
                reasons.append(str(error))
    who = f"the key {bundle.key}" if bundle.key else "a certificate"
    raise UntrustedRelease(
        f"{where} is by {who}, and {rules[0].source} trusts for {release.coordinate.group} "
        f"{_named(trusted, rules)} alone{': ' if reasons else '.'}{'; '.join(reasons)}"
    )


def _leads_there(chain: Sequence[bytes], rule: TrustRule) -> bool:
    try:
        subject = _subject(chain, rule, datetime.now(UTC))
    except UntrustedRelease:
        return False
    return not rule.subjects or subject in rule.subjects


def _subject(chain: Sequence[bytes], rule: TrustRule, at: datetime) -> str:
    """Whom a chain names that leads to a rule's authority."""
    from gavial.registry import certificates, keys

    if rule.ca is None:
        raise AssertionError("a rule with an authority")
    authority = keys.read(rule.ca, f"ca of {rule.source}")
    return certificates.verify(chain, authority, str(rule.ca), at)


def _by_certificate(release: Release, bundle: Bundle, rule: TrustRule, data: bytes) -> None:
    from gavial.registry import certificates

    subject = _subject(bundle.chain, rule, _when(release))
    if rule.subjects and subject not in rule.subjects:
        raise UntrustedRelease(f"its certificate is that of {subject!r:.200}")
    try:
        key = certificates.signer_key(bundle.chain[0], "the signer's certificate")
    except ConfigurationError as error:
        raise UntrustedRelease(str(error)) from error
    if not key.made(bundle.signature, data):
        raise UntrustedRelease("it is not one of the key of its certificate: it was altered")


def _when(release: Release) -> datetime:
    """When a release was made, by its card, which the signature covers."""
    try:
        made = datetime.fromisoformat(release.card.created)
        made = made.astimezone(UTC) if made.tzinfo else made.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UntrustedRelease(f"its card was made {release.card.created!r:.80}") from error
    if (made - datetime.now(UTC)).total_seconds() > _AHEAD:
        raise UntrustedRelease(
            f"its card says that it was made {made.isoformat()}, which is still to come: one of "
            "the clocks is off"
        )
    return made


def _fingerprints(rules: Iterable[TrustRule]) -> Mapping[str, PublicKey]:
    found: dict[str, PublicKey] = {}
    for rule in rules:
        found |= public_keys(rule.keys, rule.source)
    return found


def public_keys(files: Iterable[Path], source: str) -> dict[str, PublicKey]:
    """Public keys by their fingerprint.

    Args:
        files: one each.
        source: where they are named, as a message says it.

    Raises:
        ConfigurationError: one cannot be read, or is of a kind that signs no releases.
    """
    try:
        from gavial.registry import keys
    except ImportError as error:
        raise ConfigurationError(
            'Verifying signatures needs cryptography 45 or newer: pip install "gavial"'
        ) from error
    found = {}
    for file in files:
        what = f"The key {str(file)!r} of {source}"
        key = keys.public(keys.read(file, what), what)
        found[key.fingerprint] = key
    return found


def _named(trusted: Iterable[str], rules: Iterable[TrustRule]) -> str:
    names = [f"the key {one}" for one in trusted]
    names += [f"certificates of {rule.ca}" for rule in rules if rule.ca]
    return " and ".join(names)


def _sources(rules: Iterable[TrustRule]) -> str:
    return " and ".join(dict.fromkeys(rule.source for rule in rules))
