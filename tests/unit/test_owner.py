"""Whose a temporary folder is."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gavial.owner import LEASE_SECONDS, Owner, is_left_over

OLD = 2 * LEASE_SECONDS
USE = """
import sys, time
from gavial.owner import temporary
with temporary("gavial-some-") as folder:
    print(folder, flush=True)
    if sys.argv[1:]:
        time.sleep(600)
"""


def _dead() -> Owner:
    """A process of ours that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return replace(Owner.this(), process=ended.pid)


def test_a_process_is_alive_for_itself_and_dead_once_it_has_ended() -> None:
    assert Owner.this().is_alive() is True
    assert _dead().is_alive() is False


def test_a_process_that_has_ended_and_that_nobody_waited_for_is_dead() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert ended.stdout is not None
    with ended.stdout as output:
        output.read()  # until it ends, and stays as a zombie
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    stat = Path(f"/proc/{ended.pid}/stat").read_text().rpartition(")")[2].split()
    assert stat[0] == "Z"
    zombie = replace(Owner.this(), process=ended.pid, started=stat[19])
    assert zombie.is_alive() is False
    ended.wait()


def test_a_process_id_that_another_process_got_is_not_its_owner() -> None:
    assert replace(Owner.this(), started="1").is_alive() is False


@pytest.mark.parametrize("change", [{"space": "another machine"}, {"user": -7}])
def test_whether_another_machine_s_or_user_s_process_lives_cannot_be_told(
    change: dict[str, object],
) -> None:
    assert replace(_dead(), **change).is_alive() is None


def test_a_note_comes_back_from_its_json() -> None:
    assert Owner.parse(Owner.this().to_json()) == Owner.this()


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"space": "x"}', '{"process": {}}'])
def test_what_is_no_note_names_nobody(text: str) -> None:
    assert Owner.parse(text) is None


def test_a_folder_is_left_over_once_its_owner_is_dead_or_its_lease_has_run_out() -> None:
    elsewhere = replace(Owner.this(), space="another machine")
    assert is_left_over(_dead(), 0.0)
    assert not is_left_over(Owner.this(), OLD)
    assert not is_left_over(elsewhere, LEASE_SECONDS - 1)
    assert is_left_over(elsewhere, OLD)
    assert not is_left_over(None, LEASE_SECONDS - 1)
    assert is_left_over(None, OLD)


def test_a_folder_is_gone_after_its_use_and_that_of_a_killed_process_after_the_next(
    tmp_path: Path,
) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", USE]
    with subprocess.Popen(
        [*command, "wait"], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        assert list(tmp_path.iterdir()) == [left]
        process.kill()
    assert left.is_dir()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    assert list(tmp_path.iterdir()) == []
