"""From a name to a loaded model: what `--packages` brought, or a release of a repository."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache as once
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gavial.errors import (
    ConfigurationError,
    CorruptRelease,
    InvalidSelector,
    ModelNotFound,
    ReleaseNotFound,
)
from gavial.maven import layout
from gavial.maven.coordinate import Coordinate
from gavial.maven.selector import Request
from gavial.model import jar as model_jar
from gavial.model import safety, stamp
from gavial.model.adopt import adopt
from gavial.model.saved_model import SavedModel
from gavial.owner import until_exit
from gavial.registry.chosen import choose
from gavial.registry.warn import warn

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel

    from gavial.maven.repository import Repository
    from gavial.registry.release import Release
    from gavial.spark.class_path import Found


def resolve(
    what: str,
    repository: str | os.PathLike[str] | None = None,
    *,
    watermark_col: str | None = None,
    verify: str | None = None,
    allow_sql: bool = False,
) -> PipelineModel:
    """Load a released model into the active Spark session, verified.

    Args:
        what: an artifactId, such as `"churn"`: the model of that name that `--packages` brought.
            Or `"group:artifact[:selector]"`: looked for on the class path first where no
            repository is given, else in the repository. No selector means `latest.release`.
            Or `"group:artifact@alias"`: what the alias means now; a release on the class path must
            be that very one.
            Over Spark Connect the class path is the server's, and what it names comes from the
            configured repository.
        repository: a configured id, a URL or a folder.
        watermark_col: another name for the column that names the version.
        verify: `"golden"` scores the release's example records before the model is handed over,
            and compares with what was made of them when it was released: a few Spark jobs.
        allow_sql: load a model that has SQL statements other than plain column expressions.

    Raises:
        ModelNotFound, ReleaseNotFound: there is no such model or no such version; the message
            lists what there is.
        ConfigurationError: there is no Spark session, or several models fit the name.
        CorruptRelease: bytes are not those that were released.
        UntrustedRelease: a trust policy asks for a signature that the release has not.
        IncompatibleModel: it cannot run here; the message has the line that mends it.
        UnsafeModel: it would run code or SQL that nobody declared.

    >>> model = resolve("com.acme:churn:1.+", repository="models")  # doctest: +SKIP
    """
    if verify not in (None, "golden"):
        raise ConfigurationError(f"verify={verify!r}: expected 'golden' or nothing.")
    if ":" not in what:
        if repository is not None:
            raise InvalidSelector(
                f"{what!r} names no group: in a repository a model is group:artifact[:selector], "
                f"such as com.acme:{what}:1.+. A bare name means what --packages brought."
            )
        if "@" in what:
            raise InvalidSelector(
                f"{what!r} names no group: an alias is one of group:artifact@alias, such as "
                f"com.acme:{what}."
            )
        if verify:
            raise ConfigurationError(
                f"verify='golden' of {what!r}: what --packages brought comes without its model "
                f"card. Name the repository's: gavial.resolve('group:{what}:version', "
                "repository=…, verify='golden')."
            )
        found = _named(what)
        return _load_found(found, watermark_col, allow_sql=allow_sql)
    request = Request.parse(what)
    if repository is None and not verify and (brought := _brought(request)):
        if request.alias:
            _check_alias(request, brought)
        return _load_found(brought, watermark_col, allow_sql=allow_sql)
    from gavial.registry import places

    store = places.open_named(repository)
    chosen = choose(store, request)
    return _load_chosen(store, chosen, watermark_col, allow_sql=allow_sql, verify=verify)


def available() -> tuple[Coordinate, ...]:
    """The releases on the class path: what `--packages` brought.

    Over Spark Connect: what the server was started with and the configured repository has.

    Raises:
        ConfigurationError: there is no active Spark session.
    """
    found = _class_path()
    here = {one.coordinate for one in found if one.coordinate and one.jar}
    named = {one.coordinate for one in found if one.coordinate and not one.jar}
    return tuple(sorted(here | _released(named) if named else here))


def coordinate(model: PipelineModel) -> Coordinate | None:
    """Which release a loaded model is, by its watermark; `None` where it has never been one."""
    from gavial.spark import watermark

    mark = watermark.watermark_of(model)
    return mark.coordinate if mark else None


def load_release(
    release: Release,
    *,
    watermark_col: str | None = None,
    allow_sql: bool = False,
    verify: str | None = None,
) -> PipelineModel:
    """Fetch, verify and load a release of a repository; `verify` is that of `resolve`."""
    from gavial.registry import cache, golden, trust
    from gavial.spark import session

    session.current()  # or all would be fetched for nothing
    trust.require(release)
    jar, artifact = cache.jar(release), release.coordinate.artifact
    wanted = _Wanted(
        jar, artifact, release.coordinate, release.card.libraries, watermark_col, allow_sql
    )
    digest = release.file(jar.name).sha256
    model = _load(wanted, cache.unpacked(digest, partial(model_jar.unpack, jar, artifact)))
    if verify:
        golden.require(release, model, watermark_col or release.card.watermark)
    return model


@dataclass(frozen=True)
class _Wanted:
    jar: Path
    artifact: str
    coordinate: Coordinate | None
    libraries: tuple[str, ...]
    watermark_col: str | None
    allow_sql: bool


def _load_chosen(
    store: Repository,
    chosen: Coordinate,
    watermark_col: str | None,
    *,
    allow_sql: bool,
    verify: str | None = None,
) -> PipelineModel:
    from gavial.registry.release import Release

    if verify or store.exists(layout.card_path(chosen)):
        release = Release.read(store, chosen)
        return load_release(
            release, watermark_col=watermark_col, allow_sql=allow_sql, verify=verify
        )
    return _load_foreign(store, chosen, watermark_col, allow_sql=allow_sql)


def _load_foreign(
    store: Repository, coordinate: Coordinate, watermark_col: str | None, *, allow_sql: bool
) -> PipelineModel:
    from gavial.registry import foreign, trust
    from gavial.spark import session

    session.current()
    trust.require_card(coordinate)
    warn(
        f"{coordinate} was not released by Gavial: it has no model card, so nothing but its sha1 "
        "is compared."
    )
    jar = foreign.jar(store, coordinate, _unpacked())
    return _load(_Wanted(jar, coordinate.artifact, coordinate, (), watermark_col, allow_sql))


def _load_found(found: Found, watermark_col: str | None, *, allow_sql: bool) -> PipelineModel:
    if found.jar is None:
        return _load_named(found, watermark_col, allow_sql=allow_sql)
    manifest = model_jar.read_manifest(found.jar)
    libraries = manifest.libraries if manifest else ()
    return _load(
        _Wanted(found.jar, found.artifact, found.coordinate, libraries, watermark_col, allow_sql)
    )


def _load_named(found: Found, watermark_col: str | None, *, allow_sql: bool) -> PipelineModel:
    """A release that a Spark Connect server has on its class path: fetched from a repository."""
    from gavial.registry import places

    if found.coordinate is None:
        raise ConfigurationError(
            f"The Spark Connect server was started with a selector of {found.artifact!r}, and does "
            "not say which version that came to be. Name one: gavial.resolve('group:"
            f"{found.artifact}:version', repository=…), or start the server with an exact version."
        )
    store = places.open_named(None)
    if not store.exists(layout.pom_path(found.coordinate)):
        raise ReleaseNotFound(
            f"The Spark Connect server was started with {found.coordinate}, and repository "
            f"{store.id!r} ({store.url}) has no such release. Configure the one that it came "
            f"from, or name it: gavial.resolve('{found.coordinate}', repository=…)."
        )
    return _load_chosen(store, found.coordinate, watermark_col, allow_sql=allow_sql)


def _released(named: Iterable[Coordinate]) -> set[Coordinate]:
    """Which of the jars of a Spark Connect server are releases of the configured repository."""
    from gavial.registry import places

    store = places.open_named(None)
    return {one for one in named if store.exists(layout.card_path(one))}


def _load(wanted: _Wanted, unpacked: Path | None = None) -> PipelineModel:
    """Check everything from files alone, before Spark sees any of it; then load."""
    from gavial.spark import load, modules, session, watermark

    spark = session.current()
    python = model_jar.python_members(wanted.jar)
    if unpacked is None:
        folder = Path(tempfile.mkdtemp(dir=_unpacked()))
        unpacked = model_jar.unpack(wanted.jar, wanted.artifact, folder)
    saved = SavedModel.read(unpacked)
    saved = adopt(saved, wanted.coordinate)
    _check_stamp(saved, wanted.coordinate)
    top_level = {name.partition("/")[0].removesuffix(".py") for name in python}
    safety.check_classes(saved, python_modules=top_level, libraries=wanted.libraries)
    safety.check_sql(saved, allow_sql=wanted.allow_sql)
    modules.bring(spark, wanted.jar, python)
    model = load.load(saved.folder, [stage.class_name for stage in saved.stages()])
    return watermark.renamed(model, wanted.watermark_col) if wanted.watermark_col else model


def _check_stamp(saved: SavedModel, expected: Coordinate | None) -> None:
    found = stamp.watermark_of(saved)
    if found and expected and found[1].coordinate != expected:
        raise CorruptRelease(f"The model of {expected} is stamped {found[1].value!r}.")


def _named(artifact: str) -> Found:
    there = _class_path()
    matches = {str(one.coordinate or one.jar): one for one in there if one.artifact == artifact}
    if not matches:
        names = ", ".join(sorted({str(one.coordinate or one.artifact) for one in there}))
        raise ModelNotFound(
            f"No model {artifact!r} on the class path; there is {names or 'none at all'}. Start "
            f"Spark with --packages group:{artifact}:latest.release (the flags: gavial "
            "spark-conf), or load it from a repository: "
            f"gavial.resolve('group:{artifact}', repository=…)."
        )
    if len(matches) > 1:
        raise ConfigurationError(
            f"{artifact!r} means {len(matches)} models on the class path: "
            f"{', '.join(sorted(matches))}. Name the group, as in group:{artifact}."
        )
    return next(iter(matches.values()))


def _brought(request: Request) -> Found | None:
    """The highest release on the class path that a request means."""
    from gavial.spark import session

    if not session.has_active():
        return None  # a repository may still have it; loading it will say that Spark is missing
    matches = [
        (one.coordinate.version, one)
        for one in _class_path()
        if one.coordinate
        and one.coordinate.module == request.module
        and request.selector.matches(one.coordinate.version)
    ]
    return max(matches, key=lambda match: match[0])[1] if matches else None


def _check_alias(request: Request, brought: Found) -> None:
    """Refuse a release on the class path that is not what the alias means.

    Ivy brings one version of a module: of two aliases in one job the newer one, without a word.
    """
    from gavial.registry import places

    store = places.open_named(None)
    meant = choose(store, request)
    if brought.coordinate != meant:
        raise ReleaseNotFound(
            f"{request} means {meant} in repository {store.id!r} ({store.url}), and on the class "
            f"path is {brought.coordinate}: the alias was set since Spark started, or --packages "
            "named another version or alias of that model too, of which Ivy brings the newest "
            f"alone. Start Spark again with one of them, or load it from the repository: "
            f"gavial.resolve('{request}', repository=…)."
        )


def _class_path() -> tuple[Found, ...]:
    from gavial.spark import class_path, session

    return class_path.find(session.current())


@once
def _unpacked() -> Path:
    """This process's folder of unpacked models. Spark reads some of them lazily, so they stay."""
    return until_exit("gavial-models-")
