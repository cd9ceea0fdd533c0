"""All channels at once: told once, never forgotten, and none held up by another."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gavial.maven.settings_monitor import MonitorSettings, monitor_of
from gavial.monitoring.verdict import Status
from gavial.registry import tell as telling
from gavial.registry.tell import Subject

from .conftest import MODULE, make

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


def settings(*channels, **more) -> MonitorSettings:
    found = monitor_of({"channels": list(channels), **more}, Path("/test.toml"), own=True)
    assert found is not None
    return found


def hook(server, name="hook", **more):
    return {"kind": "webhook", "name": name, "url": server.url, **more}


def subject(*verdicts):
    found = {one.status for one in verdicts}
    status = Status.ALERT if Status.ALERT in found else Status.OK
    return Subject(MODULE, status, verdicts)


def run(folder, configured, *verdicts, now=NOW):
    return telling.tell(subject(*verdicts), configured, folder, now=now, environ={})


def outcomes(told):
    return {one.channel: one.outcome for one in told.deliveries}


def test_an_alert_is_told_by_the_first_run_and_not_by_the_next(serve, tmp_path):
    server = serve()
    configured = settings(hook(server))
    assert outcomes(run(tmp_path, configured, make())) == {"hook": "told"}
    assert outcomes(run(tmp_path, configured, make(last=1))) == {"hook": "nothing new"}
    assert [one["event"] for one in server.documents] == ["alert"]


def test_a_recovery_is_told_and_an_alert_after_it_again(serve, tmp_path):
    server = serve()
    configured = settings(hook(server))
    for one in (make(), make(Status.OK, since=1), make(since=2), make(Status.OK, since=3)):
        run(tmp_path, configured, one)
    events = [one["event"] for one in server.documents]
    assert events == ["alert", "recovered", "alert", "recovered"]


def test_an_alert_ends_when_the_next_version_has_taken_over(serve, tmp_path):
    server = serve()
    configured = settings(hook(server))
    run(tmp_path, configured, make())
    for day in range(1, 5):
        new = make(Status.OK, version="1.0.4", since=1, last=day)
        run(tmp_path, configured, make(), new, now=NOW + timedelta(days=10 * day))
    assert [one["event"] for one in server.documents] == ["alert", "reminder", "retired"]


def test_a_version_that_was_gone_before_anybody_looked_is_told_to_nobody(serve, tmp_path):
    server = serve()
    told = run(tmp_path, settings(hook(server)), make(), make(Status.OK, version="1.0.4", since=9))
    assert (outcomes(told), server.requests) == ({"hook": "nothing new"}, [])


def test_a_reminder_comes_when_it_is_configured_to(serve, tmp_path):
    server = serve()
    configured = settings(hook(server), remind_days=2)
    for day in range(5):
        run(tmp_path, configured, make(last=day), now=NOW + timedelta(days=day))
    assert [one["event"] for one in server.documents] == ["alert", "reminder", "reminder"]


def test_one_message_has_all_that_is_news(serve, tmp_path):
    server = serve()
    verdicts = (make(), make(version="1.0.4", segment="plan=a"), make(Status.OK, version="1.0.2"))
    run(tmp_path, settings(hook(server), report="https://x.com/{module}"), *verdicts)
    (document,) = server.documents
    assert [one["version"] for one in document["verdicts"]] == ["1.0.3", "1.0.4"]
    assert document["report"] == "https://x.com/com.acme:churn"


def test_a_channel_that_fails_stops_no_other_and_is_tried_again_by_the_next_run(serve, tmp_path):
    well, ill = serve(), serve(400)
    configured = settings(
        hook(ill, "ill"),
        {"kind": "command", "name": "gone", "command": ["no-such-program-here"]},
        {"kind": "chat", "name": "unset", "url_env": "NO_SUCH_VARIABLE"},
        hook(well, "well"),
        {"kind": "prometheus", "folder": str(tmp_path / "no" / "folder")},
    )
    told = run(tmp_path / "told", configured, make())
    assert outcomes(told) == {
        "ill": "failed",
        "gone": "failed",
        "unset": "failed",
        "well": "told",
        "prometheus": "failed",
    }
    problems = {one.channel: one.problem for one in told.deliveries}
    assert "answers 400" in problems["ill"]
    assert "NO_SUCH_VARIABLE, which is not set" in problems["unset"]
    again = outcomes(run(tmp_path / "told", configured, make()))
    assert (again["ill"], again["well"], again["gone"]) == ("told", "nothing new", "failed")
    assert len(well.requests) == 1


def test_gauges_are_published_at_every_run(tmp_path):
    configured = settings({"kind": "prometheus", "folder": str(tmp_path)})
    for at in range(2):
        told = run(tmp_path / "told", configured, make(), now=NOW + timedelta(days=at))
        assert outcomes(told) == {"prometheus": "published"}
    when = (NOW + timedelta(days=1)).timestamp()
    (file,) = tmp_path.glob("*.prom")
    lines = file.read_text().splitlines()
    (checked,) = (one for one in lines if one.startswith("gavial_monitor_checked_seconds{"))
    assert float(checked.rpartition(" ")[2]) == when


def test_a_channel_hears_of_its_own_modules_alone(serve, tmp_path):
    ours, theirs = serve(), serve()
    configured = settings(
        hook(ours, "ours", modules=["com.acme:*"]), hook(theirs, "theirs", modules=["org.*"])
    )
    assert outcomes(run(tmp_path, configured, make())) == {"ours": "told"}


def test_a_command_is_run_once_an_alert(tmp_path):
    file = tmp_path / "runs"
    script = "import os, sys; open(sys.argv[1], 'a').write(os.environ['GAVIAL_EVENT'] + '\\n')"
    command = [sys.executable, "-c", script, str(file)]
    configured = settings({"kind": "command", "command": command}, remind_days=1)
    shown = (make(), make(last=1), make(last=2, broken=("auc", "brier")), make(Status.OK, since=3))
    for day, one in enumerate((*shown, make(since=4))):
        run(tmp_path / "told", configured, one, now=NOW + 2 * timedelta(days=day))
    assert file.read_text().split() == ["alert", "alert"]


def test_a_channel_that_hangs_holds_up_nobody(serve, tmp_path, monkeypatch):
    monkeypatch.setattr("gavial.channels.channel.SECONDS", 1.0)
    hanging, well = serve(lambda _: time.sleep(8)), serve()
    configured = settings(hook(hanging, "hanging"), hook(well, "well"))
    begun = time.monotonic()
    told = run(tmp_path, configured, make())
    assert time.monotonic() - begun < 6
    assert outcomes(told) == {"hanging": "failed", "well": "told"}


def test_two_runs_at_once_do_not_both_tell(serve, tmp_path):
    server = serve(
        lambda handler: (time.sleep(0.5), handler.send_response(200), handler.end_headers())
    )
    configured = settings(hook(server))
    found = []
    runs = [
        threading.Thread(target=lambda: found.append(outcomes(run(tmp_path, configured, make()))))
        for _ in range(3)
    ]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert sorted(one["hook"] for one in found) == ["nothing new", "nothing new", "told"]
    assert len(server.requests) == 1


@pytest.fixture
def another_process(tmp_path):
    """Starts a process that tells, and ends where it is told to."""
    running = []

    def start(url, folder, dies):
        script = tmp_path / "run.py"
        script.write_text(
            "import os, signal, sys\n"
            "from datetime import UTC, datetime\n"
            "from pathlib import Path\n"
            "from gavial.maven.settings_monitor import monitor_of\n"
            "from gavial.monitoring.verdict import Status, Verdict\n"
            "from gavial.monitoring.windows import Window\n"
            "from gavial.registry import tell\n"
            "from gavial.registry.told import Ledger\n"
            "url, folder, dies = sys.argv[1:]\n"
            "if dies == 'yes':\n"
            "    Ledger.keep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
            "begin = datetime(2026, 3, 1, tzinfo=UTC)\n"
            "since = Window(begin, datetime(2026, 3, 2, tzinfo=UTC))\n"
            "one = Verdict('com.acme:churn', '1.0.3', '', Status.ALERT, since, ('auc',), ())\n"
            "table = {'channels': [{'kind': 'webhook', 'url': url}]}\n"
            "known = monitor_of(table, Path('/x'), own=True)\n"
            "subject = tell.Subject('com.acme:churn', one.status, (one,))\n"
            "told = tell.tell(subject, known, Path(folder))\n"
            "print([each.outcome for each in told.deliveries])\n"
        )
        running.append(
            subprocess.Popen(
                (sys.executable, script, url, folder, dies), stdout=subprocess.PIPE, text=True
            )
        )
        return running[-1]

    yield start
    for one in running:
        if one.poll() is None:
            one.kill()
        one.communicate()


def test_a_run_that_is_killed_between_delivery_and_note_tells_again_and_loses_nothing(
    serve, tmp_path, another_process
):
    server, folder = serve(), str(tmp_path / "told")
    killed = another_process(server.url, folder, "yes")
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert len(server.requests) == 1
    for expected, count in (("['told']", 2), ("['nothing new']", 2)):
        out, _ = another_process(server.url, folder, "no").communicate(timeout=60)
        assert (out.strip(), len(server.requests)) == (expected, count)


def test_what_was_told_is_kept_by_channel_and_by_module(serve, tmp_path):
    first, second = serve(), serve()
    run(tmp_path, settings(hook(first, "first")), make())
    configured = settings(hook(first, "first"), hook(second, "second"))
    assert outcomes(run(tmp_path, configured, make())) == {"first": "nothing new", "second": "told"}
    other = Subject("com.acme:other", Status.ALERT, (make(),))
    told = telling.tell(other, configured, tmp_path, now=NOW, environ={})
    assert outcomes(told) == {"first": "told", "second": "told"}


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"format": 1, "channels": {"hook": {"a": 1}}}']
)
def test_notes_that_are_damaged_are_told_and_the_alert_again(serve, tmp_path, damage):
    server = serve()
    configured = settings(hook(server))
    run(tmp_path, configured, make())
    (file,) = tmp_path.glob("*.json")
    file.write_bytes(damage)
    told = run(tmp_path, configured, make())
    assert outcomes(told) == {"hook": "told"}
    assert "cannot be read" in told.problems[0]
    assert outcomes(run(tmp_path, configured, make())) == {"hook": "nothing new"}


def test_notes_of_a_later_gavial_are_told(serve, tmp_path):
    configured = settings(hook(serve()))
    run(tmp_path, configured, make())
    (file,) = tmp_path.glob("*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 99}))
    (problem,) = run(tmp_path, configured, make()).problems
    assert "99" in problem


def test_where_nothing_can_be_noted_it_is_told_all_the_same(serve, tmp_path):
    (tmp_path / "told").write_text("a file, and no folder")
    server = serve()
    told = run(tmp_path / "told", settings(hook(server)), make())
    assert outcomes(told) == {"hook": "told"}
    assert len(server.requests) == 1
    assert "cannot be written" in told.problems[0]


def test_a_note_that_cannot_be_replaced_is_told_with_what_follows(serve, tmp_path):
    server = serve()
    configured = settings(hook(server))
    run(tmp_path, configured, make())
    (file,) = tmp_path.glob("*.json")
    file.unlink()
    (file / "in the way").mkdir(parents=True)
    told = run(tmp_path, configured, make())
    assert outcomes(told) == {"hook": "told"}
    assert "cannot be written" in told.deliveries[0].problem
    assert "it will be told again" in told.deliveries[0].problem


def test_where_nobody_is_to_be_told_that_is_said(serve, tmp_path):
    (none,) = run(tmp_path, MonitorSettings(), make()).problems
    assert "No channels are configured" in none
    (other,) = run(tmp_path, settings(hook(serve(), modules=["org.*"])), make()).problems
    assert other == "Nobody is told. None of the channels is for com.acme:churn."


def test_a_run_that_waits_too_long_for_another_tells_nothing_and_says_so(
    serve, tmp_path, monkeypatch
):
    monkeypatch.setattr("gavial.registry.told.PATIENCE_SECONDS", 0.2)
    server = serve(
        lambda handler: (time.sleep(1.5), handler.send_response(200), handler.end_headers())
    )
    configured = settings(hook(server))
    first = threading.Thread(target=run, args=(tmp_path, configured, make()))
    first.start()
    while not server.requests:
        time.sleep(0.01)
    told = run(tmp_path, configured, make())
    first.join()
    assert outcomes(told) == {"hook": "failed"}
    assert "Another run holds" in told.problems[0]


def test_a_test_message_says_that_it_is_one_and_is_noted_nowhere(serve, tmp_path):
    server = serve()
    ran = tmp_path / "ran"
    configured = settings(
        {"kind": "command", "command": ["touch", str(ran)]},
        hook(server),
        {"kind": "prometheus", "folder": str(tmp_path)},
        {"kind": "command", "name": "gone", "command": ["no-such-program-here"]},
    )
    found = telling.try_out(configured, environ={})
    assert [(one.channel, one.outcome) for one in found] == [
        ("command", "not run"),
        ("hook", "told"),
        ("prometheus", "published"),
        ("gone", "failed"),
    ]
    assert not ran.exists()
    assert list(tmp_path.glob("*.prom")) == []  # what is stale would alarm somebody
    (document,) = server.documents
    assert (document["event"], document["status"]) == ("test", "ok")
    assert "this is a test" in document["subject"]
    assert outcomes(run(tmp_path / "told", configured, make()))["hook"] == "told"
