import multiprocessing
import os
import shutil
import sqlite3
import sys
import warnings
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "servers"))
from maven_server import MavenServer

import gavial
from gavial.errors import InvalidSelector, ModelNotFound, RepositoryUnavailable
from gavial.maven import layout
from gavial.maven.coordinate import Coordinate
from gavial.maven.folder import FolderRepository
from gavial.maven.http import HttpRepository
from gavial.model.card import Card
from gavial.registry import find, local
from gavial.registry.card_index import CardIndex

NAMES = ("com.acme:churn:1.0.0", "com.acme:churn:1.0.1", "com.acme:churn:1.0.2")


def release(folder, name, auc=None, **more):
    """A POM and a card, as far as finding is concerned a release."""
    coordinate = Coordinate.parse(name)
    pom = folder / layout.pom_path(coordinate)
    pom.parent.mkdir(parents=True, exist_ok=True)
    pom.write_text("<project/>")
    metrics = {} if auc is None else {"auc": auc}
    card = Card(name, "2026-11-24T01:23:46+00:00", metrics=metrics, **more)
    (folder / layout.card_path(coordinate)).write_bytes(card.to_json())
    module = folder / layout.metadata_path(coordinate.module)
    versions = "".join(f"<version>{one.name}</version>" for one in module.parent.glob("*.*.*"))
    module.write_text(
        f"<metadata><groupId>{coordinate.group}</groupId><artifactId>{coordinate.artifact}"
        f"</artifactId><versioning><versions>{versions}</versions></versioning></metadata>"
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three releases, and an index of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, auc in zip(NAMES, (0.8, None, 0.9), strict=True):
        release(tmp_path / "models", name, auc)
    return tmp_path / "models"


@pytest.fixture
def index(folder):
    """Where the index lies, once it was filled."""
    versions(folder)
    (place,) = local.cache_folder().glob("*.sqlite")
    return place


def versions(folder, where=(), sort=(), **more):
    found = find.find([FolderRepository(folder)], where, sort, **more).found
    return [str(one.coordinate.version) for one in found]


class Reads(FolderRepository):
    """A folder that remembers which cards were read."""

    def __init__(self, folder):
        super().__init__(folder)
        self.paths = []

    def read(self, path):
        if path.endswith("-card.json"):
            self.paths.append(path)
        return super().read(path)


def test_releases_that_meet_conditions_are_found_in_order(folder):
    assert versions(folder, "metrics.auc>0.7", "-metrics.auc") == ["1.0.2", "1.0.0"]


def test_without_conditions_the_newest_is_first(folder):
    assert versions(folder) == ["1.0.2", "1.0.1", "1.0.0"]


def test_what_lacks_the_sorted_field_is_last(folder):
    assert versions(folder, sort="metrics.auc") == ["1.0.0", "1.0.2", "1.0.1"]


def test_a_limit_takes_the_first(folder):
    assert versions(folder, sort="-metrics.auc", limit=1) == ["1.0.2"]


def test_the_second_time_no_card_is_read(folder, index):
    store = Reads(folder)
    assert len(find.find([store]).found) == 3
    assert store.paths == []


def test_refresh_reads_every_card(folder, index):
    store = Reads(folder)
    find.find([store], refresh=True)
    assert len(store.paths) == 3


def test_what_is_gone_from_the_repository_is_not_found(folder, index):
    shutil.rmtree(folder / layout.release_folder(Coordinate.parse(NAMES[1])))
    assert versions(folder) == ["1.0.2", "1.0.0"]
    with sqlite3.connect(index) as database:
        assert database.execute("SELECT count(*) FROM cards").fetchone() == (2,)


def test_a_card_that_is_another_file_is_read_again(folder, index):
    release(folder, NAMES[0], 0.99)
    assert versions(folder, "metrics.auc=0.99") == ["1.0.0"]


def test_a_release_is_read_from_the_repository_and_not_from_the_index(folder, index):
    (found,) = find.find([FolderRepository(folder)], "metrics.auc=0.8").found
    release(folder, NAMES[0], 0.5)
    assert found.facts["metrics"] == {"auc": 0.8}
    assert found.release().card.metrics == {"auc": 0.5}


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_index_is_made_anew(folder, index, damage):
    index.write_bytes(damage)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert versions(folder, "metrics.auc>0.8") == ["1.0.2"]
    assert [("was damaged" in str(one.message)) for one in seen] == ([True] if damage else [])
    store = Reads(folder)
    find.find([store])
    assert store.paths == []


def test_an_index_of_another_form_is_made_anew(folder, index):
    index.unlink()
    with sqlite3.connect(index) as database:
        database.execute("CREATE TABLE cards (something TEXT)")
    with pytest.warns(UserWarning, match="was damaged"):
        assert len(versions(folder)) == 3


def test_a_row_that_is_damaged_is_read_again(folder, index):
    with sqlite3.connect(index) as database:
        database.execute("UPDATE cards SET facts = '[' WHERE version = '1.0.0'")
        database.execute("UPDATE cards SET facts = '7' WHERE version = '1.0.2'")
    assert versions(folder, "metrics.auc>0.1") == ["1.0.2", "1.0.0"]


def test_an_index_that_cannot_be_opened_knows_nothing(index):
    place = index.with_name("a folder")
    place.mkdir()
    with pytest.warns(UserWarning, match="cannot be used"):
        unusable = CardIndex(place)
    unusable.keep("a", "b", {"1.0.0": ("", {})})
    assert unusable.known("a", "b") == {}


def test_an_index_that_is_locked_is_done_without(index):
    other = sqlite3.connect(index, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.warns(UserWarning, match="cannot be used"):
        locked = CardIndex(index, wait=0.05)
    assert locked.known(FolderRepository(index).url, "com.acme:churn") == {}
    other.execute("ROLLBACK")
    other.close()
    assert index.is_file()


def _search(folder, cache):
    os.environ["XDG_CACHE_HOME"] = cache
    warnings.simplefilter("error")
    raise SystemExit(0 if versions(Path(folder)) == ["1.0.2", "1.0.1", "1.0.0"] else 1)


def test_processes_may_search_at_the_same_time(folder, tmp_path):
    context = multiprocessing.get_context("fork")
    several = [
        context.Process(target=_search, args=(str(folder), str(tmp_path / "cache")))
        for _ in range(4)
    ]
    for one in several:
        one.start()
    for one in several:
        one.join(60)
    assert [one.exitcode for one in several] == [0] * 4


def test_two_repositories_hold_one_coordinate_each(folder, tmp_path):
    release(tmp_path / "others", NAMES[0], 0.1)
    stores = [FolderRepository(folder, "models"), FolderRepository(tmp_path / "others", "others")]
    found = find.find(stores, "version=1.0.0", "metrics.auc").found
    assert [(one.repository.id, one.facts["metrics"]["auc"]) for one in found] == [
        ("others", 0.1),
        ("models", 0.8),
    ]


def test_a_library_is_no_release(folder):
    pom = folder / layout.pom_path(Coordinate.parse("io.other:library:2.0.0"))
    pom.parent.mkdir(parents=True)
    pom.write_text("<project/>")
    (pom.parents[1] / "maven-metadata.xml").write_text("<metadata/>")
    assert len(versions(folder)) == 3


def test_a_damaged_card_is_left_out_and_named(folder):
    (folder / layout.card_path(Coordinate.parse(NAMES[1]))).write_text("{")
    with pytest.warns(UserWarning, match=r"Left out: com\.acme:churn:1\.0\.1: The model card"):
        assert versions(folder) == ["1.0.2", "1.0.0"]


def test_a_metric_that_no_release_has_is_named(folder):
    with pytest.warns(UserWarning, match=r"No release has metrics\.auk: did you mean auc\?"):
        assert versions(folder, "metrics.auk>0.8") == []


def test_a_module_that_is_not_there_is_an_error(folder):
    with pytest.raises(ModelNotFound, match=r"com\.acme:chrun"):
        versions(folder, module="com.acme:chrun")


def test_progress_counts_the_cards_that_are_read(folder):
    seen = []
    versions(folder, progress=lambda *told: seen.append(told))
    assert seen == [("com.acme:churn", 1, 3)] * 3


def test_cards_are_read_over_http_once(folder):
    with MavenServer(folder, listing=True) as server:
        store = gavial.repository(server.url)
        assert [str(one.coordinate) for one in store.find("metrics.auc>0.8")] == [NAMES[2]]
        before = len(server.requests)
        assert len(store.find()) == 3
        again = [one.path for one in server.requests[before:]]
    assert not [path for path in again if path.endswith("-card.json")]
    assert len([path for path in again if path.endswith("churn/maven-metadata.xml")]) <= 2


def test_one_repository_that_does_not_answer_is_named(folder):
    with MavenServer(folder) as server:
        url = server.url
    away = HttpRepository(url, "away", sleep=lambda _: None)
    findings = find.find([FolderRepository(folder, "models"), away])
    assert len(findings.found) == 3
    assert list(findings.unavailable) == ["away"]
    with pytest.raises(RepositoryUnavailable):
        find.find([away])


def test_a_malformed_condition_is_refused_before_anything_is_read(folder):
    store = Reads(folder)
    with pytest.raises(InvalidSelector):
        find.find([store], "metrics.auc>")
    assert store.paths == []


# What is no part of a card -----------------------------------------------------------------------


def test_releases_are_found_by_what_an_alias_means_now(folder):
    models = gavial.repository(folder)
    models.set_alias("com.acme:churn", "champion", "1.0.0")
    models.set_alias("com.acme:churn", "champion", "1.0.2")
    models.set_alias("com.acme:churn", "challenger", "1.0.2")
    assert versions(folder, "alias=champion") == ["1.0.2"]
    (found,) = models.find("alias~chall")
    assert found.facts["alias"] == ["challenger", "champion"]


def test_aliases_and_signatures_are_read_only_where_they_are_asked_for(folder):
    gavial.repository(folder).set_alias("com.acme:churn", "champion", "1.0.0")
    with MavenServer(folder, listing=True) as server:
        store = gavial.repository(server.url)
        store.find("metrics.auc>0.1")
        before = {one.path for one in server.requests}
        store.find("metrics.auc>0.8 and signer~a and alias=champion")
        asked = [one.path for one in server.requests if one.path not in before]
    kept = ("signature.json", "churn-champion-1.pom")
    assert not [path for path in before if path.endswith(kept)]
    read = [path.rpartition("/")[2] for path in asked if path.endswith(kept)]
    # Of the only release that has that metric.
    assert sorted(set(read)) == ["churn-1.0.2-signature.json", "churn-champion-1.pom"]


def test_a_repository_that_lists_nothing_cannot_tell_aliases(folder):
    with MavenServer(folder) as server:
        away = HttpRepository(server.url, "away", sleep=lambda _: None)
        found = find.find(
            [FolderRepository(folder), away], "alias=champion", module="com.acme:churn"
        )
        away.close()
    assert found.found == ()
    assert "lists nothing" in found.unavailable["away"]
