"""`[signing]` and `[[trust]]`: who signs here, and whose signatures are asked for.

A file of the working folder may come from somebody else. It may ask for more signatures, never
for fewer: each file that has a rule for a group must be satisfied on its own. And it names no key
and no command to sign with.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gavial.errors import ConfigurationError
from gavial.maven.locations import expanded

KEY_VARIABLE = "GAVIAL_SIGNING_KEY"
PEM_VARIABLE = "GAVIAL_SIGNING_KEY_PEM"
PASSPHRASE_VARIABLE = "GAVIAL_SIGNING_PASSPHRASE"
TRUST_VARIABLE = "GAVIAL_TRUST"

_SIGNING = (
    "key",
    "key_env",
    "command",
    "public_key",
    "certificate",
    "passphrase_env",
    "gpg",
)
_TRUST = ("groups", "keys", "ca", "subjects")
_GROUP = re.compile(r"\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?")


@dataclass(frozen=True)
class Signing:
    """With what releases are signed; nothing of a key itself.

    Attributes:
        key: the file of a private key.
        key_env: or the environment variable that holds one, as PEM.
        command: or a program that gets the bytes to sign and gives the signature.
        public_key: the file of the public half, where a command signs.
        certificate: the file of the signer's certificate and those above it.
        passphrase_env: the environment variable with the passphrase of an encrypted key.
        gpg: the user's own key for `.asc` files, as gpg knows it.
        source: where this was said.
        problem: why it must not be used, if it must not.
    """

    key: Path | None = None
    key_env: str = ""
    command: tuple[str, ...] = ()
    public_key: Path | None = None
    certificate: Path | None = None
    passphrase_env: str = PASSPHRASE_VARIABLE
    gpg: str = ""
    source: str = ""
    problem: str = ""

    @property
    def signs(self) -> bool:
        """Whether there is a key of some kind."""
        return bool(self.key or self.key_env or self.command)


@dataclass(frozen=True)
class TrustRule:
    """Which keys may sign for which groups.

    Attributes:
        groups: `com.acme` is that group, `com.acme.*` all below it, `*` every one.
        keys: files with a public key each.
        ca: a file with the certificates of authorities.
        subjects: the only ones that a certificate may name; empty means any.
        source: the file or argument that says so.
    """

    groups: tuple[str, ...]
    keys: tuple[Path, ...]
    ca: Path | None
    subjects: tuple[str, ...]
    source: str

    def covers(self, group: str) -> bool:
        """Whether this rule is about a group. Case is ignored, as some file systems do.

        >>> rule = TrustRule(("com.acme", "org.acme.*"), (), None, (), "a test")
        >>> [rule.covers(group) for group in ("com.acme", "com.acme.ads", "org.acme.ads")]
        [True, False, True]
        """
        name = group.casefold()
        for one in map(str.casefold, self.groups):
            if one in ("*", name) or (one.endswith(".*") and name.startswith(one[:-1])):
                return True
        return False


def signing_of(table: Any, file: Path, *, own: bool) -> Signing | None:
    """The `[signing]` of a file; `None` where it has none.

    Raises:
        ConfigurationError: a key is unknown, has a value of another kind, or contradicts another.
    """
    if table is None:
        return None
    source = str(file)
    found = _table(table, _SIGNING, f"[signing] of {source}")
    if not own:
        return Signing(
            source=source,
            problem=f"[signing] stands in {source}: a file of the working folder may be somebody "
            "else's, and names neither a key nor a command of yours. Put it into "
            f"~/.config/gavial/config.toml, or set {KEY_VARIABLE}.",
        )
    where = f"of [signing] in {source}"
    ways = [name for name in ("key", "key_env", "command") if name in found]
    if len(ways) > 1:
        raise ConfigurationError(f"{' and '.join(ways)} {where} say twice what signs: keep one.")
    if "command" in found and not {"public_key", "certificate"} & found.keys():
        raise ConfigurationError(
            f"command {where} needs public_key or certificate beside it: which key is it?"
        )
    return Signing(
        key=_path(found, "key", file, where),
        key_env=_text(found, "key_env", where),
        command=_texts(found, "command", where),
        public_key=_path(found, "public_key", file, where),
        certificate=_path(found, "certificate", file, where),
        passphrase_env=_text(found, "passphrase_env", where) or PASSPHRASE_VARIABLE,
        gpg=_text(found, "gpg", where),
        source=source,
    )


def signing_from_environment(environ: Mapping[str, str], folder: Path) -> Signing | None:
    """`GAVIAL_SIGNING_KEY`, `_KEY_PEM`, `_COMMAND`, `_PUBLIC_KEY`, `_CERTIFICATE` and `_GPG`."""

    def value(name: str) -> str:
        return environ.get(f"GAVIAL_SIGNING_{name}", "")

    def path(name: str) -> Path | None:
        return folder / expanded(value(name)) if value(name) else None

    found = Signing(
        key=path("KEY"),
        key_env="" if value("KEY") or not value("KEY_PEM") else PEM_VARIABLE,
        command=_command(value("COMMAND")),
        public_key=path("PUBLIC_KEY"),
        certificate=path("CERTIFICATE"),
        gpg=value("GPG"),
        source="the environment",
    )
    if found.command and not (found.public_key or found.certificate):
        raise ConfigurationError(
            "GAVIAL_SIGNING_COMMAND needs GAVIAL_SIGNING_PUBLIC_KEY or GAVIAL_SIGNING_CERTIFICATE "
            "beside it: which key is it?"
        )
    return found if found.signs or found.gpg else None


def _command(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ConfigurationError(
            f"GAVIAL_SIGNING_COMMAND is nothing that a shell reads ({error}): mend its quotes."
        ) from error


def merged(layers: Iterable[Signing | None]) -> Signing:
    """The first one that signs, or says why none may; with the first `gpg` that there is."""
    known = [one for one in layers if one is not None]
    signs = next(
        (one for one in known if one.signs), next((one for one in known if one.problem), Signing())
    )
    gpg = next((one.gpg for one in known if one.gpg), "")
    return Signing(**{**vars(signs), "gpg": gpg})


def trust_of(tables: Any, file: Path) -> tuple[TrustRule, ...]:
    """The `[[trust]]` of a file.

    Raises:
        ConfigurationError: a rule is malformed. One that is not understood must not be passed over.
    """
    if tables is None:
        return ()
    if not isinstance(tables, list):
        raise ConfigurationError(f"trust in {file} is no list: expected [[trust]] tables.")
    return tuple(_rule(table, file, number) for number, table in enumerate(tables, 1))


def _rule(table: Any, file: Path, number: int) -> TrustRule:
    where = f"of [[trust]] {number} in {file}"
    found = _table(table, _TRUST, f"[[trust]] {number} of {file}")
    groups = _texts(found, "groups", where)
    for group in groups:
        if not _GROUP.fullmatch(group):
            raise ConfigurationError(
                f"groups {where} has {group!r:.100}: expected com.acme for that group, com.acme.* "
                "for all below it, or * for every one."
            )
    if not groups:
        raise ConfigurationError(f"groups is missing {where}: for which groups is this?")
    keys = tuple(file.parent / expanded(one) for one in _texts(found, "keys", where))
    authority = _path(found, "ca", file, where)
    subjects = _texts(found, "subjects", where)
    if not keys and authority is None:
        raise ConfigurationError(
            f"Nobody may sign by {where.removeprefix('of ')}: expected keys, ca, or both."
        )
    if subjects and authority is None:
        raise ConfigurationError(f"subjects {where} mean nothing without ca.")
    return TrustRule(groups, keys, authority, subjects, str(file))


def _table(value: Any, known: tuple[str, ...], what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{what} is a {type(value).__name__}: expected a table of keys.")
    for key in value:
        if key not in known:
            raise ConfigurationError(
                f"Unknown key {key!r} in {what}. There are: {', '.join(known)}."
            )
    return value


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or (key in table and not value):
        raise ConfigurationError(f"{key} {where} is no text: expected one in quotes.")
    return value


def _texts(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise ConfigurationError(f"{key} {where} is no list of texts, such as ['…', '…'].")
    return tuple(value)


def _path(table: Mapping[str, Any], key: str, file: Path, where: str) -> Path | None:
    value = _text(table, key, where)
    return file.parent / expanded(value) if value else None
