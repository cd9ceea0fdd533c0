"""Another program in place of this one, with our settings for Spark."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gavial.cli import output, spark_command

_SUBMIT = "PYSPARK_SUBMIT_ARGS"
# As a shell says it.
_NOT_FOUND, _NOT_RUNNABLE = 127, 126


@dataclass(frozen=True)
class Started:
    """A program about to start: its arguments, its environment with secrets, and which of our
    settings its own replace."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    overruled: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Started({self.arguments!r})"


def prepared(
    command: Sequence[str],
    conf: Mapping[str, str],
    secrets: Mapping[str, str],
    environ: Mapping[str, str] = os.environ,
) -> Started:
    """The command with `conf` added, and an environment with `secrets`. Starts nothing."""
    environment = {**environ, **secrets}
    program, *arguments = command
    own = {name: value for name, value in conf.items() if name != spark_command.PACKAGES}
    if spark_command.is_spark(program):
        overruled = spark_command.conflicts(arguments, own)
        kept = {name: value for name, value in conf.items() if name not in overruled}
        added = spark_command.with_conf(arguments, kept)
        return Started((program, *added), environment, tuple(overruled))
    environment[_SUBMIT] = spark_command.submit_arguments(environ.get(_SUBMIT, ""), conf)
    return Started(tuple(command), environment)


def become(started: Started) -> int:
    """Run it in place of this process, so that signals and exit code are its own.

    Returns:
        An exit code, where it could not be started or where no process can become another.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if os.name == "nt":
            return subprocess.run(
                started.arguments, env=started.environment, check=False
            ).returncode
        os.execvpe(started.arguments[0], started.arguments, started.environment)
    except FileNotFoundError:
        output.note(f"there is no command {started.arguments[0]!r}: is it on the PATH?")
        return _NOT_FOUND
    except OSError as error:
        output.note(f"{started.arguments[0]!r} cannot be run: {error.strerror}")
        return _NOT_RUNNABLE
