"""What differs between two models: `gavial.diff("com.acme:churn:1.0.3", "com.acme:churn:1.0.4")`.

From files alone: neither Spark nor Java is started.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gavial.errors import InvalidCoordinate
from gavial.maven import catalog
from gavial.maven.selector import Request
from gavial.model import difference, learned
from gavial.model import jar as model_jar
from gavial.model.card import Card
from gavial.model.difference import Difference, LearnedChange, Pair
from gavial.model.learned import Pipeline
from gavial.model.saved_model import SavedModel
from gavial.registry import cache, places
from gavial.registry.release import Release, Transferred


def diff(
    before: str | os.PathLike[str] | Release,
    after: str | os.PathLike[str] | Release,
    repository: str | os.PathLike[str] | None = None,
    *,
    to_repository: str | os.PathLike[str] | None = None,
    progress: Transferred | None = None,
) -> Difference:
    """Compare two models: stages, parameters, what they learnt, and what their cards say.

    Args:
        before: a release, `group:artifact[:selector]`, or the folder of a saved `PipelineModel`.
        after: the other one.
        repository: where releases are; `None` is the configured default.
        to_repository: where `after` is, if elsewhere.
        progress: called with a file's name, the bytes that went since the last call, and its
            size in bytes.

    Returns:
        The difference; `differs` says whether there is one.

    Raises:
        InvalidCoordinate, InvalidSelector: a name is malformed.
        ModelNotFound, ReleaseNotFound: there is no such model or release.
        CorruptRelease: bytes are not those that were released.
        IncompatibleModel: a folder is no saved `PipelineModel`.

    >>> diff("com.acme:churn:1.0.3", "com.acme:churn:1.0.4").differs  # doctest: +SKIP
    True
    """
    elsewhere = repository if to_repository is None else to_repository
    old = _opened(before, repository, progress)
    new = _opened(after, elsewhere, progress)
    sides = [Pipeline(one.model.folder, one.model.stages()) for one in (old, new)]
    pairs = difference.matched(old.model.root.children, new.model.root.children)
    compare = partial(_learned, sides[0], sides[1])
    cards = (old.card, new.card)
    return Difference(
        old.name,
        new.name,
        difference.of_cards(cards[0], cards[1]) if cards[0] and cards[1] else {},
        difference.of_pairs(pairs, compare),
        difference.of_sizes(cards[0], cards[1]) if cards[0] and cards[1] else (),
    )


@dataclass(frozen=True)
class _Opened:
    """A model as files, and its card where it is a release."""

    name: str
    model: SavedModel
    card: Card | None


def _opened(
    what: str | os.PathLike[str] | Release,
    repository: str | os.PathLike[str] | None,
    progress: Transferred | None,
) -> _Opened:
    if not isinstance(what, Release) and _is_folder(what):
        return _Opened(str(what), SavedModel.read(what), None)
    if not isinstance(what, Release):
        try:
            request = Request.parse(str(what))
        except InvalidCoordinate as error:
            raise InvalidCoordinate(f"{error} A saved model's folder would do, too.") from error
        store = places.open_named(repository)
        what = Release.read(store, catalog.select(store, request))
    jar, artifact = cache.jar(what, progress), what.coordinate.artifact
    unpack = partial(model_jar.unpack, jar, artifact)
    folder = cache.unpacked(what.file(jar.name).sha256, unpack)
    return _Opened(str(what.coordinate), SavedModel.read(folder), what.card)


def _is_folder(what: str | os.PathLike[str]) -> bool:
    """Whether a folder is meant: a coordinate has a colon, and no separator."""
    text = str(what)
    return not isinstance(what, str) or ":" not in text or "/" in text or os.sep in text


def _learned(old: Pipeline, new: Pipeline, pair: Pair) -> LearnedChange | None:
    """Compare what two stages learnt; only where their files differ are those read."""
    before = old.files(pair.before) if pair.before else {}
    after = new.files(pair.after) if pair.after else {}
    if not before and not after:
        return None
    sizes = learned.size(before), learned.size(after)
    if pair.before is None or pair.after is None:
        status = difference.ADDED if pair.before is None else difference.REMOVED
        return LearnedChange(status, *sizes)
    if sizes[0] == sizes[1] and _digests(before) == _digests(after):
        return LearnedChange(difference.SAME, *sizes)
    return difference.of_learned(old.learned(pair.before), new.learned(pair.after))


def _digests(files: Mapping[str, Sequence[Path]]) -> dict[str, list[bytes]]:
    return {name: [_sha256(path) for path in paths] for name, paths in files.items()}


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
