"""What reads bytes from outside, each as a function that may only raise errors of ours."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from gavial.errors import GavialError
from gavial.maven import html_listing, indexes
from gavial.maven import pom as maven_pom
from gavial.maven.coordinate import Coordinate, Entry, Library, Module, Number, Target, Version
from gavial.maven.ivy import realm_of
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.record import Claim, Head, describe
from gavial.maven.selector import Request, Selector
from gavial.maven.settings import Settings
from gavial.model import bom, jar, json_values, metadata_xml, scored, sql, watermark
from gavial.model.card import Card
from gavial.model.decision import Decision
from gavial.model.manifest import Manifest
from gavial.model.policy import Policy
from gavial.model.saved_model import SavedModel
from gavial.model.signature import Bundle, Statement
from gavial.registry import certificates, keys

SAVED = Path(__file__).parents[1] / "fixtures" / "saved_models" / "spark-4.3" / "churn"
CHURN = Module("com.acme", "churn")


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="gavial-fuzz-"))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def archive(data: bytes) -> None:
    """A jar: its models, its Python modules, and one model unpacked, never outside its folder."""
    folder = _folder()
    try:
        file = folder / "model.jar"
        file.write_bytes(data)
        with suppress(GavialError):
            jar.python_members(file)
            for name in jar.artifacts(file):
                jar.unpack(file, name, folder / "to")
        assert {path.name for path in folder.iterdir()} <= {"model.jar", "to"}
    finally:
        shutil.rmtree(folder)


def manifest(data: bytes) -> None:
    with suppress(GavialError):
        Manifest.parse(data, "model.jar")


def card(data: bytes) -> None:
    with suppress(GavialError):
        Card.from_json(Card.from_json(data).to_json())


def claim(data: bytes) -> None:
    if metadata_xml.read_claim(data) is not None:
        metadata_xml.differences(data, [{"uid": "a", "class": "b"}])


def signature(data: bytes) -> None:
    """A signature file, and a signed statement: what is read is written again and read."""
    with suppress(GavialError):
        found = Bundle.parse(data, "it")
        assert Bundle.parse(found.render(), "it") == found
    with suppress(GavialError):
        said = Statement.parse(data, "it")
        assert Statement.parse(said.render("it"), "it") == said


def materials(data: bytes) -> None:
    with suppress(GavialError):
        bom.problems(data, Coordinate.parse("com.acme:churn:1.0.3"), "0" * 64, "it")


def key(data: bytes) -> None:
    """Keys and certificates as PEM."""
    for read in (keys.public, certificates.chain):
        with suppress(GavialError):
            read(data, "it")
    with suppress(GavialError):
        keys.private(data, "passphrase", "it", "VARIABLE")
    with suppress(GavialError):
        certificates.verify([data, data], data, "it", datetime(2026, 1, 1, tzinfo=UTC))


def metadata(data: bytes) -> None:
    """A `maven-metadata.xml`, and whether what is written of it is read again."""
    with suppress(GavialError):
        found = ModuleMetadata.parse(data, CHURN)
        ModuleMetadata.newest(data, CHURN)
        assert found.including(()).including(()) == found.including(())


def pom(data: bytes) -> None:
    with suppress(GavialError):
        maven_pom.read(data, "a POM")


def record(data: bytes) -> None:
    """The POM and the claim of a record, and whether what is written of the POM is read again."""
    Claim.parse(data)
    describe(data)
    with suppress(GavialError):
        head = Head.parse(data, Entry(Module("com.acme", "churn-champion"), Number(3)))
        assert Head.parse(head.render(""), head.entry) == head


def scored_records(data: bytes) -> None:
    """Records from outside, in which a watermark is looked for."""
    text = data.decode("utf-8", errors="replace")
    for column in (None, "pipeline"):
        with suppress(GavialError):
            assert scored.read(text, column).versions


def policy(data: bytes) -> None:
    """A promotion policy."""
    with suppress(GavialError):
        Policy.parse(data, Path("promotion.toml"))


def decision(data: bytes) -> None:
    """The body of a record of a promotion, and whether what is written of it is read again."""
    with suppress(GavialError, ValueError):
        content = json_values.loads(data)
        if isinstance(content, dict):
            found = Decision.from_json(Decision.from_json(content).to_json())
            assert Decision.from_json(found.to_json()) == found


def settings_xml(data: bytes) -> None:
    _settings(data, ".m2/settings.xml", {})


def toml(data: bytes) -> None:
    _settings(data, "gavial.toml", {})


def hocon(data: bytes) -> None:
    _settings(data, "application.conf", {"HOME": "/"})


def _settings(data: bytes, name: str, environ: dict[str, str]) -> None:
    folder = _folder()
    try:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
        environ = {**environ, "GAVIAL_REPOSITORIES_MODELS_URL": "https://m.test/"}
        with suppress(GavialError):
            Settings.load(environ=environ, folder=folder, home=folder).find("models")
    finally:
        shutil.rmtree(folder)


def names(data: bytes) -> None:
    """Coordinates, selectors and all else that a person writes to name something."""
    text = _text(data)
    for parse in (
        Coordinate.parse,
        Library.parse,
        Module.parse,
        Target.parse,
        Version.parse,
        Request.parse,
        Selector.parse,
    ):
        with suppress(GavialError):
            parsed = parse(text)
            assert parse(str(parsed)) == parsed
    realm_of(text)


def statement(data: bytes) -> None:
    """SQL, and a watermark's statement, which is read as it was written or not at all."""
    text = _text(data)
    sql.problem(text)
    mark = watermark.parse_statement(text)
    assert mark is None or watermark.statement(mark.value, mark.column) == text


def listing(data: bytes) -> None:
    found = html_listing.names("https://m.test/com/", _text(data))
    assert not [name for name in found if "/" in name or name in ("", ".", "..")]


def search(data: bytes) -> None:
    """A server's own search, whatever JSON it answers with."""
    import json

    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    for path in ("/repository/m/", "/api/packages/o/maven/", "/artifactory/m/"):
        for index in indexes.of(path):
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                index.read(indexes.Answer(1, document, MappingProxyType({})))


def saved_model(data: bytes) -> None:
    """The metadata of a saved model's first stage."""
    folder = _folder()
    try:
        shutil.copytree(SAVED, folder / "model")
        part = next((folder / "model" / "stages").glob("0_*/metadata/part-*"))
        part.write_bytes(data)
        with suppress(GavialError):
            SavedModel.read(folder / "model").digest()
    finally:
        shutil.rmtree(folder)


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one
    for one in (
        archive,
        manifest,
        card,
        claim,
        signature,
        materials,
        key,
        metadata,
        pom,
        record,
        scored_records,
        policy,
        decision,
        settings_xml,
        toml,
        hocon,
        names,
        statement,
        listing,
        search,
        saved_model,
    )
}
