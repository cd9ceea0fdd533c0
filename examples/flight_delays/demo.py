"""The life of a model in five steps: `make demo`. Everything it makes lies in build/demo."""

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
REPOSITORY = DEMO / "repository"
FLIGHTS = DEMO / "flights"
SPARK_ONLY = DEMO / "venv"
LOG = DEMO / "log.txt"
EXAMPLE = HERE.relative_to(PROJECT)
GAVIAL = Path(sys.executable).with_name("gavial")


def main() -> None:
    os.chdir(PROJECT)
    start_afresh()
    say(
        """
        Two teams share a model. One trains it and has Gavial installed. The other runs a Spark
        job and has pyspark, nothing else. Between them stands a Maven repository: here a plain
        folder, in earnest perhaps a Nexus or an Artifactory.
        """
    )
    release_the_first_version()
    retrain()
    make_the_other_environment()
    score()
    what_next()


def release_the_first_version() -> None:
    step(
        1,
        "Train on January and February, and release",
        """
        The data are the 336,776 flights that left New York in 2013. The question, as an aircraft
        leaves its gate: will it come more than 15 minutes late? `gavial.deploy` asks for the line
        1.0; the repository allots the build.
        """,
    )
    train(1, 2)
    say(f"These files now lie in {REPOSITORY} (and their checksums). They never change again:")
    for file in sorted(REPOSITORY.glob("com/example/flight-delays/1.0.*/*")):
        if file.suffix not in (".sha1", ".md5"):
            print(f"    {file.relative_to(REPOSITORY)}  ({file.stat().st_size:,} bytes)")


def retrain() -> None:
    step(
        2,
        "March is over: train again, release again",
        """
        Nothing but the data is new, so the line is the same, 1.0, and the build is one higher.
        """,
    )
    train(1, 2, 3)


def make_the_other_environment() -> None:
    step(
        3,
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
    run([str(python), "-c", "import gavial"], fails=True)


def score() -> None:
    step(
        4,
        "Spark brings the latest release, and the job scores April",
        """
        `--packages` is Spark's own way to libraries in Maven repositories, and `ivysettings.xml`
        tells it where ours is. It finds the newest release, and with it the small Gavial jar that
        the model's POM names as a dependency. The job says `gavial.resolve("flight-delays")` and
        has a PipelineModel.
        """,
    )
    settings = DEMO / "ivysettings.xml"
    run([str(GAVIAL), "ivysettings", "--output", str(settings), "--repository", str(REPOSITORY)])
    run(
        [
            str(SPARK_ONLY / "bin" / "spark-submit"),
            *("--packages", "com.example:flight-delays:latest.release"),
            *("--conf", f"spark.jars.ivySettings={settings}"),
            *("--conf", f"spark.jars.ivy={DEMO / 'ivy'}"),
            *(str(EXAMPLE / "score.py"), str(FLIGHTS)),
        ],
        environment=spark_only(),
        excerpt="found ",
    )


def what_next() -> None:
    step(
        5,
        "What to try next",
        "Every record says which version scored it. From here, in this folder:",
    )
    for comment, command in (
        ("the models of the repository, and the versions of one", "list"),
        ("", "list com.example:flight-delays"),
        ("what a release says of itself", "show com.example:flight-delays:1.0.0"),
        ("the options for your own spark-submit", "spark-conf com.example:flight-delays:1.0.+"),
    ):
        if comment:
            print(f"    # {comment}")
        print(f"    {shown(GAVIAL)} {command} --repository {REPOSITORY}")
    print("    # a shell that has the model; in it: import gavial; gavial.available()")
    print(
        f"    {shown(GAVIAL)} run com.example:flight-delays:latest.release "
        f"--repository {REPOSITORY} -- {shown(Path(sys.executable))} -i -m pyspark.shell"
    )
    print(f"\nThe code is in {EXAMPLE}: train.py and score.py. The manual is in docs/.")


def train(*months: int) -> None:
    run(
        [
            *(sys.executable, str(EXAMPLE / "train.py")),
            *("--months", *map(str, months)),
            *("--flights", str(FLIGHTS), "--repository", str(REPOSITORY)),
        ]
    )


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
    for made in (REPOSITORY, DEMO / "ivy"):
        shutil.rmtree(made, ignore_errors=True)
    DEMO.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")


def run(
    command: list[str],
    *,
    environment: Mapping[str, str] | None = None,
    fails: bool = False,
    quiet: bool = False,
    excerpt: str = "",
) -> None:
    """Run a command and show it. What Spark says on the side goes to the log.

    Of that, the lines with `excerpt` are shown afterwards.
    """
    line = shlex.join([shown(Path(command[0])), *command[1:]])
    if not quiet:
        print(textwrap.fill(f"$ {line}", 96, subsequent_indent="      ", break_long_words=False))
    with LOG.open("ab") as log:
        log.write(f"\n$ {line}\n".encode())
        log.flush()
        offset = log.tell()
        error = subprocess.STDOUT if fails else log
        sys.stdout.flush()
        done = subprocess.run(command, env=environment, stderr=error, check=False)
    aside = LOG.read_bytes()[offset:].decode(errors="replace")
    if fails != bool(done.returncode):
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
