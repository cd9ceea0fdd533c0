"""Where secrets are seen by others than the repository."""

import pytest

from gavial.maven.exposure import exposures
from gavial.maven.settings import Settings

URL = "https://nexus.test/models/"


def found(home, file, **environ):
    """The repository `models`, configured by a file of the user's."""
    config = home / ".config" / "gavial" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(file)
    config.chmod(0o600)
    return Settings.load(environ=environ, folder=home, home=home).find("models")


def toml(url=URL):
    return f"[repositories.models]\nurl = '{url}'\nusername = 'ann'\npassword = 'hunter2'\n"


def test_a_password_over_tls_in_a_private_file_is_not_exposed(tmp_path):
    assert exposures(found(tmp_path, toml())) == ()


def test_a_password_over_http_is_readable_on_its_way(tmp_path):
    (problem,) = exposures(found(tmp_path, toml("http://nexus.test/models/")))
    assert "everybody on the way to nexus.test" in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize("host", ["localhost:8081", "127.0.0.1:8081", "[::1]:8081"])
def test_on_this_machine_alone_http_will_do(tmp_path, host):
    assert exposures(found(tmp_path, toml(f"http://{host}/models/"))) == ()


def test_without_a_password_there_is_nothing_to_expose(tmp_path):
    assert exposures(found(tmp_path, "[repositories.models]\nurl = 'http://nexus.test/'")) == ()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_with_a_password_that_others_read_is_named(tmp_path, mode):
    settings = found(tmp_path, toml())
    settings.password.file.chmod(mode)
    (problem,) = exposures(settings)
    assert problem.endswith(f"chmod 600 {settings.password.file}")


def test_a_password_of_the_environment_is_in_no_file(tmp_path):
    settings = found(
        tmp_path,
        f"[repositories.models]\nurl = '{URL}'\n",
        GAVIAL_REPOSITORIES_MODELS_USERNAME="ann",
        GAVIAL_REPOSITORIES_MODELS_PASSWORD="hunter2",
    )
    settings_file = tmp_path / ".config" / "gavial" / "config.toml"
    settings_file.chmod(0o644)
    assert exposures(settings) == ()


def test_maven_settings_with_a_password_are_looked_at_too(tmp_path):
    file = tmp_path / ".m2" / "settings.xml"
    file.parent.mkdir()
    file.write_text(
        "<settings><servers><server><id>models</id><username>ann</username>"
        "<password>hunter2</password></server></servers></settings>"
    )
    file.chmod(0o644)
    (problem,) = exposures(found(tmp_path, f"[repositories.models]\nurl = '{URL}'\n"))
    assert str(file) in problem
