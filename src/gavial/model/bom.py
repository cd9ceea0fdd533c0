"""The bill of materials of a release, `-cyclonedx.json`: CycloneDX 1.6 with a model card. Pure.

The same values give the same bytes: its serial number comes from the release and the digests in
it, and its time is the card's.

Source: https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gavial.errors import CorruptRelease
from gavial.maven.coordinate import Coordinate
from gavial.model import json_values

FORMAT = "CycloneDX"
SPECIFICATION = "1.6"
_SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_SERIAL = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# One licence of SPDX's, or some of them put together: everything else is a name.
_SPDX = re.compile(
    r"\(?[A-Za-z0-9.+-]*[0-9-][A-Za-z0-9.+-]*\)?( (AND|OR|WITH) \(?[A-Za-z0-9.+-]+\)?)*"
    r"|MIT|ISC|Zlib|Unlicense|Python"
)
# What a class's package says of how it learns, and for what.
_TASKS = {
    "classification": ("supervised", "classification"),
    "regression": ("supervised", "regression"),
    "clustering": ("unsupervised", "clustering"),
    "recommendation": ("", "recommendation"),
    "fpm": ("unsupervised", "frequent pattern mining"),
}
_PACKAGE = re.compile(r"(?:org\.apache\.spark|pyspark|com\.microsoft\.azure\.synapse)\.ml\.(\w+)\.")


@dataclass(frozen=True)
class Part:
    """Something that a model needs: a JVM library, a Python distribution, or a module it brings.

    Attributes:
        name: with its group in the case of Maven, `group:artifact`.
        version: empty for a module that has none.
        kind: "maven", "pypi", or "module" for what travels in the jar.
        sha256: hexadecimal, where the bytes are known.
        licence: an SPDX expression or a name, where it is known.
        provided: Spark has it, wherever the model runs.
        files: the sha256 of each file of a module, by its name in the jar.
    """

    name: str
    version: str = ""
    kind: str = "maven"
    sha256: str = ""
    licence: str = ""
    provided: bool = False
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def purl(self) -> str:
        """Its package URL.

        >>> Part("org.apache.spark:spark-mllib_2.13", "4.0.0").purl
        'pkg:maven/org.apache.spark/spark-mllib_2.13@4.0.0?type=jar'
        """
        if self.kind == "pypi":
            return f"pkg:pypi/{re.sub('[-_.]+', '-', self.name).lower()}@{_quoted(self.version)}"
        if self.kind == "maven":
            group, _, artifact = self.name.partition(":")
            return f"pkg:maven/{group}/{artifact}@{_quoted(self.version)}?type=jar"
        return f"module:{self.name}"


def render(
    card: Mapping[str, Any], parts: Sequence[Part], *, jar_sha256: str, licence: str, version: str
) -> bytes:
    """The bytes of a release's bill of materials.

    Args:
        card: the model card as JSON; members that it lacks are left out here too.
        parts: what the model needs.
        jar_sha256: of the release's jar.
        licence: the model's own, or empty.
        version: of this package, which writes it.
    """
    coordinate = Coordinate.parse(card["coordinate"])
    model = Part(str(coordinate.module), str(coordinate.version), sha256=jar_sha256)
    data = _data(card)
    each = {one.purl: one for one in parts}
    components = [*map(_component, each.values()), *(one for one, _ in data)]
    content: dict[str, Any] = {
        "$schema": _SCHEMA,
        "bomFormat": FORMAT,
        "specVersion": SPECIFICATION,
        "serialNumber": "",
        "version": 1,
        "metadata": {
            "timestamp": card["created"],
            "tools": {
                "components": [{"type": "application", "name": "gavial", "version": version}]
            },
            "component": _model(model, card, licence, [ref for _, ref in data]),
        },
        "components": components,
        "dependencies": [
            {"ref": model.purl, "dependsOn": sorted(one["bom-ref"] for one in components)},
            *({"ref": one["bom-ref"]} for one in components),
        ],
    }
    # Whatever differs has another number; what is the same has the same.
    text = json.dumps(content, sort_keys=True)
    content["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, f"{model.purl}#{text}").urn
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def problems(data: bytes, coordinate: Coordinate, jar_sha256: str, name: str) -> tuple[str, ...]:
    """What of a bill of materials is not as it ought to be.

    Args:
        data: its bytes.
        coordinate: the release that it lies beside.
        jar_sha256: of that release's jar.
        name: how a message names it.

    Raises:
        CorruptRelease: it is none.
    """
    try:
        content = json_values.loads(data)
        found, model = [], content["metadata"]["component"]
        if (content["bomFormat"], content["specVersion"]) != (FORMAT, SPECIFICATION):
            what = f"{content['bomFormat']!r:.40} {content['specVersion']!r:.40}"
            raise ValueError(f"it is a {what}, and not {FORMAT} {SPECIFICATION}")
        if not _SERIAL.fullmatch(content["serialNumber"]):
            found.append(f"{name} has no serial number.")
        named = f"{model['group']}:{model['name']}:{model['version']}"
        if named != str(coordinate) or model["type"] != "machine-learning-model":
            found.append(f"{name} is that of {named!r:.100}.")
        if {"alg": "SHA-256", "content": jar_sha256} not in model["hashes"]:
            found.append(f"{name} was made for another jar.")
        refs = [one["bom-ref"] for one in (model, *content["components"])]
        if len(set(refs)) != len(refs):
            found.append(f"{name} names a component twice.")
        for one in content["dependencies"]:
            unknown = {one["ref"], *one.get("dependsOn", ())} - set(refs)
            found += [f"{name} depends on {ref!r:.100}, which it does not list." for ref in unknown]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        lacks = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise CorruptRelease(f"{name} is no bill of materials: {lacks:.200}.") from error
    return tuple(found)


def task_of(pipeline: Iterable[Mapping[str, Any]]) -> tuple[str, str, str]:
    """How a pipeline learnt, for what, and by which class: of the last stage that tells.

    >>> task_of([{"class": "org.apache.spark.ml.classification.LogisticRegressionModel"}])
    ('supervised', 'classification', 'LogisticRegressionModel')
    """
    found = ("", "", "")
    for stage in pipeline:
        name = str(stage.get("class", ""))
        package = _PACKAGE.match(name)
        if package and package[1] in _TASKS:
            found = (*_TASKS[package[1]], name.rpartition(".")[2])
        inner = task_of(stage.get("stages", ()))
        found = inner if inner[1] else found
    return found


def _model(
    model: Part, card: Mapping[str, Any], licence: str, data: Sequence[str]
) -> dict[str, Any]:
    group, _, artifact = model.name.partition(":")
    who = card.get("owner") or card.get("author")
    found: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": model.purl,
        "group": group,
        "name": artifact,
        "version": model.version,
        "purl": model.purl,
        "hashes": _hashes(model.sha256),
        "modelCard": _card(card, data),
    }
    if card.get("description"):
        found["description"] = card["description"]
    if who:
        found["authors"] = [{"name": who}]
    if licence:
        found["licenses"] = _licences(licence)
    remote = (card.get("git") or {}).get("remote")
    if remote:
        found["externalReferences"] = [{"type": "vcs", "url": remote}]
    return found


def _card(card: Mapping[str, Any], data: Sequence[str]) -> dict[str, Any]:
    approach, task, architecture = task_of(card.get("pipeline", ()))
    parameters: dict[str, Any] = {}
    if approach:
        parameters["approach"] = {"type": approach}
    if task:
        parameters |= {"task": task, "modelArchitecture": architecture}
    if data:
        parameters["datasets"] = [{"ref": ref} for ref in data]
    for name, columns, schema in (
        ("inputs", "inputs", "input_schema"),
        ("outputs", "outputs", "output_schema"),
    ):
        named = _columns((card.get(columns) or {}).get("columns"))
        named = named or _columns((card.get(schema) or {}).get("fields"))
        if named:
            parameters[name] = [{"format": one} for one in named]
    considered = {
        "useCases": card.get("intended_use"),
        "technicalLimitations": card.get("limits"),
    }
    found: dict[str, Any] = {"modelParameters": parameters}
    if card.get("metrics"):
        measured = [
            {"type": name, "value": str(value)} for name, value in sorted(card["metrics"].items())
        ]
        found["quantitativeAnalysis"] = {"performanceMetrics": measured}
    if any(considered.values()):
        found["considerations"] = {name: [text] for name, text in considered.items() if text}
    stages = _stages(card.get("pipeline", ()))
    if stages:
        found["properties"] = [{"name": "gavial:stage", "value": one} for one in stages]
    return found


def _stages(pipeline: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        text
        for stage in pipeline
        for text in (str(stage.get("class", "")), *_stages(stage.get("stages", ())))
    ]


def _columns(columns: Iterable[Mapping[str, Any]] | None) -> list[str]:
    """Columns as `name: type`; a nested type by its kind."""
    found = []
    for one in columns or ():
        kind = one.get("type")
        text = kind.get("type") if isinstance(kind, dict) else kind
        found.append(f"{one.get('name')}: {text}" if text else f"{one.get('name')}")
    return found


def _data(card: Mapping[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The sets of data that a card names, each a component and its reference."""
    found = []
    for member, what in (("training_data", "trained on"), ("metrics_on", "measured on")):
        about = card.get(member)
        if not about:
            continue
        ref = f"data:{member.replace('_', '-')}"
        name = about.get("name") or about.get("source") or what
        inner: dict[str, Any] = {"type": "dataset", "name": name, "description": what}
        facts = {key: about.get(key) for key in ("source", "format", "rows")}
        facts["time"] = _time(about.get("time"))
        inner["contents"] = {
            "properties": [
                {"name": f"gavial:{key}", "value": str(value)}
                for key, value in facts.items()
                if value is not None
            ]
        }
        component: dict[str, Any] = {"type": "data", "bom-ref": ref, "name": name, "data": [inner]}
        if about.get("version") is not None:
            component["version"] = str(about["version"])
        found.append((component, ref))
    return found


def _time(time: Mapping[str, Any] | None) -> str | None:
    return f"{time.get('column')}: {time.get('from')} to {time.get('to')}" if time else None


def _component(part: Part) -> dict[str, Any]:
    group, _, artifact = part.name.rpartition(":")
    found: dict[str, Any] = {"type": "library", "bom-ref": part.purl}
    if group:
        found["group"] = group
    found["name"] = artifact
    if part.version:
        found["version"] = part.version
    if part.kind != "module":
        found["purl"] = part.purl
    if part.sha256:
        found["hashes"] = _hashes(part.sha256)
    if part.licence:
        found["licenses"] = _licences(part.licence)
    if part.files:
        found["components"] = [
            {"type": "file", "bom-ref": f"file:{name}", "name": name, "hashes": _hashes(sha256)}
            for name, sha256 in sorted(part.files.items())
        ]
    if part.provided:
        found["properties"] = [{"name": "gavial:provided", "value": "true"}]
    return found


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _licences(text: str) -> list[dict[str, Any]]:
    if _SPDX.fullmatch(text):
        return [{"expression": text}]
    return [{"license": {"name": text}}]


def _quoted(version: str) -> str:
    return version.replace("%", "%25").replace("+", "%2B")
