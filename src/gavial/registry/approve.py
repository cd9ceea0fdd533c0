"""Approvals: somebody's word for a release, as signed records beside the model.

An approval names the release and the sha256 of its card, which names every other file. So it is
worth nothing for another release, nor for other bytes under the same number.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gavial.errors import (
    ConfigurationError,
    CorruptRelease,
    IncompatibleModel,
    UntrustedRelease,
)
from gavial.maven import catalog
from gavial.maven.coordinate import Module
from gavial.maven.record import Head
from gavial.maven.selector import Request
from gavial.model.decision import Approval
from gavial.model.gates import Approvals
from gavial.registry import places, record_seals, records, signer, trust
from gavial.registry.records import Author
from gavial.registry.release import Release
from gavial.registry.warn import warn

if TYPE_CHECKING:
    from gavial.registry.keys import PublicKey

KIND = "approvals"
_CARD = "card"


def module_of(model: Module) -> Module:
    """The module of a model's approvals.

    >>> str(module_of(Module("com.acme", "churn")))
    'com.acme:churn-approvals'
    """
    return Module(model.group, f"{model.artifact}-{KIND}")


def approve(
    gav: str,
    repository: str | os.PathLike[str] | None = None,
    *,
    key: str | os.PathLike[str] | None = None,
    why: str = "",
    owner: str | None = None,
) -> Approval:
    """Approve a release, for a promotion policy that asks for approvals.

    It is a signed record beside the model, in the repository where the release lies. A second one
    by the same key changes nothing: it counts once.

    Args:
        gav: the release: `group:artifact[:selector]`.
        repository: where it lies: a configured id, a URL or a folder; `None` is the default.
        key: the file of a private key (elliptic curve, PEM); `None` is the configured one.
        why: in a sentence.
        owner: who answers for it, where that is not the user.

    Raises:
        ConfigurationError: there is no reason, or no key that can be used.
        ReleaseNotFound: there is no such release.
        RepositoryError: it cannot be written there.

    >>> approve("com.acme:churn:1.0.3", "staging", key="keys/bob.pem",
    ...     why="reviewed with risk")  # doctest: +SKIP
    """
    if not why.strip():
        raise ConfigurationError(
            f"No reason is given why {gav} is approved: say it in a sentence (--why)."
        )
    author = Author.of(why, owner)
    author.check()
    sealing = signer.of(places.settings().signing, key)
    if sealing is None:
        raise ConfigurationError(
            "An approval is signed, and there is no key: pass key= (--key FILE), or configure "
            "[signing]. For a first key: gavial keygen."
        )
    store = places.open_named(repository)
    release = Release.read(store, catalog.select(store, Request.parse(gav)))
    fingerprint = sealing.public.fingerprint
    if fingerprint in signers_of(release):
        warn(
            f"{release.coordinate} is signed with this very key: an approval by whoever made a "
            "release does not count."
        )
    card = release.files[-1].sha256
    model = release.coordinate.module
    known = of(release, {fingerprint: sealing.public}).given
    if known:
        return known[0]
    draft = records.Draft(
        module_of(model),
        model,
        KIND,
        author,
        f"{release.coordinate} is approved. {why}",
        {records.RELEASE: str(release.coordinate), _CARD: card},
    )
    sign = record_seals.signing(draft.module, sealing)
    done = records.write(store, draft, sign=sign)
    return told(done, fingerprint)


def of(release: Release, keys: Mapping[str, PublicKey]) -> Approvals:
    """The approvals of a release by some keys, and why others do not count.

    Args:
        keys: by fingerprint.

    Raises:
        RepositoryError: the repository does not answer.
    """
    given: list[Approval] = []
    ignored: list[str] = []
    card = release.files[-1].sha256
    model = release.coordinate.module
    store = release.repository
    for head in records.of_release(store, module_of(model), KIND, release.coordinate):
        if not isinstance(head, Head):
            ignored.append(str(head).rstrip("."))
            continue
        try:
            if head.facts.get(_CARD) != card:
                raise UntrustedRelease(f"{head.entry} is for another card of {release.coordinate}")
            found = records.read(store, head)
            given.append(told(found, record_seals.signer_of(store, found, keys)))
        except (UntrustedRelease, CorruptRelease, IncompatibleModel) as error:
            ignored.append(str(error).rstrip("."))
    return Approvals(tuple(reversed(given)), tuple(keys), tuple(ignored))


def signers_of(release: Release) -> frozenset[str]:
    """The fingerprints of the keys that a release's signature names."""
    try:
        signature = trust.read(release)
    except (CorruptRelease, IncompatibleModel):
        return frozenset()
    if signature is None:
        return frozenset()
    return frozenset(filter(None, (record_seals.fingerprint_of(signature.bundle),)))


def told(found: records.Record, key: str) -> Approval:
    """The approval that a record is. `key` is the fingerprint of the one that signed it."""
    facts, author = found.head.facts, found.author
    return Approval(
        facts[records.RELEASE],
        facts.get(_CARD, ""),
        key,
        author.who,
        author.when,
        author.why,
        found.number,
    )
