"""Releases by what their cards say: `repository.find("metrics.auc>0.8", sort="-metrics.auc")`.

Which releases there are is asked of the repository each time. What a card says never changes, so
it is read once and kept on this machine (`card_index`); whatever is done with a release afterwards
reads its card in the repository again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gavial.errors import ConfigurationError, GavialError, ModelNotFound
from gavial.maven import catalog, layout
from gavial.maven.coordinate import Coordinate, Module, Version
from gavial.maven.repository import Repository
from gavial.model import facts, query
from gavial.model.card import Card
from gavial.model.query import Order, Where
from gavial.registry import live
from gavial.registry.card_index import CardIndex
from gavial.registry.release import Release, Transferred
from gavial.registry.warn import warn

_KEPT_AT_ONCE = 500  # cards: a search that is interrupted goes on where it was
_SHOWN = 3  # problems of one kind that are told in full

# Facts that are no part of a card: read in the repository where they are asked for, of the
# releases that meet the conditions on cards. Their names stand in `query.FIELDS`.
Live = Callable[[Repository, Module, Sequence[Version]], Mapping[Version, Any]]
LIVE: Mapping[str, Live] = {"alias": live.aliases, "signer": live.signers}


@dataclass(frozen=True)
class Found:
    """A release that was found.

    Attributes:
        coordinate: which release.
        repository: where it is.
        facts: what its card said when it was read, by the names of the conditions' fields.
    """

    coordinate: Coordinate
    repository: Repository
    facts: Mapping[str, Any]

    def release(self) -> Release:
        """The release itself, as the repository has it now.

        Raises:
            ReleaseNotFound: it is gone.
        """
        return Release.read(self.repository, self.coordinate)

    def __repr__(self) -> str:
        return f"<Found {self.coordinate} in {self.repository.id!r}>"


@dataclass(frozen=True)
class Findings:
    """What was found, and repositories that could not be asked, with the reason, by id."""

    found: tuple[Found, ...]
    unavailable: Mapping[str, str]


def find(
    stores: Sequence[Repository],
    where: str | Iterable[str] = (),
    sort: str | Iterable[str] = (),
    *,
    module: str | Module | None = None,
    limit: int | None = None,
    refresh: bool = False,
    progress: Transferred | None = None,
) -> Findings:
    """Look for releases in one or several repositories.

    Args:
        stores: where to look.
        where: conditions that must all hold, such as `metrics.auc>0.8`.
        sort: fields, the first decides; `-` before one for the highest first. Without any: by
            model, the newest version first.
        module: look at one model only.
        limit: so many at most.
        refresh: read every card again.
        progress: called with a name, 1 for each card that was read, and how many there are.

    Raises:
        InvalidSelector: a condition or a field is malformed; the message shows the place.
        ModelNotFound: no repository has that module.
        RepositoryError: no repository could be asked.
    """
    conditions = Where.parse(where)
    orders = [Order.parse(one) for one in ([sort] if isinstance(sort, str) else sort)]
    if limit is not None and limit < 1:
        raise ConfigurationError(f"limit={limit}: expected 1 or more.")
    only = Module.parse(module) if isinstance(module, str) else module
    rows: list[dict[str, Any]] = []
    problems: dict[str, GavialError] = {}
    with CardIndex() as index:
        for store in stores:
            try:
                rows += _Search(store, index, refresh, progress).rows(only)
            except GavialError as error:
                problems[store.id] = error
    by_id = {store.url: store for store in stores}
    asked = [*(one.field for one in conditions.conditions), *(one.field for one in orders)]
    _check_keys(rows, asked)
    wanted = [name for name in LIVE if any(one.name == name for one in asked)]
    if wanted:
        on_cards = Where(tuple(c for c in conditions.conditions if c.field.name not in LIVE))
        rows = list(_with_live(filter(on_cards.matches, rows), by_id, wanted, problems))
    _raise(problems, len(stores))
    rows.sort(key=lambda row: (row["_"].module, *(-n for n in row["_"].version.key())))
    matching = query.ordered(filter(conditions.matches, rows), orders)
    found = tuple(
        Found(
            row["_"],
            by_id[row["_at"]],
            {name: value for name, value in row.items() if not name.startswith("_")},
        )
        for row in matching[:limit]
    )
    return Findings(
        found,
        {
            name: str(error)
            for name, error in problems.items()
            if not isinstance(error, ModelNotFound)
        },
    )


def _with_live(
    rows: Iterable[dict[str, Any]],
    stores: Mapping[str, Repository],
    wanted: Sequence[str],
    problems: dict[str, GavialError],
) -> Iterator[dict[str, Any]]:
    """Rows with what is no part of their cards; a repository that cannot tell is a problem."""
    by_module: dict[tuple[str, Module], list[dict[str, Any]]] = {}
    for row in rows:
        by_module.setdefault((row["_at"], row["_"].module), []).append(row)
    for (url, module), several in by_module.items():
        store = stores[url]
        if store.id in problems:
            continue
        versions = [row["_"].version for row in several]
        try:
            facts = {name: LIVE[name](store, module, versions) for name in wanted}
        except GavialError as error:
            problems[store.id] = error
            continue
        for row in several:
            said = {name: found.get(row["_"].version) for name, found in facts.items()}
            yield {**row, **{name: value for name, value in said.items() if value}}


def _raise(problems: Mapping[str, GavialError], asked: int) -> None:
    """Fail where no repository had an answer; one that does not answer outweighs one without."""
    if problems and len(problems) == asked:
        raise min(problems.values(), key=lambda one: isinstance(one, ModelNotFound))


def _check_keys(rows: Sequence[Mapping[str, Any]], fields: Iterable[query.Field]) -> None:
    """Warn of metrics and labels that no release has: they are misspelt more often than not."""
    asked = {one for one in fields if one.key is not None}
    known: dict[str, set[str]] = {one.name: set() for one in asked}
    for row in rows:
        for name, keys in known.items():
            keys.update(row.get(name) or ())
    for one in sorted(asked, key=str) if rows else ():
        if one.key not in known[one.name]:
            near = query.suggestion(str(one.key), known[one.name])
            warn(f"No release has {one}: {near}.")


@dataclass(frozen=True)
class _Search:
    """What is the same for every module of one repository."""

    store: Repository
    index: CardIndex
    refresh: bool
    progress: Transferred | None

    def rows(self, only: Module | None) -> Iterator[dict[str, Any]]:
        if only is not None:
            yield from self._of(only, catalog.known_versions(self.store, only).releases)
            return
        for module in catalog.modules(self.store):
            yield from self._of(module, catalog.versions(self.store, module).releases)

    def _of(self, module: Module, there: Sequence[Version]) -> Iterator[dict[str, Any]]:
        known = self.index.known(self.store.url, str(module))
        gone = known.keys() - set(map(str, there))
        self.index.forget(self.store.url, str(module), gone)
        if not there:
            return
        stamps = {version: self._stamp(module, version) for version in there}
        if str(there[-1]) not in known and not self._has_card(module, there[-1]):
            return  # a library, or an alias
        wanted = [
            version
            for version in there
            if self.refresh or known.get(str(version), ("",))[0] != stamps[version]
        ]
        read = dict(self._read(module, wanted, stamps))
        for version in there:
            found = read.get(version) if version in read else known.get(str(version), ("", None))[1]
            if found is None or (version in wanted and version not in read):
                continue
            coordinate = Coordinate(module, version)
            yield {**found, "repository": self.store.id, "_": coordinate, "_at": self.store.url}

    def _stamp(self, module: Module, version: Version) -> str:
        """What tells a card that was read from another under its name, where a look does.

        A server is not asked: what is released never changes, and `refresh` is for those where
        somebody changed it all the same.
        """
        return self.store.stamp(layout.card_path(Coordinate(module, version))) or "-"

    def _has_card(self, module: Module, version: Version) -> bool:
        return self.store.exists(layout.card_path(Coordinate(module, version)))

    def _read(
        self, module: Module, wanted: Sequence[Version], stamps: Mapping[Version, str]
    ) -> Iterator[tuple[Version, dict[str, Any]]]:
        """Read cards, and keep them as they come."""
        problems: list[str] = []
        for at in range(0, len(wanted), _KEPT_AT_ONCE):
            new = {}
            for version, found in self._cards(module, wanted[at : at + _KEPT_AT_ONCE]):
                if isinstance(found, str):
                    problems.append(found)
                else:
                    new[str(version)] = (stamps[version], found)
                    yield version, found
                if self.progress is not None:
                    self.progress(str(module), 1, len(wanted))
            self.index.keep(self.store.url, str(module), new)
        for problem in problems[:_SHOWN]:
            warn(f"Left out: {problem}")
        if len(problems) > _SHOWN:
            warn(f"Left out: {len(problems) - _SHOWN} more releases of {module}.")

    def _cards(
        self, module: Module, wanted: Sequence[Version]
    ) -> Iterator[tuple[Version, dict[str, Any] | str]]:
        """The facts of each card, or what is wrong with it."""
        yield from live.each(self.store, wanted, lambda store, one: _facts(store, module, one))


def _facts(store: Repository, module: Module, version: Version) -> dict[str, Any] | str:
    coordinate = Coordinate(module, version)
    data = store.read(layout.card_path(coordinate))
    if data is None:
        return f"{coordinate} was not released by Gavial: it has no model card."
    try:
        card = Card.from_json(data)
    except GavialError as error:
        return f"{coordinate}: {error}"
    if card.coordinate != str(coordinate):
        return f"{coordinate}: its card is that of {card.coordinate}."
    return facts.of(card)
