"""May this release be a build or a minor of the line that it claims? Decided over two model cards.

Whoever scores with `1.0.+` must be able to take each build, and with `1.+` each minor: no column
more is needed, none that was needed must be narrower, and nothing that was made is gone or of
another type. A build besides has the same stages: it was retrained, nothing else. All else is
free, and what changed is told.

Only what is proved refuses. What a stage of an unknown class needs cannot be told, and is said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import Any

from gavial.errors import ConfigurationError
from gavial.maven.coordinate import MAX_NUMBER, Line, Target, Version
from gavial.model import columns, schemas
from gavial.model.card import Card
from gavial.model.parameters import jvm_class
from gavial.model.watermark import is_uid

_LONGEST = 80  # of a value that is told
_MOST = 200  # changes of one kind that are told
_PAIRS = 4_000_000  # of stages that are matched: the time for it grows with their number
# What is not a setting of the model: who wrote it, and which stages a pipeline has.
_OWN = frozenset(("language", "stageUids"))

Cards = Callable[[Version], Card | None]


class Level(IntEnum):
    """What a release is to the one before it."""

    BUILD = 0
    MINOR = 1
    MAJOR = 2

    @classmethod
    def between(cls, before: Line, after: Line) -> Level:
        """What a release of a line is to one of another.

        >>> Level.between(Line(1, 0), Line(1, 2)).name
        'MINOR'
        """
        if before == after:
            return cls.BUILD
        return cls.MINOR if before.major == after.major else cls.MAJOR


@dataclass(frozen=True)
class Change:
    """One parameter that another value has. `stage` counts from 1; `class_name` has no package."""

    stage: int
    class_name: str
    name: str
    before: Any
    after: Any

    def __str__(self) -> str:
        where = f"stage {self.stage}, {self.class_name}.{self.name}"
        return f"{where}: {_shown(self.after)}, was {_shown(self.before)}"

    def is_frozen(self, patterns: Iterable[str]) -> bool:
        """Whether a pattern such as `LogisticRegression.regParam` or `*.maxIter` names it."""
        names = [f"{one}.{self.name}" for one in _names(self.class_name)]
        return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


@dataclass(frozen=True)
class Comparison:
    """What changed between two releases.

    Attributes:
        breaking: what whoever uses the one cannot take from the other.
        technique: stages that came, went or moved.
        parameters: of stages that both have.
        harmless: changes of columns that everybody can take.
        unknown: what could not be told.
    """

    breaking: tuple[str, ...]
    technique: tuple[str, ...]
    parameters: tuple[Change, ...]
    harmless: tuple[str, ...]
    unknown: tuple[str, ...]

    def against(self, level: Level, freeze: Iterable[str] = ()) -> tuple[str, ...]:
        """Every reason why the later one may not be that to the earlier one."""
        if level is Level.MAJOR:
            return ()
        if level is Level.MINOR:
            return self.breaking
        patterns = tuple(freeze)
        frozen = [f"{one}, which is frozen" for one in self.parameters if one.is_frozen(patterns)]
        return (*self.breaking, *self.technique, *frozen)

    def to_json(self) -> dict[str, list[str]]:
        """As a card's `replaces` has it."""
        return {
            "stages": _most(self.technique),
            "parameters": _most(map(str, self.parameters)),
            "schema": _most((*self.breaking, *self.harmless)),
            "unknown": _most(self.unknown),
        }


def check_freeze(patterns: Sequence[str]) -> tuple[str, ...]:
    """Check patterns of parameters that no build may change.

    Raises:
        ConfigurationError: one is not `Class.parameter`.
    """
    if isinstance(patterns, str):
        raise ConfigurationError(f"freeze={patterns!r}: expected a list, [{patterns!r}].")
    for one in patterns:
        stage, _, name = str(one).rpartition(".")
        if not stage or not name:
            raise ConfigurationError(
                f"freeze has {one!r}: expected a stage's class and a parameter, such as "
                "'LogisticRegression.regParam' or '*.maxIter'."
            )
    return tuple(patterns)


def before(target: Target, line: Line, known: Iterable[Version]) -> Version | None:
    """The release that another replaces: the highest below it, of its line or an earlier one.

    >>> before(Target.parse("a:b:1.1"), Line(1, 1), [Version(1, 0, 3), Version(2, 0, 0)])
    Version('1.0.3')
    """
    bound = (target.exact or line.build(MAX_NUMBER)).key()
    return max((one for one in known if one.key() < bound), key=Version.key, default=None)


def lines_for(
    after: Card, known: Sequence[Version], card_of: Cards, major: int
) -> tuple[Line, ...]:
    """The lines under which a release that was refused may be made, the nearest first.

    Args:
        after: the release.
        known: every version that there is.
        card_of: the card of a version; `None` where there is none to compare with.
        major: that of the line which was asked for.
    """
    found = []
    newest = max((one for one in known if one.major == major), default=None)
    if newest is not None and newest.minor < MAX_NUMBER:
        card = card_of(newest)
        if card is None or not compare(card, after).against(Level.MINOR):
            found.append(Line(major, newest.minor + 1))
    highest = max((one.major for one in known), default=major)
    return (*found, Line(max(highest, major) + 1, 0))


def compare(earlier: Card, later: Card) -> Comparison:
    """What changed from one release to a later one."""
    breaking: list[str] = []
    harmless: list[str] = []
    unknown: list[str] = []
    one, other = _Columns.of(earlier), _Columns.of(later)
    for refuses, doubtful, text in (*_inputs(one, other), *_outputs(one, other)):
        (unknown if doubtful else breaking if refuses else harmless).append(text)
    for stage in other.unknown:
        unknown.append(f"which columns the stage {stage} needs and makes is not known")
    technique, pairs = _aligned(_leaves(earlier.pipeline), _leaves(later.pipeline))
    changes = [change for at, *pair in pairs for change in _changes(at, *pair)]
    return Comparison(*map(tuple, (breaking, technique, changes, harmless, unknown)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Columns:
    """A card's inputs and outputs by name in lower case, worked out where it does not say."""

    needs: Mapping[str, Mapping[str, Any]]
    makes: Mapping[str, Mapping[str, Any]]
    passes: bool
    unknown: tuple[str, ...]
    whole: bool

    @classmethod
    def of(cls, card: Card) -> _Columns:
        given, made = card.inputs, card.outputs
        if given is None or made is None:
            found = columns.flow(card.pipeline)
            given = columns.inputs(found, card.input_schema)
            made = columns.outputs(found, card.output_schema, card.input_schema)
        unknown = tuple(f"{one['stage']} ({one['class']})" for one in given["unknown"])
        return cls(
            {one["name"].lower(): one for one in given["columns"]},
            {one["name"].lower(): one for one in made["columns"]},
            made["passes"],
            unknown,
            not unknown or card.output_schema is not None,
        )


# Whether a change refuses, whether it is in doubt, and its text.
_Found = tuple[bool, bool, str]


def _inputs(one: _Columns, other: _Columns) -> Iterator[_Found]:
    for name, column in other.needs.items():
        shown = f"the column {column['name']!r}"
        earlier = one.needs.get(name)
        if earlier is None:
            doubtful = bool(one.unknown) or column.get("certain") is False
            yield True, doubtful, f"it needs {shown}{_of_type(column)}, which was not needed before"
            continue
        if earlier.get("nullable") is True and column.get("nullable") is False:
            yield True, False, f"{shown}, which it needs, may no longer be null"
        if earlier.get("type") is None or column.get("type") is None:
            continue
        problem = schemas.fits(earlier["type"], column["type"])
        if problem:
            yield True, False, f"{shown}, which it needs, changed: {problem}"
        elif schemas.name(earlier["type"]) != schemas.name(column["type"]):
            kinds = f"{schemas.name(column['type'])}, and was {schemas.name(earlier['type'])}"
            yield False, False, f"{shown}, which it needs, is wider: it is {kinds}"
    for name, column in one.needs.items():
        if name not in other.needs:
            yield False, False, f"it no longer needs the column {column['name']!r}"


def _outputs(one: _Columns, other: _Columns) -> Iterator[_Found]:
    for name, column in one.makes.items():
        shown = f"the column {column['name']!r}"
        later = other.makes.get(name)
        if later is None:
            if not (other.passes and name in one.needs):  # else it is there as it came
                yield True, not other.whole, f"it no longer makes {shown}"
            continue
        if later.get("nullable") is True and column.get("nullable") is False:
            yield True, False, f"{shown}, which it makes, may now be null"
        if later.get("type") is None or column.get("type") is None:
            continue
        kinds = schemas.name(later["type"]), schemas.name(column["type"])
        problem = schemas.fits(later["type"], column["type"])
        if kinds[0] != kinds[1]:
            text = f"{shown}, which it makes, changed: it is {kinds[0]}, and was {kinds[1]}"
            yield True, False, text
        elif problem:
            yield True, False, f"in {shown}, which it makes, there may now be nulls"
    for name, column in other.makes.items():
        if name not in one.makes:
            yield False, False, f"it makes the column {column['name']!r} as well"
    if one.passes and not other.passes:
        text = "it no longer keeps the other columns of a record"
        yield True, bool(one.unknown), text


def _of_type(column: Mapping[str, Any]) -> str:
    return "" if column.get("type") is None else f" ({schemas.name(column['type'])})"


_Stage = Mapping[str, Any]


def _leaves(stages: Iterable[_Stage]) -> list[_Stage]:
    """The stages that do something, in order, without the watermark."""
    found: list[_Stage] = []
    for stage in stages:
        inner = stage.get("stages")
        if _class(stage) == "PipelineModel" and isinstance(inner, list):
            found += _leaves(inner)
        elif not is_uid(str(stage.get("uid", ""))):
            found.append(stage)
    return found


def _aligned(
    one: list[_Stage], other: list[_Stage]
) -> tuple[list[str], list[tuple[int, _Stage, _Stage]]]:
    """Stages that differ, and the pairs of those that both have, by their place in the later."""
    before, after = (
        [jvm_class(str(stage.get("class", ""))) for stage in some] for some in (one, other)
    )
    if before == after:
        return [], [(at, *pair) for at, pair in enumerate(zip(one, other, strict=True), 1)]
    if len(before) * len(after) > _PAIRS:
        return [f"there are {len(after)} stages, and were {len(before)}, of other classes"], []
    texts: list[str] = []
    pairs: list[tuple[int, _Stage, _Stage]] = []
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    for kind, low, high, start, end in matcher.get_opcodes():
        if kind == "equal":
            pairs += [
                (start + at + 1, one[low + at], other[start + at]) for at in range(high - low)
            ]
            continue
        gone = ", ".join(map(_class, one[low:high]))
        new = ", ".join(map(_class, other[start:end]))
        if gone and new:
            texts.append(f"stage {start + 1} is {new}, and was {gone}")
        elif new:
            texts.append(f"stage {start + 1} is new: {new}")
        else:
            texts.append(f"stage {low + 1} is gone: {gone}")
    return texts, pairs


def _changes(at: int, one: _Stage, other: _Stage) -> Iterator[Change]:
    before, after = _settings(one), _settings(other)
    for name in sorted({*before, *after}):
        # A default that only one Spark has is no decision of anybody.
        if name in _OWN or not _was_set(one, other, name, {*before} & {*after}):
            continue
        was, now = before.get(name), after.get(name)
        same = type(was) is type(now) and was == now  # mostly, and told sooner
        if not same and _key(was, one) != _key(now, other):
            yield Change(at, _class(other), name, was, now)


def _was_set(one: _Stage, other: _Stage, name: str, both: set[str]) -> bool:
    return name in both or any(name in _mapping(stage, "parameters") for stage in (one, other))


def _settings(stage: _Stage) -> dict[str, Any]:
    return {**_mapping(stage, "defaults"), **_mapping(stage, "parameters")}


def _mapping(stage: _Stage, name: str) -> Mapping[str, Any]:
    value = stage.get(name)
    return value if isinstance(value, Mapping) else {}


def _key(value: Any, stage: _Stage) -> str:
    """A value to compare: names of columns that Spark made of a stage's uid are one."""
    text = json.dumps(value, sort_keys=True, default=str)
    uid = json.dumps(str(stage.get("uid", "")))[1:-1]
    return text.replace(uid, "") if uid else text


def _class(stage: _Stage) -> str:
    return str(stage.get("class", "")).rpartition(".")[2]


def _names(class_name: str) -> Iterator[str]:
    """A fitted stage's class, and that of the estimator: whoever writes a policy knows this one."""
    yield class_name
    yield class_name.removesuffix("Model")
    yield class_name.replace("ClassificationModel", "Classifier")
    yield class_name.replace("RegressionModel", "Regressor")


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _most(texts: Iterable[str]) -> list[str]:
    found = list(texts)
    more = len(found) - _MOST
    return found if more <= 0 else [*found[:_MOST], f"… and {more} more"]
