"""What differs between two models: stages, parameters, what they learnt, and their cards. Pure.

Stages are matched by class: first those of one uid (a pipeline that was fitted twice), then those
that make the same columns, then the others in their order. What is in a matched stage is compared
by name.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gavial.model import watermark
from gavial.model.card import Card
from gavial.model.learned import Digest, Labels, Learned, Part, Values
from gavial.model.saved_stage import Stage

FORMAT = 1
ADDED, REMOVED, CHANGED, SAME = "added", "removed", "changed", "same"
_MISSING = object()
# Parameters that say what the stages in a stage say for themselves, or who wrote it.
_OF_THE_SAVE = ("stageUids", "language")


@dataclass(frozen=True)
class Change:
    """One named thing before and after. `status` is added, removed, changed or same."""

    name: str
    status: str
    before: Any = None
    after: Any = None

    @property
    def differs(self) -> bool:
        return self.status != SAME


@dataclass(frozen=True)
class Parameter(Change):
    """A parameter; `set_before` and `set_after` say that somebody set it: it is no default."""

    set_before: bool = False
    set_after: bool = False


@dataclass(frozen=True)
class Move:
    """A label that has another index than before."""

    label: str
    before: int
    after: int


@dataclass(frozen=True)
class PartChange:
    """One part of what a stage learnt.

    Attributes:
        name: such as "coefficients".
        status: added, removed, changed or same.
        values: of named values those that differ.
        same: how many values or labels are as they were.
        added: labels that are new, with their index; `removed` those that are gone.
        moved: labels with another index.
        before, after: of many values their number, digest and ends, and no single ones.
    """

    name: str
    status: str
    values: tuple[Change, ...] = ()
    same: int = 0
    added: tuple[tuple[int, str], ...] = ()
    removed: tuple[tuple[int, str], ...] = ()
    moved: tuple[Move, ...] = ()
    before: Digest | None = None
    after: Digest | None = None


@dataclass(frozen=True)
class LearnedChange:
    """What a stage learnt, before and after. `unread` says why there are no parts."""

    status: str
    size_before: int
    size_after: int
    parts: tuple[PartChange, ...] = ()
    unread: str = ""


@dataclass(frozen=True)
class StageChange:
    """A stage that was added or removed, or the two of a match.

    Attributes:
        class_name: of both.
        place_before, place_after: such as "2" or "2.1", empty where it is not.
        uid_before, uid_after: as the places.
        moved: it stands elsewhere among the stages that are in both.
        parameters: all of them, those that are the same as well.
        learned: `None` where neither learnt anything.
        stages: those in it.
    """

    class_name: str
    status: str
    place_before: str = ""
    place_after: str = ""
    uid_before: str = ""
    uid_after: str = ""
    moved: bool = False
    parameters: tuple[Parameter, ...] = ()
    learned: LearnedChange | None = None
    stages: tuple[StageChange, ...] = ()

    @property
    def name(self) -> str:
        """The class without its package."""
        return self.class_name.rpartition(".")[2]


@dataclass(frozen=True)
class Difference:
    """All that was compared of two models.

    Attributes:
        before, after: coordinates, or folders.
        sections: of the cards, by name: "about", "metrics", "labels", "environment", …
        stages: in the order of the second model; removed ones stand where they were.
        sizes: bytes of each file, by its name without the version. They do not count in `differs`.
    """

    before: str
    after: str
    sections: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    stages: tuple[StageChange, ...] = ()
    sizes: tuple[Change, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything differs but the coordinate, the time, and the sizes of files."""
        return any(one.status != SAME for one in self.stages) or any(
            one.differs for changes in self.sections.values() for one in changes
        )


@dataclass(frozen=True)
class Pair:
    """Two stages that are compared, or one that is alone, with the pairs of the stages in them."""

    before: Stage | None
    after: Stage | None
    place_before: str = ""
    place_after: str = ""
    moved: bool = False
    inner: tuple[Pair, ...] = ()


# -- which stage is which --------------------------------------------------------------------


def matched(
    before: Sequence[Stage], after: Sequence[Stage], above: tuple[str, str] = ("", "")
) -> tuple[Pair, ...]:
    """The stages of two pipelines, side by side, in the order of the second."""
    partner = _partners(before, after)  # of each stage after, the place before
    ordered = [partner[at] for at in range(len(after)) if at in partner]
    stay = _longest_rising(ordered)
    alone = set(range(len(before))) - set(partner.values())
    pairs: list[Pair] = []
    reached = -1
    for at, stage in enumerate(after):
        other = partner.get(at)
        if other in stay:
            pairs += (
                _pair(before[one], None, one, None, above)
                for one in range(reached + 1, other)
                if one in alone
            )
            reached = other
        pairs.append(
            _pair(
                None if other is None else before[other],
                stage,
                other,
                at,
                above,
                moved=other is not None and other not in stay,
            )
        )
    rest = (one for one in range(reached + 1, len(before)) if one in alone)
    return (*pairs, *(_pair(before[one], None, one, None, above) for one in rest))


def _pair(
    before: Stage | None,
    after: Stage | None,
    old: int | None,
    new: int | None,
    above: tuple[str, str],
    *,
    moved: bool = False,
) -> Pair:
    places = tuple(
        "" if at is None else f"{over}.{at + 1}" if over else str(at + 1)
        for over, at in zip(above, (old, new), strict=True)
    )
    inner = matched(
        before.children if before else (), after.children if after else (), (places[0], places[1])
    )
    return Pair(before, after, places[0], places[1], moved, inner)


def _partners(before: Sequence[Stage], after: Sequence[Stage]) -> dict[int, int]:
    found: dict[int, int] = {}
    for key in (_uid, _columns, _outputs, _class):
        waiting: dict[Hashable, list[int]] = {}
        taken = set(found.values())
        for at, stage in enumerate(before):
            if at not in taken:
                waiting.setdefault(key(stage), []).append(at)
        for places in waiting.values():
            places.reverse()
        for at, stage in enumerate(after):
            places = waiting.get(key(stage), []) if at not in found else []
            if places:
                found[at] = places.pop()
    return found


def _class(stage: Stage) -> Hashable:
    return stage.class_name


def _uid(stage: Stage) -> Hashable:
    return stage.class_name, stage.uid


def _outputs(stage: Stage) -> Hashable:
    return stage.class_name, _named(stage, ("outputCol", "outputCols", "predictionCol"))


def _columns(stage: Stage) -> Hashable:
    return stage.class_name, _named(
        stage,
        ("inputCol", "inputCols", "featuresCol", "outputCol", "outputCols", "predictionCol"),
    )


def _named(stage: Stage, names: Iterable[str]) -> Hashable:
    values = _parameters(stage)
    return tuple(repr(values.get(name, ("", False))[0]) for name in names)


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """The longest sequence of rising numbers: what stays, so that the fewest have moved."""
    ends: list[int] = []  # of the best sequence of each length, the last number
    lengths: list[int] = []
    for number in numbers:
        at = bisect_left(ends, number)
        ends[at : at + 1] = [number]
        lengths.append(at)
    kept: set[int] = set()
    wanted = len(ends) - 1
    for number, length in zip(reversed(numbers), reversed(lengths), strict=True):
        if length == wanted:
            kept.add(number)
            wanted -= 1
    return kept


# -- stages ----------------------------------------------------------------------------------


def of_pairs(
    pairs: Iterable[Pair], learned: Callable[[Pair], LearnedChange | None]
) -> tuple[StageChange, ...]:
    """What differs in matched stages. `learned` compares what the two of a pair learnt."""
    return tuple(_of_pair(one, learned) for one in pairs)


def _of_pair(pair: Pair, learned: Callable[[Pair], LearnedChange | None]) -> StageChange:
    before, after = pair.before, pair.after
    inner = of_pairs(pair.inner, learned)
    either = after or before
    assert either is not None
    parameters = _parameter_changes(before, after)
    what = learned(pair)
    if before is None or after is None:
        status = ADDED if before is None else REMOVED
    else:
        changed = (
            pair.moved
            or any(one.differs for one in parameters)
            or any(one.status != SAME for one in inner)
            or (what is not None and what.status != SAME)
        )
        status = CHANGED if changed else SAME
    return StageChange(
        either.class_name,
        status,
        pair.place_before,
        pair.place_after,
        before.uid if before else "",
        after.uid if after else "",
        pair.moved,
        parameters,
        what,
        inner,
    )


def _parameter_changes(before: Stage | None, after: Stage | None) -> tuple[Parameter, ...]:
    old = _parameters(before) if before else {}
    new = _parameters(after) if after else {}
    return tuple(
        Parameter(
            one.name,
            one.status,
            one.before,
            one.after,
            old.get(one.name, ("", False))[1],
            new.get(one.name, ("", False))[1],
        )
        for one in changes(
            {name: value for name, (value, _) in old.items()},
            {name: value for name, (value, _) in new.items()},
        )
    )


def _parameters(stage: Stage) -> dict[str, tuple[Any, bool]]:
    """The value of each parameter, and whether somebody set it; free of the stage's own uid."""
    found = {name: (_without(value, stage.uid), False) for name, value in stage.defaults.items()}
    found |= {name: (_without(value, stage.uid), True) for name, value in stage.parameters.items()}
    statement = found.get("statement", ("", False))[0]
    mark = watermark.parse_statement(statement) if isinstance(statement, str) else None
    if mark is not None and watermark.is_uid(stage.uid):
        # Each release names itself there: that is no difference of the models.
        found["statement"] = (watermark.statement("VERSION", mark.column), True)
    return {name: one for name, one in found.items() if name not in _OF_THE_SAVE}


def _without(value: Any, uid: str) -> Any:
    """A default such as `PCA_12ab__output` is the same in another PCA."""
    if isinstance(value, str) and uid and value.startswith(f"{uid}__"):
        return f"<uid>{value[len(uid) :]}"
    return value


# -- what was learnt -------------------------------------------------------------------------


def of_learned(before: Learned, after: Learned) -> LearnedChange:
    """What two stages learnt differently; their files differ."""
    unread = before.unread or after.unread
    if unread:
        return LearnedChange(CHANGED, before.size, after.size, (), unread)
    parts = tuple(
        _of_part(name, before.parts.get(name), after.parts.get(name))
        for name in _all_names(before.parts, after.parts)
    )
    status = CHANGED if any(one.status != SAME for one in parts) else SAME
    return LearnedChange(status, before.size, after.size, parts)


def _of_part(name: str, before: Part | None, after: Part | None) -> PartChange:
    old, new = before or _like(after), after or _like(before)
    alone = ADDED if before is None else REMOVED if after is None else ""
    if isinstance(old, Values) and isinstance(new, Values):
        found = changes(old.values, new.values)
        differ = tuple(one for one in found if one.differs)
        return PartChange(
            name, alone or (CHANGED if differ else SAME), differ, len(found) - len(differ)
        )
    if isinstance(old, Labels) and isinstance(new, Labels):
        return _of_labels(name, alone, old.labels, new.labels)
    one = old if isinstance(old, Digest) else None
    other = new if isinstance(new, Digest) else None
    same = one is not None and other is not None and one.sha256 == other.sha256
    return PartChange(name, alone or (SAME if same else CHANGED), before=one, after=other)


def _like(part: Part | None) -> Part:
    """Nothing, of the same kind."""
    match part:
        case Values():
            return Values({})
        case Labels():
            return Labels(())
    return Digest(0, "")


def _of_labels(
    name: str, alone: str, before: tuple[str, ...], after: tuple[str, ...]
) -> PartChange:
    # A label that comes twice counts where it comes first.
    old, new = _places(before), _places(after)
    added = tuple((at, one) for one, at in new.items() if one not in old)
    removed = tuple((at, one) for one, at in old.items() if one not in new)
    moved = tuple(
        Move(one, old[one], at) for one, at in new.items() if one in old and old[one] != at
    )
    status = alone or (SAME if before == after else CHANGED)
    same = len(new) - len(added) - len(moved)
    return PartChange(name, status, same=same, added=added, removed=removed, moved=moved)


def _places(labels: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, one in enumerate(labels):
        found.setdefault(one, at)
    return found


# -- cards -----------------------------------------------------------------------------------


def of_cards(before: Card, after: Card) -> dict[str, tuple[Change, ...]]:
    """What differs in two cards, beside the pipeline: by section, each by name."""
    return {
        "about": changes(_about(before), _about(after)),
        "metrics": changes(before.metrics, after.metrics),
        "labels": changes(before.labels, after.labels),
        "fields": changes(before.fields, after.fields),
        "training data": changes(_data(before), _data(after)),
        "input": changes(_columns_of(before.input_schema), _columns_of(after.input_schema)),
        "output": changes(_columns_of(before.output_schema), _columns_of(after.output_schema)),
        "environment": changes(before.environment, after.environment),
        "libraries": changes(_libraries(before), _libraries(after)),
        "python modules": changes(
            dict.fromkeys(before.python_modules, ""), dict.fromkeys(after.python_modules, "")
        ),
    }


def of_sizes(before: Card, after: Card) -> tuple[Change, ...]:
    """The size of each file, in bytes, by its name without artifact and version."""
    return changes(_sizes(before), _sizes(after))


def _about(card: Card) -> dict[str, Any]:
    found = {
        "description": card.description,
        "intended use": card.intended_use,
        "limits": card.limits,
        "owner": card.owner,
        "author": card.author,
        "watermark column": card.watermark,
        "git commit": (card.git or {}).get("commit"),
        "runtime": (card.runtime or {}).get("coordinate"),
    }
    return {name: value for name, value in found.items() if value}


def _data(card: Card) -> dict[str, Any]:
    """What is said of the training data, but its schema, which the inputs say."""
    return {name: value for name, value in (card.training_data or {}).items() if name != "schema"}


def _libraries(card: Card) -> dict[str, str]:
    return {one.rpartition(":")[0]: one.rpartition(":")[2] for one in card.libraries}


def _sizes(card: Card) -> dict[str, int]:
    artifact, _, version = card.coordinate.rpartition(":")
    prefix = f"{artifact.rpartition(':')[2]}-{version}"
    return {one.name.removeprefix(prefix).lstrip("-."): one.size for one in card.files}


def _columns_of(schema: Any) -> dict[str, Any]:
    """The columns of one of Spark's JSON schemas: type and nullability by name."""
    fields = schema.get("fields") if isinstance(schema, Mapping) else None
    if not isinstance(fields, list):
        return {}
    return {
        str(one.get("name", "")): {
            "type": one.get("type"),
            "nullable": one.get("nullable") is not False,
        }
        for one in fields
        if isinstance(one, Mapping)
    }


# -- named values ----------------------------------------------------------------------------


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Named values side by side, in the order of the second.

    >>> [(one.name, one.status) for one in changes({"a": 1, "b": 2}, {"b": 3, "c": 4})]
    [('a', 'removed'), ('b', 'changed'), ('c', 'added')]
    """
    return tuple(
        _change(name, before.get(name, _MISSING), after.get(name, _MISSING))
        for name in _all_names(before, after)
    )


def _change(name: str, before: Any, after: Any) -> Change:
    if before is _MISSING:
        return Change(name, ADDED, after=after)
    if after is _MISSING:
        return Change(name, REMOVED, before=before)
    return Change(name, SAME if _equal(before, after) else CHANGED, before, after)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    # JSON has one kind of number, and true is none.
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _all_names(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """All names in the order of the second; those that are gone stand where they were."""
    gone = [name for name in before if name not in after]
    if not gone:
        yield from after
        return
    follows = {name: at for at, name in enumerate(before)}
    waiting = iter(gone)
    held = next(waiting, None)
    for name in after:
        while held is not None and name in follows and follows[held] < follows[name]:
            yield held
            held = next(waiting, None)
        yield name
    while held is not None:
        yield held
        held = next(waiting, None)
