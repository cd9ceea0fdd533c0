"""The life of a model in ten steps: `make demo`. Everything it makes lies in build/demo."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import textwrap
import venv
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
DEMO = Path("build/demo")  # all paths are relative to the project, where every command runs
STAGING = DEMO / "staging"
RELEASES = DEMO / "releases"
KEY = DEMO / "team.pem"
FLIGHTS = DEMO / "flights-of-2013"
SCORED = DEMO / "scored"
STATES = DEMO / "states"
SHADOW = DEMO / "shadow"
COMPARISON = DEMO / "comparison.json"
REPORT = DEMO / "report.html"
SPARK_ONLY = DEMO / "venv"
LOG = DEMO / "log.txt"
EXAMPLE = HERE.relative_to(PROJECT)
POLICY = EXAMPLE / "promotion.toml"
MODEL = "com.example:flight-delays"
GAVIAL = Path(sys.executable).with_name("gavial")


def main() -> None:
    os.chdir(PROJECT)
    start_afresh()
    say(
        """
        Two teams share a model. One trains it and has Gavial installed. The other runs a Spark
        job and has pyspark, nothing else. Between them stand two Maven repositories, staging and
        releases: here plain folders, in earnest perhaps of a Nexus or an Artifactory.
        """
    )
    release_the_first_version()
    promote_it()
    refuse_a_bad_one()
    make_the_other_environment()
    score()
    watch()
    challenge()
    replace_it()
    look_up()
    what_next()


def release_the_first_version() -> None:
    step(
        1,
        "Train on January and February, and release into staging",
        """
        The data are the 336,776 flights that left New York in 2013. The question, as the timetable
        has a flight: will it come more than 15 minutes late? `gavial.deploy` asks for the line
        1.0; the repository allots the build. A key of the team signs it. A quarter of the flights
        is kept from the fit: what the model makes of those travels with the release.
        """,
    )
    gavial("keygen", "--to", str(KEY), quiet=True)
    train("1", "2")
    say(f"These files now lie in {STAGING} (and their checksums). They never change again:")
    for file in sorted(STAGING.glob("com/example/flight-delays/1.0.*/*")):
        if file.suffix not in (".sha1", ".md5"):
            print(f"    {file.relative_to(STAGING)}  ({file.stat().st_size:,} bytes)")


def promote_it() -> None:
    step(
        2,
        "Promote it",
        """
        The same bytes go under the same number to the releases, when every gate of a policy lets
        them through. The policy lies with the code:
        """,
    )
    print(textwrap.indent(POLICY.read_text(), "    "))
    promote("1.0.0")
    champion("1.0.0", "the first")


def refuse_a_bad_one() -> None:
    step(
        3,
        "A build that is worse",
        """
        Somebody trains on one flight in a thousand. Staging takes the build, and the releases do
        not: the gates say why, and so does a record beside the model.
        """,
    )
    train("1", "2", "--share", "0.001")
    promote("1.0.1", code=1)


def make_the_other_environment() -> None:
    step(
        4,
        "The other team's environment",
        """
        A second virtual environment gets pyspark with what Spark ML needs of its own (numpy, py4j).
        There is no Gavial in it:
        """,
    )
    python = SPARK_ONLY / "bin" / "python"
    if not (SPARK_ONLY / "ready").exists():
        venv.create(SPARK_ONLY, clear=True, with_pip=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        locked = ["--require-hashes", "-r", "requirements/spark.txt"]
        run([str(python), *install, *locked], quiet=True)
        (SPARK_ONLY / "ready").touch()
    run([str(python), "-m", "pip", "list", "--disable-pip-version-check"])
    run([str(python), "-c", "import gavial"], code=1)


def score() -> None:
    step(
        5,
        "Spark brings the champion, and the job scores the rest of the year",
        """
        `--packages` is Spark's own way to libraries in Maven repositories, and `ivysettings.xml`
        tells it where ours is. The alias is a module of its own, which depends on the release, and
        that on the small Gavial jar. The job says `gavial.resolve("flight-delays")` and has a
        PipelineModel.
        """,
    )
    settings = DEMO / "ivysettings.xml"
    gavial("ivysettings", "--output", str(settings), "--repository", str(RELEASES))
    run(
        [
            str(SPARK_ONLY / "bin" / "spark-submit"),
            *("--packages", f"{MODEL}-champion:latest.release"),
            *("--conf", f"spark.jars.ivySettings={settings}"),
            *("--conf", f"spark.jars.ivy={DEMO / 'ivy'}"),
            *(str(EXAMPLE / "score.py"), str(FLIGHTS), str(SCORED)),
        ],
        environment=spark_only(),
        excerpt="found ",
    )


def watch() -> None:
    step(
        6,
        "Watch it",
        """
        The scored flights are counted week by week, for the version that each of them names, and
        held against the flights that were kept from the fit. Nobody set a threshold: they are
        learned from how much the weeks of those differ.
        """,
    )
    gavial(
        *("monitor", "scan", MODEL, "--scored", str(SCORED), "--states", str(STATES)),
        *("--time", "time_hour", "--window", "week", "--zone", "America/New_York"),
        *("--repository", str(RELEASES)),
        code=4,
    )
    say("It ends with 4, an alert, so that a scheduler knows. The same as a page, with charts:")
    gavial(
        *("monitor", "report", MODEL, "--states", str(STATES), "--output", str(REPORT)),
        *("--repository", str(RELEASES)),
    )


def challenge() -> None:
    step(
        7,
        "Train again, and let both run side by side",
        """
        The summer is not like the winter. Nothing but the data is new, so the line is the same and
        the build one higher. It takes nobody's place yet: the champion serves, and the challenger
        scores the same flights in its shadow.
        """,
    )
    train(*map(str, range(1, 7)))
    run(
        [
            *(sys.executable, str(EXAMPLE / "shadow.py"), f"{MODEL}:1.0.0", f"{MODEL}:1.0.2"),
            *("--months", *map(str, range(7, 13))),
            *("--flights", str(FLIGHTS), "--repository", str(STAGING), "--output", str(SHADOW)),
        ]
    )
    say("The verdict may be looked at every week: over all looks it is false in 5% of cases.")
    pair = ("--champion", f"{MODEL}:1.0.0", "--challenger", f"{MODEL}:1.0.2")
    how = ("--id", "id", "--label", "late", "--time", "time_hour", "--window", "week")
    gavial("compare", "check", str(SHADOW), *pair, *how, to=COMPARISON)
    gavial("compare", "check", str(COMPARISON))


def replace_it() -> None:
    step(
        8,
        "Promote the challenger",
        """
        One of the policy's gates asks for that verdict. The alias moves on; what it meant before
        stays on record.
        """,
    )
    promote("1.0.2", "--comparison", str(COMPARISON))
    champion("1.0.2", "better in its shadow since July")
    gavial("alias", "history", MODEL, "champion", "--repository", str(RELEASES))


def look_up() -> None:
    step(
        9,
        "A year later somebody asks about one record",
        "Its watermark is all that is needed:",
    )
    gavial("lookup", f"{MODEL}:1.0.2", "--repository", str(RELEASES))


def what_next() -> None:
    step(
        10,
        "What to try next",
        "Every record says which version scored it. From here, in this folder:",
    )
    for comment, command in (
        ("the models of the repository, and the best versions of one", "list"),
        ("", f"list {MODEL} --sort -metrics.auc"),
        ("what a release says of itself", f"show {MODEL}:1.0.2"),
        ("what it learnt otherwise than the one before", f"diff {MODEL}:1.0.0 {MODEL}:1.0.2"),
        ("whether all is as it was, and the example is scored alike", f"verify {MODEL} --golden"),
        ("the options for your own spark-submit", f"spark-conf {MODEL}@champion"),
    ):
        if comment:
            print(f"    # {comment}")
        print(f"    {shown(GAVIAL)} {command} --repository {RELEASES}")
    print("    # a shell that has the model; in it: import gavial; gavial.available()")
    print(
        f"    {shown(GAVIAL)} run {MODEL}:latest.release "
        f"--repository {RELEASES} -- {shown(Path(sys.executable))} -i -m pyspark.shell"
    )
    print(f"    # how the model did, week by week: open {REPORT}")
    print(f"\nThe code is in {EXAMPLE}: train.py, score.py, shadow.py. The manual is in docs/.")


def train(*months: str) -> None:
    """Train on some months; further options may follow them."""
    run(
        [
            *(sys.executable, str(EXAMPLE / "train.py")),
            *("--months", *months),
            *("--flights", str(FLIGHTS), "--repository", str(STAGING), "--sign", str(KEY)),
        ]
    )


def promote(version: str, *more: str, code: int = 0) -> None:
    places = ("--from", str(STAGING), "--to", str(RELEASES), "--policy", str(POLICY))
    gavial("promote", f"{MODEL}:{version}", *places, *more, code=code)


def champion(version: str, why: str) -> None:
    gavial(
        *("alias", "set", MODEL, "champion", version),
        *("--why", why, "--repository", str(RELEASES)),
    )


def gavial(*command: str, code: int = 0, quiet: bool = False, to: Path | None = None) -> None:
    if to is not None:
        command = (*command, "--json")
    run([str(GAVIAL), *command], code=code, quiet=quiet, to=to)


def spark_only() -> dict[str, str]:
    """The environment of a shell in which the second virtual environment is active."""
    folder = (SPARK_ONLY / "bin").resolve()
    return {
        **os.environ,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(folder.parent),
    }


def start_afresh() -> None:
    # What would lead Python or Spark to other installations than the two environments.
    pyspark = ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON", "PYSPARK_SUBMIT_ARGS")
    for name in ("PYTHONPATH", "PYTHONHOME", "SPARK_HOME", *pyspark):
        os.environ.pop(name, None)
    os.environ["SPARK_CONF_DIR"] = str(HERE / "conf")  # two cores, and only errors in the log
    for made in (STAGING, RELEASES, SCORED, STATES, SHADOW, DEMO / "ivy"):
        shutil.rmtree(made, ignore_errors=True)
    for key in (KEY, KEY.with_suffix(".pub")):
        key.unlink(missing_ok=True)
    DEMO.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")


def run(
    command: list[str],
    *,
    environment: Mapping[str, str] | None = None,
    code: int = 0,
    quiet: bool = False,
    to: Path | None = None,
    excerpt: str = "",
) -> None:
    """Run a command that ends with a code, and show it. What it says on the side goes to the log,
    unless the code says that something is the matter.

    Of the log, the lines with `excerpt` are shown afterwards. What it prints may go to a file.
    """
    line = shlex.join([shown(Path(command[0])), *command[1:]]) + (f" > {to}" if to else "")
    if not quiet:
        print(textwrap.fill(f"$ {line}", 96, subsequent_indent="      ", break_long_words=False))
    with LOG.open("ab") as log, contextlib.ExitStack() as stack:
        log.write(f"\n$ {line}\n".encode())
        log.flush()
        offset = log.tell()
        error = subprocess.STDOUT if code else log
        output = stack.enter_context(to.open("wb")) if to else None
        sys.stdout.flush()
        done = subprocess.run(command, env=environment, stdout=output, stderr=error, check=False)
    aside = LOG.read_bytes()[offset:].decode(errors="replace")
    if done.returncode != code:
        sys.stderr.write(aside)
        sys.exit(f"The demo stopped: this command ended with {done.returncode}:\n  {line}")
    lines = [line.strip() for line in aside.splitlines() if excerpt and excerpt in line]
    if lines:
        print("Spark said on the way:", *lines, sep="\n    ")


def shown(program: Path) -> str:
    """A program's path from the project's folder, where that is shorter."""
    return str(program.relative_to(PROJECT)) if program.is_relative_to(PROJECT) else str(program)


def step(number: int, title: str, text: str) -> None:
    print(f"\n{number}. {title}\n")
    say(text)


def say(text: str) -> None:
    print(textwrap.fill(" ".join(text.split()), 92), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
