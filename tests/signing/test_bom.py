"""The bill of materials: valid by the official schema, and read back by the library for it."""

import hashlib
import json
import subprocess

import pytest
from tampered import SAVED, Version
from tools import tool

import gavial
from gavial.errors import CorruptRelease
from gavial.maven import layout
from gavial.maven.coordinate import Coordinate, Library
from gavial.model import bom
from gavial.model.bom import Part

COORDINATE = Coordinate.parse("com.acme:churn:1.0.3")
SHA256 = "a" * 64
# Reads a document a line and answers with a line: to start takes it seconds.
READ = """
import json, sys
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

validator = JsonStrictValidator(SchemaVersion.V1_6)
for text in sys.stdin:
    error = validator.validate_str(text)
    if error is not None:
        print("refused:", " ".join(str(error).split())[:2000], flush=True)
        continue
    read = Bom.from_json(json.loads(text))
    model = read.metadata.component
    number = read.serial_number.urn
    print(model.type.value, model.purl, len(read.components), number, flush=True)
"""
CARD = {
    "coordinate": str(COORDINATE),
    "created": "2026-01-02T03:04:05+00:00",
    "description": "Who leaves.\u202e",
    "intended_use": "Retention calls.",
    "limits": "Not for business customers.",
    "owner": "Retention",
    "metrics": {"auc": 0.87, "f1": "NaN"},
    "metrics_on": {"name": "holdout", "rows": 7},
    "training_data": {
        "source": "s3://data/churn",
        "format": "delta",
        "version": 12,
        "rows": 100,
        "time": {"column": "day", "from": "2025-01-01", "to": None},
    },
    "inputs": {"columns": [{"name": "plan", "type": "string"}, {"name": "calls"}], "unknown": []},
    "outputs": {"columns": [{"name": "probability", "type": {"type": "udt"}}], "passes": True},
    "git": {"commit": "0" * 40, "remote": "https://example.org/churn.git"},
    "pipeline": [
        {"class": "org.apache.spark.ml.feature.VectorAssembler"},
        {
            "class": "org.apache.spark.ml.PipelineModel",
            "stages": [{"class": "org.apache.spark.ml.clustering.KMeansModel"}],
        },
    ],
}
PARTS = (
    Part("org.apache.spark:spark-mllib_2.13", "4.3.0", licence="Apache-2.0", provided=True),
    Part("org.example:scorer", "1+2", sha256=SHA256, licence="The Apache License, Version 2.0"),
    Part("Scikit_Learn", "1.5", "pypi", licence="BSD-3-Clause AND MIT"),
    Part("acme_features", kind="module", files={"acme_features/__init__.py": SHA256}),
    Part("org.example:scorer", "1+2", sha256=SHA256),
)


def rendered(card=CARD, parts=PARTS, licence="Apache-2.0"):
    return bom.render(card, parts, jar_sha256=SHA256, licence=licence, version="1.0")


@pytest.fixture(scope="module")
def check():
    """Gives a document to the library, and what the library says of it back."""
    with subprocess.Popen(
        [str(tool("python").program), "-c", READ], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:

        def ask(data):
            process.stdin.write(json.dumps(json.loads(data)).encode() + b"\n")
            process.stdin.flush()
            return process.stdout.readline().decode().split()

        yield ask
        process.stdin.close()


def test_the_official_schema_takes_all_that_a_card_can_say(check):
    kind, purl, parts, serial = check(rendered())
    assert (kind, parts) == ("machine-learning-model", "6")
    assert purl == "pkg:maven/com.acme/churn@1.0.3?type=jar"
    assert serial == json.loads(rendered())["serialNumber"]


@pytest.mark.parametrize("licence", ["", "MIT", "Our own licence", "Apache-2.0 OR MIT"])
def test_and_the_least_that_it_says_under_any_licence(licence, check):
    least = {"coordinate": CARD["coordinate"], "created": CARD["created"]}
    assert check(rendered(least, (), licence))[0] == "machine-learning-model"


def test_and_refuses_what_is_none(check):
    assert check(rendered().replace(b"machine-learning-model", b"model"))[0] == "refused:"


def test_the_model_card_says_what_the_card_says():
    model = json.loads(rendered())["metadata"]["component"]
    card = model["modelCard"]
    assert card["modelParameters"]["approach"] == {"type": "unsupervised"}
    assert card["modelParameters"]["task"] == "clustering"
    assert card["modelParameters"]["modelArchitecture"] == "KMeansModel"
    assert [one["format"] for one in card["modelParameters"]["inputs"]] == ["plan: string", "calls"]
    assert {"type": "auc", "value": "0.87"} in card["quantitativeAnalysis"]["performanceMetrics"]
    assert card["considerations"]["technicalLimitations"] == ["Not for business customers."]
    assert [one["ref"] for one in card["modelParameters"]["datasets"]] == [
        "data:training-data",
        "data:metrics-on",
    ]


def test_the_same_values_give_the_same_bytes_and_others_another_serial_number():
    assert rendered() == rendered()
    other = rendered({**CARD, "owner": "Sales"})
    assert json.loads(other)["serialNumber"] != json.loads(rendered())["serialNumber"]


def test_what_deploy_makes_is_valid_and_names_what_the_model_needs(check, tmp_path, monkeypatch):
    package = tmp_path / "modules" / "acme_features"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("FACTOR = 2\n")
    monkeypatch.syspath_prepend(str(package.parent))
    library = Library.parse("org.example:scorer:1.0")
    place = tmp_path / "models" / layout.jar_path(library)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"a library")
    pom = "<project><licenses><license><name>MIT</name></license></licenses></project>"
    place.with_suffix(".pom").write_text(pom)
    release = gavial.deploy(
        SAVED,
        "com.acme:churn:1.0",
        tmp_path / "models",
        requires=[str(library)],
        python_modules=["acme_features"],
        description="Who leaves.",
    )
    data = Version(tmp_path / "models", "1.0.0").file("-cyclonedx.json").read_bytes()
    assert check(data)[0] == "machine-learning-model"
    found = {one["name"]: one for one in json.loads(data)["components"]}
    assert found.keys() == {"spark-mllib_2.13", "gavial", "scorer", "acme_features"}
    assert found["scorer"]["hashes"][0]["content"] == sha256(b"a library")
    assert found["scorer"]["licenses"] == [{"expression": "MIT"}]
    (module,) = found["acme_features"]["components"]
    assert module["hashes"][0]["content"] == sha256(b"FACTOR = 2\n")
    assert "churn-1.0.0-cyclonedx.json" in {file.name for file in release.files}
    assert {one.name: one.passed for one in release.verify().checks}["BOM"] is True


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"1.6"', b'"9.9"', "and not CycloneDX 1.6"),
        (b'"version": "1.0.3"', b'"version": "1.0.4"', "is that of"),
        (SHA256.encode(), b"b" * 64, "another jar"),
        (b"urn:uuid:", b"urn:", "no serial number"),
        (b'"dependsOn": [\n', b'"dependsOn": [\n"pkg:maven/org.evil/miner@1",', "does not list"),
        (b'"metadata"', b'"metadatum"', "it lacks 'metadata'"),
        (b'"components": [', b'"components": 7, "x": [', "no bill of materials"),
        (b"{", b"[" * 100_000, "nested too deeply"),
        (b"{", b"", "no bill of materials"),
    ],
)
def test_what_is_wrong_with_one_is_told(old, new, said):
    data = rendered()
    assert bom.problems(data, COORDINATE, SHA256, "it") == ()
    assert old in data
    try:
        found = bom.problems(data.replace(old, new), COORDINATE, SHA256, "it")
    except CorruptRelease as error:
        found = (str(error),)
    assert any(said in one for one in found), found
