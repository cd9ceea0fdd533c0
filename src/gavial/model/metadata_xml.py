"""`-metadata.xml`: which deploy claimed a number, and every parameter of every stage.

The form is `<metadata><pipeline id><stages><stage id><class/><params><param>…`; what is ours
alone stands in `<gavial>` and in attributes, which a reader of that form skips.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from gavial import limits
from gavial.errors import CorruptRelease
from gavial.maven import xml
from gavial.maven.coordinate import Coordinate
from gavial.model import parameters, stamp
from gavial.model.saved_model import SavedModel
from gavial.model.saved_stage import Stage

FORMAT = 1
_LINE_END = re.compile("\r\n?")  # which XML does not keep
_FORBIDDEN = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True)
class Claim:
    """Which deploy owns a number: its token, the digest of its model, and the release."""

    token: str
    digest: str
    coordinate: str


def render(
    model: SavedModel,
    coordinate: Coordinate,
    *,
    token: str,
    digest: str,
) -> bytes:
    """The file's bytes: the same values give the same bytes.

    Args:
        model: the saved model.
        coordinate: the number claimed.
        token: what tells this deploy from any other.
        digest: of the model, as `SavedModel.digest` gives it.
    """
    root = Element("metadata")
    ours = xml.child(root, "gavial")
    ours.set("format", str(FORMAT))
    xml.child(ours, "token", token)
    xml.child(ours, "digest", digest)
    xml.child(ours, "coordinate", str(coordinate))
    pipeline = xml.child(root, "pipeline")
    pipeline.set("id", model.root.uid)
    _stages(pipeline, model.root.children, stamp.statements(model, coordinate))
    return xml.render(root)


def read_claim(data: bytes) -> Claim | None:
    """The claim in a `-metadata.xml`; `None` for anything that Gavial did not write.

    >>> read_claim(b"<metadata><pipeline id='p'/></metadata>") is None
    True
    """
    if len(data) > limits.SMALL_FILE:
        return None
    try:
        text = data.decode("utf-8")
        if _FORBIDDEN.search(text):
            return None
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError, LookupError):
        return None
    values = [root.findtext(f"gavial/{name}") for name in ("token", "digest", "coordinate")]
    if root.tag != "metadata" or not all(values):
        return None
    token, digest, coordinate = (value or "" for value in values)
    return Claim(token, digest, coordinate)


def differences(data: bytes, pipeline: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What a `-metadata.xml` says otherwise than a card of its stages and their parameters.

    Args:
        data: the file's bytes, which `read_claim` reads.
        pipeline: as `card.stages_of` describes it.

    Raises:
        CorruptRelease: the card does not describe stages.
    """
    stages = ElementTree.fromstring(data.decode("utf-8")).find("pipeline/stages")
    found: list[str] = []
    try:
        _compare(stages, pipeline, found)
    except (TypeError, AttributeError) as error:
        raise CorruptRelease(f"The card's pipeline is damaged: {error!s:.200}.") from error
    return tuple(found)


def _compare(there: Element | None, stages: Sequence[Mapping[str, Any]], found: list[str]) -> None:
    elements = [] if there is None else there.findall("stage")
    names = [(one.get("id"), one.findtext("class")) for one in elements]
    if names != [(stage.get("uid"), stage.get("class")) for stage in stages]:
        found.append(f"its stages are {', '.join(str(name) for name, _ in names) or 'none'}")
        return
    for element, stage in zip(elements, stages, strict=True):
        theirs = _values(element)
        ours = {
            **{name: (value, "false") for name, value in stage.get("defaults", {}).items()},
            **{name: (value, "true") for name, value in stage.get("parameters", {}).items()},
        }
        for name in sorted(theirs.keys() | ours.keys()):
            if name not in theirs or name not in ours or not _same(theirs[name], ours[name]):
                found.append(f"{name!r:.80} of {stage.get('uid')!r:.80} differs")
        _compare(element.find("stages"), stage.get("stages", ()), found)


def _values(stage: Element) -> dict[str, tuple[str, str]]:
    return {
        one.findtext("name") or "": (one.findtext("value") or "", one.get("explicit") or "")
        for one in stage.findall("params/param")
    }


def _same(there: tuple[str, str], ours: tuple[Any, str]) -> bool:
    if there[1] != ours[1]:
        return False
    text = there[0]
    if text == _LINE_END.sub("\n", xml.legal(_text(ours[0]))):
        return True
    try:  # a number that JSON lacks is a text in the card
        return bool(json.loads(text, parse_constant=str) == ours[0])
    except (ValueError, RecursionError):
        return False


def _stages(parent: Element, stages: Iterable[Stage], stamped: dict[str, str]) -> None:
    element = xml.child(parent, "stages")
    for stage in stages:
        one = xml.child(element, "stage")
        one.set("id", stage.uid)
        xml.child(one, "class", stage.class_name)
        _parameters(xml.child(one, "params"), stage, stamped.get(stage.folder))
        if stage.children:
            _stages(one, stage.children, stamped)


def _parameters(parent: Element, stage: Stage, statement: str | None) -> None:
    values = {**stage.defaults, **stage.parameters}
    if statement is not None:
        values["statement"] = statement
    for name, value in sorted(values.items()):
        one = xml.child(parent, "param")
        one.set("explicit", "true" if name in stage.parameters else "false")
        xml.child(one, "name", name)
        xml.child(one, "value", _text(value))
        xml.child(one, "description", parameters.description(stage.class_name, name))


def _text(value: Any) -> str:
    """Text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
