"""What every real server offers to the tests, whichever it is.

Its module has `start(folder, anonymous=True)`, a context manager that gives a `RealServer`:
on loopback, with everything that it writes in that folder, ended with the context.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# With the characters that break URLs, shells, XML, property files and formats.
DEPLOYER = ("deployer", "p$$ w%rd<&'>")
READER = ("reader", 'rea:d "only" 50%')


@dataclass(frozen=True)
class RealServer:
    """A server with two repositories that take releases, and two users.

    Attributes:
        url: the repository `releases`.
        promoted: the URL of a second repository; empty where the server has but one.
        username, password: who may release in both.
        reader: who may only read them.
        realm: what it asks for credentials with; empty where it names none.
        anonymous_reads: whether anybody may read.
        set_anonymous: change `anonymous_reads` while it runs, where it can.
    """

    name: str
    url: str
    promoted: str
    realm: str
    anonymous_reads: bool
    username: str = DEPLOYER[0]
    password: str = field(default=DEPLOYER[1], repr=False)
    reader: tuple[str, str] = field(default=READER, repr=False)
    set_anonymous: Callable[[bool], None] | None = None


def write_users(file: Path, *users: tuple[str, str]) -> Path:
    """A password file as nginx and Apache read it."""
    lines = []
    for name, password in users:
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
        lines.append(f"{name}:{{SHA}}{base64.b64encode(digest).decode()}\n")
    file.write_text("".join(lines))
    return file
