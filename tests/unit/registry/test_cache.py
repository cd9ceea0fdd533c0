"""What is kept unpacked is used again as long as nobody changed it."""

import threading

import pytest

from gavial.errors import ConfigurationError, CorruptRelease
from gavial.registry import cache


class Unpacker:
    """Fills a folder with two files, and counts how often."""

    def __init__(self):
        self.times = 0

    def __call__(self, folder):
        self.times += 1
        (folder / "stages").mkdir(parents=True)
        (folder / "metadata").write_text("{}")
        (folder / "stages" / "part").write_text("learnt")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def unpack():
    return Unpacker()


def test_what_was_unpacked_is_not_unpacked_again(unpack):
    first = cache.unpacked("0a", unpack)
    assert cache.unpacked("0a", unpack) == first
    assert unpack.times == 1
    assert (first / "stages" / "part").read_text() == "learnt"


def test_other_bytes_are_another_folder(unpack):
    assert cache.unpacked("0a", unpack) != cache.unpacked("0b", unpack)
    assert unpack.times == 2


def _rewrite(folder):
    (folder / "stages" / "part").write_text("forged")


def _add(folder):
    (folder / "stages" / "more").write_text("more")


def _remove(folder):
    (folder / "metadata").unlink()


def _link(folder):
    (folder / "stages" / "part").unlink()
    (folder / "stages" / "part").symlink_to(folder / "metadata")


@pytest.mark.parametrize("change", [_rewrite, _add, _remove, _link])
def test_what_somebody_changed_is_left_to_its_readers_and_unpacked_anew(unpack, change):
    first = cache.unpacked("0a", unpack)
    change(first)
    second = cache.unpacked("0a", unpack)
    assert second != first
    assert first.is_dir()
    assert (second / "stages" / "part").read_text() == "learnt"
    assert cache.unpacked("0a", unpack) == second


def test_a_failure_leaves_nothing(tmp_path):
    def fail(folder):
        folder.mkdir()
        raise CorruptRelease("no jar")

    with pytest.raises(CorruptRelease):
        cache.unpacked("0a", fail)
    assert list((tmp_path / "gavial" / "models").iterdir()) == []


def test_a_full_disk_is_an_error_that_says_so():
    def fail(folder):
        raise OSError(28, "No space left on device")

    with pytest.raises(ConfigurationError, match=r"No space left on device.*XDG_CACHE_HOME"):
        cache.unpacked("0a", fail)


def test_of_many_at_once_all_get_the_same_whole_folder():
    count = 8
    gate = threading.Barrier(count)
    found = []

    def unpack(folder):
        Unpacker()(folder)
        gate.wait()

    threads = [
        threading.Thread(target=lambda: found.append(cache.unpacked("0a", unpack)))
        for _ in range(count)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == count
    assert len(set(found)) == 1


def test_a_compared_file_is_known_until_it_changes(tmp_path):
    file = tmp_path / "churn.jar"
    file.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert cache.holds(file, digest)
    assert cache.holds(file, digest)
    file.write_bytes(b"abd")
    assert not cache.holds(file, digest)
    assert not cache.holds(tmp_path / "nothing.jar", digest)
