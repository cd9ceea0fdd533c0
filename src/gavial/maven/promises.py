"""What Gavial can promise on a repository that behaves in a certain way. Pure: words.

The promises and their reasons: docs/protocol.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from gavial.maven.behaviour import Behaviour

# Which setting of a server keeps its users from overwriting.
MEND_OVERWRITING = (
    "Let the server refuse to overwrite: Nexus, deployment policy 'Disable redeploy'; Artifactory, "
    "take Delete/Overwrite from this user; GitLab, forbid duplicates of Maven packages; nginx and "
    "Apache, allow MKCOL."
)
RISK = "a deploy that stands still for longer than the settle time can overwrite another's release"


@dataclass(frozen=True)
class Promise:
    """One promise: whether it is kept there, why, and what could be better.

    `kept` is `None` where nothing can be released, so that there is nothing to promise.
    """

    name: str
    kept: bool | None
    why: str
    mend: str = ""


def promises(behaviour: Behaviour) -> tuple[Promise, ...]:
    """The promises of the publish protocol, for whoever may release there.

    >>> [promise.kept for promise in promises(Behaviour(shows_claims=True, overwrites=False,
    ...     keeps_metadata=True, may_delete=False))]
    [True, True, True]
    """
    return (_numbers(behaviour), _whole(behaviour), _immutable(behaviour))


def _numbers(behaviour: Behaviour) -> Promise:
    name = "no number is used twice"
    if not behaviour.may_release:
        return _no_deploy(name, behaviour)
    if behaviour.makes_folders:
        return Promise(name, True, "of several makers of a version's folder one wins")
    if not behaviour.overwrites:
        return Promise(
            name, True, "the server refuses to overwrite; each claim settles and is read back"
        )
    return Promise(name, False, f"the server lets this user overwrite: {RISK}", MEND_OVERWRITING)


def _whole(behaviour: Behaviour) -> Promise:
    name = "no half release is visible"
    if not behaviour.may_release:
        return _no_deploy(name, behaviour)
    return Promise(name, True, "the POM goes last, and what has none is no release")


def _immutable(behaviour: Behaviour) -> Promise:
    name = "what is released never changes"
    if not behaviour.may_release:
        return _no_deploy(name, behaviour)
    if behaviour.keeps_releases:
        return Promise(name, True, "the repository lets this user neither overwrite nor delete")
    may = {
        (True, True): "overwrite and delete",
        (True, False): "overwrite",
        (False, True): "delete",
    }[bool(behaviour.overwrites), bool(behaviour.may_delete)]
    return Promise(
        name,
        True,
        f"Gavial never changes a release; other tools may: this user may {may} files there",
        "Take that right from those who deploy, where the repository has such a setting.",
    )


def _no_deploy(name: str, behaviour: Behaviour) -> Promise:
    if behaviour.refusal:
        return Promise(name, None, "this user cannot deploy there")
    if not behaviour.shows_claims:
        why = "the server does not show what was written to it, so every deploy is refused"
    else:
        why = "maven-metadata.xml cannot be written twice, so a second release cannot be listed"
    return Promise(name, None, why)
