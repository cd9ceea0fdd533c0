"""Records beside a model that are not as they ought to be, and names that cannot be."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import gavial
from gavial.errors import (
    CorruptRelease,
    IncompatibleModel,
    InvalidCoordinate,
    InvalidSelector,
    ModelNotFound,
)
from gavial.maven import catalog, layout
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Entry, Module, Number
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.selector import Request
from gavial.registry import records

RECORDS = Path(__file__).parents[2] / "fixtures" / "records" / "format-1"
CHURN = Module("com.acme", "churn")
CHAMPION = Module("com.acme", "churn-champion")


@pytest.fixture
def models(tmp_path):
    """A folder with two builds of a model, as far as an alias looks at them."""
    models = gavial.repository(tmp_path / "models")
    for build in range(2):
        lie(models.store, Coordinate.parse(f"com.acme:churn:1.0.{build}"))
    return models


def lie(store, coordinate):
    """A release that lies there with a POM and a card that nobody reads."""
    store.write(layout.card_path(coordinate), Content.of_bytes(b"{}"))
    store.write(layout.pom_path(coordinate), Content.of_bytes(b"<project/>"))
    listed = ModuleMetadata(coordinate.module).render(datetime.now(UTC))
    store.write(layout.metadata_path(coordinate.module), Content.of_bytes(listed), replace=True)


def means(store, text):
    return str(catalog.select(store, Request.parse(text)))


@pytest.mark.parametrize(
    "name", ["", "Champion", "1st", "a b", "a/b", "../x", "a.b", "x-", "withdrawals", "a" * 61]
)
def test_a_name_that_not_everything_carries_is_refused(models, name):
    with pytest.raises(InvalidCoordinate):
        models.set_alias("com.acme:churn", name, "1.0.1")


def test_a_selector_and_an_alias_at_once_are_refused():
    with pytest.raises(InvalidSelector, match="both a selector and an alias"):
        Request.parse("com.acme:churn:1.0@champion")


def test_the_aliases_of_a_model_are_told_from_libraries_models_and_others_aliases(models):
    models.set_alias("com.acme:churn", "champion", "1.0.1")
    lie(models.store, Coordinate.parse("com.acme:churn-eu:1.0.0"))
    models.set_alias("com.acme:churn-eu", "champion", "1.0.0")
    put(models.store, Entry(Module("com.acme", "churn-utils"), Number(1)), b"<project/>")
    group = Content.of_bytes(b"<metadata><plugins/></metadata>")
    models.store.write("com/acme/churn-plugins/maven-metadata.xml", group)
    assert [str(one) for one in models.aliases("com.acme:churn")] == ["com.acme:churn@champion"]


def test_modules_of_records_are_no_models(models):
    models.set_alias("com.acme:churn", "champion", "1.0.1")
    models.withdraw("com.acme:churn:1.0.0", why="bad.")
    assert list(map(str, models.modules())) == ["com.acme:churn"]
    with pytest.raises(ModelNotFound):
        models.versions("com.acme:churn-champion")
    assert [one.name for one in models.aliases("com.acme:churn")] == ["champion"]


def put(store, entry, data):
    """A record that somebody else wrote: its POM and the list."""
    store.make_folder(layout.release_folder(entry))
    store.write(layout.pom_path(entry), Content.of_bytes(data))
    text = (
        f"<metadata><versioning><versions><version>{entry.version}</version></versions>"
        "</versioning></metadata>"
    )
    store.write(layout.metadata_path(entry.module), Content.of_bytes(text.encode()), replace=True)


def pom(**changes):
    values = {
        "artifact": "churn-champion",
        "packaging": "pom",
        "alias": "champion",
        "format": "1",
        "model": "com.acme:churn",
        "dependency": "churn",
        "version": "1.0.1",
        **changes,
    }
    return (
        (
            "<project><groupId>com.acme</groupId><artifactId>{artifact}</artifactId>"
            "<version>1</version><packaging>{packaging}</packaging><properties>"
            "<gavial.record>alias</gavial.record><gavial.format>{format}</gavial.format>"
            "<gavial.model>{model}</gavial.model><gavial.alias>{alias}</gavial.alias></properties>"
            "<dependencies><dependency><groupId>com.acme</groupId><artifactId>{dependency}</artifactId>"
            "<version>{version}</version></dependency></dependencies></project>"
        )
        .format_map(values)
        .encode()
    )


@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        (b"<project", CorruptRelease, "is not XML"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><project>&b;</project>", CorruptRelease, "DOCTYPE"),
        (b"<project/>", CorruptRelease, "not that of a record"),
        (b"<project>" + b" " * (2 << 20) + b"</project>", CorruptRelease, "at most"),
        (pom(format="2"), IncompatibleModel, "has format 2"),
        (pom(format="9" * 5000), CorruptRelease, "whole number"),
        (pom(alias="challenger"), CorruptRelease, "'challenger': expected 'champion'"),
        (pom(dependency="upsell"), CorruptRelease, "points at com.acme:upsell:1.0.1"),
        (pom(version="[1.0,2.0)"), CorruptRelease, "names no model or release"),
        (pom(model="com.acme:upsell"), CorruptRelease, "of com.acme:upsell: expected"),
        (pom(model="x"), CorruptRelease, "names no model"),
        (pom(artifact="churn"), CorruptRelease, "is that of com.acme:churn:1"),
        (pom(packaging="jar"), CorruptRelease, "packaging"),
    ],
)
def test_a_pointer_that_is_malformed_is_an_error_that_says_how(models, data, error, match):
    put(models.store, Entry(CHAMPION, Number(1)), data)
    with pytest.raises(error, match=match):
        means(models.store, "com.acme:churn@champion")


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda _: b"{", CorruptRelease, "not those that its POM"),
        (lambda text: text.replace(b"best", b"worst"), CorruptRelease, "not those that its POM"),
        (lambda _: None, CorruptRelease, "missing"),
    ],
)
def test_details_that_are_not_those_of_the_pom_are_an_error(models, change, error, match):
    models.set_alias("com.acme:churn", "champion", "1.0.1", why="best")
    path = layout.details_path(Entry(CHAMPION, Number(1)))
    changed = change(models.store.read(path))
    if changed is None:
        (models.store.folder / path).unlink()
    else:
        (models.store.folder / path).write_bytes(changed)
    with pytest.raises(error, match=match):
        models.alias("com.acme:churn", "champion")


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"format": 2},
        {"format": 1, "record": "com.acme:other:1"},
        {"format": 1, "record": "com.acme:churn-champion:1", "why": 7},
        {"format": 1, "record": "com.acme:churn-champion:1", "body": []},
    ],
)
def test_details_that_say_something_else_are_an_error(models, content):
    data = json.dumps(content).encode()
    entry = Entry(CHAMPION, Number(1))
    digest = Content.of_bytes(data).digests["sha256"]
    put(models.store, entry, records.Head(entry, "alias", CHURN, digest).render("x"))
    models.store.write(layout.details_path(entry), Content.of_bytes(data))
    with pytest.raises((CorruptRelease, IncompatibleModel)):
        list(records.history(models.store, CHAMPION))


def test_records_of_the_first_format_are_read():
    models = gavial.repository(RECORDS)
    (alias,) = models.alias_history("com.acme:churn", "champion")
    assert (str(alias.coordinate), alias.number) == ("com.acme:churn:1.0.1", 1)
    assert (alias.why, alias.owner) == ("best on the holdout of May", "the retention team")
    (withdrawal,) = models.withdrawals("com.acme:churn")
    assert (str(withdrawal.coordinate), withdrawal.number) == ("com.acme:churn:1.0.0", 1)
    assert withdrawal.why == "trained on the wrong month"
