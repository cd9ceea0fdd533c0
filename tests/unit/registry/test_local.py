"""The user's own folders."""

from gavial.registry import local


def test_the_cache_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert local.cache_folder() == tmp_path / "gavial"
    assert local.cache_folder().is_dir()


def test_a_home_that_cannot_be_made_is_replaced_by_a_private_folder(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/proc/no-home")
    folder = local.cache_folder()
    assert folder.parent.parent == tmp_path
    assert folder.parent.stat().st_mode & 0o077 == 0


def test_a_folder_that_others_could_write_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/no-cache")
    planted = tmp_path / f"gavial-{local.user_name()}"
    planted.mkdir()
    planted.chmod(0o777)
    assert not local.cache_folder().is_relative_to(planted)
