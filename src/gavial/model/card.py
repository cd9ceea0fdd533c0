"""The model card, `-card.json`: what a release says of its model, and of its own files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from gavial.errors import CorruptRelease
from gavial.maven.coordinate import Coordinate
from gavial.model import json_schema, json_values, stamp
from gavial.model.manifest import check_format
from gavial.model.saved_model import SavedModel
from gavial.model.saved_stage import Stage

FORMAT = 1
SCHEMA = "card.schema.json"
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True)
class File:
    """One file of a release: its name, size in bytes, and sha256, hexadecimal."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Card:
    """What a release says of its model.

    `created` is UTC in ISO 8601. `pipeline` has one object a stage (`stages_of`), schemas are
    Spark's own JSON, `input_example` holds rows, and `golden` what Spark made of them. `inputs`
    and `outputs` are the columns that the pipeline needs and makes (`model.columns`).
    `environment` names the versions of spark, scala, python, java and gavial, and the os.
    `watermark` is the column that names the version, `None` where records are not stamped.
    `replaces` says what changed since the release before. `runtime` is the runtime jar's
    coordinate and sha256. `files` are all other files of the release, so that a reader finds
    them on a server that lists nothing.

    `card.schema.json` beside this module says what each member may be: a card is checked by it
    when it is written and when it is read.
    """

    coordinate: str
    created: str
    format: int = FORMAT
    description: str = ""
    intended_use: str = ""
    limits: str = ""
    owner: str = ""
    author: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    metrics_on: Mapping[str, Any] | None = None
    training_data: Mapping[str, Any] | None = None
    pipeline: tuple[Mapping[str, Any], ...] = ()
    inputs: Mapping[str, Any] | None = None
    outputs: Mapping[str, Any] | None = None
    input_schema: Any | None = None
    output_schema: Any | None = None
    input_example: tuple[Mapping[str, Any], ...] | None = None
    golden: Mapping[str, Any] | None = None
    watermark: str | None = None
    replaces: Mapping[str, Any] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    git: Mapping[str, Any] | None = None
    script: str = ""
    libraries: tuple[str, ...] = ()
    python_modules: tuple[str, ...] = ()
    runtime: Mapping[str, str] | None = None
    files: tuple[File, ...] = ()
    digest: str = ""

    def to_json(self) -> bytes:
        """The file's bytes, stable and sorted; metrics that are not finite are texts.

        Raises:
            ValueError: another value is not finite, or is nothing that JSON or a card can hold.
        """
        content = {name: getattr(self, name) for name in _NAMES}
        json_values.check(content)
        content["metrics"] = {name: _number(value) for name, value in self.metrics.items()}
        content["files"] = [vars(one) for one in self.files]
        json_schema.check(content, json_schema.shipped(SCHEMA))
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return text.encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> Card:
        """Read a card. Additions of later versions are ignored.

        Raises:
            CorruptRelease: it is no card.
            IncompatibleModel: its format is of a later Gavial.
        """
        try:
            content = json_values.loads(data, parse_constant=_refuse)
            if not isinstance(content, dict):
                raise TypeError("not a JSON object")
            check_format(content.get("format"), FORMAT, "The model card")
            json_schema.check(content, json_schema.shipped(SCHEMA))
            known = {name: _value(name, value) for name, value in content.items() if name in _NAMES}
            return cls(**known)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise CorruptRelease(f"The model card is damaged: {error!s:.200}.") from error


def stages_of(model: SavedModel, coordinate: Coordinate) -> tuple[dict[str, Any], ...]:
    """The card's `pipeline`: of each stage uid, class, parameters and defaults, in order.

    Stages within a stage stand under its `stages`. The watermark is shown as it is released.
    """
    stamped = stamp.statements(model, coordinate)
    return tuple(described(stage, stamped) for stage in model.root.children)


def described(stage: Stage, stamped: Mapping[str, str]) -> dict[str, Any]:
    """One stage as a card's `pipeline` has it; `stamped` are statements by a stage's folder."""
    parameters = _finite(stage.parameters)
    if stage.folder in stamped:
        parameters["statement"] = stamped[stage.folder]
    found: dict[str, Any] = {
        "uid": stage.uid,
        "class": stage.class_name,
        "parameters": parameters,
        "defaults": _finite(stage.defaults),
    }
    if stage.children:
        found["stages"] = [described(child, stamped) for child in stage.children]
    return found


def _finite(value: Any) -> Any:
    """A value of a stage's metadata with numbers that JSON lacks as texts."""
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return value


def _number(value: float) -> float | str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"the metric {value!r} is not a number")  # noqa: TRY004 one error kind
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


_NAMES = tuple(one.name for one in fields(Card))
_TUPLES = frozenset(("pipeline", "input_example", "libraries", "python_modules"))


def _value(name: str, value: Any) -> Any:
    if name == "metrics":
        return {label: _NON_FINITE.get(one, one) for label, one in value.items()}
    if name == "files":
        return tuple(File(one["name"], int(one["size"]), one["sha256"]) for one in value)
    return tuple(value) if name in _TUPLES and value is not None else value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
