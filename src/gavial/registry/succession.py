"""What a release is to the one before it: may it have the number that it asks for?

What is promised. A release names in `replaces` of its card the newest one below its number that
was listed when that number was its own, and it is compatible with that one as far as their line
asks. The look is repeated once the number is claimed, so a build that was released meanwhile is
compared as well. Two deploys that run at the same time may each miss the other, whose POM is not
there yet. Then both were compared with the same earlier release: whatever suited that one suits
both, and nobody was promised more until the first of them was listed. A repository whose list is
late (a cache before it) can show an older release: the card says which one was compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from gavial.errors import (
    CorruptRelease,
    GavialError,
    IncompatibleModel,
    ReleaseNotFound,
    RepositoryError,
)
from gavial.maven import catalog, layout, publish
from gavial.maven.coordinate import Coordinate, Target, Version
from gavial.maven.repository import Repository
from gavial.model import compatibility
from gavial.model.card import Card
from gavial.model.compatibility import Level
from gavial.registry.release import Release


@dataclass
class Succession:
    """The decision for one deploy; each earlier card is read once."""

    store: Repository
    allow: str = ""
    freeze: Sequence[str] = ()
    _read: dict[Version, Card | str] = field(default_factory=dict)

    def of(self, target: Target, card: Card) -> dict[str, Any] | None:
        """A card's `replaces`: which release this one comes after, and what changed.

        Args:
            target: the line or the exact version that is asked for.
            card: what the release would say of itself.

        Raises:
            IncompatibleModel: it may be neither a build nor a minor there, and `allow` is empty;
                with every reason, and the lines that would take it.
            InvalidCoordinate: no line was named, and there is one after 1.0.
        """
        known = catalog.numbers(self.store, target.module)
        line = publish.choose_line(target, known)
        if target.exact in known and self._is_released(Coordinate(target.module, target.exact)):
            return None  # which publishing will refuse
        out = catalog.withdrawn(self.store, target.module)
        below = [one for one in known if one not in out]
        earlier = compatibility.before(target, line, below)
        while earlier and not self._is_released(Coordinate(target.module, earlier)):
            below = [one for one in below if one < earlier]  # that was a claim
            earlier = compatibility.before(target, line, below)
        if earlier is None:
            return None
        coordinate = Coordinate(target.module, earlier)
        there = self._card(coordinate)
        if isinstance(there, str):
            return {"coordinate": str(coordinate), "compared": False, "why": there}
        found = compatibility.compare(there, card)
        level = Level.between(earlier.line, line)
        reasons = found.against(level, self.freeze)
        told = {"coordinate": str(coordinate), "compared": True, **found.to_json()}
        if not reasons:
            return told
        if not self.allow:
            raise self._refused(target, coordinate, level, reasons, card, known)
        return {**told, "refused": list(reasons), "allowed": self.allow}

    def _is_released(self, coordinate: Coordinate) -> bool:
        """A list has releases alone; the names of folders are also those of claims."""
        return not self.store.lists_itself or self.store.exists(layout.pom_path(coordinate))

    def _card(self, coordinate: Coordinate) -> Card | str:
        """The card of an earlier release, or why there is nothing to compare with."""
        if coordinate.version not in self._read:
            self._read[coordinate.version] = _card(self.store, coordinate)
        return self._read[coordinate.version]

    def _refused(
        self,
        target: Target,
        earlier: Coordinate,
        level: Level,
        reasons: Sequence[str],
        card: Card,
        known: Sequence[Version],
    ) -> IncompatibleModel:
        @cache
        def card_of(version: Version) -> Card | None:
            there = self._card(Coordinate(target.module, version))
            return None if isinstance(there, str) else there

        lines = compatibility.lines_for(card, known, card_of, earlier.version.major)
        may_be = " or ".join(f"{target.module}:{line}" for line in lines)
        what = "build" if level is Level.BUILD else "minor"
        listed = "".join(f"\n- {reason}" for reason in reasons)
        return IncompatibleModel(
            f"This model may not be a {what} after {earlier}:{listed}\n"
            f"Nothing was released. It may be released as {may_be}. If this is meant, and whoever "
            f"uses {earlier.module} knows of it, pass allow= (--allow) with the reason, which "
            "the model card will show."
        )


def _card(store: Repository, coordinate: Coordinate) -> Card | str:
    try:
        return Release.read(store, coordinate).card
    except ReleaseNotFound:
        return "it has no model card: another tool released it"
    except RepositoryError:
        raise
    except CorruptRelease as error:
        return f"its model card cannot be read: {error}"
    except GavialError as error:  # of a later Gavial
        return f"its model card cannot be read here: {error}"
