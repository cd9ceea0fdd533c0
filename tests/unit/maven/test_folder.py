"""What a folder alone can do, and how it fails."""

import io
import os

import pytest

from gavial import limits
from gavial.errors import AccessDenied, CorruptRelease, RepositoryUnavailable
from gavial.maven import catalog
from gavial.maven.content import Content
from gavial.maven.coordinate import Module
from gavial.maven.folder import FolderRepository

PATH = "com/acme/churn/1.0.0/churn-1.0.0.pom"


def test_a_write_leaves_nothing_beside_the_file(tmp_path):
    repository = FolderRepository(tmp_path)
    repository.write(PATH, Content.of_bytes(b"pom"))
    repository.write(PATH, Content.of_bytes(b"other"))
    folder = tmp_path / "com/acme/churn/1.0.0"
    assert [file.name for file in folder.iterdir()] == ["churn-1.0.0.pom"]


def test_a_release_is_readable_by_whom_the_umask_lets(tmp_path):
    FolderRepository(tmp_path).write(PATH, Content.of_bytes(b"pom"))
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / PATH).stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_file_in_the_place_of_a_folder_is_said(tmp_path):
    (tmp_path / "com").write_text("a file")
    with pytest.raises(RepositoryUnavailable, match="Cannot write"):
        FolderRepository(tmp_path).write(PATH, Content.of_bytes(b"pom"))


def test_a_read_only_folder_is_access_denied(tmp_path):
    if os.geteuid() == 0:
        place = "/proc/gavial"  # a superuser may write anywhere but here
        denied: type[Exception] = RepositoryUnavailable
    else:
        tmp_path.chmod(0o500)
        place, denied = str(tmp_path), AccessDenied
    with pytest.raises(denied, match="Cannot write"):
        FolderRepository(type(tmp_path)(place)).write(PATH, Content.of_bytes(b"pom"))


def test_a_descriptor_of_an_absurd_size_is_not_read(tmp_path):
    place = tmp_path / PATH
    place.parent.mkdir(parents=True)
    with place.open("wb") as file:
        file.truncate(limits.SMALL_FILE + 1)
    with pytest.raises(RepositoryUnavailable, match="more than"):
        FolderRepository(tmp_path).read(PATH)


def test_a_missing_folder_is_an_empty_repository(tmp_path):
    assert catalog.modules(FolderRepository(tmp_path / "nowhere")) == ()


def test_modules_are_found_by_walking(tmp_path):
    repository = FolderRepository(tmp_path)
    for path in ("com/acme/churn", "com/acme/credit/risk", "churn"):
        repository.write(f"{path}/maven-metadata.xml", Content.of_bytes(b"x"), replace=True)
    assert catalog.modules(repository) == (
        Module("com.acme", "churn"),
        Module("com.acme.credit", "risk"),
    )


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_plain_file_is_refused_and_not_waited_for(tmp_path, kind):
    place = tmp_path / PATH
    place.parent.mkdir(parents=True)
    os.mkfifo(place) if kind == "pipe" else place.symlink_to("/dev/zero")
    repository = FolderRepository(tmp_path)
    for read in (repository.read, lambda path: repository.download(path, io.BytesIO())):
        with pytest.raises(RepositoryUnavailable, match="no plain file"):
            read(PATH)


def cloned(repository, target, limit=100):
    told = []
    with target.open("wb") as stream:
        found = repository.clone(PATH, stream, limit, told.append)
    return found, sum(told)


def test_a_file_is_cloned_by_the_system_and_told_of(tmp_path):
    repository = FolderRepository(tmp_path)
    repository.write(PATH, Content.of_bytes(b"x" * 90))
    assert cloned(repository, tmp_path / "copy") == (True, 90)
    assert (tmp_path / "copy").read_bytes() == b"x" * 90


def test_where_the_system_cannot_it_is_copied(tmp_path, monkeypatch):
    repository = FolderRepository(tmp_path)
    repository.write(PATH, Content.of_bytes(b"x" * 90))
    monkeypatch.delattr(os, "copy_file_range")
    assert cloned(repository, tmp_path / "copy") == (True, 90)
    assert (tmp_path / "copy").read_bytes() == b"x" * 90


def test_a_file_that_is_not_there_is_no_clone_and_one_that_has_grown_is_corrupt(tmp_path):
    repository = FolderRepository(tmp_path)
    assert cloned(repository, tmp_path / "copy") == (False, 0)
    repository.write(PATH, Content.of_bytes(b"x" * 90))
    with pytest.raises(CorruptRelease, match="has 90 bytes, and 80 were released"):
        cloned(repository, tmp_path / "copy", 80)
