"""Real Ivy, with the `ivysettings.xml` that the configuration gives."""

from __future__ import annotations

from pathlib import Path

import pytest

import gavial
from gavial.errors import ConfigurationError
from gavial.maven.ivy import Resolver, ivysettings
from gavial.registry import runtime, spark_conf

SAVED = Path(__file__).parent.parent / "fixtures" / "saved_models" / "spark-4.3" / "churn"


def deploy(repository, *gavs):
    for gav in gavs:
        gavial.deploy(SAVED, gav, repository=repository)


def runtime_jar():
    return f"gavial-{runtime.library().version}.jar"


def test_the_newest_build_by_number_comes_with_the_runtime(tmp_path, ivy):
    folder = tmp_path / "models with spaces & more"
    deploy(folder, "com.acme:churn:1.0.9", "com.acme:churn:1.0")
    settings, environment = spark_conf.ivysettings(folder)
    assert environment == {}
    assert ivy(settings, "com.acme:churn") == ["churn-1.0.10.jar", runtime_jar()]
    assert ivy(settings, "com.acme:churn", "1.0.9") == ["churn-1.0.9.jar", runtime_jar()]


def test_a_release_is_seen_at_once_by_who_asked_before(tmp_path, ivy):
    deploy(tmp_path / "models", "com.acme:churn:1.0")
    settings, _ = spark_conf.ivysettings(tmp_path / "models")
    assert "churn-1.0.0.jar" in ivy(settings, "com.acme:churn")
    deploy(tmp_path / "models", "com.acme:churn:1.0")
    assert "churn-1.0.1.jar" in ivy(settings, "com.acme:churn")


def test_no_other_repository_answers_for_the_groups_of_ours(tmp_path, ivy):
    deploy(tmp_path / "ours", "com.acme:churn:1.0")
    deploy(tmp_path / "theirs", "com.acme:churn:9.0", "org.other:library:2.0")
    ours = Resolver("models", (tmp_path / "ours").as_uri() + "/")
    theirs = Resolver("central", (tmp_path / "theirs").as_uri() + "/")
    settings = ivysettings(ours, [theirs], ["com.acme", "io.gavial"])
    assert "churn-1.0.0.jar" in ivy(settings, "com.acme:churn")
    assert "library-2.0.0.jar" in ivy(settings, "org.other:library")


def test_a_password_reaches_the_server_and_no_file(server, ivy, tmp_path):
    deploy("models", "com.acme:churn:1.0")
    settings, environment = spark_conf.ivysettings("models", ["com.acme"])
    assert server.password.encode() not in settings
    assert set(environment) == {
        "GAVIAL_REPOSITORIES_MODELS_USERNAME",
        "GAVIAL_REPOSITORIES_MODELS_PASSWORD",
    }
    assert "churn-1.0.0.jar" in ivy(settings, "com.acme:churn", **environment)
    assert not [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and server.password.encode() in path.read_bytes()
    ]


def test_a_server_that_lets_everybody_read_gets_no_login(server, ivy):
    deploy("models", "com.acme:churn:1.0")
    server.anonymous_read = True
    settings, environment = spark_conf.ivysettings("models", ["com.acme"])
    assert environment == {}
    assert b"<credentials" not in settings
    assert "churn-1.0.0.jar" in ivy(settings, "com.acme:churn")


def test_a_password_that_ivy_would_expand_is_refused(server, monkeypatch):
    server.password = "a${user.home}"
    monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_PASSWORD", server.password)
    with pytest.raises(ConfigurationError, match="takes for a variable") as error:
        spark_conf.ivysettings("models", ["com.acme"])
    assert "user.home" not in str(error.value)


def test_a_server_without_a_realm_is_refused_with_what_to_do(server):
    server.realm = None
    with pytest.raises(ConfigurationError, match=r"names no realm|no realm"):
        spark_conf.ivysettings("models", ["com.acme"])


def test_a_bearer_token_is_refused_with_what_to_do(server, monkeypatch):
    server.token = "t"
    monkeypatch.delenv("GAVIAL_REPOSITORIES_MODELS_USERNAME")
    monkeypatch.delenv("GAVIAL_REPOSITORIES_MODELS_PASSWORD")
    monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_TOKEN", "t")
    with pytest.raises(ConfigurationError, match="bearer token"):
        spark_conf.ivysettings("models", ["com.acme"])


def test_plain_ivy_follows_an_alias_to_the_tenth_record_and_back(tmp_path, ivy):
    models = gavial.repository(tmp_path / "models")
    deploy(tmp_path / "models", "com.acme:churn:1.0", "com.acme:churn:1.0")
    for number in range(10):
        models.set_alias("com.acme:churn", "champion", f"1.0.{number % 2}")
    settings, _ = spark_conf.ivysettings(tmp_path / "models")
    assert ivy(settings, "com.acme:churn-champion") == ["churn-1.0.1.jar", runtime_jar()]
    assert ivy(settings, "com.acme:churn-champion", "9") == ["churn-1.0.0.jar", runtime_jar()]
    models.set_alias("com.acme:churn", "champion", "1.0.0")
    assert ivy(settings, "com.acme:churn-champion") == ["churn-1.0.0.jar", runtime_jar()]


def test_plain_ivy_takes_no_withdrawn_release_but_by_its_coordinate(tmp_path, ivy):
    models = gavial.repository(tmp_path / "models")
    deploy(tmp_path / "models", "com.acme:churn:1.0", "com.acme:churn:1.0")
    models.withdraw("com.acme:churn:1.0.1", why="It was trained on the wrong month.")
    settings, environment = spark_conf.ivysettings(tmp_path / "models")
    for revision, jar in {
        "latest.release": "churn-1.0.0.jar",
        "1.0.+": "churn-1.0.0.jar",
        "1.0.1": "churn-1.0.1.jar",
    }.items():
        assert jar in ivy(settings, "com.acme:churn", revision, **environment)
    models.reinstate("com.acme:churn:1.0.1", why="It was the right month.")
    assert "churn-1.0.1.jar" in ivy(settings, "com.acme:churn", **environment)


def test_where_all_are_withdrawn_ivy_finds_nothing(tmp_path, ivy):
    deploy(tmp_path / "models", "com.acme:churn:1.0")
    gavial.repository(tmp_path / "models").withdraw("com.acme:churn:1.0.0", why="bad.")
    settings, _ = spark_conf.ivysettings(tmp_path / "models")
    with pytest.raises(AssertionError, match="UNRESOLVED"):
        ivy(settings, "com.acme:churn")


def test_flags_name_what_an_alias_means_and_two_of_one_module_are_refused(tmp_path):
    models = gavial.repository(tmp_path / "models")
    deploy(tmp_path / "models", "com.acme:churn:1.0", "com.acme:churn:1.0")
    models.set_alias("com.acme:churn", "champion", "1.0.0")
    models.set_alias("com.acme:churn", "challenger", "1.0.1")
    conf = spark_conf.plan(["com.acme:churn@champion"], tmp_path / "models").conf
    assert conf["spark.jars.packages"].split(",")[0] == "com.acme:churn:1.0.0"
    with pytest.raises(ConfigurationError, match="named twice"):
        gavs = ["com.acme:churn@champion", "com.acme:churn@challenger"]
        spark_conf.plan(gavs, tmp_path / "models")


def test_flags_of_a_withdrawn_coordinate_are_made_with_a_warning_that_says_why(tmp_path):
    models = gavial.repository(tmp_path / "models")
    deploy(tmp_path / "models", "com.acme:churn:1.0", "com.acme:churn:1.0")
    models.withdraw("com.acme:churn:1.0.1", why="Trained on the wrong month.")
    with pytest.warns(UserWarning, match=r"1\.0\.1 is withdrawn \(Trained on the wrong month\."):
        conf = spark_conf.plan(["com.acme:churn:1.0.1"], tmp_path / "models").conf
    assert conf["spark.jars.packages"].startswith("com.acme:churn:1.0.1")
