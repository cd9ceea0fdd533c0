"""Every error that Gavial raises on purpose.

    GavialError
    ├── InvalidCoordinate          the name of a model or a version is malformed       exit 2
    ├── InvalidSelector            what was asked for is not a selector                exit 2
    ├── ConfigurationError         a setting is missing, contradictory or unsafe       exit 2
    ├── NotFound                                                                       exit 3
    │   ├── ModelNotFound          no model of that name there
    │   └── ReleaseNotFound        the model is there, such a version is not
    ├── ReleaseExists              that version is released: it never changes
    │   └── NumberTaken            only an abandoned claim has that number
    ├── Conflict                   somebody else changed it first: look again
    ├── RepositoryError            a repository did not do what was asked of it
    │   ├── RepositoryUnavailable  no answer, or none that helps: try again
    │   ├── AccessDenied           who you are there is not enough
    │   └── RepositoryRefused      a policy of the repository says no
    ├── CorruptRelease             bytes are not those that were released
    ├── UntrustedRelease           no signature that the trust policy accepts
    ├── PromotionRefused           a gate of the policy says no
    ├── NotDelivered               a channel did not take a message
    └── IncompatibleModel          a model that cannot be packaged, loaded or trusted here
        └── UnsafeModel            it would run code that nobody declared

Each message says what was given, what was expected and what to do next. `exit_code` is what
the command line ends with.
"""

from __future__ import annotations


class GavialError(Exception):
    """The root: `except gavial.errors.GavialError` catches everything Gavial raises on purpose."""

    exit_code = 1


class InvalidCoordinate(GavialError, ValueError):
    """A group, artifact or version that Maven, Ivy or a file system cannot carry."""

    exit_code = 2


class InvalidSelector(GavialError, ValueError):
    """Text that selects no version in any form that Gavial knows."""

    exit_code = 2


class ConfigurationError(GavialError):
    """A setting that is missing, contradictory or unsafe; the message names its source."""

    exit_code = 2


class NotFound(GavialError, LookupError):
    """What was asked for is not there."""

    exit_code = 3


class ModelNotFound(NotFound):
    """No model of that name."""


class ReleaseNotFound(NotFound):
    """The model is known, but no release of it matches; the message lists what there is."""


class ReleaseExists(GavialError):
    """That version has been released. A release is immutable: take the next number."""


class NumberTaken(ReleaseExists):
    """Nothing is released under that version, but a claim of another deploy holds its number."""


class Conflict(GavialError):
    """Somebody else changed an alias or another record first: look again, and decide again."""


class RepositoryError(GavialError):
    """A repository did not do what was asked of it."""


class RepositoryUnavailable(RepositoryError):
    """The repository gave no answer, or a failing one, after every retry that is safe."""


class AccessDenied(RepositoryError):
    """Credentials are missing, wrong, or not allowed to do this."""


class RepositoryRefused(RepositoryError):
    """The repository answered, and a policy or limit of its own says no."""


class CorruptRelease(GavialError):
    """The bytes of a release do not match its digests, or its files contradict each other."""


class UntrustedRelease(GavialError):
    """No signature that the trust policy accepts: none, another's, or one over other bytes."""


class PromotionRefused(GavialError):
    """A release that a gate of the promotion policy does not let through; with every reason."""


class NotDelivered(GavialError):
    """A channel did not take a message. It is tried again the next time."""


class IncompatibleModel(GavialError):
    """A model that cannot be packaged or loaded: the message names the stage and the reason."""


class UnsafeModel(IncompatibleModel):
    """Loading it would run code or SQL that neither Spark nor the release declares."""
