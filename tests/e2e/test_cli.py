"""The console script, as a process of its own."""

import io
import json
import os
import pty
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from done import Done
from maven_server import MavenServer

GAVIAL = (sys.executable, "-m", "gavial")
SAVED = Path(__file__).parents[1] / "fixtures" / "saved_models" / "spark-4.3" / "churn"
COMMANDS = (
    "deploy",
    "list",
    "show",
    "diff",
    "download",
    "verify",
    "approve",
    "promote",
    "withdraw",
    "lookup",
    "spark-conf",
    "run",
    "ivysettings",
    "keygen",
    "alias",
    "compare",
    "monitor",
    "repositories",
)
GROUPS = ("alias", "compare", "monitor")


def environment(**more):
    """This process's own, without what changes how a terminal is used."""
    unset = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM")
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return {**kept, "PYTHONIOENCODING": "utf-8", **more}


@pytest.fixture
def gavial(tmp_path):
    """Runs `gavial` in an empty folder. Nothing that it does may show a traceback."""

    def run(*arguments, **variables):
        done = subprocess.run(
            (*GAVIAL, *map(str, arguments)),
            cwd=tmp_path,
            env=environment(**variables),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def released(gavial):
    """Two builds of one model in the folder ./models."""
    for auc in ("0.81", "0.87"):
        done = gavial(
            *("deploy", SAVED, "com.acme:churn:1.0", "--repository", "models/"),
            *("--metric", f"auc={auc}", "--label", "team=[red]retention[/red]"),
            *("--description", "Who leaves.\n\x1b[31mSoon.", "--owner", "Ann"),
        )
        assert done.code == 0, done.err
    return "models/"


# -- help, version, completion ------------------------------------------------------------


def test_without_a_command_the_help_lists_all_of_them(gavial):
    done = gavial()
    assert (done.code, done.err) == (0, "")
    assert tuple(re.findall(r"^  ([a-z][a-z-]+)  +[A-Z]", done.out, re.M)) == COMMANDS
    assert "..." not in done.out.partition("Commands:")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_shows_an_example(gavial, command):
    done = gavial(command, "-h")
    assert (done.code, done.err) == (0, "")
    assert f"gavial {command} " in done.out.partition("Example:")[2] + " "
    assert done.out == gavial(command, "--help").out


@pytest.mark.parametrize(
    "command",
    [
        *(c for c in COMMANDS if c not in GROUPS and c not in ("run", "keygen", "promote")),
        "compare check",
        *(f"compare route {verb}" for verb in ("set", "show", "history", "end")),
        *(f"alias {verb}" for verb in ("set", "list", "history")),
        *(f"monitor {verb}" for verb in ("check", "report", "scan")),
    ],
)
def test_every_command_takes_a_repository_and_answers_in_json(gavial, command):
    shown = gavial(*command.split(), "--help").out
    assert "--repository R" in shown
    assert "--json" in shown


def test_the_version_is_that_of_the_package(gavial):
    import gavial as package

    assert gavial("--version").out == f"gavial {package.__version__}\n"


def test_the_version_loads_neither_tables_nor_http_nor_spark():
    code = (
        "import sys; sys.argv = ['gavial', '--version']; from gavial.cli.main import main; main();"
        "print(*sorted({'rich', 'requests', 'pyspark', 'pyhocon'} & sys.modules.keys()))"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [""]


def test_a_shell_completes_commands(gavial):
    done = gavial(_GAVIAL_COMPLETE="complete_bash", COMP_WORDS="gavial spa", COMP_CWORD="1")
    assert done.out.split() == ["spark-conf"]


# -- releases -----------------------------------------------------------------------------


def test_deploy_prints_the_coordinate_and_nothing_else(gavial):
    done = gavial("deploy", SAVED, "com.acme:churn", "--repository", "./models")
    assert (done.code, done.out) == (0, "com.acme:churn:1.0.0\n")
    assert "released in 'folder'" in done.err


def test_deploy_in_json_answers_with_the_release(gavial):
    done = gavial(
        *("deploy", SAVED, "com.acme:churn:2.1", "--repository", "./models", "--json"),
        *("--metric", "auc=0.5", "--metric", "f1=1e-3", "--label", "a=b=c"),
        *("--requires", "org.example:lib:1.2", "--licence", "MIT"),
    )
    assert done.code == 0, done.err
    card = done.json["card"]
    assert done.json["coordinate"] == "com.acme:churn:2.1.0"
    assert card["metrics"] == {"auc": 0.5, "f1": 0.001}
    assert card["labels"] == {"a": "b=c"}
    assert card["libraries"] == ["org.example:lib:1.2"]
    assert (
        "<name>MIT</name>"
        in next(Path(done.json["repository"]["url"][7:]).rglob("churn*.pom")).read_text()
    )


def test_a_python_module_of_the_working_folder_travels(gavial, tmp_path):
    (tmp_path / "acme_capping.py").write_text("LIMIT = 3\n")
    done = gavial(
        *("deploy", SAVED, "com.acme:churn", "--repository", "./models", "--json"),
        *("--python-module", "acme_capping"),
    )
    assert done.code == 0, done.err
    assert done.json["card"]["python_modules"] == ["acme_capping"]


def test_a_warning_of_deploy_is_a_diagnostic(gavial, tmp_path):
    plain = tmp_path / "plain"
    subprocess.run(("cp", "-r", SAVED, plain), check=True)
    without_watermark(plain)
    done = gavial("deploy", plain, "com.acme:churn", "--repository", "./models")
    assert (done.code, done.out) == (0, "com.acme:churn:1.0.0\n")
    assert re.search(r"^gavial: warning: This model has no watermark", done.err, re.M)
    assert ".py:" not in done.err


def without_watermark(saved):
    """The saved model without its last stage."""
    (metadata,) = (saved / "metadata").glob("part-*")
    content = json.loads(metadata.read_text())
    last = content["paramMap"]["stageUids"].pop()
    metadata.write_text(json.dumps(content))
    for crc in (saved / "metadata").glob(".*.crc"):
        crc.unlink()
    (folder,) = (saved / "stages").glob(f"*_{last}")
    subprocess.run(("rm", "-r", folder), check=True)


def test_list_shows_models_with_their_newest_version(gavial, released):
    done = gavial("list", "--repository", released)
    assert done.out.split() == ["MODEL", "NEWEST", "com.acme:churn", "1.0.1"]
    answer = gavial("list", "--repository", released, "--json").json
    assert answer["models"] == [{"module": "com.acme:churn", "newest": "1.0.1"}]


def test_list_of_a_model_shows_versions_newest_first(gavial, released):
    assert gavial("list", "com.acme:churn", "--repository", released).out == "1.0.1\n1.0.0\n"


def test_list_reports_versions_by_others(gavial, released, tmp_path):
    foreign = tmp_path / "models" / "com" / "acme" / "churn" / "1.1.0-rc1"
    foreign.mkdir()
    (foreign / "churn-1.1.0-rc1.pom").write_text("<project/>")
    done = gavial("list", "com.acme:churn", "--repository", released, "--json")
    assert done.json["versions"] == ["1.0.1", "1.0.0"]
    assert done.json["foreign"] == ["1.1.0-rc1"]
    assert "1.1.0-rc1" in done.err


def test_list_finds_releases_by_their_cards_in_order(gavial, released):
    done = gavial(
        *("list", "--repository", released, "--where", "metrics.auc>0.8 and labels.team~red"),
        *("--sort", "-metrics.auc"),
    )
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["RELEASE", "CREATED", "OWNER", "METRICS.AUC", "LABELS.TEAM"]
    assert [(line[0], line[-2]) for line in lines[1:]] == [
        ("com.acme:churn:1.0.1", "0.87"),
        ("com.acme:churn:1.0.0", "0.81"),
    ]


def test_list_shows_where_a_condition_does_not_fit(gavial, released):
    done = gavial("list", "--repository", released, "--where", "metrics.auc>>0.8")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[1:] == ["  metrics.auc>>0.8", "              ^"]


def test_list_of_all_repositories_names_one_that_does_not_answer(gavial, released, tmp_path):
    variables = {
        "GAVIAL_REPOSITORIES_HERE_URL": (tmp_path / "models").as_uri(),
        "GAVIAL_REPOSITORIES_AWAY_URL": "http://127.0.0.1:9/models/",
    }
    done = gavial("list", "com.acme:churn", "--all-repositories", "--json", **variables)
    assert done.code == 1
    assert [one["coordinate"] for one in done.json["releases"]] == [
        "com.acme:churn:1.0.1",
        "com.acme:churn:1.0.0",
    ]
    assert list(done.json["unavailable"]) == ["away"]


def test_diff_exits_with_one_where_that_is_asked_for(gavial, released):
    both = ("com.acme:churn:1.0.0", "com.acme:churn:1.0.1", "--repository", released)
    done = gavial("diff", *both)
    assert done.code == 0
    assert "  ~  auc  0.81 → 0.87  +0.06\n" in done.out
    assert gavial("diff", *both, "--exit-code").code == 1
    same = gavial("diff", both[0], SAVED, "--repository", released, "--exit-code", "--json")
    assert (same.code, same.json["differs"]) == (0, False)


def test_diff_writes_a_page(gavial, released, tmp_path):
    both = ("com.acme:churn:1.0.0", "com.acme:churn:1.0.1", "--repository", released)
    done = gavial("diff", *both, "--html", "churn.html")
    assert (done.code, done.out) == (0, "")
    page = (tmp_path / "churn.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "com.acme:churn:1.0.1" in page
    assert gavial("diff", *both, "--html", "no/such/churn.html").code == 2


def test_an_empty_repository_has_no_models(gavial, tmp_path):
    (tmp_path / "empty").mkdir()
    done = gavial("list", "--repository", "empty")
    assert (done.code, done.out) == (0, "")
    assert "no models" in done.err


def test_an_alias_is_set_listed_and_its_history_shown(gavial, released, monkeypatch):
    monkeypatch.setenv("GAVIAL_REPOSITORY", str(released))
    done = gavial("alias", "set", "com.acme:churn", "champion", "1.0.0", "--why", "the first")
    assert (done.code, done.out) == (0, "com.acme:churn:1.0.0\n")
    listed = gavial("alias", "list", "com.acme:churn", "--json").json["aliases"]
    assert [(one["alias"], one["number"], one["why"]) for one in listed] == [
        ("champion", 1, "the first")
    ]
    assert "the first" in gavial("alias", "history", "com.acme:churn", "champion").out
    assert gavial("show", "com.acme:churn@champion").out.startswith("com.acme:churn:1.0.0")
    assert "champion" not in gavial("list").out


def test_who_sets_an_alias_from_an_older_one_is_refused(gavial, released, monkeypatch):
    monkeypatch.setenv("GAVIAL_REPOSITORY", str(released))
    gavial("alias", "set", "com.acme:churn", "champion", "1.0.0")
    again = ("alias", "set", "com.acme:churn", "champion", "1.0.0", "--expected", "0")
    done = gavial(*again)
    assert (done.code, done.out) == (1, "")
    assert "decide again" in done.err


def test_a_withdrawal_is_said_in_json_and_shown_by_list(gavial, released, monkeypatch):
    monkeypatch.setenv("GAVIAL_REPOSITORY", str(released))
    done = gavial("withdraw", "com.acme:churn:1.0.0", "--why", "wrong month", "--json")
    assert (done.json["withdrawn"], done.json["why"]) == (True, "wrong month")
    assert "1.0.0" in gavial("list", "com.acme:churn", "--json").json["withdrawn"]
    shown = gavial("show", "com.acme:churn:1.0.0")
    assert "is withdrawn (wrong month" in shown.err
    back = gavial("withdraw", "com.acme:churn:1.0.0", "--undo", "--why", "right month")
    assert (back.code, back.out) == (0, "com.acme:churn:1.0.0\n")
    assert gavial("list", "com.acme:churn", "--json").json["withdrawn"] == []


POLICY = """
metrics = ["auc >= 0.85", "auc >= current - 0.01"]
card = ["owner"]
approvals = { required = 1, keys = ["bob.pub"] }
"""


def test_a_release_is_promoted_once_every_gate_lets_it_through(gavial, released, tmp_path):
    (tmp_path / "promotion.toml").write_text(POLICY)
    gavial("keygen", "--to", "bob.pem")
    way = ("--from", released, "--to", "releases/", "--policy", "promotion.toml")
    looked = gavial("promote", "com.acme:churn:1.0.0", *way, "--dry-run")
    assert looked.code == 1
    assert re.search(r"^metrics: auc >= 0\.85 +NO +auc is 0\.81", looked.out, re.M)
    assert re.search(r"^card +yes +filled: owner$", looked.out, re.M)
    assert "approvals: 1 approvals are asked for, and 0 count" in looked.err
    assert not (tmp_path / "releases").exists()
    approved = gavial(
        *("approve", "com.acme:churn:1.0.1", "--repository", released),
        *("--key", "bob.pem", "--why", "reviewed"),
    )
    assert (approved.code, approved.out) == (0, "com.acme:churn:1.0.1\n")
    done = gavial("promote", "com.acme:churn", *way, "--json")
    assert (done.code, done.json["outcome"]) == (0, "promoted")
    assert [one["why"] for one in done.json["approvals"]] == ["reviewed"]
    assert gavial("promote", "com.acme:churn", *way).code == 0
    assert "1.0.1" in gavial("list", "com.acme:churn", "--repository", "releases/").out


def test_a_policy_with_a_gate_that_nobody_knows_is_a_usage_error(gavial, released, tmp_path):
    (tmp_path / "promotion.toml").write_text("metric = ['auc > 0']")
    done = gavial(
        *("promote", "com.acme:churn", "--from", released, "--to", "releases/"),
        *("--policy", "promotion.toml"),
    )
    assert (done.code, done.out) == (2, "")
    assert "Unknown gate 'metric'" in done.err
    assert "Did you mean 'metrics'?" in done.err


def test_show_tells_what_a_release_is_and_how_to_use_it(gavial, released):
    done = gavial("show", "com.acme:churn:1.0.+", "--repository", released)
    lines = [line.strip() for line in done.out.splitlines()]
    assert lines[:3] == ["com.acme:churn:1.0.1", "Who leaves.", "\\x1b[31mSoon."]
    assert re.search(r"^labels +team=\[red\]retention\[/red\]$", done.out, re.M)
    assert re.search(r"^watermark +column pipeline$", done.out, re.M)
    assert "auc  0.87" in lines
    assert re.search(
        r"^1  org\.apache\.spark\.ml\.feature\.StringIndexerModel$", "\n".join(lines), re.M
    )
    assert re.search(r"^regParam +0\.01$", "\n".join(lines), re.M)
    assert re.search(r"^churn-1\.0\.1\.jar +[0-9.]+ kB +[0-9a-f]{64}$", "\n".join(lines), re.M)
    assert "gavial run com.acme:churn:1.0.1 --repository models/ -- pyspark" in lines
    assert 'gavial.resolve("com.acme:churn:1.0.1", repository="models/")' in lines


def test_show_writes_a_page_to_hand_to_somebody(gavial, released, tmp_path):
    done = gavial("show", "com.acme:churn", "--repository", released, "--html", "churn.html")
    assert (done.code, done.out) == (0, "")
    assert "com.acme:churn:1.0.1 is shown in churn.html" in done.err
    shown = (tmp_path / "churn.html").read_text("utf-8")
    assert shown.startswith("<!DOCTYPE html>")
    assert "team=[red]retention[/red]" in shown


def test_what_deploy_is_told_is_in_the_card(gavial):
    done = gavial(
        *("deploy", SAVED, "com.acme:churn", "--repository", "./models", "--json"),
        *("--intended-use", "To call.", "--limits", "No firms.", "--field", 'regions=["eu"]'),
        *("--field", "tier=gold", "--training-data", "s3://lake/c", "--metrics-on", "sales.h"),
    )
    card = done.json["card"]
    assert (card["intended_use"], card["limits"]) == ("To call.", "No firms.")
    assert card["fields"] == {"regions": ["eu"], "tier": "gold"}
    assert (card["training_data"], card["metrics_on"]) == (
        {"source": "s3://lake/c"},
        {"source": "sales.h"},
    )
    assert [one["name"] for one in card["inputs"]["columns"]] == ["city", "x"]


def test_a_build_that_breaks_its_line_is_refused_until_a_reason_allows_it(
    gavial, released, tmp_path
):
    other = tmp_path / "other"
    shutil.copytree(SAVED, other)
    (part,) = other.glob("stages/*VectorAssembler*/metadata/part-*")
    part.write_text(part.read_text().replace('["city_index","x"]', '["city_index","x","y"]'))
    deploy = ("deploy", other, "com.acme:churn:1.0", "--repository", released)
    refused = gavial(*deploy)
    assert refused.code == 1
    assert "- it needs the column 'y', which was not needed before" in refused.err
    assert "may be released as com.acme:churn:2.0" in refused.err
    assert gavial(*deploy, "--allow", "all send y").out == "com.acme:churn:1.0.2\n"
    shown = gavial("show", "com.acme:churn", "--repository", released).out
    assert "released all the same, because: all send y" in shown


def test_the_url_that_json_shows_is_a_repository(gavial, released):
    first = gavial("show", "com.acme:churn", "--repository", released, "--json").json
    again = gavial("show", "com.acme:churn", "--repository", first["repository"]["url"], "--json")
    assert again.json == first
    assert first["card"]["description"] == "Who leaves.\n\x1b[31mSoon."


def test_download_fetches_what_show_lists(gavial, released, tmp_path):
    done = gavial("download", "com.acme:churn:1.0.0", "--repository", released, "--to", "to/here")
    assert [Path(line).name for line in done.out.splitlines()] == [
        file["name"]
        for file in gavial("show", "com.acme:churn:1.0.0", "--repository", released, "--json").json[
            "files"
        ]
    ]
    assert all((tmp_path / line).is_file() for line in done.out.splitlines())
    answer = gavial(
        "download", "com.acme:churn", "--repository", released, "--to", "to", "--json"
    ).json
    assert all((tmp_path / file["path"]).stat().st_size == file["size"] for file in answer["files"])


# -- errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nonsense"], 2, "nonsense"),
        (["list", "--nonsense"], 2, "--nonsense"),
        (["deploy", SAVED], 2, "GAV"),
        (["deploy", SAVED, "com.acme:Churn Model:1.0"], 2, "churn-model"),
        (["deploy", SAVED, "com.acme:churn", "--metric", "auc"], 2, "--metric 'auc'"),
        (["deploy", SAVED, "com.acme:churn", "--metric", "auc=good"], 2, "'good'"),
        (["deploy", SAVED, "com.acme:churn", "--metric", "auc=nan"], 2, "finite"),
        (["deploy", SAVED, "com.acme:churn", "--label", "a=1", "--label", "a=2"], 2, "twice"),
        (["deploy", "nowhere", "com.acme:churn"], 1, "nowhere"),
        (["deploy", SAVED, "com.acme:churn:1.0.0"], 1, "com.acme:churn:1.0.0"),
        (["show", "com.acme:churn:9.9"], 3, "it has 1.0.0"),
        (["show", "com.acme:churn:new"], 2, "new"),
        (["show", "com.acme:nothing"], 3, "com.acme:nothing"),
        (["list", "com.acme:nothing"], 3, "com.acme:nothing"),
        (["list", "churn"], 2, "churn"),
        (["download", "com.acme:churn"], 2, "--to"),
        (["spark-conf"], 2, "GAV"),
        (["spark-conf", "com.acme:churn:1.+", "com.acme:churn:2.+"], 2, "twice"),
        (["run", "com.acme:churn"], 2, "-- pyspark"),
        (["run", "com.acme:churn", "--"], 2, "-- pyspark"),
        (["ivysettings"], 2, "--output"),
    ],
    ids=lambda value: " ".join(map(str, value[:3])) if isinstance(value, list) else None,
)
def test_an_error_is_one_message_and_its_exit_code(gavial, released, arguments, code, says):
    done = gavial(*arguments[:1], "--repository", released, *arguments[1:])
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("gavial: ")
    assert says in done.err


def test_an_unknown_repository_is_an_error_of_usage(gavial):
    done = gavial("list", "--repository", "nowhere", "--json")
    assert (done.code, done.out) == (2, "")
    assert "no repository 'nowhere'" in done.err


@pytest.mark.parametrize("blocks", [1, 8, 12])
def test_a_full_disk_is_said_and_nothing_half_is_visible(gavial, released, tmp_path, blocks):
    deploy = f"gavial deploy {SAVED} com.acme:churn:1.0 --repository {released}"
    run = subprocess.run(
        ("sh", "-c", f"ulimit -f {blocks}; exec {sys.executable} -m {deploy}"),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in (1, 2)
    assert "Nothing was released" in run.stderr
    assert "ake room" in run.stderr
    assert "Traceback" not in run.stderr
    assert gavial("list", "com.acme:churn", "--repository", released).out == "1.0.1\n1.0.0\n"
    assert not list((tmp_path / "models").rglob(".gavial-*"))
    assert gavial("deploy", SAVED, "com.acme:churn:1.0", "--repository", released).code == 0


def test_a_full_disk_of_ones_own_is_not_taken_for_the_repositorys(gavial, released, tmp_path):
    download = f"gavial download com.acme:churn --repository {released} --to here"
    run = subprocess.run(
        ("sh", "-c", f"ulimit -f 8; exec {sys.executable} -m {download}"),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "on this machine: File too large. Make room" in run.stderr
    assert list((tmp_path / "here").iterdir()) == []


def test_a_file_system_that_refuses_is_named(gavial, released, tmp_path):
    (tmp_path / "file").write_text("")
    done = gavial("download", "com.acme:churn", "--repository", released, "--to", "file")
    assert done.code == 1
    assert "file" in done.err
    assert "defect" not in done.err


@pytest.mark.parametrize("variables", [{}, {"GAVIAL_DEBUG": "1"}])
def test_a_defect_is_a_short_message_and_a_traceback_where_asked_for(variables):
    code = (
        "import sys; sys.argv = ['gavial', 'boom']\n"
        "from gavial.cli import app, main\n"
        "app.app.command('boom')(lambda: {}['\\x1bkey'])\n"
        "sys.exit(main.main())"
    )
    done = subprocess.run(
        (sys.executable, "-c", code),
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "\x1b" not in done.stderr
    assert "gavial: KeyError: '\\x1bkey'\n" in done.stderr
    assert "GAVIAL_DEBUG=1" in done.stderr
    assert ("Traceback" in done.stderr) is bool(variables)


def test_a_reader_that_went_away_is_no_error(released, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        (*GAVIAL, "show", "com.acme:churn", "--repository", released),
        cwd=tmp_path,
        env=environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert done.stderr == b""


def test_a_stream_that_is_ascii_gets_escapes(gavial, released):
    gavial(
        *("deploy", SAVED, "com.acme:wert", "--repository", released),
        *("--description", "Wert für Käufer"),
    )
    done = gavial("show", "com.acme:wert", "--repository", released, PYTHONIOENCODING="ascii")
    assert done.code == 0
    assert "Wert f\\xfcr K\\xe4ufer" in done.out


# -- a terminal ---------------------------------------------------------------------------


class Terminal:
    """`gavial` with a terminal on its standard error, and on its output unless that is given."""

    def __init__(self, folder, *arguments, stdout=None, **variables):
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            (*GAVIAL, *arguments),
            cwd=folder,
            env=environment(**{"TERM": "xterm-256color", "COLUMNS": "120", **variables}),
            stdin=slave,
            stdout=stdout or slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.shown = ""

    def read(self, until=None):
        """What it shows, to its end or until some text is there."""
        screen = io.BytesIO(self.shown.encode())
        screen.seek(0, io.SEEK_END)
        while until is None or until not in self.shown:
            if not select.select([self._master], [], [], 60)[0]:
                raise AssertionError(f"nothing more came after {self.shown!r}")
            try:
                data = os.read(self._master, 65536)
            except OSError:  # Linux: the other side is closed
                data = b""
            if not data:
                break
            screen.write(data)
            self.shown = screen.getvalue().decode("utf-8", "replace")
        return self.shown

    def close(self):
        os.close(self._master)
        return self.process.wait()


def test_a_terminal_gets_a_table(released, tmp_path):
    terminal = Terminal(tmp_path, "list", "--repository", released)
    assert "│ com.acme:churn │ 1.0.1  │" in terminal.read()
    assert "\x1b[1m" in terminal.shown
    assert terminal.close() == 0


@pytest.mark.parametrize("command", ["list", "show com.acme:churn", "repositories"])
def test_without_colours_a_terminal_gets_none(released, tmp_path, command):
    terminal = Terminal(tmp_path, *command.split(), "--repository", released, NO_COLOR="1")
    assert "models" in terminal.read() or "churn" in terminal.shown
    assert not re.search(r"\x1b\[[0-9;]*m", terminal.shown)  # a bar may move the cursor
    assert terminal.close() == 0


def test_a_narrow_terminal_loses_no_text(released, tmp_path):
    terminal = Terminal(tmp_path, "list", "--repository", released, COLUMNS="20", NO_COLOR="1")
    shown = "".join(re.findall(r"[a-z.:]+(?= *│)", terminal.read().partition("├")[2]))
    assert shown == "com.acme:churn"
    assert terminal.close() == 0


@pytest.fixture
def silent():
    """A server that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/models/"


def test_what_takes_long_is_shown_on_a_terminal_and_an_interrupt_ends_it(silent, tmp_path):
    with (tmp_path / "out").open("wb") as out:
        terminal = Terminal(tmp_path, "list", "--repository", silent, stdout=out)
        terminal.read(until="Listing url")
        terminal.process.send_signal(signal.SIGINT)
        terminal.read()
        assert terminal.close() == 130
    assert "Traceback" not in terminal.shown
    assert (tmp_path / "out").read_bytes() == b""


# -- Spark --------------------------------------------------------------------------------


def test_the_flags_are_one_line_that_a_shell_reads(gavial, released):
    done = gavial("spark-conf", "com.acme:churn:[1.0,2.0)", "--repository", released)
    (line,) = done.out.splitlines()
    flags = shlex.split(line)
    assert flags[::2] == ["--conf"] * (len(flags) // 2)
    conf = dict(flag.split("=", 1) for flag in flags[1::2])
    assert conf["spark.jars.packages"].split(",")[0] == "com.acme:churn:1.0.1"
    assert Path(conf["spark.jars.ivySettings"]).is_file()
    answer = gavial(
        "spark-conf", "com.acme:churn:[1.0,2.0)", "--repository", released, "--json"
    ).json
    assert answer == {"conf": conf, "environment": []}


def test_exact_names_the_version(gavial, released):
    done = gavial("spark-conf", "com.acme:churn", "--repository", released, "--exact", "--json")
    assert done.json["conf"]["spark.jars.packages"].split(",")[0] == "com.acme:churn:1.0.1"


def test_spark_gets_flags_merged_with_its_own(gavial, released, tmp_path):
    submit = tmp_path / "spark-submit"
    submit.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    submit.chmod(0o755)
    done = gavial(
        *("run", "com.acme:churn:1.+", "--repository", released, "--", "./spark-submit"),
        *("--packages", "org.example:lib:1", "job.py", "--", "--json", "a b"),
    )
    lines = done.out.splitlines()
    assert lines[:2] == ["--packages", "com.acme:churn:1.+,org.example:lib:1"]
    assert lines[-4:] == ["job.py", "--", "--json", "a b"]
    assert done.code == 0


def test_the_exit_code_is_that_of_the_command(gavial, released):
    run = ("run", "com.acme:churn", "--repository", released, "--", "sh", "-c")
    assert gavial(*run, "exit 42").code == 42
    assert gavial(*run, "kill -TERM $$").code == -signal.SIGTERM


def test_a_command_that_is_not_there_is_told_as_a_shell_tells_it(gavial, released):
    done = gavial("run", "com.acme:churn", "--repository", released, "--", "no-such-command")
    assert done.code == 127
    assert "no-such-command" in done.err


def test_a_secret_reaches_the_environment_of_the_command_and_nothing_else(
    gavial, server, monkeypatch, tmp_path
):
    # From Maven's settings, so that no variable holds it yet.
    home, password = tmp_path / "home", os.environ["GAVIAL_REPOSITORIES_MODELS_PASSWORD"]
    (home / ".m2").mkdir(parents=True)
    (home / ".m2" / "settings.xml").write_text(
        "<settings><servers><server><id>models</id><username>deployer</username>"
        f"<password>{escape(password)}</password></server></servers></settings>",
        encoding="utf-8",
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("GAVIAL_REPOSITORIES_MODELS_USERNAME")
    monkeypatch.delenv("GAVIAL_REPOSITORIES_MODELS_PASSWORD")
    gav, variable = "com.acme:churn", "GAVIAL_REPOSITORIES_MODELS_PASSWORD"
    said = [
        gavial("deploy", SAVED, gav),
        gavial("repositories"),
        gavial("repositories", "--json"),
        gavial("spark-conf", gav),
        gavial("spark-conf", gav, "--json"),
        gavial("ivysettings", "--output", "ivysettings.xml", "--group", "com.acme"),
        gavial("ivysettings", "--output", "ivysettings.xml", "--json"),
    ]
    assert [done.code for done in said] == [0] * len(said)
    assert not [done for done in said if password in done.out + done.err]
    assert not [done for done in said if json.dumps(password)[1:-1] in done.out + done.err]
    assert all(variable in done.err for done in said[3:])
    assert variable in said[4].json["environment"]
    assert variable in said[6].json["environment"]
    assert password not in (tmp_path / "ivysettings.xml").read_text()
    child = gavial("run", gav, "--", "sh", "-c", f'printf %s "${variable}"')
    assert child.out == password
    shown = gavial("run", gav, "--", "sh", "-c", "cat /proc/$$/cmdline /proc/$PPID/cmdline")
    assert shown.code == 0
    assert password not in shown.out
    folders = [
        tmp_path,
        *(Path(os.environ[name]) for name in os.environ if name.startswith("XDG_")),
    ]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if password.encode() in path.read_bytes()] == []


def test_repositories_say_who_one_is_and_whether_they_answer(gavial, server, monkeypatch):
    listed = {one["id"]: one for one in gavial("repositories", "--json").json["repositories"]}
    models = listed["models"]
    assert (models["url"], models["default"], models["answer"]) == (server.url, True, "answers")
    assert models["settings"]["username"]["value"] == "deployer"
    assert models["settings"]["password"]["value"] == "***"
    assert "GAVIAL_REPOSITORIES_MODELS_PASSWORD" in models["settings"]["password"]["from"]
    assert listed["local"]["default"] is False
    monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_PASSWORD", "hunter2")
    done = gavial("repositories")
    assert re.search(r"^\* +models .* refuses credentials: ", done.out, re.M)
    assert "hunter2" not in done.out + done.err


def test_a_check_says_what_one_may_do_and_what_is_promised(gavial, server):
    done = gavial("repositories", "check", "models")
    assert done.code == 0, done.err
    assert re.search(r"^read +yes, with credentials$", done.out, re.M)
    assert re.search(r"^release +yes$", done.out, re.M)
    assert re.search(r"^delete +no$", done.out, re.M)
    assert re.search(r"^no number is used twice +yes +the server refuses", done.out, re.M)
    assert "left behind" in done.err
    answer = gavial("repositories", "check", "--json").json
    assert answer["repository"] == {"id": "models", "url": server.url}
    assert answer["anonymous"] is False
    assert answer["behaviour"]["may_release"] is True
    assert [promise["kept"] for promise in answer["promises"]] == [True] * 3


def test_a_check_with_a_wrong_password_is_denied(gavial, server):
    done = gavial("repositories", "check", GAVIAL_REPOSITORIES_MODELS_PASSWORD="hunter2")
    assert (done.code, done.out) == (1, "")
    assert "does not accept the credentials" in done.err
    assert "hunter2" not in done.err


def test_a_deploy_warns_where_a_number_could_be_lost(gavial, tmp_path):
    with MavenServer(tmp_path / "naive", overwrite="allow") as naive:
        done = gavial("deploy", SAVED, "com.acme:churn", "--repository", naive.url)
        assert done.code == 0, done.err
        assert "lets its users overwrite" in done.err
        assert "Disable redeploy" in done.err
        check = gavial("repositories", "check", naive.url)
        assert re.search(r"^no number is used twice +NO ", check.out, re.M)


def test_a_repair_shows_what_it_would_do_and_then_does_it(gavial, released, tmp_path):
    metadata = tmp_path / "models/com/acme/churn/maven-metadata.xml"
    text = metadata.read_text()
    metadata.write_text(text.replace("<version>1.0.0</version>", ""))
    repair = ("repositories", "repair", "com.acme:churn", "--repository", released)
    done = gavial(*repair, "--dry-run")
    assert done.code == 0, done.err
    assert re.search(r"^released, not listed +1 +1\.0\.0$", done.out, re.M)
    assert "1.0.0</version>" not in metadata.read_text()
    assert gavial(*repair, "--json").json["repaired"] is True
    assert "1.0.0</version>" in metadata.read_text()
    assert "left as it is" in gavial(*repair).err


def test_a_repair_names_a_release_with_other_bytes_and_changes_nothing_of_it(
    gavial, released, tmp_path
):
    jar = tmp_path / "models/com/acme/churn/1.0.1/churn-1.0.1.jar"
    jar.chmod(0o644)
    jar.write_bytes(b"something else")
    done = gavial("repositories", "repair", "com.acme:churn", "--repository", released, "--json")
    assert done.code == 1
    assert list(done.json["corrupt"]) == ["1.0.1"]
    assert done.json["repaired"] is False
    assert jar.read_bytes() == b"something else"


def test_repositories_point_at_what_others_can_read(gavial, monkeypatch, tmp_path):
    config = tmp_path / "gavial" / "config.toml"
    config.parent.mkdir()
    config.write_text(
        "[repositories.models]\nurl = 'http://nexus.invalid/'\n"
        "username = 'ann'\npassword = 'hunter2'\n"
    )
    config.chmod(0o644)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    done = gavial("repositories")
    assert done.code == 0
    assert f"chmod 600 {config}" in done.err
    assert "Use https://" in done.err
    assert "hunter2" not in done.out + done.err


def test_a_server_that_is_not_there_is_unreachable(gavial, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("GAVIAL_REPOSITORIES_GONE_URL", f"http://127.0.0.1:{port}/")
    done = gavial("repositories", "--repository", "gone", "--json")
    (gone,) = done.json["repositories"]
    assert done.code == 0
    assert re.match(r"unreachable: .*Connection refused", gone["answer"])


def test_a_wrong_password_is_an_error_that_does_not_show_it(gavial, server):
    done = gavial("show", "com.acme:churn", GAVIAL_REPOSITORIES_MODELS_PASSWORD="hunter2")
    assert (done.code, done.out) == (1, "")
    assert "does not accept the credentials of user 'deployer'" in done.err
    assert "hunter2" not in done.err


def test_spark_fetches_and_scores_with_nothing_but_pyspark_installed(gavial, server, driver):
    gavial("deploy", SAVED, "com.acme:churn")
    job = driver.folder / "job.py"
    job.write_text(
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "import gavial\n"
        "model = gavial.resolve('churn')\n"
        "rows = spark.createDataFrame([('Bonn', 1.0)], 'city string, x double')\n"
        "print('watermark', model.transform(rows).first()['pipeline'])\n"
    )
    path = os.pathsep.join((str(driver.bin), driver.environment["PATH"]))
    done = gavial(
        *("run", "com.acme:churn:latest.release", "--", "spark-submit", str(job)),
        **{**driver.environment, "PATH": path},
    )
    assert done.code == 0, done.err
    assert "watermark com.acme:churn:1.0.0" in done.out


def test_spark_fetches_what_was_verified_where_ivy_could_not_log_in(
    gavial, driver, monkeypatch, tmp_path
):
    secret = "$" + "{user.home}"  # which Ivy would replace
    with MavenServer(tmp_path / "odd", username="deployer", password=secret) as odd:
        monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_URL", odd.url)
        monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_USERNAME", "deployer")
        monkeypatch.setenv("GAVIAL_REPOSITORIES_MODELS_PASSWORD", secret)
        assert gavial("deploy", SAVED, "com.acme:churn").code == 0
        job = driver.folder / "job.py"
        job.write_text(
            "from pyspark.sql import SparkSession\n"
            "spark = SparkSession.builder.getOrCreate()\n"
            "import gavial\n"
            "print('resolved', gavial.coordinate(gavial.resolve('churn')))\n"
        )
        command = ("--", str(driver.bin / "spark-submit"), str(job))
        path = os.pathsep.join((str(driver.bin), driver.environment["PATH"]))
        variables = {**driver.environment, "PATH": path}
        refused = gavial("run", "com.acme:churn", *command, **variables)
        assert (refused.code, refused.out) == (2, "")
        assert "--verified" in refused.err
        done = gavial("run", "com.acme:churn", "--verified", *command, **variables)
        assert done.code == 0, done.err
        assert "resolved com.acme:churn:1.0.0" in done.out


# -- lookup ----------------------------------------------------------------------------------


def test_what_scored_records_is_told_for_each_version_once(gavial, released, tmp_path):
    lines = [json.dumps({"n": n, "pipeline": f"com.acme:churn:1.0.{n % 2}"}) for n in range(5)]
    command = shlex.join((*GAVIAL, "lookup", "-", "--repository", "models/"))
    done = subprocess.run(
        ("sh", "-c", f"{command} --json"),
        cwd=tmp_path,
        env=environment(),
        input="\n".join(lines),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    told = [(one["coordinate"], one["records"]) for one in found["releases"]]
    assert told == [("com.acme:churn:1.0.0", 3), ("com.acme:churn:1.0.1", 2)]
    assert found["releases"][0]["card"]["metrics"] == {"auc": 0.81}
    assert "records: 5, scored by com.acme:churn:1.0.0 (3)" in done.stderr


def test_a_lookup_answers_question_by_question_in_text_and_as_a_page(gavial, released, tmp_path):
    shown = gavial("lookup", "com.acme:churn:1.0.0", "--repository", released)
    assert (shown.code, shown.err) == (0, "")
    for question in ("What scored this?", "Who signed it?", "What replaced it?"):
        assert question in shown.out
    assert "com.acme:churn:1.0.1" in shown.out
    assert "\x1b" not in shown.out
    where = ("--repository", released, "--html", "page.html")
    assert gavial("lookup", "com.acme:churn:1.0.0", *where).code == 0
    assert "What scored this?" in (tmp_path / "page.html").read_text("utf-8")
    done = gavial("lookup", "com.acme:churn:1.0.0", *where[:-1], "no/such/folder/page.html")
    assert done.code == 2
    assert "cannot be written" in done.err


def test_a_lookup_ends_with_what_it_found(gavial, released, tmp_path):
    missing = gavial("lookup", "com.acme:churn:7.0.0", "--repository", released)
    assert missing.code == 3
    assert "none of the repositories" in missing.err
    assert gavial("lookup", "nothing", "--repository", released).code == 2
    shutil.copytree(tmp_path / "models", tmp_path / "others")
    card = tmp_path / "others/com/acme/churn/1.0.0/churn-1.0.0-card.json"
    card.chmod(0o644)
    card.write_bytes(card.read_bytes().replace(b"0.81", b"0.99"))
    urls = {
        f"GAVIAL_REPOSITORIES_{name.upper()}_URL": (tmp_path / name).as_uri()
        for name in ("models", "others")
    }
    done = gavial("lookup", "com.acme:churn:1.0.0", **urls)
    assert done.code == 1
    assert "is not the same in every repository" in done.err
    assert "is not the same in every repository" in done.out
