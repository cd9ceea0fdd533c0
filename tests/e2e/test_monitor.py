"""`gavial monitor` as processes of their own: from scored records to an alert that is told once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from done import Done

GAVIAL = (sys.executable, "-m", "gavial")
CHURN = "com.acme:churn"
PREPARE = """
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import SparkSession, functions
import gavial

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
statement = "SELECT *, x AS score, CAST(x > 0.5 AS DOUBLE) AS prediction FROM __THIS__"

def records(first, days, chance, seed):
    df = spark.range(200 * days, numPartitions=2).withColumn("x", functions.rand(seed))
    day = f"timestamp'2026-03-01 00:00:00Z' + make_dt_interval(CAST(id DIV 200 + {first} AS INT))"
    label = (functions.rand(seed + 50) < functions.expr(chance)).cast("int")
    return df.withColumn("at", functions.expr(day)).withColumn("left", label)

gold = records(-10, 10, "x", 1)
stage = SQLTransformer(statement=statement)
model = gavial.VersionedPipeline(stages=[stage]).fit(gold)
gavial.deploy(model, "com.acme:churn:1.0", "./models", reference=gold.drop("id"), label="left",
              prediction="prediction", score="score", time="at")
model = gavial.resolve("com.acme:churn:1.0.0", "./models")
ill = model.transform(records(0, 4, "1 - x", 2)).cache()
ill.drop("left").write.parquet("scored")
ill.select("id", "left").write.csv("outcomes.csv", header=True)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A repository with a release, records that it scored, and what came true."""
    folder = tmp_path_factory.mktemp("monitor")
    environment = {**os.environ, "HOME": str(folder / "home")}
    done = subprocess.run(
        (sys.executable, "-c", PREPARE),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def gavial(place):
    def run(*arguments, **environment):
        done = subprocess.run(
            (*GAVIAL, *arguments),
            cwd=place,
            env={**os.environ, "HOME": str(place / "home"), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="module")
def scanned(gavial):
    """What the scan said; its states are in `states`."""
    return gavial(
        *("monitor", "scan", CHURN, "--repository", "models", "--states", "states", "--json"),
        *("--scored", "scored", "--time", "at"),
        *("--labels", "outcomes.csv", "--on", "id", "--label", "left"),
    )


def check(gavial, *more, **environment):
    what = ("monitor", "check", CHURN, "--repository", "models", "--states", "states")
    return gavial(*what, *more, **environment)


def test_a_scan_counts_keeps_and_judges(scanned, place):
    assert scanned.code == 4, scanned.err
    (verdict,) = scanned.json["verdicts"]
    assert (verdict["version"], verdict["status"]) == ("1.0.0", "alert")
    assert [one["start"][:10] for one in verdict["windows"]] == [
        f"2026-03-0{day}" for day in range(1, 5)
    ]
    assert len(list((place / "states").rglob("state.parquet"))) == 4


def test_a_check_without_spark_says_the_same(scanned, gavial):
    done = check(gavial, "--json")
    assert (done.code, done.json) == (4, scanned.json)
    shown = check(gavial)
    assert shown.code == 4
    assert shown.out.splitlines()[1].split()[:3] == ["1.0.0", "▲", "alert"]
    assert "next: Retrain" in shown.out
    assert shown.err == ""


def test_windows_and_versions_can_be_left_out(scanned, gavial):
    found = check(gavial, "--json", "--since", "2026-03-03").json
    assert len(found["verdicts"][0]["windows"]) == 2
    none = check(gavial, "--json", "--version", "2.+")
    assert (none.code, none.json["verdicts"]) == (5, [])
    assert f"There are no states of {CHURN} to judge." in none.err


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (("--since", "yesterday"), 2, "expected a day or a time"),
        (("--rules", "gone.toml"), 2, "cannot be read"),
        (("--version", "one"), 2, "selects no version"),
        (("--states", "gone"), 2, "cannot be read"),
        (("--repository", "elsewhere/"), 3, "No release of com.acme:churn"),
    ],
)
def test_what_cannot_be_done_is_told(scanned, gavial, more, code, says):
    done = check(gavial, *more)
    assert (done.code, done.out) == (code, "")
    assert says in done.err


def test_labels_without_their_key_are_a_wrong_use(gavial):
    some = ("--states", "states", "--scored", "scored", "--time", "at", "--labels", "outcomes.csv")
    done = gavial("monitor", "scan", CHURN, *some)
    assert (done.code, done.out) == (2, "")
    assert "--labels needs --on and --label" in done.err


class Chat(BaseHTTPRequestHandler):
    heard: list[dict]

    def do_POST(self):
        self.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def chat():
    """A chat's server: its URL, and what it heard."""
    handler = type("Handler", (Chat,), {"heard": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/S3CRET", handler.heard
    server.shutdown()
    thread.join()
    server.server_close()


CHANNELS = """
[monitor]
report = "https://wiki.acme.com/churn"

[[monitor.channels]]
kind = "chat"
name = "team"
url_env = "CHAT_URL"

[[monitor.channels]]
kind = "command"
name = "retrain"
command = ["sh", "-c", "cat > retrain.json"]

[[monitor.channels]]
kind = "chat"
name = "broken"
url = "http://127.0.0.1:1/S3CRET"

[[monitor.channels]]
kind = "prometheus"
folder = "textfiles"
"""


def test_an_alert_is_told_once_and_a_channel_that_fails_changes_no_exit_code(
    scanned, gavial, place, chat
):
    url, heard = chat
    (place / "channels.toml").write_text(CHANNELS)
    (place / "textfiles").mkdir()
    told = {"GAVIAL_MONITOR": "channels.toml", "CHAT_URL": url}

    quiet = check(gavial, "--json", **told)
    assert (quiet.code, quiet.json["deliveries"], heard) == (4, [], [])

    first = check(gavial, "--json", "--tell", **told)
    again = check(gavial, "--json", "--tell", **told)

    assert (first.code, again.code) == (4, 4)
    outcomes = [
        {one["channel"]: one["outcome"] for one in done.json["deliveries"]}
        for done in (first, again)
    ]
    common = {"broken": "failed", "prometheus": "published"}
    assert outcomes[0] == {"team": "told", "retrain": "told", **common}
    assert outcomes[1] == {"team": "nothing new", "retrain": "nothing new", **common}
    assert [one["text"] for one in heard] == ["com.acme:churn 1.0.0: alert"]
    assert "https://wiki.acme.com/churn" in json.dumps(heard)
    assert json.loads((place / "retrain.json").read_text())["event"] == "alert"
    assert (place / "textfiles" / "gavial_com.acme_churn.prom").is_file()
    assert "channel broken (chat): failed: http://127.0.0.1 cannot be reached" in first.err
    assert "S3CRET" not in first.err + first.out + again.err + again.out


def test_a_test_message_goes_through_every_channel(gavial, place, chat):
    url, heard = chat
    (place / "some.toml").write_text(CHANNELS.replace("textfiles", "."))
    done = gavial("monitor", "test-channels", "--json", GAVIAL_MONITOR="some.toml", CHAT_URL=url)
    assert done.code == 1
    assert [one["outcome"] for one in done.json["deliveries"]] == [
        *("told", "not run", "failed", "published")
    ]
    assert ["this is a test" in one["text"] for one in heard] == [True]
    assert list(Path(place).glob("*.prom")) == []


def test_a_channel_of_a_cloned_project_runs_no_command(scanned, gavial, place):
    (place / "gavial.toml").write_text(
        "[[monitor.channels]]\nkind = 'command'\ncommand = ['touch', 'ran']\n"
    )
    try:
        done = check(gavial, "--tell")
    finally:
        (place / "gavial.toml").unlink()
    assert done.code == 4
    assert "runs no command of yours" in done.err
    assert not (place / "ran").exists()


def test_without_channels_their_test_says_where_to_write_them(gavial):
    done = gavial("monitor", "test-channels")
    assert (done.code, done.out) == (2, "")
    assert "[[monitor.channels]]" in done.err
