"""What Spark must be told so that `--packages` finds our releases."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gavial.errors import ConfigurationError, RepositoryRefused
from gavial.maven import catalog, ivy, layout
from gavial.maven.coordinate import Coordinate, Library, Module
from gavial.maven.open import open_repository
from gavial.maven.repository import Repository
from gavial.maven.selector import Request
from gavial.maven.settings import RepositorySettings, environment_name
from gavial.registry import fast_start as start
from gavial.registry import local, places, runtime, trust
from gavial.registry.chosen import choose
from gavial.registry.release import Release, Transferred
from gavial.registry.verified import prepare
from gavial.registry.warn import warn


@dataclass(frozen=True)
class Plan:
    """Settings for a Spark that is yet to start, and the secrets that its JVM's environment needs.

    `conf` holds no secret; `environment` is for that one process.
    """

    conf: Mapping[str, str]
    environment: Mapping[str, str]


def spark_conf(
    *gavs: str,
    repository: str | os.PathLike[str] | None = None,
    exact: bool = False,
    verified: bool = False,
    fast_start: bool = False,
) -> dict[str, str]:
    """Settings with which Spark fetches models as it starts: `--packages` and `ivysettings.xml`.

    Where the repository wants credentials, their environment variables are set in this process,
    for the JVM that is started next, and a warning names them.

    Args:
        gavs: `group:artifact[:selector]` or `group:artifact@alias`, one for each model. An alias
            becomes the version that it means now.
        repository: a configured id, a URL or a folder.
        exact: name the versions that the selectors mean now, not the selectors.
        verified: fetch and verify the releases now, and let Spark take those files and no other.
            Spark's own check is a sha1, and code of a jar runs before any check of ours. The
            versions are exact then, and no credentials are needed by the JVM. Where a trust policy
            applies to one of them, all are.
        fast_start: set flags with which the driver's JVM starts in about half of the time, for jobs
            whose start is most of their time. They take the place of other
            `spark.driver.extraJavaOptions`. The first use on a machine takes a minute.

    Raises:
        ConfigurationError: this process has a JVM already, or two of `gavs` are one module.
        ModelNotFound, ReleaseNotFound: nothing in the repository matches.
        CorruptRelease: what was to be verified is not what its card says.
        UntrustedRelease: a trust policy asks for a signature that a release has not.

    >>> conf = spark_conf("com.acme:churn:1.+", repository="models")  # doctest: +SKIP
    >>> SparkSession.builder.config(map=conf).getOrCreate()  # doctest: +SKIP
    """
    if _jvm_runs():
        raise ConfigurationError(
            "This process has a JVM already, and packages are resolved only as one starts. Call "
            "spark_conf first, in a fresh process; or load the model from the repository: "
            "gavial.resolve(gav, repository=…)."
        )
    made = plan(gavs, repository, exact=exact, verified=verified, fast_start=fast_start)
    wanted = {name: value for name, value in made.environment.items() if name not in os.environ}
    if wanted:
        os.environ.update(wanted)
        warn(
            f"Set in the environment of this process, for Spark's JVM: {', '.join(sorted(wanted))}."
        )
    return dict(made.conf)


def plan(
    gavs: Sequence[str],
    repository: str | os.PathLike[str] | None = None,
    *,
    exact: bool = False,
    verified: bool = False,
    fast_start: bool = False,
    progress: Transferred | None = None,
) -> Plan:
    """What `spark_conf` sets, without setting anything."""
    requests = [Request.parse(gav) for gav in gavs]
    _check_modules(requests)
    store = places.open_named(repository)
    chosen = [choose(store, request) for request in requests]
    # What Ivy brings is compared with nothing of ours: where signatures are asked for, it is shown
    # nothing but what has one.
    verified = verified or any(trust.applies(one.module) for one in chosen)
    packages = [
        str(coordinate)
        if exact or verified or request.alias
        else f"{request.module}:{request.selector.ivy or coordinate.version}"
        for request, coordinate in zip(requests, chosen, strict=True)
    ]
    newer = _own_runtime_is_newer(store, chosen)
    if newer:
        packages.append(str(runtime.library()))
    groups = {one.module.group for one in requests}
    url = store.url
    if verified:
        releases = [Release.read(store, coordinate) for coordinate in chosen]
        folder = prepare(releases, newer, progress)
        url = folder.as_uri()
        settings, environment = _verified_settings(folder, releases, repository)
    else:
        settings, environment = ivysettings(repository, groups)
    conf = {
        "spark.jars.packages": ",".join(packages),
        "spark.jars.ivySettings": str(_kept(settings)),
        "spark.jars.ivy": str(_ivy_folder(url)),
    }
    if fast_start:
        conf[start.CONF] = start.java_options()
    return Plan(conf, environment)


def ivysettings(
    repository: str | os.PathLike[str] | None = None, groups: Iterable[str] = ()
) -> tuple[bytes, dict[str, str]]:
    """An `ivysettings.xml` for a repository, and the secrets that the JVM's environment needs.

    Args:
        repository: a configured id, a URL or a folder.
        groups: what that repository alone may answer for; where none are given, the groups of
            all models there, as far as it lists them.

    Raises:
        ConfigurationError: Ivy cannot log in there with what is configured.
    """
    settings = places.settings()
    ours = settings.find(places.as_text(repository))
    known = set(groups) or _groups(open_repository(ours))
    if not known:
        warn(
            f"Repository {ours.id!r} lists no models, so any repository may answer for them: name "
            "their groups (gavial ivysettings --group com.acme)."
        )
    resolvers, environment = _resolvers(ours, settings.central())
    data = ivy.ivysettings(resolvers[0], resolvers[1:], known | {runtime.MODULE.group})
    return data, environment


def _verified_settings(
    folder: Path, releases: Sequence[Release], repository: str | os.PathLike[str] | None
) -> tuple[bytes, dict[str, str]]:
    """As `ivysettings`, with a folder of verified releases that nothing else may answer for.

    Their repository is asked as well where a model has libraries, which may lie there.
    """
    modules = {release.coordinate.module for release in releases} | {runtime.MODULE}
    groups = {module.group for module in modules}
    settings = places.settings()
    checked = ivy.Resolver("verified", folder.as_uri() + "/")
    if not any(release.card.libraries for release in releases):
        others, environment = _resolvers(settings.central())
        return ivy.ivysettings(checked, others, groups), environment
    ours = settings.find(places.as_text(repository))
    resolvers, environment = _resolvers(ours, settings.central())
    data = ivy.ivysettings(resolvers[0], resolvers[1:], groups, (checked, modules))
    return data, environment


def _resolvers(*repositories: RepositorySettings) -> tuple[list[ivy.Resolver], dict[str, str]]:
    """How Ivy asks each, and the secrets that the JVM's environment needs."""
    environment: dict[str, str] = {}
    found = []
    for one in repositories:
        login, variables = _login(one)
        environment |= variables
        found.append(ivy.Resolver(one.id, one.url.value, login))
    return found, environment


def write_ivysettings(
    file: Path, groups: Iterable[str] = (), repository: str | os.PathLike[str] | None = None
) -> dict[str, str]:
    """Write an `ivysettings.xml`, whole or not at all.

    Returns:
        The secrets that the JVM's environment needs, by the names that the file has for them.

    Raises:
        ConfigurationError: Ivy cannot log in there, or the file cannot be written.
    """
    data, environment = ivysettings(repository, groups)
    try:
        local.write_whole(file, data)
    except OSError as error:
        raise ConfigurationError(
            f"{str(file)!r} cannot be written: {error.strerror or error}."
        ) from error
    return environment


def _groups(store: Repository) -> set[str]:
    try:
        return {module.group for module in catalog.modules(store)}
    except RepositoryRefused:
        return set()


def _login(one: RepositorySettings) -> tuple[ivy.Login | None, dict[str, str]]:
    """How Ivy logs in at a repository, and the variables that it reads."""
    if one.is_folder or not (one.username or one.token):
        return None, {}
    challenge = open_repository(one).realm()
    if challenge is None:
        return None, {}  # it lets everybody read
    if not (one.username and one.password):
        raise ConfigurationError(
            f"Repository {one.id!r} has a bearer token configured, and Spark's --packages knows "
            "user and password alone: set username and password of it (many servers take the token "
            "as the password)."
        )
    realm = ivy.realm_of(challenge)
    if not realm:
        raise ConfigurationError(
            f"{one.url.value} asks readers to log in ({challenge!r}), but names no realm for a "
            "user and a password, so Spark's --packages cannot. Load the model with gavial.resolve "
            "and a repository."
        )
    username, password = one.username.value, one.password.value.reveal()
    ivy.check_secret(username, f"user's name of repository {one.id!r}")
    ivy.check_secret(password, f"password of repository {one.id!r}")
    login = ivy.Login(
        realm, environment_name(one.id, "username"), environment_name(one.id, "password")
    )
    return login, {login.username: username, login.password: password}


def _check_modules(requests: Sequence[Request]) -> None:
    if not requests:
        raise ConfigurationError(
            "No model is named: expected one or more of group:artifact[:selector]."
        )
    seen: set[Module] = set()
    for request in requests:
        if request.module in seen:
            raise ConfigurationError(
                f"{request.module} is named twice, and one Spark has one version of a module: its "
                "--packages would bring the higher one or none. For two versions side by side call "
                "gavial.resolve with a repository."
            )
        seen.add(request.module)


def _own_runtime_is_newer(store: Repository, chosen: Iterable[Coordinate]) -> bool:
    """Whether this package is newer than what the models bring, and is there to be brought."""
    own = runtime.library()
    theirs = [
        Library.parse(release.card.runtime["coordinate"]).version
        for release in (Release.read(store, one) for one in chosen if _is_ours(store, one))
        if release.card.runtime
    ]
    newest = max(map(_release_number, theirs), default=())
    return _release_number(own.version) > newest and store.exists(layout.pom_path(own))


def _is_ours(store: Repository, coordinate: Coordinate) -> bool:
    return store.exists(layout.card_path(coordinate))


def _release_number(version: str) -> tuple[int, ...]:
    """The numbers of a runtime's version; those of `1.2.0-dev.<hash>` are 1.2.0's.

    >>> _release_number("1.2.0-dev.0123abc")
    (1, 2, 0)
    """
    numbers = version.partition("-")[0].split(".")
    return tuple(int(number) for number in numbers if number.isdigit())


def _kept(data: bytes) -> Path:
    """A file with these bytes in the cache: Spark reads it as it starts."""
    folder = local.cache_folder() / "ivysettings"
    place = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.xml"
    local.write_whole(place, data)
    return place


def _ivy_folder(url: str) -> Path:
    """Ivy's own cache, one for each repository: two may hold one coordinate with other bytes."""
    return local.cache_folder() / "ivy" / hashlib.sha256(url.encode()).hexdigest()[:16]


def _jvm_runs() -> bool:
    context = getattr(sys.modules.get("pyspark"), "SparkContext", None)
    return getattr(context, "_gateway", None) is not None
