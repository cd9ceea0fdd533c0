"""Every source of settings, their order, and what must not be mixed."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from gavial.errors import ConfigurationError
from gavial.maven.folder import FolderRepository
from gavial.maven.http import HttpRepository
from gavial.maven.open import open_repository
from gavial.maven.settings import Secret, Settings, environment_name

URL = "https://nexus.test/repository/models/"
OTHER = "https://other.test/maven/"


@pytest.fixture
def place(tmp_path):
    """A working folder and a home, with nothing in them."""
    return Place(tmp_path)


class Place:
    def __init__(self, tmp_path):
        self.work, self.home = tmp_path / "work" / "project", tmp_path / "home"
        self.work.mkdir(parents=True)
        self.home.mkdir()

    def load(self, environ=None, session_conf=None, folder=None):
        return Settings.load(
            environ=environ or {},
            folder=folder or self.work,
            home=self.home,
            session_conf=session_conf,
        )

    def user_file(self, text):
        file = self.home / ".config" / "gavial" / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def project_file(self, text, name="gavial.toml"):
        (self.work / name).write_text(text)

    def maven_file(self, text, name="settings.xml"):
        (self.home / ".m2").mkdir(exist_ok=True)
        (self.home / ".m2" / name).write_text(text)

    def server(self, repository_id, username="maven", password="from-maven"):
        self.maven_file(
            f"<settings><servers><server><id>{repository_id}</id><username>{username}</username>"
            f"<password>{password}</password></server></servers></settings>"
        )


@pytest.mark.parametrize("given", [{"username": "ann", "password": "x"}, {"token": "x"}])
def test_credentials_of_the_caller_go_to_no_server_of_a_cloned_project(place, given):
    place.project_file(f"default = 'models'\n[repositories.models]\nurl = '{URL}'\n")
    for what in (None, "models"):
        with pytest.raises(ConfigurationError, match=r"gavial\.toml.*may be somebody else's"):
            place.load().find(what, **given)
    assert place.load().find(URL, **given).problem == ""
    assert place.load(env("models", url=URL)).find("models", **given).problem == ""


def env(repository_id, **parts):
    return {environment_name(repository_id, part): value for part, value in parts.items()}


# -- what is the default ----------------------------------------------------------------------


def test_with_nothing_configured_the_default_is_a_folder_of_the_user(place):
    found = place.load().find()
    assert found.id == "local"
    assert open_repository(found).folder == place.home / ".gavial" / "repository"


def test_a_working_folder_that_was_removed_configures_nothing(place, monkeypatch):
    monkeypatch.chdir(place.work)
    place.work.rmdir()
    assert Settings.load(environ={}, home=place.home).find().id == "local"


def test_a_single_configured_repository_is_the_default(place):
    place.project_file(f'[repositories.models]\nurl = "{URL}"')
    assert place.load().find().id == "models"


def test_of_several_repositories_one_must_be_named(place):
    place.project_file(f'[repositories]\na.url = "{URL}"\nb.url = "{OTHER}"')
    with pytest.raises(ConfigurationError, match=r"Configured: a, b, local\. Name one"):
        place.load().find()


def test_the_default_may_be_a_folder_meant_from_its_own_file(place):
    place.project_file('default = "./released models"')
    deeper = place.work / "deeper"
    deeper.mkdir()
    found = open_repository(place.load(folder=deeper).find())
    assert found.folder == place.work / "released models"


def test_a_default_that_is_not_configured_is_said_with_its_source(place):
    with pytest.raises(
        ConfigurationError, match=r"'modles' .*GAVIAL_REPOSITORY.*Configured: local"
    ):
        place.load({"GAVIAL_REPOSITORY": "modles"}).find()


# -- the order of the sources -----------------------------------------------------------------


def test_the_first_source_wins_and_is_named(place):
    sources = []

    def default():
        found = place.load(environ, session).default
        sources.append(found.source.rpartition("/")[2])
        return found.value

    environ, session = {}, {}
    place.user_file('default = "five"')
    assert default() == "five"
    place.project_file("model.repository { id = four }", "application.conf")
    assert default() == "four"
    place.project_file('[tool.gavial]\ndefault = "three"', "pyproject.toml")
    assert default() == "three"
    place.project_file('default = "nearer"')
    assert default() == "nearer"
    session["spark.gavial.repository"] = "two"
    assert default() == "two"
    environ["GAVIAL_REPOSITORY"] = "one"
    assert default() == "one"
    assert sources == [
        "config.toml",
        "application.conf",
        "pyproject.toml",
        "gavial.toml",
        "Spark setting spark.gavial.repository",
        "environment variable GAVIAL_REPOSITORY",
    ]


def test_each_part_of_a_repository_comes_from_the_first_source_that_has_it(place):
    place.user_file(f'[repositories.models]\nurl = "{OTHER}"\nusername = "me"\npassword = "p1"')
    found = place.load(env("models", url=URL, password="p2")).find("models")
    assert (found.url.value, found.username.value) == (URL, "me")
    assert found.password.value == Secret("p2")
    assert found.url.source == "environment variable GAVIAL_REPOSITORIES_MODELS_URL"
    assert found.username.source.endswith("config.toml")


def test_the_nearest_file_upwards_is_read_and_no_other(place):
    place.project_file('default = "far"')
    near = place.work / "src"
    near.mkdir()
    (near / "pyproject.toml").write_text("[project]\nname = 'not-gavial'")
    assert place.load(folder=near).default.value == "far"
    (near / "pyproject.toml").write_text('[tool.gavial]\ndefault = "near"')
    assert place.load(folder=near).default.value == "near"


def test_a_repository_of_the_session_is_found(place):
    conf = {"spark.gavial.repositories.ml.models.url": URL, "spark.gavial.stagingDir": "/x"}
    assert place.load(session_conf=conf).find("ml.models").url.value == URL


def test_the_users_file_follows_xdg_config_home(place, tmp_path):
    (tmp_path / "xdg" / "gavial").mkdir(parents=True)
    (tmp_path / "xdg" / "gavial" / "config.toml").write_text('default = "there"')
    place.user_file('default = "not here"')
    assert place.load({"XDG_CONFIG_HOME": str(tmp_path / "xdg")}).default.value == "there"


def test_a_repository_of_the_environment_alone_is_found_under_either_spelling(place):
    settings = place.load(env("ml-models", url=URL))
    assert settings.find("ml_models").url.value == settings.find("ml-models").url.value == URL


def test_two_ids_that_are_one_variable_are_an_error(place):
    place.project_file(f'[repositories]\na-b.url = "{URL}"\na_b.url = "{OTHER}"')
    with pytest.raises(ConfigurationError, match=r"'a-b' and 'a_b'.*GAVIAL_REPOSITORIES_A_B_URL"):
        place.load()


# -- credentials ------------------------------------------------------------------------------


def test_credentials_of_mavens_settings_are_used_for_an_id(place):
    place.user_file(f'[repositories.models]\nurl = "{URL}"')
    place.server("models")
    found = place.load().find("models")
    assert (found.username.value, found.password.value.reveal()) == ("maven", "from-maven")
    assert "server 'models'" in found.password.source


def test_a_configured_password_goes_before_mavens(place):
    place.user_file(f'[repositories.models]\nurl = "{URL}"\nusername = "u"\npassword = "p"')
    place.server("models")
    assert place.load().find("models").username.value == "u"


def test_another_users_password_of_maven_is_not_used(place):
    place.user_file(f'[repositories.models]\nurl = "{URL}"\nusername = "somebody"')
    place.server("models")
    with pytest.raises(ConfigurationError, match=r"username .*and no password"):
        place.load().find("models")


def test_a_token_of_a_nearer_source_replaces_a_password(place):
    place.user_file(f'[repositories.models]\nurl = "{URL}"\nusername = "u"\npassword = "p"')
    found = place.load(env("models", token="t")).find("models")
    assert (found.username, found.password) == (None, None)
    assert found.token.value.reveal() == "t"


def test_a_password_and_a_token_of_one_source_are_refused(place):
    with pytest.raises(ConfigurationError, match=r"both a password .* and a token"):
        place.load(env("models", url=URL, password="p", token="t"))


def test_credentials_of_the_caller_go_before_all(place):
    settings = place.load(env("models", url=URL, token="t"))
    found = settings.find("models", username="me", password="mine")
    assert (found.token, found.username.source) == (None, "argument")
    with pytest.raises(ConfigurationError, match="Give username and password"):
        settings.find("models", username="me")


def test_a_secret_shows_nowhere(place):
    settings = place.load(env("models", url=URL, username="u", password="hunter2"))
    found = settings.find("models")
    shown = f"{settings!r} {found} {asdict(found)} {asdict(settings)} {found.password}"
    assert "hunter2" not in shown
    assert found.password.value.reveal() == "hunter2"


# -- a cloned project must not get a password -------------------------------------------------


@pytest.mark.parametrize("source", ["environment", "user file", "maven"])
def test_a_url_of_the_working_folder_gets_no_credentials_of_the_user(place, source):
    place.project_file(f'default = "models"\n[repositories.models]\nurl = "{URL}"')
    environ = {}
    if source == "environment":
        environ = env("models", username="u", password="hunter2")
        named = "GAVIAL_REPOSITORIES_MODELS_USERNAME"
    elif source == "user file":
        place.user_file('[repositories.models]\nusername = "u"\npassword = "hunter2"')
        named = "config.toml"
    else:
        place.server("models", password="hunter2")
        named = "settings.xml"
    settings = place.load(environ)
    with pytest.raises(ConfigurationError, match=f"gavial.toml.*{named}") as refused:
        settings.find("models")
    assert "hunter2" not in str(refused.value)
    for how in (settings.find, lambda: settings.find(URL)):
        with pytest.raises(ConfigurationError, match="somebody else's"):
            how()
    with pytest.raises(ConfigurationError, match="somebody else's"):
        open_repository(settings.repositories["models"])


def test_a_url_of_the_working_folder_gets_credentials_of_that_same_file(place):
    place.project_file(f'[repositories.models]\nurl = "{URL}"\nusername = "u"\npassword = "p"')
    assert place.load().find("models").password.value.reveal() == "p"


def test_two_files_of_the_working_folder_are_not_one(place):
    place.project_file(f'[repositories.models]\nurl = "{URL}"')
    place.project_file(
        "model.repository { id = models, username = u, password = p }", "application.conf"
    )
    with pytest.raises(ConfigurationError, match=r"gavial\.toml.*application\.conf"):
        place.load().find("models")


@pytest.mark.parametrize(
    ("named", "safe"),
    [
        ("https://nexus.test/other/", True),
        ("https://NEXUS.test:443/", True),
        ("http://nexus.test/", False),
        ("https://nexus.test:8443/", False),
        ("https://nexus.test.evil.test/", False),
    ],
)
def test_a_server_that_the_user_names_gets_the_credentials(place, named, safe):
    place.project_file(f'[repositories.models]\nurl = "{URL}"')
    environ = env("models", username="u", password="p") | env("mine", url=named)
    settings = place.load(environ)
    if safe:
        assert settings.find("models").password.value.reveal() == "p"
    else:
        with pytest.raises(ConfigurationError, match="somebody else's"):
            settings.find("models")


def test_a_server_that_mavens_settings_name_is_the_users(place):
    place.project_file(f'[repositories.models]\nurl = "{URL}"')
    place.maven_file(
        "<settings><mirrors><mirror><id>m</id><mirrorOf>*</mirrorOf>"
        "<url>https://nexus.test/all</url></mirror></mirrors></settings>"
    )
    environ = env("models", username="u", password="p")
    assert place.load(environ).find("models").username.value == "u"


def test_a_certificate_authority_of_the_working_folder_is_not_trusted_with_a_password(place):
    place.project_file('[repositories.models]\nca_file = "evil.pem"')
    environ = env("models", url=URL, username="u", password="p")
    with pytest.raises(ConfigurationError, match=r"ca_file .*gavial\.toml.*USERNAME"):
        place.load(environ).find("models")


def test_a_hocon_file_that_came_along_cannot_take_a_variable_of_the_environment(place):
    place.project_file(
        f'model.repository {{ id = m, url = "{URL}", username = u, password = ${{AWS_SECRET}} }}',
        "application.conf",
    )
    with pytest.raises(ConfigurationError, match=r"AWS_SECRET \(named in"):
        place.load({"AWS_SECRET": "hunter2"}).find("m")
    place.project_file(
        'model.repository { id = m, url = "https://evil.test/"${AWS_SECRET} }', "application.conf"
    )
    with pytest.raises(ConfigurationError, match="AWS_SECRET, which stands for a part"):
        place.load({"AWS_SECRET": "hunter2"})


# -- HOCON ------------------------------------------------------------------------------------


def hocon(place, text, environ=None):
    place.project_file(text, "application.conf")
    return place.load(environ).find()


def test_application_conf_is_one_repository_and_the_default(place):
    text = """
    base = "https://nexus.test"
    model { threshold = 0.5
      repository { id = "releases", url = ${base}"/repository/models/" // a comment
        username = deployer
        password = "p" } }
    """
    found = hocon(place, text)
    assert (found.id, found.url.value, found.username.value) == ("releases", URL, "deployer")
    assert found.password.value.reveal() == "p"


def test_gavial_config_names_another_file_whose_credentials_are_the_users(place, tmp_path):
    file = tmp_path / "mine.conf"
    file.write_text(f'model.repository {{ url = "{URL}", username = u, password = ${{?PW}} }}')
    found = place.load({"GAVIAL_CONFIG": str(file), "PW": "p"}).find()
    assert (found.id, found.password.value.reveal()) == ("default", "p")
    with pytest.raises(ConfigurationError, match="no such file"):
        place.load({"GAVIAL_CONFIG": str(tmp_path / "nowhere.conf")})


def test_an_optional_variable_that_is_not_set_leaves_what_was_there(place):
    text = f'model.repository {{ url = "{OTHER}", url = ${{?MODELS_URL}} }}'
    assert hocon(place, text).url.value == OTHER
    assert hocon(place, text, {"MODELS_URL": URL}).url.value == URL


def test_what_does_not_concern_us_may_refer_to_anything(place):
    text = f'home = ${{user.home}}"/x", model.repository.url = "{URL}", x = ${{?PATH}}'
    assert hocon(place, text).url.value == URL


@pytest.mark.parametrize(
    "include",
    [
        'include "other.conf"',
        'include required(file("other.conf"))',
        'include url("http://127.0.0.1:1/evil.conf")',
        'include "http://127.0.0.1:1/evil.conf"',
        'x = http://a include "other.conf"',
        '# include "other.conf"',
        'model { include "other.conf" }',
    ],
)
def test_a_hocon_file_reads_no_other_file(place, monkeypatch, include):
    monkeypatch.chdir(place.work)
    other = place.work / "other.conf"
    other.write_text('model.repository.url = "https://included.test/", repository.url = "x"')
    text = f'{include}\nmodel.repository.url = "{URL}"\n'
    assert hocon(place, text).url.value == URL
    assert hocon(place, f'model.repository.url = "{URL}"\n{include}').url.value == URL


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model { repository { url = [ }\n", r"application\.conf is not HOCON \(line \d+"),
        ("model.repository { url = ${nowhere} }", "variable nowhere, which is not set"),
        ("model.repository { url = [1, 2] }", r"model\.repository\.url .*is no text"),
        ("model.repository = 1", "is no object"),
        ("model.repository { uri = x }", "Unknown key 'uri' .*Did you mean 'url'"),
        ("model.repository { url = ${model.repository.url} }", r"HOCON|nowhere|not set|is no"),
    ],
)
def test_a_wrong_hocon_file_is_named_with_what_is_wrong(place, text, message):
    with pytest.raises(ConfigurationError, match=message):
        hocon(place, text)


# -- what is wrong in a file ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("default = x", r"gavial\.toml is not TOML: .*line 1"),
        ('defualt = "x"', "Unknown key 'defualt' in .*gavial.toml. Did you mean 'default'"),
        ('[repositories.a]\nuser = "x"', r"'user' in \[repositories\.a\] of .*'username'"),
        ('[repositories]\nmodels = "x"', r"repositories\.models .*expected a table"),
        ("[repositories.a]\nurl = 1", r"repositories\.a\.url .*of type int: expected text"),
        ('[repositories.a]\nurl = ""', "is empty"),
        ('[repositories."a b"]\nurl = "x"', "'a b' .*is no id"),
        ('[repositories.a]\nurl = "ftp://x/"', r"In .*gavial\.toml: 'ftp://x/' is no URL"),
        (
            '[repositories.a]\nurl = "https://u:hunter2@x/"',
            "In .*gavial.toml: .*user or a password",
        ),
        ('[repositories.a]\nurl = "https://x/?token=hunter2"', r"'https://x/' goes on after"),
        ('[repositories.a]\nurl = "https:///models"', "has no host"),
        ('[repositories.a]\nurl = "https://x:y/"', "malformed"),
        ('[repositories.a]\nurl = "file://host/share"', "no folder of this machine"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(place, text, message):
    place.project_file(text)
    with pytest.raises(ConfigurationError, match=message) as refused:
        place.load()
    assert "hunter2" not in str(refused.value)


def test_a_file_in_another_encoding_is_named(place):
    (place.work / "gavial.toml").write_bytes("default = 'ü'".encode("utf-16"))
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        place.load()


def test_an_id_with_credentials_and_no_url_says_what_to_set(place):
    settings = place.load(env("models", username="u", password="p"))
    with pytest.raises(ConfigurationError, match=r"no URL, only .*GAVIAL_REPOSITORIES_MODELS_URL"):
        settings.find("models")


# -- what a caller names ----------------------------------------------------------------------


def test_a_url_that_is_configured_is_that_repository(place):
    settings = place.load(env("models", url=URL, username="u", password="p"))
    found = settings.find("https://NEXUS.test:443/repository/models")
    assert (found.id, found.username.value) == ("models", "u")


def test_another_url_gets_no_credentials(place):
    settings = place.load(env("models", url=URL, username="u", password="p"))
    found = settings.find("https://nexus.test/repository/else/")
    assert (found.id, found.username, found.password) == ("url", None, None)


@pytest.mark.parametrize("what", ["./models", "models/", "~/models", "models", "FILE"])
def test_a_folder_is_named_by_a_path_or_by_being_there(place, monkeypatch, what):
    monkeypatch.setenv("HOME", str(place.work))
    (place.work / "models").mkdir()
    named = (place.work / "models").as_uri() if what == "FILE" else what
    opened = open_repository(place.load().find(named))
    assert isinstance(opened, FolderRepository)
    assert opened.folder == place.work / "models"


def test_a_configured_id_goes_before_a_folder_of_that_name(place):
    (place.work / "models").mkdir()
    assert place.load(env("models", url=URL)).find("models").url.value == URL


def test_a_url_with_a_password_is_refused_without_showing_it(place):
    with pytest.raises(ConfigurationError, match="holds a user or a password") as refused:
        place.load().find("https://me:hunter2@nexus.test/")
    assert "hunter2" not in str(refused.value)


def test_an_http_repository_is_opened_with_its_id(place):
    found = place.load(env("models", url=URL, token="t")).find("models")
    opened = open_repository(found)
    assert isinstance(opened, HttpRepository)
    assert (opened.id, opened.url) == ("models", URL)
    opened.close()


def test_central_is_mavens_mirror_with_its_credentials_where_there_is_one(place):
    assert place.load().central().url.value == "https://repo1.maven.org/maven2/"
    place.maven_file(
        "<settings><servers><server><id>corp</id><username>u</username><password>p</password>"
        "</server></servers><mirrors><mirror><id>corp</id><mirrorOf>external:*,!internal"
        "</mirrorOf><url>https://nexus.test/all</url></mirror></mirrors></settings>"
    )
    central = place.load().central()
    assert (central.id, central.url.value) == ("corp", "https://nexus.test/all/")
    assert central.username.value == "u"
