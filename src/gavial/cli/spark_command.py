"""A command line of Spark's, with our settings added to what is there. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from gavial.errors import ConfigurationError

PACKAGES = "spark.jars.packages"
# pyspark, spark-submit, spark-shell, spark-sql; also pyspark3 and spark3-submit, as some platforms
# name them, and Windows' .cmd.
_SPARK = re.compile(r"(pyspark\d?|spark\d?-(submit|shell|sql))(\.cmd)?")
# The options of Spark's scripts that take no value (SparkSubmitOptionParser, and spark-sql's own).
_SWITCHES = frozenset(
    {"--help", "-h", "--supervise", "--usage-error", "--verbose", "-v", "--version", "-S"}
)
_CONF = ("--conf", "-c")


def is_spark(command: str) -> bool:
    """Whether a command is one of Spark's own, by its name.

    >>> [is_spark(name) for name in ("/opt/spark/bin/pyspark", "spark-submit", "python")]
    [True, True, False]
    """
    return bool(_SPARK.fullmatch(PurePath(command).name))


def with_conf(arguments: Sequence[str], conf: Mapping[str, str]) -> list[str]:
    """The arguments of one of Spark's commands with `conf` before them.

    Packages that they name are merged into ours, because a second `--packages` replaces the
    first. Of everything else what they say stands last, and so wins.

    Raises:
        ConfigurationError: two different versions of one module are asked for.

    >>> with_conf(["--packages", "org.b:c:2", "job.py"], {"spark.jars.packages": "com.a:b:1"})
    ['--packages', 'com.a:b:1,org.b:c:2', 'job.py']
    """
    theirs = _read(arguments)
    ours = [one for one in conf.get(PACKAGES, "").split(",") if one]
    packages = _merged([*ours, *theirs.packages])
    flags = ["--packages", ",".join(packages)] if packages else []
    for name, value in conf.items():
        if name != PACKAGES:
            flags += ["--conf", f"{name}={value}"]
    return [*flags, *theirs.rest]


def submit_arguments(before: str, conf: Mapping[str, str]) -> str:
    """The value of PYSPARK_SUBMIT_ARGS for a Python that starts Spark itself.

    Args:
        before: what the variable has now.

    >>> submit_arguments("--master yarn pyspark-shell", {"spark.jars.packages": "com.a:b:1"})
    '--packages com.a:b:1 --master yarn pyspark-shell'
    """
    try:
        arguments = shlex.split(before)
    except ValueError as error:
        raise ConfigurationError(
            f"PYSPARK_SUBMIT_ARGS is {before!r}, which no shell can read ({error}): mend its "
            "quotes, or unset it."
        ) from error
    return shlex.join(with_conf(arguments or ["pyspark-shell"], conf))


def flags(conf: Mapping[str, str]) -> str:
    """`--conf` for each setting, quoted for a shell, on one line."""
    return shlex.join(
        part for name, value in conf.items() for part in ("--conf", f"{name}={value}")
    )


def conflicts(arguments: Sequence[str], conf: Mapping[str, str]) -> list[str]:
    """The settings of `conf` for which the arguments have other values of their own."""
    named = _read(arguments).settings
    return [name for name, value in conf.items() if named.get(name, value) != value]


@dataclass
class _Read:
    """What a command line says: its packages, its settings, and all of it but the packages."""

    packages: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)


def _read(arguments: Sequence[str]) -> _Read:
    found = _Read()
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        option, equals, value = arguments[at].partition("=")
        long = equals and option.startswith("--")
        taken = 1 if long or arguments[at] in _SWITCHES else 2
        if taken == 2:
            option, value = arguments[at], "".join(arguments[at + 1 : at + 2])
        name, _, setting = value.partition("=")
        if option == "--packages":
            found.packages += value.split(",")
        elif option in _CONF and name == PACKAGES:
            found.packages += setting.split(",")
        else:
            if option in _CONF:
                found.settings[name] = setting
            found.rest += arguments[at : at + taken]
        at += taken
    found.rest += arguments[at:]  # the application and what is its own
    return found


def _merged(packages: Sequence[str]) -> list[str]:
    """Each once, in order."""
    merged: dict[str, str] = {}
    for package in filter(None, map(str.strip, packages)):
        module = ":".join(package.split(":")[:2])
        if merged.setdefault(module, package) != package:
            raise ConfigurationError(
                f"--packages would name both {merged[module]} and {package}, and one Spark has one "
                "version of a module. Name one of them."
            )
    return list(merged.values())
