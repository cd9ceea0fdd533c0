"""How real servers are fetched, started and ended: what every other test here stands on."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from maven_server import MavenServer
from process import NotStarted, running

SERVERS = Path(__file__).parents[1] / "servers"
ARTIFACT = "com.acme:thing:1.0:zip:bundle"
PATH = "com/acme/thing/1.0/thing-1.0-bundle.zip"


def python(script, *arguments, **environment):
    """A process of its own that imports the modules of the servers."""
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path.append({str(SERVERS)!r})\n{script}"]
        + [str(argument) for argument in arguments],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def fetch(home, digest):
    """Fetch the artifact in a home with settings of its own: what it says, and the errors."""
    script = "from fetch import *; print(fetched(Artifact(*sys.argv[1:])))"
    cache = str(home / "cache")
    with python(
        script, ARTIFACT, digest, HOME=str(home), GAVIAL_TEST_SERVERS=cache, NO_PROXY="*"
    ) as process:
        return process.communicate()


@pytest.fixture
def home(tmp_path):
    """A home whose Maven settings put a server of ours in Central's place."""
    served = tmp_path / "served" / PATH
    served.parent.mkdir(parents=True)
    served.write_bytes(b"the bundle")
    with MavenServer(tmp_path / "served") as server:
        settings = tmp_path / "home" / ".m2" / "settings.xml"
        settings.parent.mkdir(parents=True)
        settings.write_text(
            "<settings><mirrors><mirror><id>ours</id><mirrorOf>central</mirrorOf>"
            f"<url>{server.url}</url></mirror></mirrors></settings>"
        )
        yield tmp_path / "home"


def test_an_artifact_comes_from_the_users_mirror_into_the_cache(home):
    came, errors = fetch(home, hashlib.sha256(b"the bundle").hexdigest())
    assert errors == ""
    assert Path(came.strip()) == home / "cache" / "maven" / PATH
    assert Path(came.strip()).read_bytes() == b"the bundle"


def test_an_artifact_with_other_bytes_is_refused_and_not_kept(home):
    _, errors = fetch(home, hashlib.sha256(b"another bundle").hexdigest())
    assert "NotFetched" in errors
    assert hashlib.sha256(b"the bundle").hexdigest() in errors
    assert [file for file in (home / "cache").rglob("*") if file.is_file()] == []


def test_a_server_that_does_not_come_up_shows_its_log(tmp_path):
    command = [sys.executable, "-c", "print('no room'); raise SystemExit(3)"]
    with (
        pytest.raises(NotStarted, match=r"(?s)ended with 3.*no room"),
        running(command, tmp_path / "log", lambda: False, seconds=60),
    ):
        pass


def test_a_server_that_is_never_ready_is_given_up_and_ended(tmp_path):
    mark = tmp_path / "pid"
    script = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    with (
        pytest.raises(NotStarted, match="not ready after 1 s"),
        running([sys.executable, "-c", script], tmp_path / "log", lambda: False, seconds=1),
    ):
        pass
    assert gone(int(mark.read_text()))


@pytest.mark.parametrize("name", ["nginx", "apache"])
def test_a_test_run_that_is_killed_leaves_no_server(tmp_path, name):
    script = f"""
from pathlib import Path
import {name}
with {name}.start(Path(sys.argv[1])) as server:
    print(server.url, flush=True)
    sys.stdin.read()  # until the test kills it
"""
    with python(script, tmp_path) as run:
        url = run.stdout.readline().strip()
        assert requests.get(url, timeout=10).status_code == 200
        run.send_signal(signal.SIGKILL)
        run.communicate()
    assert within(20, lambda: not listens(url))


def listens(url):
    try:
        requests.get(url, timeout=10)
    except requests.ConnectionError:
        return False
    return True


def gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def within(seconds, holds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False
