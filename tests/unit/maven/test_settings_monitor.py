"""`[monitor]`: what it may say, and where."""

from __future__ import annotations

import pytest

from gavial.channels import build
from gavial.channels.chat import Chat
from gavial.channels.command import Command
from gavial.channels.mail import Mail
from gavial.channels.message import Event
from gavial.channels.otel import Otel
from gavial.channels.prometheus import Prometheus
from gavial.channels.webhook import Webhook
from gavial.errors import ConfigurationError
from gavial.maven.settings import Settings

ALL = """
[monitor]
remind_days = 3
report = "https://wiki.acme.com/{module}.html"
state = "told"

[[monitor.channels]]
kind = "webhook"
url = "https://ci.acme.com/hook"
token_env = "CI_TOKEN"

[[monitor.channels]]
kind = "chat"
name = "team"
url_env = "CHAT_URL"
format = "teams"
on = ["alert", "recovered"]
modules = ["com.acme:*"]

[[monitor.channels]]
kind = "email"
host = "mail.acme.com"
username = "gavial"
password_env = "MAIL_PASSWORD"
from = "gavial@acme.com"
to = ["ann@acme.com"]

[[monitor.channels]]
kind = "command"
command = ["retrain", "--now"]
timeout = 60

[[monitor.channels]]
kind = "prometheus"
folder = "textfiles"

[[monitor.channels]]
kind = "otel"
endpoint = "https://otel.acme.com"
headers_env = "OTEL_KEY"
"""
ENVIRON = {
    "CI_TOKEN": "t0ken",
    "CHAT_URL": "https://chat.acme.com/S3CRET",
    "MAIL_PASSWORD": "pa55",
    "OTEL_KEY": "api-key=k%20ey",
}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


class Place:
    def __init__(self, tmp_path):
        self.work, self.home = tmp_path / "work", tmp_path / "home"
        self.user = self.home / ".config" / "gavial"
        self.work.mkdir()
        self.user.mkdir(parents=True)

    def load(self, **environ):
        return Settings.load(environ=environ, folder=self.work, home=self.home).monitor

    def own(self, text):
        (self.user / "config.toml").write_text(text)
        return self.load()

    def project(self, text):
        (self.work / "gavial.toml").write_text(text)
        return self.load()


def channel(text):
    return f"[[monitor.channels]]\n{text}"


def test_a_file_of_the_users_own_may_say_all_of_it(place):
    found = place.own(ALL)
    built = [build.built(one, ENVIRON) for one in found.channels]
    kinds = [Webhook, Chat, Mail, Command, Prometheus, Otel]
    assert [type(one) for one in built] == kinds
    assert [one.name for one in built] == [
        *("webhook", "team", "email", "command", "prometheus", "otel")
    ]
    assert found.remind_days == 3
    assert found.state == place.user / "told"
    assert built[1].events == {Event.ALERT, Event.RECOVERED}
    assert Event.SILENT not in built[0].events
    assert found.channels[1].modules == ("com.acme:*",)
    assert found.channels[4].values["folder"] == place.user / "textfiles"


def test_nothing_is_told_where_nothing_is_configured(place):
    found = place.load()
    assert (found.channels, found.remind_days, found.report, found.state) == ((), None, "", None)


def test_a_table_of_pyproject_is_read_too(place):
    text = ALL.replace("[monitor]", "[tool.gavial.monitor]").replace(
        "[[monitor", "[[tool.gavial.monitor"
    )
    (place.work / "pyproject.toml").write_text(text)
    assert len(place.load().channels) == 6


def test_a_file_that_the_environment_names_is_the_users(place):
    (place.work / "alerts.toml").write_text(ALL)
    found = place.load(GAVIAL_MONITOR="alerts.toml")
    assert [one.problem for one in found.channels] == [""] * 6


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kind='command'\ncommand=['true']", "runs no command of yours"),
        ("kind='webhook'\nurl='https://e.com'\ntoken_env='AWS_KEY'", "sends no secret"),
        (
            "kind='webhook'\nurl='https://e.com'\nusername='a'\npassword_env='P'",
            "sends no secret",
        ),
        (
            "kind='email'\nhost='e.com'\nfrom='a@e.com'\nto=['a@e.com']\nusername='a'\n"
            "password_env='P'",
            "sends no secret",
        ),
        ("kind='otel'\nheaders_env='KEY'", "where your OpenTelemetry keys go"),
        ("kind='otel'\nendpoint='https://e.com'", "where your OpenTelemetry keys go"),
        ("kind='prometheus'\nfolder='..'", "in its own folder alone"),
        ("kind='prometheus'\nfolder='/etc/cron.d'", "in its own folder alone"),
    ],
)
def test_a_file_of_the_working_folder_takes_nothing_of_the_users(place, text, why):
    (one,) = place.project(channel(text)).channels
    with pytest.raises(ConfigurationError, match=why) as refused:
        build.built(one, {"AWS_KEY": "s3cret", "P": "s3cret", "KEY": "a=s3cret"})
    assert "config.toml" in str(refused.value)
    assert str(place.work / "gavial.toml") in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "kind='webhook'\nurl='https://e.com'\ntoken='its own'",
        "kind='chat'\nurl_env='CHAT_URL'",
        "kind='email'\nhost='e.com'\nfrom='a@e.com'\nto=['a@e.com']",
        "kind='prometheus'\nfolder='textfiles'",
        "kind='otel'",
    ],
)
def test_a_file_of_the_working_folder_may_say_where_messages_go(place, text):
    (one,) = place.project(channel(text).replace("its own", "own")).channels
    assert build.built(one, ENVIRON)


def test_a_link_out_of_the_folder_is_no_folder_of_its_own(place, tmp_path):
    (place.work / "out").symlink_to(tmp_path / "home")
    (one,) = place.project(channel("kind='prometheus'\nfolder='out'")).channels
    assert "its own folder alone" in one.problem
    with pytest.raises(ConfigurationError, match="state lies beyond"):
        place.project("[monitor]\nstate='out'")


def test_a_project_takes_no_name_of_the_users(place):
    mine = channel("kind='chat'\nname='team'\nurl='https://mine.acme.com'")
    place.own(mine)
    found = place.project(mine.replace("mine", "theirs")).channels
    assert [(one.name == "team", bool(one.problem)) for one in found] == [
        (True, False),
        (False, True),
    ]
    assert found[0].values["url"].reveal() == "https://mine.acme.com"
    assert "both have a channel 'team'" in found[1].problem


def test_every_problem_of_a_file_is_told_at_once(place):
    with pytest.raises(ConfigurationError) as refused:
        place.own(
            "[monitor]\nremind_day = 3\nremind_days = -1\nreport = 'javascript:alert(1)'\n"
            + channel("kind='slak'\n")
            + channel("kind='chat'\nurl='https://a.b'\nurl_env='X'\nformat='irc'\n")
            + channel("name='mail'\nkind='email'\nto='ann'\nport=0\nusername='a'\n")
            + channel("name='mail2'\nkind='webhook'\nurl=3\non=['alarm']\n")
            + channel("name='hook'\nkind='webhook'\nurl_env='https://S3CRET'\nheaders={}\n")
            + channel("name='job'\nkind='command'\ncommand='rm -rf /'\ntimeout=inf\n")
        )
    text = str(refused.value)
    for part in (
        "unknown key 'remind_day' of [monitor]: did you mean 'remind_days'?",
        "remind_days is -1",
        "report is no http",
        "kind of channel 1 is 'slak'",
        "url and url_env of channel 'chat' say the same",
        "format of channel 'chat' is 'irc': there are slack, teams, text",
        "to of channel 'mail' is not a list of texts",
        "port of channel 'mail' is not a number above 0",
        "host is missing of channel 'mail'",
        "username of channel 'mail' goes with password_env or password",
        "url of channel 'mail2' is not a text",
        "on of channel 'mail2' is ['alarm']",
        "url_env of channel 'hook' is no name of an environment variable",
        "unknown key 'headers' of channel 'hook'",
        "command of channel 'job' is not a list of texts",
        "timeout of channel 'job' is not a number above 0",
    ):
        assert part in text
    assert "S3CRET" not in text
    assert str(place.user / "config.toml") in text


@pytest.mark.parametrize(
    "text",
    [
        "monitor = 3",
        "[monitor]\nchannels = 3",
        "[monitor]\nchannels = [3]",
        "[monitor]\nstate = 3",
        channel("kind='chat'\nurl='https://a.b'\nmodules='*'"),
        channel("kind='chat'\nurl='https://a.b'\nname='\\u001b[31m'"),
        channel("kind=['chat']"),
        channel("kind='otel'\nheaders={a=3}"),
        channel("kind='chat'\nurl='https://a.b'")
        + "\n"
        + channel("kind='chat'\nurl='https://a.b'"),
    ],
)
def test_what_is_of_another_kind_is_an_error_that_names_the_file(place, text):
    with pytest.raises(ConfigurationError, match=r"\[monitor\] of .*config.toml"):
        place.own(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kind='chat'\nurl_env='CHAT'", "names the environment variable CHAT, which is not set"),
        ("kind='chat'\nurl='ftp://S3CRET.com'", "none that begins with https"),
        ("kind='chat'\nurl='https://'", "none that begins with https"),
        ("kind='chat'\nurl='https://a:S3CRET@b.com/'", "holds a user, a password"),
        ("kind='chat'\nurl='https://b.com:S3CRET/'", "none that begins with https"),
        ("kind='webhook'\nurl='http://b.com/'\ntoken='S3CRET'", "over http://"),
        (
            "kind='email'\nhost='b.com'\nfrom='a@b.c'\nto=['a@b.c']\nusername='a'\n"
            "password='S3CRET'\nsecurity='none'",
            "in the clear",
        ),
        ("kind='otel'\nendpoint='http://b.com'\nheaders={key='S3CRET'}", "over http://"),
    ],
)
def test_a_channel_that_cannot_be_used_is_told_without_its_secrets(place, text, why):
    (one,) = place.own(channel(text)).channels
    with pytest.raises(ConfigurationError, match=why) as refused:
        build.built(one, {})
    assert "S3CRET" not in str(refused.value)
    assert "S3CRET" not in repr(one)


def test_a_file_with_a_secret_that_others_read_is_pointed_at(place):
    (one,) = place.own(channel("kind='chat'\nurl='https://a.b/S3CRET'")).channels
    file = place.user / "config.toml"
    file.chmod(0o644)
    (told,) = build.exposures(one)
    assert "holds the url of channel 'chat'" in told
    file.chmod(0o600)
    assert build.exposures(one) == ()
