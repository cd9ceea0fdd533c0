"""Where each target begins: real files, and what people write."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from targets import CHURN, SAVED

from gavial.maven.coordinate import Coordinate, Entry, Module, Number
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.pom import pom_properties
from gavial.maven.record import Claim, Head
from gavial.model import bom, jar, metadata_xml, watermark
from gavial.model.decision import Approval, Decision, GateResult, Place, PolicyText
from gavial.model.saved_model import SavedModel
from gavial.model.signature import Bundle, Statement
from gavial.registry import keys

FORMAT_1 = Path(__file__).parents[1] / "fixtures" / "releases" / "format-1"
ONE = Coordinate.parse("com.acme:churn:1.0.3")
RECORD = Entry(Module("com.acme", "churn-champion"), Number(3))


def seeds(target: str) -> list[bytes]:
    """Inputs of a target that it accepts, or nearly."""
    return [text.encode() if isinstance(text, str) else text for text in _SEEDS[target]()]


def _jars() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.jar"
        jar.pack(
            place,
            SavedModel.read(SAVED),
            ONE,
            overlay={},
            python_files={},
            pom=b"<project/>",
            pom_properties=pom_properties(ONE),
        )
        return [place.read_bytes()]


def _released(suffix: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(FORMAT_1.rglob(f"*{suffix}"))]


def _manifests() -> list[bytes]:
    return [b'{"format": 1, "artifact": "churn", "coordinate": "g:a:1.0.0", "members": {}}']


def _keys() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "a.pem"
        public = keys.generate(place)
        return [place.read_bytes(), public.pem()]


_STATEMENT = Statement(str(ONE), {"churn-1.0.3.jar": "0" * 64}).render("it")


def _decision() -> Decision:
    place = Place("models", "file:///models/")
    return Decision(
        str(ONE),
        "0" * 64,
        "refused",
        place,
        place,
        (GateResult("bom", False, "none", ("there is none",)),),
        PolicyText("promotion.toml", "0" * 64, "bom = true"),
        (Approval(str(ONE), "0" * 64, "0" * 64, "ann", "2026-01-01T00:00:00+00:00", "fine", 1),),
    )


_SEEDS = {
    "archive": _jars,
    "manifest": _manifests,
    "card": lambda: _released("-card.json"),
    "claim": lambda: [
        metadata_xml.render(SavedModel.read(SAVED), ONE, token="t", digest="d"),
    ],
    "signature": lambda: [
        Bundle(_STATEMENT, b"s", "0" * 64).render(),
        Bundle(_STATEMENT, b"s", "", (b"c",)).render(),
        _STATEMENT,
    ],
    "materials": lambda: [
        bom.render(
            {"coordinate": str(ONE), "created": "2026-01-01T00:00:00+00:00"},
            [bom.Part("g:a", "1")],
            jar_sha256="0" * 64,
            licence="MIT",
            version="1",
        )
    ],
    "key": _keys,
    "metadata": lambda: [
        ModuleMetadata(CHURN, ("1.0.0", "1.0-rc")).render(datetime(2026, 1, 1, tzinfo=UTC))
    ],
    "pom": lambda: _released(".pom"),
    "record": lambda: [
        Head(RECORD, "alias", CHURN, "0" * 64, {"alias": "champion"}, ONE).render(
            "It means 1.0.3."
        ),
        Claim("token", 2).render(RECORD),
    ],
    "policy": lambda: [
        'metrics = ["auc >= 0.8", "auc >= current - 0.01"]\ncompatibility = {freeze = ["*.a"]}\n'
        'signature = {keys = ["a.pub"], ca = "ca.pem", subjects = ["CN=A"]}\ngolden = true\n'
        'card = ["owner", "labels.team"]\nage = "2d"\nlabels = {team = true}\n'
        "[approvals]\nrequired = 1\nkeys = ['b.pub']\n"
    ],
    "decision": lambda: [json.dumps(_decision().to_json())],
    "settings_xml": lambda: [
        "<settings><servers><server><id>models</id><username>u</username><password>{COQLCE6DU6GtcS5P="
        "}</password></server></servers><mirrors><mirror><id>m</id><url>https://m.test</url>"
        "<mirrorOf>*,!central</mirrorOf></mirror></mirrors></settings>"
    ],
    "toml": lambda: [
        'default = "models"\n[repositories.models]\nurl = "https://m.test/"\nusername = "u"\n'
        'password = "p"\nca_file = "c.pem"\n',
        '[signing]\ncommand = ["a", "b"]\npublic_key = "a.pub"\ngpg = "k"\n[[trust]]\n'
        'groups = ["com.acme.*"]\nkeys = ["a.pub"]\nca = "c.pem"\nsubjects = ["CN=a"]\n',
    ],
    "scored_records": lambda: [
        '{"a": 1, "pipeline": "com.acme:churn:1.0.3"}\n{"pipeline": "unreleased"}',
        "a;pipeline\n1;com.acme:churn:1.0.3\n",
        "Row(a=1, pipeline='com.acme:churn:1.0.3')",
    ],
    "hocon": lambda: [
        'model.repository { id = models, url = "https://m.test/", username = u, '
        "password = ${HOME} }"
    ],
    "names": lambda: [
        "com.acme:churn:1.0.3",
        "com.acme:churn:[1.0,2.0)",
        "com.acme:churn:latest.release",
        "churn",
        "1.0.+",
        'Basic realm="a, b"',
    ],
    "statement": lambda: [
        watermark.statement("com.acme:churn:1.0.3", "pipe`line"),
        "SELECT *, trim(BOTH 'x' FROM a) AS b FROM __THIS__ WHERE c IN (1, 2) -- end",
    ],
    "listing": lambda: ['<a href="../">up</a><a href="acme/">a</a><a href="?C=M">x</a>'],
    "search": lambda: [
        '{"items": [{"group": "g", "name": "a"}], "continuationToken": "t"}',
        '[{"name": "g:a"}, {"name": "g/a"}]',
        '{"results": [{"uri": "x/api/storage/m/com/acme/churn/1/churn-1-card.json"}]}',
    ],
    "saved_model": lambda: [
        path.read_bytes() for path in sorted((SAVED / "stages").glob("*/metadata/part-*"))
    ],
}
