"""The pretend hosts themselves: what every other test here stands on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hosts import until, up

CLUSTERS = Path(__file__).parents[1] / "clusters"
TEST = Path(__file__).with_name("test_cluster.py")


@pytest.fixture(scope="module")
def hosts(cluster_folder, tmp_path_factory):
    with up(tmp_path_factory.mktemp("hosts"), ("one", "other")) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def shared(hosts, tmp_path_factory):
    return tmp_path_factory.getbasetemp() / "hosts0" / "shared"


def test_a_host_has_a_temporary_folder_of_its_own(hosts):
    hosts["one"].run("touch", "/tmp/mine")
    assert hosts["one"].run("ls", "/tmp/mine") == "/tmp/mine\n"
    assert hosts["other"].run("sh", "-c", "ls /tmp/mine 2>/dev/null || true") == ""
    assert not Path("/tmp/mine").exists()


def test_hosts_share_one_folder(hosts, shared):
    hosts["one"].run("touch", shared / "ours")
    assert hosts["other"].run("ls", shared / "ours") == f"{shared / 'ours'}\n"
    assert (shared / "ours").exists()


def test_nobody_may_write_the_read_only_folder(hosts, shared):
    said = hosts["one"].run("sh", "-c", f"touch {shared}/read-only/x 2>&1 || true")
    assert "Read-only file system" in said


def test_hosts_reach_each_other_and_nothing_else(hosts):
    # Of the kernel's routes the destination, its own byte order in hexadecimal, and the gateway.
    lines = hosts["one"].run("cat", "/proc/net/route").splitlines()[1:]
    assert [line.split()[:3] for line in lines] == [["eth0", "00004D0A", "00000000"]]
    script = "import socket; socket.create_connection(('other', 9), 5)"
    said = hosts["one"].run("sh", "-c", f'{sys.executable} -c "{script}" 2>&1 || true')
    assert "ConnectionRefusedError" in said  # it is there, and nobody listens


def test_a_test_run_that_is_killed_leaves_no_host(tmp_path, hosts):
    script = f"""
import sys
from pathlib import Path
sys.path.append({str(CLUSTERS)!r})
from hosts import up
with up(Path({str(tmp_path)!r}), ("one", "other")) as hosts:
    print(*(host.process for host in hosts.values()), flush=True)
    sys.stdin.read()  # until the test kills it
"""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        processes = run.stdout.readline().split()
        assert len(processes) == 2
        run.send_signal(signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{one}").exists() for one in processes), "all ended", 30)


@pytest.mark.parametrize(("ci", "outcome"), [("true", "error"), ("", "skipped")])
def test_where_no_host_can_be_made_the_suite_says_so(tmp_path, hosts, ci, outcome):
    """Skipped on a developer's machine; on CI nothing may be left out."""
    name = "test_through_s3"
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-W", "ignore:2 different gavials", f"--basetemp={tmp_path / 'base'}"),
            f"{TEST}::{name}",
        ],
        env={**os.environ, "PATH": str(tmp_path), "CI": ci},
        cwd=TEST.parents[2],
        capture_output=True,
        text=True,
    )
    assert f"1 {outcome}" in done.stdout
    assert "unshare, nsenter, ip, mount not installed" in done.stdout
