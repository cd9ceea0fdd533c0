"""What every adapter of the port does alike."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from gavial.errors import RepositoryError
from gavial.maven import catalog, layout
from gavial.maven.content import Content
from gavial.maven.coordinate import Module
from gavial.maven.folder import FolderRepository
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.repository import FolderAnswer

NOW = datetime(2026, 1, 1, tzinfo=UTC)

PATH = "com/acme/churn/1.0.0/churn-1.0.0.jar"
SOME = Content.of_bytes(b"some bytes")
OTHER = Content.of_bytes(b"other bytes")


def test_a_file_that_is_not_there_is_no_failure(repository):
    assert repository.read(PATH) is None
    assert not repository.exists(PATH)
    assert not repository.download(PATH, io.BytesIO())


def test_what_is_written_is_read(repository):
    assert repository.write(PATH, SOME) is None
    assert repository.read(PATH) == b"some bytes"
    assert repository.exists(PATH)


def test_an_existing_file_is_refused_or_its_folder_was_a_claim(repository):
    claimed = repository.make_folder("com/acme/churn/1.0.0")
    repository.write(PATH, SOME)
    refused = isinstance(repository.write(PATH, OTHER), RepositoryError)
    # A DAV server overwrites: there the version's folder is what only one writer can make.
    assert refused or claimed is FolderAnswer.MADE
    assert repository.read(PATH) == (b"some bytes" if refused else b"other bytes")


def test_metadata_is_replaced(repository):
    path = "com/acme/churn/maven-metadata.xml"
    assert repository.write(path, SOME, replace=True) is None
    assert repository.write(path, OTHER, replace=True) is None
    assert repository.read(path) == b"other bytes"


def test_a_large_file_goes_both_ways_with_its_progress(repository, tmp_path):
    file = tmp_path / "large"
    file.write_bytes(bytes(range(256)) * 20_000)
    content = Content.of_file(file)
    sent: list[int] = []
    came: list[int] = []
    assert repository.write(PATH, content, progress=sent.append) is None
    target = io.BytesIO()
    assert repository.download(PATH, target, came.append)
    assert target.getvalue() == file.read_bytes()
    assert sum(sent) == sum(came) == content.size


def test_a_file_that_is_given_up_is_stored_as_any_other(repository, tmp_path):
    file = tmp_path / "model.jar"
    file.write_bytes(b"some bytes")
    sent: list[int] = []
    content = Content.of_file(file, given_up=True)
    assert repository.write(PATH, content, progress=sent.append) is None
    file.unlink()
    assert repository.read(PATH) == b"some bytes"
    assert sum(sent) == content.size


def test_a_folder_is_made_once_where_folders_are_made(repository):
    first = repository.make_folder("com/acme/churn/1.0.0")
    second = repository.make_folder("com/acme/churn/1.0.0")
    assert (first, second) in [
        (FolderAnswer.MADE, FolderAnswer.EXISTS),
        (FolderAnswer.UNSUPPORTED, FolderAnswer.UNSUPPORTED),
    ]


def test_a_listing_names_what_is_there_or_is_not_given(repository):
    repository.write(PATH, SOME)
    assert repository.names("com/acme/churn") in [("1.0.0",), None]


def test_a_name_with_characters_that_a_url_escapes_round_trips(repository):
    path = "com/acme/churn/1.0.0/churn-1.0.0+a_b.jar"
    assert repository.write(path, SOME) is None
    assert repository.read(path) == b"some bytes"


def test_an_empty_file_is_a_file(repository):
    assert repository.write(PATH, Content.of_bytes(b"")) is None
    assert repository.read(PATH) == b""


@pytest.mark.parametrize("kind", ["folder", "http"])
def test_a_module_below_another_and_one_in_a_group_with_a_list_are_found(
    serve, connect, tmp_path, kind
):
    listing = FolderRepository(tmp_path / "models")
    if kind == "http":
        listing = connect(serve(listing=True).url)
    for text in ("com.acme:churn", "com.acme.churn:eu", "com.acme:spark-3.5_2.12"):
        module = Module.parse(text)
        metadata = ModuleMetadata(module, ("1.0.0", "1.1.0-rc1")).render(NOW)
        listing.write(layout.metadata_path(module), Content.of_bytes(metadata))
        for version in ("1.0.0", "1.1.0-rc1", "2.0.0"):
            pom = f"{layout.version_folder(module, version)}/x.pom"
            listing.write(pom, Content.of_bytes(b"pom"))
    group = b"<metadata><plugins><plugin><name>p</name></plugin></plugins></metadata>"
    listing.write("com/acme/maven-metadata.xml", Content.of_bytes(group))
    found = list(map(str, catalog.modules(listing)))
    wanted = ["com.acme:churn", "com.acme:spark-3.5_2.12", "com.acme.churn:eu"]
    assert [name for name in found if name != "com:acme"] == wanted
