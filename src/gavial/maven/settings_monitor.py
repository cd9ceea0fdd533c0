"""`[monitor]` and `[[monitor.channels]]`: who is told of verdicts, and by which way.

A file of the working folder may come from somebody else. It may name where messages go, and no
more: no command of yours to run, no secret of yours to send along, no file beyond its own folder.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from gavial.errors import ConfigurationError
from gavial.maven.locations import expanded
from gavial.maven.setting_values import Secret

MONITOR_VARIABLE = "GAVIAL_MONITOR"
WEBHOOK, CHAT, EMAIL = "webhook", "chat", "email"
COMMAND, PROMETHEUS, OTEL = "command", "prometheus", "otel"
REMIND_DAYS: Final = 7.0

_COMMON = ("kind", "name", "modules")
_TABLE = ("channels", "remind_days", "report", "state")
_TEXT, _TEXTS, _PATH, _NUMBER, _SECRET = "text", "texts", "path", "number", "secret"
_URL: Mapping[str, str] = {"url": _SECRET, "url_env": _TEXT, "ca_file": _PATH}
# The keys of each kind, and of what sort their values are.
KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    WEBHOOK: {
        **_URL,
        "token": _SECRET,
        "token_env": _TEXT,
        "username": _TEXT,
        "password": _SECRET,
        "password_env": _TEXT,
        "on": _TEXTS,
    },
    CHAT: {**_URL, "format": _TEXT, "on": _TEXTS},
    EMAIL: {
        "host": _TEXT,
        "port": _NUMBER,
        "security": _TEXT,
        "username": _TEXT,
        "password": _SECRET,
        "password_env": _TEXT,
        "from": _TEXT,
        "to": _TEXTS,
        "ca_file": _PATH,
        "on": _TEXTS,
    },
    COMMAND: {"command": _TEXTS, "timeout": _NUMBER, "on": _TEXTS},
    PROMETHEUS: {"folder": _PATH},
    OTEL: {"endpoint": _TEXT, "headers": _SECRET, "headers_env": _TEXT, "ca_file": _PATH},
}
_NEEDED: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    WEBHOOK: (("url", "url_env"),),
    CHAT: (("url", "url_env"),),
    EMAIL: (("host",), ("from",), ("to",)),
    COMMAND: (("command",),),
    PROMETHEUS: (("folder",),),
    OTEL: (),
}
# Of these at most one may be said.
_EITHER = (
    ("url", "url_env"),
    ("token", "token_env", "password", "password_env"),
    ("headers", "headers_env"),
)
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "format": ("slack", "teams", "text"),
    "security": ("starttls", "tls", "none"),
    "on": ("alert", "more", "reminder", "unclear", "recovered", "retired", "silent"),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,60}")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class ChannelSettings:
    """One way by which somebody is told.

    Attributes:
        kind: a key of `KINDS`.
        name: what it is called in messages, and by which is known what it was told.
        values: by key; secrets are `Secret`, paths are absolute.
        modules: patterns such as `com.acme:*`; it is told of no others.
        source: the file that says it.
        file: the same, where it may hold a secret.
        problem: why it must not be used, if it must not.
    """

    kind: str
    name: str
    values: Mapping[str, Any]
    modules: tuple[str, ...] = ("*",)
    source: str = ""
    file: Path | None = None
    problem: str = ""


@dataclass(frozen=True)
class MonitorSettings:
    """Who is told.

    Attributes:
        channels: in the order of the files that say them.
        remind_days: after which an alert that goes on is told again; 0 is never.
        report: where people read more, for `{module}`.
        state: the folder that keeps what was told; `None` is the usual one.
        own: whether the file is certainly the user's.
    """

    channels: tuple[ChannelSettings, ...] = ()
    remind_days: float | None = None
    report: str = ""
    state: Path | None = None
    own: bool = True


@dataclass
class _Problems:
    """All that is wrong with one file, told at once."""

    file: Path
    found: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.found.append(text)

    def check(self) -> None:
        if self.found:
            lines = "".join(f"\n- {one}" for one in self.found)
            raise ConfigurationError(f"[monitor] of {self.file} cannot be used:{lines}")


def monitor_of(table: Any, file: Path, *, own: bool) -> MonitorSettings | None:
    """The `[monitor]` of a file; `None` where it has none.

    Args:
        own: whether it is certainly the user's.

    Raises:
        ConfigurationError: with every problem of it.
    """
    if table is None:
        return None
    problems = _Problems(file)
    if not isinstance(table, dict):
        problems.add(f"it is a {type(table).__name__}: expected a table of keys.")
        problems.check()
    for key in table:
        _check_known(key, _TABLE, "of [monitor]", problems)
    channels = table.get("channels", [])
    if not isinstance(channels, list):
        problems.add("channels is no list: expected [[monitor.channels]] tables.")
        channels = []
    found = [_channel(one, at, file, problems, own=own) for at, one in enumerate(channels, 1)]
    kept = tuple(one for one in found if one is not None)
    for name in sorted({one.name for one in kept}):
        if sum(one.name == name for one in kept) > 1:
            problems.add(f"two channels are called {name!r}: give each a name of its own.")
    remind = table.get("remind_days")
    if remind is not None and not _is_number(remind, 0):
        problems.add(f"remind_days is {remind!r:.50}: expected a number of days, 0 for never.")
        remind = None
    report = table.get("report", "")
    if not isinstance(report, str) or not re.match(r"https?://\S+$|$", report):
        problems.add("report is no http:// or https:// URL.")
        report = ""
    state = _state(table.get("state"), file, problems, own=own)
    problems.check()
    days = None if remind is None else float(remind)
    return MonitorSettings(kept, days, report, state, own)


def merged(layers: Iterable[MonitorSettings | None]) -> MonitorSettings:
    """The channels of every file; of the rest, the first that says it.

    A name that two files give is used once, as the user's own file has it.
    """
    known = [one for one in layers if one is not None]
    channels: list[ChannelSettings] = []
    own_first = sorted(known, key=lambda layer: not layer.own)
    for one in (each for layer in own_first for each in layer.channels):
        other = next((each for each in channels if each.name == one.name), None)
        if other is not None:
            one = replace(
                one,
                problem=f"{one.source} and {other.source} both have a channel {one.name!r}: give "
                "one of them another name.",
                name=f"{one.name} of {one.source}",
            )
        channels.append(one)
    return MonitorSettings(
        tuple(channels),
        next((one.remind_days for one in known if one.remind_days is not None), None),
        next((one.report for one in known if one.report), ""),
        next((one.state for one in known if one.state), None),
    )


def _channel(
    table: Any, number: int, file: Path, problems: _Problems, *, own: bool
) -> ChannelSettings | None:
    where = f"of channel {number}"
    if not isinstance(table, dict):
        problems.add(f"channel {number} is a {type(table).__name__}: expected a table of keys.")
        return None
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(KINDS)}."
        problems.add(f"kind {where} is {kind!r:.50}: {hint}")
        return None
    name = table.get("name", kind)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.add(f"name {where} is {name!r:.50}: expected one such as 'team'.")
        return None
    where = f"of channel {name!r}"
    before = len(problems.found)
    values = dict(_values(table, kind, file, where, problems))
    if len(problems.found) > before:
        return None
    modules = table.get("modules", ["*"])
    if not _are_texts(modules):
        problems.add(f"modules {where} is no list of patterns, such as ['com.acme:*'].")
        return None
    problem = "" if own else _unsafe(kind, name, values, file)
    return ChannelSettings(kind, name, values, tuple(modules), str(file), file, problem)


def _values(
    table: Mapping[str, Any], kind: str, file: Path, where: str, problems: _Problems
) -> Iterator[tuple[str, Any]]:
    sorts = KINDS[kind]
    for key, value in table.items():
        if key in _COMMON:
            continue
        if key not in sorts:
            _check_known(key, (*_COMMON, *sorts), where, problems)
            continue
        read = _value(key, value, sorts[key], file)
        if read is None:
            problems.add(f"{key} {where} is not {_EXPECTED[sorts[key]]}.")  # it may be a secret
        elif key in _CHOICES and not set(_listed(read)) <= set(_CHOICES[key]):
            problems.add(f"{key} {where} is {value!r:.80}: there are {', '.join(_CHOICES[key])}.")
        elif key.endswith("_env") and not _VARIABLE_NAME.fullmatch(read):
            # Perhaps it is the secret itself: it is not shown.
            problems.add(f"{key} {where} is no name of an environment variable.")
        else:
            yield key, read
    for names in _NEEDED[kind]:
        if not any(one in table for one in names):
            problems.add(f"{' or '.join(names)} is missing {where}.")
    for names in _EITHER:
        said = [one for one in names if one in table]
        if len(said) > 1:
            problems.add(f"{' and '.join(said)} {where} say the same: keep one.")
    named = "username" in table
    if named != any(one in table for one in ("password", "password_env")):
        problems.add(f"username {where} goes with password_env or password, and they with it.")


_EXPECTED: Final[Mapping[str, str]] = {
    _TEXT: "a text in quotes",
    _SECRET: "a text in quotes",
    _TEXTS: "a list of texts, such as ['…', '…']",
    _PATH: "a path in quotes",
    _NUMBER: "a number above 0",
}


def _value(key: str, value: Any, sort: str, file: Path) -> Any:
    """A value as it is kept; `None` where it is of another sort."""
    if sort == _TEXTS:
        return tuple(value) if _are_texts(value) and value else None
    if sort == _NUMBER:
        return value if _is_number(value, 0) and value > 0 else None
    if key == "headers":
        return _headers(value)
    if not isinstance(value, str) or not value:
        return None
    if sort == _SECRET:
        return Secret(value)
    if sort == _PATH:
        return file.parent.absolute() / expanded(value)
    return value


def _headers(value: Any) -> Secret | None:
    """A table of texts, in the form that a variable with headers has."""
    if not isinstance(value, dict) or not _are_texts(list(value.values())):
        return None
    from urllib.parse import quote

    return Secret(",".join(f"{quote(name)}={quote(one)}" for name, one in value.items()))


def _unsafe(kind: str, name: str, values: Mapping[str, Any], file: Path) -> str:
    """Why a channel of a file that may be somebody else's must not be used, or nothing."""
    why = ""
    if kind == COMMAND:
        why = "runs no command of yours"
    elif kind == OTEL and {"endpoint", "headers_env"} & values.keys():
        # The exporter adds what OTEL_EXPORTER_OTLP_HEADERS has, usually a key.
        why = "does not say where your OpenTelemetry keys go"
    elif any(key.endswith("_env") for key in values if key != "url_env"):
        why = "sends no secret of yours"
    elif kind == PROMETHEUS and not _within(values["folder"], file):
        why = "has files written in its own folder alone"
    if not why:
        return ""
    return (
        f"Channel {name!r} stands in {file}: a file of the working folder may be somebody else's, "
        f"and {why}. Put the channel into ~/.config/gavial/config.toml, or name its file by "
        f"{MONITOR_VARIABLE}."
    )


def _state(value: Any, file: Path, problems: _Problems, *, own: bool) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        problems.add("state is no path in quotes.")
        return None
    place = file.parent.absolute() / expanded(value)
    if not own and not _within(place, file):
        problems.add(
            "state lies beyond the folder of this file, which may be somebody else's: put it into "
            "~/.config/gavial/config.toml."
        )
        return None
    return place


def _within(place: Path, file: Path) -> bool:
    return place.resolve().is_relative_to(file.parent.resolve())


def _check_known(key: str, known: tuple[str, ...], where: str, problems: _Problems) -> None:
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}."
        problems.add(f"unknown key {key!r:.50} {where}: {hint}")


def _listed(value: Any) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one for one in value)


def _is_number(value: Any, least: float) -> bool:
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and math.isfinite(value) and value >= least
