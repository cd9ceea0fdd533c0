"""Where settings are: the environment, the Spark session, files of the folder and of the user.

Each source is read into a `Layer`; `settings` lays them over each other.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gavial import limits
from gavial.errors import ConfigurationError
from gavial.maven.locations import as_url, expanded, is_location
from gavial.maven.setting_values import PARTS, SECRETS, Secret, Setting
from gavial.maven.settings_monitor import MONITOR_VARIABLE, MonitorSettings, monitor_of
from gavial.maven.settings_signing import (
    TRUST_VARIABLE,
    Signing,
    TrustRule,
    signing_from_environment,
    signing_of,
    trust_of,
)

DEFAULT_VARIABLE = "GAVIAL_REPOSITORY"
POLICY_VARIABLE = "GAVIAL_POLICY"
CONFIG_VARIABLE = "GAVIAL_CONFIG"
_VARIABLE = re.compile(rf"GAVIAL_REPOSITORIES_(\w+?)_({'|'.join(p.upper() for p in PARTS)})")
_FILES = ("ca_file", "client_cert")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SESSION = "spark.gavial."
_TABLES = ("default", "repositories", "signing", "trust", "policy", "monitor")

# Secrets are `Secret` from here on, the other parts text.
Parts = Mapping[str, Setting[Any]]


@dataclass(frozen=True)
class Layer:
    """What one source says: the default repository, parts of repositories by id, signatures, the
    file of the promotion policy, and who is told of verdicts."""

    default: Setting[str] | None = None
    repositories: Mapping[str, Parts] = field(default_factory=dict)
    signing: Signing | None = None
    trust: tuple[TrustRule, ...] = ()
    policy: Setting[Path] | None = None
    monitor: MonitorSettings | None = None


def from_environment(environ: Mapping[str, str], folder: Path) -> Layer:
    """`GAVIAL_REPOSITORY` and `GAVIAL_REPOSITORIES_<ID>_<PART>`; ids are as written there."""
    repositories: dict[str, dict[str, Setting[Any]]] = {}
    for name, value in environ.items():
        found = _VARIABLE.fullmatch(name)
        if found and value:
            source = f"environment variable {name}"
            part = found[2].lower()
            setting = Setting(_placed(part, value, folder, source), source)
            repositories.setdefault(found[1], {})[part] = setting
    default = environ.get(DEFAULT_VARIABLE)
    return Layer(
        _default(default, folder, f"environment variable {DEFAULT_VARIABLE}"),
        repositories,
        signing_from_environment(environ, folder),
        _trust_file(environ, folder),
        _policy_variable(environ, folder),
        _monitor_file(environ, folder),
    )


def _policy_variable(environ: Mapping[str, str], folder: Path) -> Setting[Path] | None:
    named = environ.get(POLICY_VARIABLE)
    source = f"environment variable {POLICY_VARIABLE}"
    return Setting(folder / expanded(named), source) if named else None


def _trust_file(environ: Mapping[str, str], folder: Path) -> tuple[TrustRule, ...]:
    """The rules of the file that `GAVIAL_TRUST` names: one that is not there is no permission."""
    named = environ.get(TRUST_VARIABLE)
    if not named:
        return ()
    file = folder / expanded(named)
    table = read_toml(file)
    for key in table:
        _check_known(key, ("trust",), str(file))
    return trust_of(table.get("trust"), file)


def _monitor_file(environ: Mapping[str, str], folder: Path) -> MonitorSettings | None:
    """The `[monitor]` of the file that `GAVIAL_MONITOR` names. Who names it says it is theirs."""
    named = environ.get(MONITOR_VARIABLE)
    if not named:
        return None
    file = folder / expanded(named)
    table = read_toml(file)
    for key in table:
        _check_known(key, ("monitor",), str(file))
    return monitor_of(table.get("monitor"), file, own=True)


def from_session(conf: Mapping[str, str], folder: Path) -> Layer:
    """`spark.gavial.repository` and `spark.gavial.repositories.<id>.<part>`."""
    repositories: dict[str, dict[str, Setting[Any]]] = {}
    prefix = f"{_SESSION}repositories."
    for name, value in conf.items():
        if not name.startswith(prefix) or not value:
            continue
        repository_id, _, part = name.removeprefix(prefix).rpartition(".")
        source = f"Spark setting {name}"
        _check_id(repository_id, source)
        _check_known(part, PARTS, source)
        setting = Setting(_placed(part, value, folder, source), source)
        repositories.setdefault(repository_id, {})[part] = setting
    name = f"{_SESSION}repository"
    return Layer(_default(conf.get(name), folder, f"Spark setting {name}"), repositories)


def from_working_folder(folder: Path) -> Layer:
    """The nearest `gavial.toml`, or `pyproject.toml` with `[tool.gavial]`, from `folder` up."""
    for place in (folder, *folder.parents):
        file = place / "gavial.toml"
        if file.is_file():
            return _layer(read_toml(file), file, own=False)
        file = place / "pyproject.toml"
        if file.is_file() and b"gavial" in _bytes(file):
            table = read_toml(file).get("tool", {}).get("gavial")
            if table is not None:
                return _layer(table, file, own=False)
    return Layer()


def from_user_file(environ: Mapping[str, str], home: Path | None) -> Layer:
    """`gavial/config.toml` in `$XDG_CONFIG_HOME`, usually `~/.config`."""
    configured = environ.get("XDG_CONFIG_HOME", "")
    base = Path(configured) if configured.startswith("/") else home and home / ".config"
    file = base / "gavial" / "config.toml" if base else None
    if file is None or not file.is_file():
        return Layer()
    return _layer(read_toml(file), file, own=True)


def from_hocon(environ: Mapping[str, str], folder: Path) -> Layer:
    """`model.repository` of the HOCON file that `GAVIAL_CONFIG` names, or `application.conf`.

    A file that the user names by a path of their own is theirs; one that lies in the working
    folder may have come with it.
    """
    named = environ.get(CONFIG_VARIABLE)
    file = folder / expanded(named) if named else folder / "application.conf"
    if not file.is_file():
        if named:
            raise ConfigurationError(
                f"{CONFIG_VARIABLE} names {named!r}, and there is no such file: correct or unset "
                "it."
            )
        return Layer()
    text = _text(file)
    if "model" not in text:
        return Layer()  # an application's own, and nothing of ours
    from gavial.maven.settings_hocon import model_repository

    own = not file.resolve().is_relative_to(folder.resolve())
    values = model_repository(text, str(file), environ, own=own)
    if not values:
        return Layer()
    for key in values:
        _check_known(key, ("id", *PARTS), f"model.repository of {file}")
    fallback = Setting("default", str(file), own)
    name = values.pop("id", fallback)
    _check_id(name.value, str(file))
    parts = {
        part: Setting(
            _placed(part, setting.value, file.parent, setting.source),
            setting.source,
            setting.own,
            setting.file,
        )
        for part, setting in values.items()
    }
    return Layer(name, {name.value: parts})


def read_toml(file: Path) -> dict[str, Any]:
    """A TOML file.

    Raises:
        ConfigurationError: naming the file and the line that is wrong.
    """
    try:
        return tomllib.loads(_text(file))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file} is not TOML: {error}.") from error


def _layer(table: Any, file: Path, *, own: bool) -> Layer:
    source = str(file)
    _check_table(table, source, "its settings")
    for key in table:
        _check_known(key, _TABLES, source)
    default = table.get("default")
    if default is not None:
        default = _string(default, source, "default")
    return Layer(
        _default(default, file.parent, source, own=own),
        dict(_repositories(table.get("repositories", {}), file, own=own)),
        signing_of(table.get("signing"), file, own=own),
        trust_of(table.get("trust"), file),
        _policy(table.get("policy"), file, own=own),
        monitor_of(table.get("monitor"), file, own=own),
    )


def _policy(table: Any, file: Path, *, own: bool) -> Setting[Path] | None:
    """`[policy]`, whose one key `file` names the promotion policy, from that file's folder."""
    if table is None:
        return None
    source = str(file)
    _check_table(table, source, "policy")
    for key in table:
        _check_known(key, ("file",), f"[policy] of {source}")
    name = _string(table.get("file", ""), source, "policy.file")
    return Setting(file.parent / expanded(name), source, own)


def _repositories(tables: Any, file: Path, *, own: bool) -> Iterator[tuple[str, Parts]]:
    source = str(file)
    _check_table(tables, source, "repositories")
    for repository_id, table in tables.items():
        _check_id(repository_id, source)
        where = f"repositories.{repository_id}"
        _check_table(table, source, where)
        parts = {}
        for key, value in table.items():
            _check_known(key, PARTS, f"[{where}] of {source}")
            text = _string(value, source, f"{where}.{key}")
            parts[key] = Setting(_placed(key, text, file.parent, source), source, own, file)
        yield repository_id, parts


def _default(
    value: str | None, folder: Path, source: str, *, own: bool = True
) -> Setting[str] | None:
    if not value:
        return None
    what = _placed("url", value, folder, source) if is_location(value) else value
    return Setting(what, source, own)


def _placed(part: str, value: str, folder: Path, source: str) -> Any:
    """The value of a part. A path in a file of settings is meant from that file's folder."""
    if part in SECRETS:
        return Secret(value)
    if part == "url":
        try:
            return as_url(value, folder)
        except ConfigurationError as error:
            raise ConfigurationError(f"In {source}: {error}") from error
    return str(folder / expanded(value)) if part in _FILES else value


def _check_known(key: str, known: tuple[str, ...], source: str) -> None:
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
        raise ConfigurationError(f"Unknown key {key!r} in {source}. {hint}")


def _check_id(repository_id: str, source: str) -> None:
    if not _ID.fullmatch(repository_id):
        raise ConfigurationError(
            f"{repository_id!r} in {source} is no id of a repository: expected letters, digits, "
            "'.', '-' and '_', such as models."
        )


def _check_table(value: Any, source: str, what: str) -> None:
    if not isinstance(value, dict):
        kind = type(value).__name__  # and not the value, which may hold a password
        raise ConfigurationError(f"{what} in {source} is a {kind}: expected a table of keys.")


def _string(value: Any, source: str, key: str) -> str:
    if not isinstance(value, str) or not value:
        kind = "is empty" if value == "" else f"is of type {type(value).__name__}"
        raise ConfigurationError(f"{key} in {source} {kind}: expected text in quotes.")
    return value


def _text(file: Path) -> str:
    try:
        return _bytes(file).decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8 (at byte {error.start}).") from error


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(limits.SETTINGS + 1)
    except OSError as error:
        raise ConfigurationError(f"Cannot read {file}: {error.strerror}.") from error
    if len(data) > limits.SETTINGS:
        raise ConfigurationError(f"{file} has more than {limits.SETTINGS} bytes: no settings have.")
    return data
