"""Programs of Debian and its kin: the installed one, or one that is unpacked beside the cache.

Unpacking needs no root, and starts no service as an installation would.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fetch import cache

_PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


@dataclass(frozen=True)
class Program:
    """Where a program is, below which root its package lies, and what it needs to run."""

    path: Path
    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=dict)


class NotInstalled(Exception):
    """A program is not there and cannot be had; the message says what to install."""


def program(name: str, package: str) -> Program:
    """The program of that name, from its package where it is not installed.

    Raises:
        NotInstalled: there is no such package here, or no package lists.
    """
    installed = shutil.which(name, path=_PLACES)
    if installed:
        return Program(Path(installed))
    root = cache() / "debian" / package
    if not root.is_dir():
        try:
            _unpack(package, root)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", "") or str(error)
            raise NotInstalled(
                f"{name} is not installed, and its package could not be unpacked ({said.strip()}). "
                f"As root: apt-get update && apt-get install --no-install-recommends {package}"
            ) from error
    libraries = sorted({str(file.parent) for file in (root / "usr/lib").rglob("*.so.*")})
    before = os.environ.get("LD_LIBRARY_PATH")
    paths = os.pathsep.join([*libraries, *([before] if before else [])])
    places = (root / folder / name for folder in ("usr/sbin", "usr/bin"))
    path = next((place for place in places if place.is_file()), root / "usr/sbin" / name)
    return Program(path, root, {"LD_LIBRARY_PATH": paths} if paths else {})


def _unpack(package: str, root: Path) -> None:
    """Unpack a package and what of its dependencies is not installed."""
    plan = _run("apt-get", "--simulate", "--no-install-recommends", "install", package)
    missing = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        _run("apt-get", "download", *missing, cwd=folder)
        made = Path(folder) / "root"
        made.mkdir()
        for archive in Path(folder).glob("*.deb"):
            _run("dpkg-deb", "--extract", str(archive), str(made))
        root.parent.mkdir(exist_ok=True)
        made.rename(root)


def _run(*command: str, cwd: str | None = None) -> str:
    return subprocess.run(
        command, cwd=cwd, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    ).stdout
