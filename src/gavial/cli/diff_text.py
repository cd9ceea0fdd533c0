"""Words for a difference, for the terminal and for the page. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from gavial.model import schemas
from gavial.model.difference import (
    ADDED,
    CHANGED,
    REMOVED,
    SAME,
    Change,
    LearnedChange,
    Parameter,
    PartChange,
    StageChange,
)
from gavial.model.learned import Digest
from gavial.reports.plain import human_size

SIGNS = {ADDED: "+", REMOVED: "-", CHANGED: "~", SAME: "="}
ABSENT = "–"


def value(one: Any) -> str:
    """A value in a few words.

    >>> value(0.81000000001), value(["a", 1]), value(True), value({"type": "long"})
    ('0.81', '["a", 1]', 'true', '{"type": "long"}')
    """
    if isinstance(one, str):
        return one
    if isinstance(one, float) and math.isfinite(one):
        return f"{one:.6g}"
    return json.dumps(_short(one), ensure_ascii=False, default=str)


def sides(section: str, change: Change) -> tuple[str, str]:
    """Before and after. Numbers that look alike are shown in full."""
    if section in ("input", "output"):
        return _column(change.before), _column(change.after)
    before, after = (
        ABSENT if change.status == absent else value(one)
        for absent, one in ((ADDED, change.before), (REMOVED, change.after))
    )
    if before == after and change.differs:
        return _exactly(change.before), _exactly(change.after)
    return before, after


def parameter_sides(change: Parameter) -> tuple[str, str]:
    """Before and after, with the word default where nobody set it."""
    before, after = sides("", change)
    if change.status != ADDED and not change.set_before:
        before += " (default)"
    if change.status != REMOVED and not change.set_after:
        after += " (default)"
    return before, after


def by_how_much(change: Change) -> str:
    """How far a number went.

    >>> by_how_much(Change("auc", "changed", 0.8, 0.9)), by_how_much(Change("n", "changed", 5, 3))
    ('+0.1', '-2')
    """
    found = _delta(change)
    return "" if found is None or not math.isfinite(found) else f"{found:+.4g}"


def largest_first(changes: Sequence[Change], shown: int) -> list[Change]:
    """Values as they come; where more than `shown`, those first that came, went, or went far."""
    if len(changes) <= shown:
        return list(changes)

    def distance(one: Change) -> float:
        found = _delta(one)
        return math.inf if found is None or math.isnan(found) else abs(found)

    return sorted(changes, key=distance, reverse=True)


def stage_title(stage: StageChange) -> str:
    """Where a stage stands, and its class."""
    places = [one for one in (stage.place_before, stage.place_after) if one]
    where = places[0] if len(set(places)) == 1 else " → ".join(places)
    return f"{where}  {stage.name}" + (" (moved)" if stage.moved else "")


def learned_title(learned: LearnedChange) -> str:
    """How much a stage learnt."""
    if learned.status == ADDED:
        return human_size(learned.size_after)
    if learned.status == REMOVED:
        return human_size(learned.size_before)
    before, after = sizes(learned.size_before, learned.size_after)
    return before if before == after else f"{before} → {after}"


def sizes(before: int | None, after: int | None) -> tuple[str, str]:
    """Two sizes of a file; to the byte where they look alike.

    >>> sizes(1000, 2000), sizes(13_400, 13_401), sizes(None, 5)
    (('1.00 kB', '2.00 kB'), ('13400 B', '13401 B'), ('–', '5 B'))
    """
    texts = [ABSENT if one is None else human_size(one) for one in (before, after)]
    if texts[0] == texts[1] and before != after:
        texts = [f"{before} B", f"{after} B"]
    return texts[0], texts[1]


def part_title(part: PartChange) -> str:
    """What became of a part, in one line."""
    if part.before is not None or part.after is not None:
        return f"{digest(part.before)} → {digest(part.after)}"
    found = []
    if part.values:
        found.append(f"{len(part.values)} differ")
    if part.added:
        found.append(f"{len(part.added)} added")
    if part.removed:
        found.append(f"{len(part.removed)} removed")
    if part.moved:
        found.append(f"{len(part.moved)} moved")
    if part.same:
        found.append(f"{part.same} as before")
    return ", ".join(found) or part.status


def digest(one: Digest | None) -> str:
    """Many values in a few words."""
    if one is None:
        return ABSENT
    ends = "" if one.least is None else f", {value(one.least)} to {value(one.greatest)}"
    return f"{one.count} values{ends}, sha256 {one.sha256[:12]}" if one.count else ABSENT


def label_rows(part: PartChange) -> list[tuple[str, str, str, str]]:
    """Status, label, and its index before and after."""
    return [
        *((REMOVED, one, str(at), ABSENT) for at, one in part.removed),
        *((ADDED, one, ABSENT, str(at)) for at, one in part.added),
        *((CHANGED, one.label, str(one.before), str(one.after)) for one in part.moved),
    ]


def _exactly(one: Any) -> str:
    return one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, default=str)


def _short(one: Any) -> Any:
    """Numbers in lists with as many digits as alone."""
    if isinstance(one, float) and math.isfinite(one):
        return float(f"{one:.6g}")
    return [_short(each) for each in one] if isinstance(one, list) else one


def _column(one: Any) -> str:
    if not isinstance(one, Mapping):
        return ABSENT
    return schemas.name(one.get("type", "")) + ("" if one.get("nullable") else ", never null")


def _delta(change: Change) -> float | None:
    ends = (change.before, change.after)
    if change.status != CHANGED or not all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in ends
    ):
        return None
    try:
        return float(change.after - change.before)
    except OverflowError:
        return None
