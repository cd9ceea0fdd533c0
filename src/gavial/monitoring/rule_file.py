"""A file of rules: TOML, to rules and settings. Pure.

Nothing unknown is passed over: a misspelt rule would be one that never alarms.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gavial import limits
from gavial.errors import ConfigurationError
from gavial.monitoring.metrics import METRICS, Family
from gavial.monitoring.verdict import Level

FORMAT: Final = 1
_SETTINGS: Final = (
    "learned",
    "minimum",
    "labelled",
    "windows_to_alert",
    "windows_to_clear",
    "windows_together",
    "windows_to_doubt",
    "gross",
)
_RULE: Final = ("metric", "column", "segment", "low", "high", "minimum", "level", "off")
_MOST: Final = 1000  # rules, and windows in a row


@dataclass(frozen=True)
class Settings:
    """How windows become a verdict.

    Attributes:
        learned: whether what the reference teaches is judged by.
        minimum: the records that a value must be made of, unless its rule says so.
        labelled: the share of a window's records that must have their labels for its quality to be
            judged.
        windows_to_alert: in which a rule must be broken to alarm.
        windows_to_clear: in a row in which it must be kept to end that, or to forget that it was
            broken before.
        windows_together: over how many the quality is judged as well, without the worst of them;
            1 and 2 are none.
        windows_to_doubt: in a row that cannot be judged, after which an earlier `ok` is no more.
        gross: a learned rule that is broken by so many times what it allows alarms at once; `None`
            waits for each.
    """

    learned: bool = True
    minimum: int = 100
    labelled: float = 0.5
    windows_to_alert: int = 2
    windows_to_clear: int = 2
    windows_together: int = 4
    windows_to_doubt: int = 2
    gross: float | None = None


@dataclass(frozen=True)
class Said:
    """A rule of a file. What is `None` was not said.

    Attributes:
        metric: its name.
        column: the feature; `None` is each of them.
        segment: such as `carrier=AA`; "" is all records together, and `None` is every segment.
        low, high, minimum, level: as in `Rule`.
        off: the metric is not judged.
        source: the file.
    """

    metric: str
    column: str | None = None
    segment: str | None = None
    low: float | None = None
    high: float | None = None
    minimum: int | None = None
    level: Level | None = None
    off: bool = False
    source: str = ""

    @property
    def bounded(self) -> bool:
        return self.low is not None or self.high is not None


def parse(
    text: str, file: str = "rules.toml", columns: Iterable[str] | None = None
) -> tuple[Settings, tuple[Said, ...]]:
    """Read a file of rules.

    Args:
        text: TOML.
        file: its name, for messages.
        columns: the features that there are; `None` where that is not known.

    Raises:
        ConfigurationError: it is no TOML, or has a key that nobody knows or a value that does not
            fit; the message names it.

    >>> settings, (rule,) = parse('windows_to_alert = 3\\n[[rule]]\\nmetric = "auc"\\nlow = 0.8')
    >>> settings.windows_to_alert, rule.metric, rule.low
    (3, 'auc', 0.8)
    """
    if len(text) > limits.SETTINGS:
        raise ConfigurationError(f"{file} has more than {limits.SETTINGS} characters: no rules do.")
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file} is not TOML: {error!s:.200}.") from error
    _known(table, ("format", "description", *_SETTINGS, "rule"), f"the rules {file}", "key")
    _check_head(table, file)
    rules = table.get("rule", [])
    if not isinstance(rules, list) or not all(isinstance(one, dict) for one in rules):
        raise _wrong("rule", file, rules, "tables, each under a line [[rule]]")
    if len(rules) > _MOST:
        raise ConfigurationError(f"{file} has {len(rules)} rules: expected {_MOST} at most.")
    names = None if columns is None else tuple(columns)
    said = tuple(_Rule(one, f"rule {n}", file, names).read() for n, one in enumerate(rules, 1))
    return _settings(table, file), said


def _check_head(table: Mapping[str, Any], file: str) -> None:
    number = table.get("format", FORMAT)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise _wrong("format", file, number, f"{FORMAT}")
    if number > FORMAT:
        raise ConfigurationError(
            f"The rules {file} have format {number}; this Gavial reads up to {FORMAT}. Use a later "
            "one: pip install --upgrade gavial"
        )
    if not isinstance(table.get("description", ""), str):
        raise _wrong("description", file, table["description"], "a text")


def _settings(table: Mapping[str, Any], file: str) -> Settings:
    found: dict[str, Any] = {}
    for name in _SETTINGS:
        if name not in table:
            continue
        value = table[name]
        if name == "learned":
            found[name] = _truth(name, file, value)
        elif name == "labelled":
            found[name] = _number(name, file, value, 0.0, 1.0, "a share from 0 to 1")
        elif name == "gross":
            found[name] = _number(name, file, value, 1.0, 1e6, "a number from 1, such as 2.0")
        elif name == "minimum":
            found[name] = _whole(name, file, value, 0, 10**12)
        else:
            found[name] = _whole(name, file, value, 1, _MOST)
    return Settings(**found)


@dataclass(frozen=True)
class _Rule:
    """A rule as the file has it."""

    table: Mapping[str, Any]
    name: str
    file: str
    columns: Sequence[str] | None

    def read(self) -> Said:
        _known(self.table, _RULE, f"{self.name} of the rules {self.file}", "key")
        metric = self._metric()
        low, high = self._bound("low"), self._bound("high")
        if low is not None and high is not None and low > high:
            raise self._wrong("low", low, f"no more than high, which is {high!r}")
        level = self._level()
        off = _truth(f"{self.name}.off", self.file, self.table.get("off", False))
        minimum = None
        if "minimum" in self.table:
            minimum = _whole(f"{self.name}.minimum", self.file, self.table["minimum"], 0, 10**12)
        found = Said(
            metric, self._column(metric), self._text("segment"), low, high, minimum, level, off,
            self.file,
        )  # fmt: skip
        if off and (found.bounded or level or minimum is not None):
            raise self._wrong("off", True, "no bounds, level or minimum beside it")
        if not off and not found.bounded and level is None and minimum is None:
            raise ConfigurationError(
                f"{self.name} of the rules {self.file} says nothing of {metric!r}: expected low, "
                "high, minimum, level, or off = true."
            )
        return found

    def _metric(self) -> str:
        metric = self.table.get("metric")
        if not isinstance(metric, str) or not metric:
            raise self._wrong("metric", metric, "the name of a metric, such as 'auc'")
        if metric not in METRICS:
            raise ConfigurationError(
                f"Unknown metric {metric!r:.100} in {self.name} of the rules {self.file}. "
                f"{_hint(metric, tuple(METRICS))}"
            )
        return metric

    def _column(self, metric: str) -> str | None:
        column = self._text("column")
        of_feature = METRICS[metric].family is Family.FEATURE
        if column and not of_feature:
            raise self._wrong("column", column, f"none: {metric} is of the model as a whole")
        if not column:
            return None if of_feature else ""
        if self.columns is not None and column not in self.columns:
            raise ConfigurationError(
                f"Unknown column {column!r:.100} in {self.name} of the rules {self.file}. "
                f"{_hint(column, self.columns)}"
            )
        return column

    def _text(self, key: str) -> str | None:
        value = self.table.get(key)
        if value is not None and not isinstance(value, str):
            raise self._wrong(key, value, "a text")
        if key == "segment" and value and "=" not in value:
            raise self._wrong(key, value, "a text such as 'carrier=AA', or '' for all records")
        return value

    def _bound(self, key: str) -> float | None:
        if key not in self.table:
            return None
        value = self.table[key]
        return _number(f"{self.name}.{key}", self.file, value, -1e300, 1e300, "a number")

    def _level(self) -> Level | None:
        if "level" not in self.table:
            return None
        try:
            return Level(self.table["level"])
        except ValueError as error:
            levels = ", ".join(f"'{one}'" for one in Level)
            raise self._wrong("level", self.table["level"], f"one of {levels}") from error

    def _wrong(self, key: str, value: Any, expected: str) -> ConfigurationError:
        return _wrong(f"{self.name}.{key}", self.file, value, expected)


def _wrong(name: str, file: str, value: Any, expected: str) -> ConfigurationError:
    kinds = {dict: "a table", list: "a list", type(None): "missing"}
    shown = kinds.get(type(value), f"a {type(value).__name__}")
    if isinstance(value, str | int | float):
        shown = f"{value!r:.100}"
    return ConfigurationError(f"{name} of the rules {file} is {shown}: expected {expected}.")


def _truth(name: str, file: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, file, value, "true or false")
    return value


def _whole(name: str, file: str, value: Any, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _wrong(name, file, value, f"a whole number from {low} to {high}")
    return value


def _number(name: str, file: str, value: Any, low: float, high: float, expected: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or not math.isfinite(value):
        raise _wrong(name, file, value, expected)
    return float(value)


def _known(table: Mapping[str, Any], known: Sequence[str], where: str, what: str) -> None:
    for key in table:
        if key not in known:
            raise ConfigurationError(f"Unknown {what} {key!r:.100} in {where}. {_hint(key, known)}")


def _hint(given: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
