"""Whose rules hold for which release, and that nobody else's take them away."""

from pathlib import Path

import pytest
from tampered import SAVED

import gavial
from gavial.errors import ConfigurationError, UntrustedRelease
from gavial.maven.drive import Driver
from gavial.maven.settings import Settings
from gavial.registry import keys
from gavial.registry.spark_conf import plan

MALLORY = '[[trust]]\ngroups = ["*"]\nkeys = ["{people}/mallory.pub"]\n'


def test_what_the_right_key_signed_is_handed_over(released, policy, tmp_path):
    policy()
    paths = released("1.0.1").download(tmp_path / "to")
    assert [path.name for path in paths][-1] == "churn-1.0.1-signature.json"
    assert released("1.0.1").verify().passed


@pytest.mark.parametrize(("number", "said"), [("1.0.2", "is by the key"), ("1.0.3", "not signed")])
def test_what_another_or_nobody_signed_is_refused(number, said, released, policy, tmp_path):
    file = policy()
    with pytest.raises(UntrustedRelease, match=said) as raised:
        released(number).download(tmp_path / "to")
    assert str(file) in str(raised.value)
    assert not (tmp_path / "to").exists()
    with pytest.raises(UntrustedRelease, match=said):
        released(number).verify()


def test_without_a_policy_all_are_handed_over(released, tmp_path):
    for number in ("1.0.0", "1.0.1", "1.0.2", "1.0.3"):
        assert released(number).verify().passed
        assert released(number).download(tmp_path / number)


@pytest.mark.parametrize(
    ("groups", "applies"),
    [
        (["com.acme"], True),
        (["*"], True),
        (["com.*"], True),
        (["COM.Acme"], True),
        (["com.acme.*"], False),
        (["com.acm"], False),
        (["org.acme", "com.acme"], True),
    ],
)
def test_a_rule_is_about_its_groups_and_no_others(groups, applies, released, policy, tmp_path):
    policy(f'[[trust]]\ngroups = {groups}\nkeys = ["alice.pub"]\n'.replace("'", '"'))
    if applies:
        with pytest.raises(UntrustedRelease):
            released("1.0.3").download(tmp_path / "to")
    else:
        released("1.0.3").download(tmp_path / "to")


def test_any_key_of_the_rules_of_one_file_will_do(released, policy, people, tmp_path):
    policy(
        '[[trust]]\ngroups = ["com.acme"]\nkeys = ["alice.pub"]\n' + MALLORY.format(people=people)
    )
    for number in ("1.0.1", "1.0.2"):
        released(number).download(tmp_path / number)


def test_the_file_of_a_cloned_project_does_not_let_another_sign(
    released, policy, people, tmp_path, monkeypatch
):
    policy()
    project = tmp_path / "cloned"
    project.mkdir()
    (project / "gavial.toml").write_text(MALLORY.format(people=people))
    monkeypatch.chdir(project)
    for number in ("1.0.1", "1.0.2", "1.0.3"):
        with pytest.raises(UntrustedRelease):
            released(number).download(tmp_path / "to")


def test_the_file_of_a_project_can_ask_for_more(released, people, tmp_path, monkeypatch):
    project = tmp_path / "project"
    (project / "keys").mkdir(parents=True)
    (project / "keys" / "alice.pub").write_bytes((people / "alice.pub").read_bytes())
    (project / "pyproject.toml").write_text(
        '[[tool.gavial.trust]]\ngroups = ["com.acme"]\nkeys = ["keys/alice.pub"]\n'
    )
    monkeypatch.chdir(project)
    released("1.0.1").download(tmp_path / "to")
    with pytest.raises(UntrustedRelease, match=r"pyproject\.toml"):
        released("1.0.2").download(tmp_path / "other")


def test_the_users_own_file_and_that_of_the_environment_hold_both(
    released, policy, people, tmp_path, monkeypatch
):
    policy()
    folder = tmp_path / "config" / "gavial"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(MALLORY.format(people=people))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for number in ("1.0.1", "1.0.2"):
        with pytest.raises(UntrustedRelease):
            released(number).download(tmp_path / "to")


@pytest.mark.parametrize(
    "signing",
    [
        'command = ["sh", "-c", "touch {mark}"]\npublic_key = "x.pub"',
        'key = "{people}/alice.pem"',
        'key_env = "HOME"',
        'gpg = "somebody"',
    ],
)
def test_the_file_of_a_cloned_project_names_nothing_to_sign_with(
    signing, people, tmp_path, monkeypatch
):
    project = tmp_path / "cloned"
    project.mkdir()
    mark = tmp_path / "mark"
    (project / "gavial.toml").write_text(
        "[signing]\n" + signing.format(people=people, mark=mark) + "\n"
    )
    monkeypatch.chdir(project)
    with pytest.raises(ConfigurationError, match="names neither a key nor a command"):
        gavial.deploy(SAVED, "com.acme:churn:1.0", tmp_path / "models")
    assert not mark.exists()
    gavial.deploy(SAVED, "com.acme:churn:1.0", tmp_path / "models", sign=people / "alice.pem")


def test_a_deploy_that_its_own_policy_would_refuse_is_not_begun(policy, people, tmp_path):
    policy()
    with pytest.raises(ConfigurationError, match="gavial keygen"):
        gavial.deploy(SAVED, "com.acme:churn:1.0", tmp_path / "models")
    with pytest.raises(ConfigurationError, match="does not let the key"):
        gavial.deploy(SAVED, "com.acme:churn:1.0", tmp_path / "models", sign=people / "mallory.pem")
    assert not (tmp_path / "models").exists()
    gavial.deploy(SAVED, "com.acme:churn:1.0", tmp_path / "models", sign=people / "alice.pem")
    gavial.deploy(SAVED, "org.other:churn:1.0", tmp_path / "models")


def test_spark_is_given_verified_files_alone_where_a_policy_applies(repository, policy):
    assert 'name="verified"' not in ivysettings(plan(["com.acme:churn:1.0.1"], repository))
    policy()
    made = plan(["com.acme:churn:[1.0.0,1.0.1]"], repository)
    assert 'name="verified"' in ivysettings(made)
    assert made.conf["spark.jars.packages"] == "com.acme:churn:1.0.1"
    with pytest.raises(UntrustedRelease):
        plan(["com.acme:churn:latest.release"], repository)
    with pytest.raises(UntrustedRelease):
        plan(["com.acme:churn:1.0.2"], repository, verified=True)


def ivysettings(made):
    return Path(made.conf["spark.jars.ivySettings"]).read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[trust]]\nkeys = ['a.pub']\n", "groups is missing"),
        ("[[trust]]\ngroups = ['com.acme']\n", "Nobody may sign"),
        ("[[trust]]\ngroups = ['com.acme*']\nkeys = ['a.pub']\n", "expected com.acme for that"),
        ("[[trust]]\ngroups = 'com.acme'\nkeys = ['a.pub']\n", "no list of texts"),
        ("[[trust]]\ngroups = ['com.acme']\nkey = ['a.pub']\n", "Unknown key 'key'"),
        ("[[trust]]\ngroups = ['*']\nkeys = ['a']\nsubjects = ['CN=a']\n", "nothing without ca"),
        ("[trust]\ngroups = ['com.acme']\n", "expected \\[\\[trust\\]\\] tables"),
        ("trusted = 1\n", "Unknown key 'trusted'"),
        ("[[trust]\n", "is not TOML"),
    ],
)
def test_a_policy_that_is_not_understood_is_an_error_and_not_passed_over(
    text, said, policy, released
):
    policy(text)
    with pytest.raises(ConfigurationError, match=said):
        released("1.0.1")


def test_a_policy_that_is_named_and_not_there_is_an_error(released, policy):
    policy().unlink()
    with pytest.raises(ConfigurationError, match=r"trust\.toml"):
        released("1.0.1")


def test_a_key_that_is_named_and_not_there_is_an_error(released, policy, tmp_path):
    policy()
    (tmp_path / "alice.pub").unlink()
    with pytest.raises(ConfigurationError, match=r"alice\.pub"):
        released("1.0.1").download(tmp_path / "to")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("key = 'a'\nkey_env = 'B'", "say twice what signs"),
        ("command = ['a']", "needs public_key or certificate"),
        ("command = 'a b'\npublic_key = 'c'", "no list of texts"),
        ("keys = ['a']", "Unknown key 'keys'"),
        ("key = 1", "no text"),
    ],
)
def test_signing_that_contradicts_itself_is_an_error(text, said, tmp_path):
    (tmp_path / ".config" / "gavial").mkdir(parents=True)
    (tmp_path / ".config" / "gavial" / "config.toml").write_text(f"[signing]\n{text}\n")
    with pytest.raises(ConfigurationError, match=said):
        Settings.load(environ={}, folder=tmp_path, home=tmp_path)


def test_a_model_by_another_tool_is_refused_where_a_policy_applies(version, policy, repository):
    version("1.0.1").file("-card.json").unlink()
    from gavial.maven.coordinate import Coordinate
    from gavial.registry import trust

    trust.require_card(Coordinate.parse("com.acme:churn:1.0.1"))
    policy()
    with pytest.raises(UntrustedRelease, match="has no model card"):
        trust.require_card(Coordinate.parse("com.acme:churn:1.0.1"))


def test_a_deploy_that_signs_does_not_finish_one_that_did_not(tmp_path, people, monkeypatch):
    class Killed(BaseException):
        pass

    class Dying(Driver):
        def _write_metadata(self, metadata):
            if metadata.module.group == "com.acme":
                raise Killed
            return super()._write_metadata(metadata)

    models = tmp_path / "models"
    with monkeypatch.context() as patch:
        patch.setattr("gavial.registry.deploy.Driver", Dying)
        with pytest.raises(Killed):
            gavial.deploy(SAVED, "com.acme:late:1.0", models)
    release = gavial.deploy(SAVED, "com.acme:late:1.0", models, sign=people / "alice.pem")
    assert release.coordinate.version.build == 1
    assert gavial.deploy(SAVED, "com.acme:late:1.0", models).coordinate.version.build == 0


def test_releases_are_found_by_the_key_that_their_signature_names(signed, people):
    alice = keys.public(keys.read(people / "alice.pub", "Alice"), "Alice").fingerprint
    found = gavial.repository(signed).find(f"signer={alice}", "version")
    assert [str(one.coordinate.version) for one in found] == ["1.0.0", "1.0.1"]
